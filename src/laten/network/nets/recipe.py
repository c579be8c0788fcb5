"""Recipes: what a net is to the rest of the library.

A recipe is a callable `(n_in, n_out, key) -> equinox.Module`; the module maps one example's features `(n_in,)` to
`(n_out,)`. Any callable of this signature is one (`Recipe`); one that also says its size and how it looks the other way
round (`MirroredRecipe`) gets guides to its measure. One that must know shapes, as convolutions do, is told of both ends
(`ShapedRecipe`).
"""

import inspect
from typing import Any, NamedTuple, Protocol, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp

from laten.common.errors import DeclarationError
from laten.common.types import Array, Key


class Net(Protocol):
    """A module with weights: one example's features `(n_in,)` -> `(n_out,)`; for dropout it takes a `key` too."""

    def __call__(self, *args: Any, **kwargs: Any) -> Array: ...


class Recipe(Protocol):
    """A function that builds a net. Any callable of this signature is one.

    A recipe with an attribute `dropout` above 0 builds modules that get a random `key` while training.
    """

    def __call__(self, n_in: int, n_out: int, key: Key) -> Net:
        """Build a module that maps one example's features `(n_in,)` to `(n_out,)`."""
        ...


@runtime_checkable
class MirroredRecipe(Protocol):
    """A recipe that `guide_for` can turn round.

    A recipe without these two members is used in a guide as it is; it counts as larger than `Linear` and smaller than
    any net with a hidden layer.
    """

    @property
    def size(self) -> tuple[int, int]:
        """Units of the widest hidden layer, number of hidden layers: a guide takes the largest net of P it can."""
        ...

    def mirrored(self) -> Recipe | None:
        """Return the net of the other way round, whose output is raw: without an activation on it.

        None: this net fits one way alone, and guides take another one.
        """
        ...


class Slot(NamedTuple):
    """One parent as a net sees it: `n` of the net's inputs, one parent after the other.

    Args:
        shape: Of the parent's sites.
        n: Features, row by row as `shape` lies; where `hidden`, followed by a mask, 1 at sites that are seen.
        hidden: Whether the parent may be hidden.
    """

    name: str
    shape: tuple[int, ...]
    n: int
    hidden: bool


class Ends(NamedTuple):
    """What a net stands between.

    Args:
        shape: Of the sites of the child.
        n_out: Raw numbers that the net puts out for them; a site's location comes first (all sites), then the others.
    """

    inputs: tuple[Slot, ...]
    shape: tuple[int, ...]
    n_out: int

    @property
    def n_in(self) -> int:
        """Length of the net's input."""
        return sum(slot.n for slot in self.inputs)


@runtime_checkable
class ShapedRecipe(Protocol):
    """A recipe that builds a net by the shapes of both ends; it needs no `__call__`."""

    def between(self, ends: Ends, key: Key) -> Net:
        """Build a module that maps one example's features `(ends.n_in,)` to `(ends.n_out,)`."""
        ...


UNSIZED = (1, 0)  # the size of a recipe that says none


def size_of(recipe: Recipe) -> tuple[int, int]:
    """Return the size by which recipes are compared."""
    return recipe.size if isinstance(recipe, MirroredRecipe) else UNSIZED


def mirrored(recipe: Recipe) -> Recipe | None:
    """Return the recipe of a net the other way round; None: there is none."""
    return recipe.mirrored() if isinstance(recipe, MirroredRecipe) else recipe


def build(recipe: Any, ends: Ends, key: Key, node: str) -> Net:
    """Build a net by its recipe, and check, without computing, that it maps `(n_in,)` to `(n_out,)`.

    Raises:
        DeclarationError: the recipe fails or its module has other sizes.
    """
    n_in, n_out = ends.n_in, ends.n_out
    try:
        module = recipe.between(ends, key) if isinstance(recipe, ShapedRecipe) else recipe(n_in, n_out, key)
        out = eqx.filter_eval_shape(call, module, jax.ShapeDtypeStruct((n_in,), jnp.float32), None)
    except Exception as error:  # whatever a recipe of the user's raises
        raise DeclarationError(
            f"node {node!r}: its net {recipe!r} cannot be built as (n_in={n_in}, n_out={n_out}, key) -> module "
            f"of one example: {error or type(error).__name__}"
        ) from error
    if out.shape != (n_out,):
        raise DeclarationError(f"node {node!r}: its net {recipe!r} outputs shape {out.shape}, but ({n_out},) is needed")
    return module


def call(module: Net, x: Array, key: Key | None) -> Array:
    """Call a net on one example; modules that take no `key` are called without."""
    if "key" in inspect.signature(module.__call__).parameters:
        return module(x, key=key)
    return module(x)
