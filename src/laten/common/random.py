r"""Random numbers for hot loops: Threefry-2x32 of 20 rounds (Salmon et al. 2011), written out.

On a CPU the rounds of JAX's generator are a loop over arrays in memory, which costs more than a small net's products.
Here they are one expression that the compiler turns into vector instructions (`docs/decisions.md`, 33).
`fold_in` and `split` make JAX's own keys, Threefry's answers to the counters (0, i). The i-th block of a key's numbers
is its answer to (1, i) and the i-th of `keys` that to (2, i): a key's numbers are not those of the keys made from it.

Uniform numbers lie strictly inside (0, 1), on a grid of $2^{-23}$: no logarithm of one is infinite.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from laten.common.types import Array, Key

ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
PARITY = 0x1BD11BDA
APART = 2**31  # keys folded from here on are no keys of a split
STREAM = 2**24  # numbers of one stream
STREAMS = (
    "allowed",
    "missing",
    "idle",
    "prior",
    "shuffled",
)  # draws inside soft evidence, of cells known to be missing, of idle coordinates, of the prior in place of the guide,
# of an order of the rows


@jax.jit
def threefry(key: tuple[Array, Array], counter: tuple[Array, Array]) -> tuple[Array, Array]:
    """Compute Threefry-2x32-20 of a key and a counter, pairs of uint32 arrays that broadcast.

    Traced once for each shape: its rounds are many operations, and it is asked for in many places.
    """
    keys = (*key, key[0] ^ key[1] ^ jnp.uint32(PARITY))
    x, y = counter[0] + keys[0], counter[1] + keys[1]
    for i in range(5):
        for turn in ROTATIONS[i % 2]:
            x += y
            y = (y << jnp.uint32(turn)) | (y >> jnp.uint32(32 - turn))
            y ^= x
        x += keys[(i + 1) % 3]
        y += keys[(i + 2) % 3] + jnp.uint32(i + 1)
    return x, y


def key(seed: int) -> Key:
    """Make `jax.random.key`; where keys are Threefry's, on the host: nothing to compile."""
    if jax.config.jax_default_prng_impl != "threefry2x32" or not 0 <= seed < 2**31:  # type: ignore[attr-defined]
        return jax.random.key(seed)
    return jax.random.wrap_key_data(jax.device_put(np.array([0, seed], np.uint32)))


def halves(key: Key) -> tuple[Array, Array]:
    """Split a key into two words."""
    data = jax.random.key_data(key).reshape(-1, 2)
    own = data[0]
    for more in data[1:]:  # keys of other generators are longer
        own ^= more
    return own[0], own[1]


def words(key: Key, n: int) -> Array:
    """Draw `(n,)` random uint32."""
    blocks = -(-n // 2)
    found = threefry(halves(key), (jnp.uint32(1), jnp.arange(blocks, dtype=jnp.uint32)))
    return jnp.concatenate(found)[:n]


def fold_in(key: Key, number: Array | int) -> Key:
    """Compute `jax.random.fold_in`, bit for bit where keys are Threefry's; of several numbers too, of any shape."""
    return made(key, 0, jnp.asarray(number, jnp.uint32))


def beside(key: Key) -> Key:
    """Return the key that goes beside this one: for what is random beside the draws that are made with the key itself.

    It is none of the key's `split`, nor `fold_in` of a small number.
    """
    return fold_in(key, APART)


def stream(key: Key, name: str, number: int = 0) -> Key:
    """Return the key of one thing among several that are random beside the draws made with the key itself.

    Args:
        name: One of `STREAMS`.
        number: Which of several things of that name.
    """
    return fold_in(key, APART + STREAM * (1 + STREAMS.index(name)) + number)


def split(key: Key, shape: int | tuple[int, ...] = 2) -> Key:
    """Compute `jax.random.split`, bit for bit where keys are Threefry's."""
    return made(key, 0, jnp.arange(np.prod(shape), dtype=jnp.uint32).reshape(shape))


def keys(key: Key, numbers: Array) -> Key:
    """Make the key's keys of these numbers (uint32, of any shape), none of which `fold_in` or `split` makes."""
    return made(key, 2, numbers)


@partial(jax.jit, static_argnums=1, inline=True)
def made(key: Key, use: int, numbers: Array) -> Key:
    """Make keys from Threefry's answers to the counters (use, number)."""
    data = jnp.stack(threefry(halves(key), (jnp.uint32(use), numbers)), axis=-1)
    longer = jax.random.key_data(key).size // 2
    return jax.random.wrap_key_data(jnp.concatenate([data] * longer, axis=-1), impl=jax.random.key_impl(key))


def folded(key: Key | None) -> Callable[[str], Key]:
    """Make a key for each name asked for, only when asked: the first is `key` itself, so that one draw costs one key.

    Without a key, None for every name. The numbers folded in are past those of `split` (whose i-th key is
    `fold_in(key, i)`), which families, nets and draws use on the first key.
    """
    order: dict[str, int] = {}

    def key_of(name: str) -> Any:
        i = order.setdefault(name, len(order))
        return fold_in(key, APART + i) if i and key is not None else key

    return key_of


def random_bytes(key: Key, shape: tuple[int, ...]) -> Array:
    """Draw uniform numbers in 0..255 (uint32), four of each random word."""
    n = math.prod(shape)
    quads = words(key, -(-n // 4))
    # shifts, not a cast of the bits: the compiler turns them into vector instructions
    return jnp.concatenate([quads >> jnp.uint32(shift) & jnp.uint32(255) for shift in (0, 8, 16, 24)])[:n].reshape(
        shape
    )


def uniform(key: Key, shape: tuple[int, ...]) -> Array:
    """Draw uniform numbers strictly inside (0, 1), float32."""
    grid = (words(key, math.prod(shape)) >> jnp.uint32(9)).astype(jnp.float32)
    return (grid * np.float32(2**-23) + np.float32(2**-24)).reshape(shape)


def normal(key: Key, shape: tuple[int, ...]) -> Array:
    """Draw standard normal numbers, float32, by the inverse of the distribution function."""
    return np.float32(math.sqrt(2)) * jax.lax.erf_inv(2 * uniform(key, shape) - 1)


def gumbel(key: Key, shape: tuple[int, ...]) -> Array:
    """Draw standard Gumbel numbers, float32: the largest of logits and these is a draw of a class."""
    return -jnp.log(-jnp.log(uniform(key, shape)))


def logistic(key: Key, shape: tuple[int, ...]) -> Array:
    """Draw standard logistic numbers, float32."""
    u = uniform(key, shape)
    return jnp.log(u) - jnp.log1p(-u)
