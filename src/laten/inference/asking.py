r"""Asking: a question put to many rows in compiled chunks of constant memory.

Chunks have one shape whatever the number of rows, and a row's key comes from its content (for numbers about the row) or
its position (for draws), so that an answer depends neither on the batch nor on the row's neighbours.
"""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from operator import itemgetter
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from laten.common import random
from laten.common.sparse_rows import SparseRows
from laten.common.types import Array, Key, Masks, Values
from laten.data.rows.presentation import Presentation, binarised, wide
from laten.data.rows.rows import Rows
from laten.inference.importance import DRAWS_AT_ONCE
from laten.inference.questions import Ancestral, Question
from laten.network.model import Model
from laten.network.network import Network

# Told after each chunk how many rows of how many are answered: for whoever waits.
WATCHED: ContextVar[Callable[[int, int], None] | None] = ContextVar("rows answered", default=None)
WORK = 2**14  # draws of rows in one compiled call
AT_ONCE = 2**10  # of them side by side, on a CPU: what they compute on the way should lie in its cache
LEAST, MOST = 8, 2**8  # rows side by side, on a CPU
CHUNK = 2**11  # rows of a compiled call, at most
SITES = 2**22  # of leaves, side by side, on a CPU: rows of very many sites are fewer at once, for their memory
COPY = 0x9E3779B9  # odd: added to a row's hash once for each copy


def content_key(key: Key, values: Values, masks: Masks, copy: Array | None = None) -> Key:
    """Make a key that depends on an example's observed content alone (a multiply-add hash of its bits).

    Args:
        copy: uint32 number of a copy of the example, which gets a key of its own; None or 0: the example's.
    """
    total = jnp.zeros((), jnp.uint32) if copy is None else copy * jnp.uint32(COPY)
    for i, name in enumerate(sorted(values)):
        x = values[name]
        bits = jax.lax.bitcast_convert_type(x, jnp.uint32) if x.dtype == jnp.float32 else x.astype(jnp.uint32)
        if name in masks:
            bits = jnp.where(masks[name], bits, jnp.asarray(2**32 - 1, jnp.uint32))
        odd = np.random.default_rng(i).integers(0, 2**31, max(bits.size, 1), dtype=np.uint32) * 2 + 1
        mixed = (jnp.ravel(bits) ^ (jnp.ravel(bits) >> 15)) * odd[: bits.size]
        total += jnp.sum(mixed ^ (mixed >> 13), dtype=jnp.uint32)
    return random.fold_in(key, total)


@eqx.filter_jit
def answer_chunk(
    question: Question,
    model: Model,
    values: Any,
    masks: Any,
    positions: Any,
    key: Key,
    presentation: Presentation,
    copies: Any = None,
) -> Any:
    """Ask a question of a chunk of stored rows.

    Args:
        positions: `(rows,)` numbers of the rows, from which their keys come; None for keys from content.
        copies: `(rows,)` numbers of copies of a row (`Keys`).
    """

    def one(values: Values, masks: Masks, position: Any, copy: Any) -> Any:
        own = content_key(key, values, masks, copy) if position is None else random.fold_in(key, position)
        shown = {}
        for i, (name, stored) in enumerate(values.items()):
            grey = name in presentation.intensities and stored.dtype == jnp.uint8
            shown[name] = (
                binarised(random.fold_in(own, i), stored) if grey else wide(stored, name in presentation.classes)
            )
        return question(model, random.fold_in(own, len(values)), shown, masks)

    rows, batch = len(jax.tree.leaves((values, masks, positions))[0]), side_by_side(question.draws, sites_of(model))
    if rows <= batch:
        return jax.vmap(one)(values, masks, positions, copies)
    return jax.lax.map(lambda row: one(*row), (values, masks, positions, copies), batch_size=batch)


def sites_of(model: Model) -> int:
    """Return the number of sites of all leaves."""
    return max(sum(model.network.nodes[n].family.n_sites for n in model.network.leaves), 1)


def side_by_side(draws: int, sites: int = 1) -> int:
    """Return how many rows' draws are computed side by side."""
    each, cpu = min(draws, DRAWS_AT_ONCE), jax.default_backend() == "cpu"
    wanted = min(max(LEAST, AT_ONCE // each), MOST) if cpu else WORK // each
    room = (SITES if cpu else 16 * SITES) // (sites * each)
    return max(1, min(wanted, room))


def chunk_of(draws: int, rows: int, sites: int = 1) -> int:
    """Return how many rows one compiled call takes: those side by side if there are no more, else a multiple of them.

    What is computed for a row side by side with others has the same bits in both.
    """
    batch, wanted = side_by_side(draws, sites), max(16, min(CHUNK, WORK // draws, SITES // sites))
    return batch if rows <= batch else max(wanted // batch, 1) * batch


def classes_of(network: Network) -> tuple[str, ...]:
    """Return the nodes whose values are integer codes."""
    return tuple(n for n in network.stochastic if np.issubdtype(network.nodes[n].family.dtype, np.integer))


class Chunk(NamedTuple):
    """A question for some rows, at most as many as one compiled call takes.

    Args:
        n: How many rows.
        positions: `(n,)` numbers of the rows, from which their keys come; None for keys from content.
        seed, key: Of the random numbers; the key is made of the seed.
        copies: `(n,)` numbers of copies of a row (`Keys`).
    """

    question: Question
    model: Model
    values: Mapping[str, Any]
    masks: Mapping[str, Any]
    n: int
    positions: np.ndarray | None
    seed: int
    key: Key
    presentation: Presentation
    copies: np.ndarray | None = None

    def part(self, start: int, size: int) -> "Chunk":
        """Return `size` rows from `start` on, or those that are left; they are not copied."""
        return self._at(slice(start, start + size), min(size, self.n - start))

    def padded(self, size: int) -> "Chunk":
        """Return `size` rows, the last one as often as it takes."""
        return self if self.n == size else self._at(np.minimum(np.arange(size), self.n - 1), size)

    def _at(self, own: Any, n: int) -> "Chunk":
        values, masks = ({k: filled(v[own]) for k, v in arrays.items()} for arrays in (self.values, self.masks))
        places, copies = (None if x is None else x[own] for x in (self.positions, self.copies))
        return self._replace(values=values, masks=masks, positions=places, copies=copies, n=n)


def answered(chunk: Chunk, size: int) -> Any:
    """Answer for a chunk in one compiled call of `size` rows: its last row pads it, and what that gives is dropped."""
    c = chunk.padded(size)
    found = jax.device_get(
        answer_chunk(c.question, c.model, c.values, c.masks, c.positions, c.key, c.presentation, c.copies)
    )
    return jax.tree.map(itemgetter(slice(chunk.n)), found)


# Who answers a chunk, given the size that `ask` would pad it to: a server puts rows of several requests together.
ANSWERED_BY: ContextVar[Callable[[Chunk, int], Any]] = ContextVar("who answers chunks", default=answered)


class Keys(NamedTuple):
    """Where the random numbers of rows come from.

    Args:
        seed: Of all of them.
        positions: `(rows,)` numbers of the rows, when equal rows are to get different draws; None: a row's numbers
            come from its content.
        copies: `(rows,)` numbers of copies, where a row stands several times to get different draws though its numbers
            come from its content; those of copy 0 are the row's own.
    """

    seed: int
    positions: np.ndarray | None = None
    copies: np.ndarray | None = None


def ask(
    question: Question,
    model: Model,
    rows: Rows,
    keys: Keys,
    kept: Callable[[Any], Any] = lambda found: found,
    size: int | None = None,
) -> Any:
    """Ask a question of rows, a chunk at a time.

    Args:
        rows: As they are stored; may hold no values, when only answers are wanted.
        kept: What to keep of a chunk's answers, rows first; all by default.
        size: Rows of a compiled call; None: as many as it answers best. With another size the last bits are others.
    Returns:
        The question's pytree (or what is kept of it) as NumPy arrays, rows first.
    """
    grey = tuple(n for n, visit in rows.visit.items() if visit == "intensity")
    presentation = Presentation(grey, (), classes_of(model.network))
    size = chunk_of(question.draws, rows.n, sites_of(model)) if size is None else size
    key, parts, watched, answer = random.key(keys.seed), [], WATCHED.get(), ANSWERED_BY.get()
    places, copies = (None if x is None else x.astype(np.uint32) for x in (keys.positions, keys.copies))
    whole = Chunk(question, model, rows.values, rows.mask, rows.n, places, keys.seed, key, presentation, copies)
    for start in range(0, rows.n, size):
        parts.append(kept(answer(whole.part(start, size), size)))
        if watched is not None:
            watched(min(start + size, rows.n), rows.n)
    return jax.tree.map(lambda *xs: np.concatenate(xs), *parts)


def filled(stored: Any) -> Any:
    """Return rows as they are, sparse ones dense."""
    return np.asarray(stored) if isinstance(stored, SparseRows) else stored


def ancestral(
    model: Model,
    n: int,
    seed: int,
    nodes: tuple[str, ...] | None = None,
    inputs: Mapping[str, np.ndarray] | None = None,
) -> Any:
    """Draw `n` rows from the network: node -> values, of `nodes` or of all that are stochastic.

    Args:
        inputs: `(n, *shape)` of nodes that nothing draws.
    """
    return ask(Ancestral(nodes), model, Rows(dict(inputs or {}), n), Keys(seed, np.arange(n)))
