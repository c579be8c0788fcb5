"""The devices that a training runs on: the rows of each batch are shared out among them, all else lies on each.

The program is written for one device and means the same on any number: JAX's compiler divides what has an axis of rows.
So objectives that look at a whole batch (`trim`, `free_bits`) stay what they are, and a row's random numbers depend on
its place in the batch, not on the device that has it. Where an objective is a mean over rows, each device takes the
gradient of its own, and one vector is exchanged a step: between machines messages cost more than bytes. Equal bits come
from an equal number of devices alone: sums are taken in another order. Rows that lie on the disk are shared out too: a
device holds those that its part of the batches needs (`windows.py`).
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from laten.common.errors import LatenError, whole
from laten.common.types import Array
from laten.training.weight_packing import WeightPacking

AXIS = "rows"  # the mesh's one axis
PACKED = 2**20  # entries up to which an array goes into the one vector that is exchanged


def mesh_of(devices: int | None = None) -> Mesh | None:
    """Return the devices to train on; None: one, and nothing has to be laid out.

    Args:
        devices: How many of each process; None: one where there is one process, else all.
    Raises:
        LatenError: more than a process has.
    """
    processes, own = jax.process_count(), jax.local_device_count()
    if devices is None:
        devices = 1 if processes == 1 else own
    whole("devices", devices)
    if devices > own:
        raise LatenError(f"devices must be at most {own}, which is what JAX sees here, not {devices}")
    if processes * devices == 1:
        return None
    by_process = ([d for d in jax.devices() if d.process_index == i][:devices] for i in range(processes))
    return Mesh(np.array([d for some in by_process for d in some]), (AXIS,))


def size(mesh: Mesh | None) -> int:
    """Return the number of devices."""
    return 1 if mesh is None else mesh.size


def on_each(mesh: Mesh) -> NamedSharding:
    """Return the layout of what every device has all of."""
    return NamedSharding(mesh, PartitionSpec())


def batches(mesh: Mesh) -> NamedSharding:
    """Return the layout of row numbers `(steps, batch_size)`."""
    return NamedSharding(mesh, PartitionSpec(None, AXIS))


def apart(mesh: Mesh) -> NamedSharding:
    """Return the layout of rows of which each device has some of its own."""
    return NamedSharding(mesh, PartitionSpec(AXIS))


def everywhere(tree: Any, mesh: Mesh | None) -> Any:
    """Put arrays, which every process has alike, on each device; where one lies there already, it is not copied."""
    if mesh is None:
        return tree
    layout, own = on_each(mesh), mesh.local_devices

    def one(x: Any) -> Array:
        shards = [jax.device_put(x, device) for device in own]
        return jax.make_array_from_single_device_arrays(np.shape(x), layout, shards)

    return jax.tree.map(one, tree)


def shared_out(order: np.ndarray, mesh: Mesh | None) -> Array:
    """Put row numbers `(steps, batch_size)` on the devices, each batch's in equal parts.

    A process touches no columns but its own: it needs no other rows of the epoch than those.
    """
    if mesh is None:
        return jax.device_put(order)
    return jax.make_array_from_callback(order.shape, batches(mesh), lambda part: order[part])


def shapes_on(handed: tuple[Any, Any], mesh: Mesh | None, own: bool = False) -> tuple[Any, Any]:
    """Return shapes of rows and of row numbers with the layouts that `everywhere` and `shared_out` give them.

    Args:
        own: Each device has rows of its own: the layouts are those of `joined`.
    """
    if mesh is None:
        return handed
    told, layout = jax.ShapeDtypeStruct, apart(mesh) if own else on_each(mesh)
    rows = jax.tree.map(lambda x: told(x.shape, x.dtype, sharding=layout), handed[0])
    return rows, told(handed[1].shape, handed[1].dtype, sharding=batches(mesh))


def own_devices(mesh: Mesh) -> list[jax.Device]:
    """Return those of the devices that are this process's, in their order."""
    return [d for d in mesh.devices.flat if d.process_index == jax.process_index()]


def own_columns(batch_size: int, mesh: Mesh) -> list[range]:
    """Return which columns of row numbers `(steps, batch_size)` each of this process's devices has."""
    wide, own = batch_size // mesh.size, own_devices(mesh)
    return [range(i * wide, (i + 1) * wide) for i, d in enumerate(mesh.devices.flat) if d in own]


def joined(shares: Sequence[tuple[Any, np.ndarray]], mesh: Mesh) -> tuple[Any, Array]:
    """Put on each of this process's devices rows of its own, and its columns of row numbers, which count these rows.

    Args:
        shares: For each of these devices: arrays of rows, `(rows, ...)`, as many as other devices have; and
            `(steps, columns)`.
    Returns:
        Arrays that are the rows of all devices one after the other, and `(steps, batch_size)`.
    """

    def laid(axis: int, *parts: Any) -> Array:
        shape = list(np.shape(parts[0]))
        shape[axis] *= mesh.size
        held = [jax.device_put(x, device) for x, device in zip(parts, own_devices(mesh), strict=True)]
        layout = batches(mesh) if axis else apart(mesh)
        return jax.make_array_from_single_device_arrays(tuple(shape), layout, held)

    stores, orders = zip(*shares, strict=True)
    return jax.tree.map(partial(laid, 0), *stores), laid(1, *orders)


def by_number(mesh: Mesh | None) -> Callable[[Array, Array], Array]:
    """Return how rows are taken by their numbers where each device has rows of its own (`joined`)."""

    def taken(rows: Array, numbers: Array) -> Array:
        return rows[numbers]

    if mesh is None:
        return taken
    own = PartitionSpec(AXIS)
    return jax.shard_map(taken, mesh=mesh, in_specs=(own, own), out_specs=own, check_vma=False)


def alone(tree: Any, mesh: Mesh | None) -> Any:
    """Undo `everywhere`: return arrays of this process, on one device, for what knows of no others."""
    return tree if mesh is None else jax.device_put(jax.device_get(tree))


def averaged(function: Callable[..., Any], mesh: Mesh) -> Callable[..., Any]:
    """Return `function(batch, keys, *rest)`, whose results are means over rows, computed where the rows are.

    The results of the devices are averaged in one exchange of one vector (and of arrays too large to pack).
    """

    def own(batch: Any, keys: Array, *rest: Any) -> Any:
        found = function(batch, keys, *rest)
        packing = WeightPacking(found, PACKED)
        return packing.unpack(jax.lax.pmean(packing.pack(found), AXIS))

    rows, each = PartitionSpec(AXIS), PartitionSpec()

    def shared(batch: Any, keys: Array, *rest: Any) -> Any:
        specs = (rows, rows, *[each] * len(rest))
        return jax.shard_map(own, mesh=mesh, in_specs=specs, out_specs=each, check_vma=False)(batch, keys, *rest)

    return shared


def drawn_alike(mesh: Mesh | None) -> Callable[[Array], Array]:
    """Return what is done to random numbers of a whole batch: each device makes all of them, and uses its rows'.

    Left to itself the compiler shares them out, and collects them with an exchange of its own.
    """
    if mesh is None:
        return lambda x: x
    return partial(jax.lax.with_sharding_constraint, shardings=on_each(mesh))
