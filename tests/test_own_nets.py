"""Nets of the user's own: `guide_for` turns them round, a fitted model is saved and comes back with them."""

from dataclasses import dataclass, replace

import equinox as eqx
import jax
import numpy as np
import pytest

import laten as lt
from laten.common.types import Array, Key
from laten.network.nets.recipe import UNSIZED, size_of


class Gate(eqx.Module):
    """W2 (tanh(W1 x) · sigmoid(V x))."""

    inner: eqx.nn.Linear
    gate: eqx.nn.Linear
    outer: eqx.nn.Linear

    def __call__(self, x: Array) -> Array:
        return self.outer(jax.numpy.tanh(self.inner(x)) * jax.nn.sigmoid(self.gate(x)))


@dataclass(frozen=True)
class Gated:
    """A recipe with fields that `MLP` has not, which knows itself the other way round."""

    units: int
    turned: bool = False

    @property
    def size(self) -> tuple[int, int]:
        return self.units, 1

    def mirrored(self) -> "Gated":
        return replace(self, turned=not self.turned)

    def __call__(self, n_in: int, n_out: int, key: Key) -> Gate:
        keys = jax.random.split(key, 3)
        sizes = (n_in, self.units), (n_in, self.units), (self.units, n_out)
        return Gate(*(eqx.nn.Linear(*size, key=k) for size, k in zip(sizes, keys, strict=True)))


@dataclass(frozen=True)
class Plain:
    """A recipe that says nothing but how it is built."""

    units: int

    def __call__(self, n_in: int, n_out: int, key: Key) -> Gate:
        return Gated(self.units)(n_in, n_out, key)


def via_of(*nets) -> object:
    """The guide's net for a latent whose children have these nets."""
    children = {f"x{i}": lt.Normal(3).given("z", via=net) for i, net in enumerate(nets)}
    return lt.guide_for(lt.Network(z=lt.Normal(2), **children)).nodes["z"].via


def test_guides_use_a_recipe_of_ones_own_the_other_way_round():
    assert via_of(Gated(8)) == Gated(8, turned=True)
    assert via_of(Plain(8)) == Plain(8)


@pytest.mark.parametrize(
    "nets, largest",
    [
        ((lt.MLP(4), Gated(8)), Gated(8, turned=True)),
        ((Gated(8), lt.MLP(16)), lt.MLP(16)),
        ((Gated(8), lt.MLP(8, depth=2)), lt.MLP(8, depth=2)),
        ((lt.MLP(1), Plain(99)), lt.MLP(1)),  # it does not say how large it is
        ((lt.Linear(), Plain(1)), Plain(1)),
        ((lt.ResMLP(4, depth=1, dropout=0.5, activate_output=True),), lt.ResMLP(4, depth=2, dropout=0.5)),
    ],
)
def test_the_largest_net_is_taken(nets, largest):
    assert via_of(*nets) == largest


def test_sizes_are_in_order():
    sizes = [size_of(net) for net in (lt.Linear(), Plain(9), lt.MLP(1), lt.MLP((8, 4)), lt.ResMLP(9))]
    assert sizes == [(0, 0), UNSIZED, (1, 1), (8, 2), (9, 2)] and sizes == sorted(sizes)
    assert size_of(lt.Table(3)) == size_of(lt.MLP(7, depth=0)) == (0, 0)


@pytest.mark.trains
@pytest.mark.parametrize("recipe", [Gated(6), Plain(6)])
def test_fitted_saved_and_loaded(recipe, tmp_path):
    x = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    network = lt.Network(z=lt.Normal(2), x=lt.Normal(3).given("z", via=recipe))
    vae = lt.VAE(network, epochs=2).fit({"x": x})
    vae.save(tmp_path / "m.laten")
    name = type(recipe).__name__
    with pytest.raises(lt.ModelFileError, match=f"uses '{name}'.*the class of that name"):
        lt.load(tmp_path / "m.laten")
    again = lt.load(tmp_path / "m.laten", parts={name: type(recipe)})
    assert again.guide_.nodes["z"].via == lt.guide_for(network).nodes["z"].via
    assert np.array_equal(again.transform({"x": x}), vae.transform({"x": x}))
    assert np.array_equal(again.impute({"x": x})["x"], x)
