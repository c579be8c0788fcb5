"""Trees of arrays of the device as bytes on the host, and back: every type comes back as it was, to the bit."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from laten.common.errors import DataError


def is_key(x: Any) -> bool:
    """Say whether an array holds random keys, which an optimiser of the user's may carry."""
    return jnp.issubdtype(x.dtype, jax.dtypes.prng_key)


def to_bytes(trees: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return the leaves of named trees as `name/number` -> bytes, uint8."""
    plain = jax.tree.map(lambda x: jax.random.key_data(x) if is_key(x) else x, dict(trees))
    found = {}
    for name, tree in jax.device_get(plain).items():
        for i, leaf in enumerate(jax.tree.leaves(tree)):
            found[f"{name}/{i}"] = np.frombuffer(np.asarray(leaf).tobytes(), np.uint8)
    return found


def from_bytes(found: Mapping[str, np.ndarray], like: Mapping[str, Any]) -> dict[str, Any]:
    """Undo `to_bytes`, on the device.

    Args:
        like: Name -> a tree of arrays of the same types and shapes.
    Raises:
        DataError: an array is absent or of another size.
    """

    def filled(name: str, tree: Any) -> Any:
        leaves, structure = jax.tree.flatten(tree)
        return jax.tree.unflatten(structure, [one(f"{name}/{i}", leaf) for i, leaf in enumerate(leaves)])

    def one(name: str, leaf: Any) -> Any:
        data = jax.random.key_data(leaf) if is_key(leaf) else leaf
        stored = found.get(name)
        if stored is None or stored.nbytes != data.nbytes:
            raise DataError(f"array {name!r} of the checkpoint does not fit; give another run folder")
        array = np.frombuffer(stored.tobytes(), data.dtype).reshape(data.shape)
        held = jax.device_put(array, may_alias=False)  # the loop takes the state's buffers for its own
        return jax.random.wrap_key_data(held, impl=jax.random.key_impl(leaf)) if is_key(leaf) else held

    return {name: filled(name, tree) for name, tree in like.items()}
