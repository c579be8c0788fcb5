r"""From rows on the device to the batch a training step sees.

Rows stay in their smallest type (`uint8` pixels, small integer codes). At each visit a row is *presented*:

- **binarised anew**: an intensity $v\in\{0..255\}$ is on with probability $v/255$ (to within 1/512: eight random bits
  are compared with it), the dynamic binarisation of Burda et al. (2016);
- **hidden at random**: half of the rows are shown whole, each of the others loses a share of its observed sites, itself
  uniform in [0, 1), so that any subset can be evidence later.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp

from laten.common import random
from laten.common.random import random_bytes
from laten.common.sparse_rows import SparseRows
from laten.common.types import Array, Key, Masks, Values


class Store(NamedTuple):
    """Rows on the device: arrays with rows first, or `SparseRows`; masks only for nodes with hidden sites."""

    values: Values
    masks: Masks


class Presentation(NamedTuple):
    """How rows are presented; static while training.

    Args:
        intensities: Nodes whose `uint8` values are binarised anew at each visit.
        hide: Nodes of which observed sites are hidden at random.
        classes: Nodes whose values are integer codes.
    """

    intensities: tuple[str, ...] = ()
    hide: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()


def binarised(key: Key, intensity: Array, drawn: Callable[[Array], Array] = lambda numbers: numbers) -> Array:
    """Draw zeros and ones (float32), one with probability intensity / 255."""
    bits = drawn(random_bytes(key, intensity.shape))
    # 256 equally likely bytes for 255 steps: the upper half is raised by one, so that 0 is never and 255 always on
    raised = intensity.astype(jnp.uint32) + (intensity >= 128).astype(jnp.uint32)
    return (bits < raised).astype(jnp.float32)


def present(
    key: Key,
    store: Store,
    index: Array,
    presentation: Presentation,
    drawn: Callable[[Array], Array] = lambda numbers: numbers,
    taken: Callable[[Array, Array], Array] = lambda rows, index: rows[index],
) -> tuple[Values, Masks]:
    """Return values and masks of the rows at `index (batch,)`, as a model reads them.

    Args:
        drawn: Handed the random numbers of the batch; says how several devices make them.
        taken: Takes rows by number; says how several devices take theirs.
    """
    values, masks = {}, {name: taken(mask, index) for name, mask in store.masks.items()}
    for i, (name, stored) in enumerate(store.values.items()):
        rows = stored.dense(index) if isinstance(stored, SparseRows) else taken(stored, index)
        if name in presentation.intensities:
            values[name] = binarised(random.fold_in(key, i), rows, drawn)
        else:
            values[name] = wide(rows, name in presentation.classes)
    if presentation.hide:
        masks |= hidden_at_random(random.fold_in(key, len(values)), values, masks, presentation.hide, drawn)
    return values, masks


def wide(rows: Array, classes: bool) -> Array:
    """Convert compact storage to the type a family computes in: codes to int32, all else to float32."""
    return rows.astype(jnp.int32 if classes else jnp.float32)


def hidden_at_random(
    key: Key, values: Values, masks: Masks, names: tuple[str, ...], drawn: Callable[[Array], Array] = lambda x: x
) -> Masks:
    """Return masks of the nodes `names` with further sites hidden, one rate a row."""
    n = len(next(iter(values.values())))
    shapes = [values[name].shape for name in names]
    sizes = [math.prod(shape[1:]) for shape in shapes]
    chance = drawn(random.uniform(key, (n, 1 + sum(sizes))))  # one call: random numbers are dear in small steps
    rate = jnp.maximum(2 * chance[:, :1] - 1, 0)  # zero for half of the rows
    kept = chance[:, 1:] >= rate
    out, start = {}, 0
    for name, shape, size in zip(names, shapes, sizes, strict=True):
        shown = kept[:, start : start + size].reshape(shape)
        out[name] = masks[name] & shown if name in masks else shown
        start += size
    return out
