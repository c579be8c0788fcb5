r"""Arrays given by node (images, matrices, labels) to `Rows`, checked against what each declared node is.

A uint8 array given to a binary node holds *intensities*: pixel level $v$ is one with probability $v/255$. `binarise`
says when that coin is thrown: `dynamic` at each visit of training (Burda et al. 2016; the levels stay uint8), `fixed`
once, here, from a seed (`fixed` figures are lower than dynamic ones and not to be compared with them), or `none`: the
fraction v/255 itself is the target, which is no likelihood of binary data.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from laten.common.errors import DataError, known
from laten.common.sparse_rows import is_sparse
from laten.data.messages import unknown, where
from laten.data.rows.array_spec import ArraySpec, outside
from laten.data.rows.array_units import Unit, standard, type_of
from laten.data.rows.rows import Rows
from laten.data.rows.sparse_arrays import rows_from_sparse, stays_sparse

BINARISE = ("dynamic", "fixed", "none")


def rows_from_arrays(
    arrays: Mapping[str, object],
    specs: Mapping[str, ArraySpec],
    *,
    binarise: str = "dynamic",
    seed: int = 0,
    visit: Mapping[str, str] | None = None,
    units: Mapping[str, Unit] | None = None,
) -> Rows:
    """Check arrays and makes them compact.

    Args:
        arrays: Node -> array, rows first. NumPy arrays of bool, whole or floating numbers, masked arrays (masked =
            hidden), lists, pandas columns. NaN is a hidden place. Counts may be
            sparse matrices. `(n, 28, 28)` fits a node of shape `(784,)` and the
            reverse; `(n,)` fits `(1,)` and the reverse.
        specs: Node -> what it takes; nodes without an array are latent.
        binarise: dynamic, fixed or none: what becomes of intensities given to binary nodes.
        seed: Of the one binarisation when `fixed`.
        visit: What was decided for binary nodes when fitting; uint8 given to an `intensity` node then always holds
            levels, also where they happen to be 0 and 1 alone.
        units: Node -> unit of the array that was fitted (`units_of`).
    Raises:
        DataError: unknown node, other row counts, a shape that does not fit, text, infinities, values outside the
            family's support.
    """
    if binarise not in BINARISE:
        raise DataError(f"binarise must be one of {known(BINARISE)}, not {binarise!r}")
    if not isinstance(arrays, Mapping) or not arrays:
        raise DataError(f"expected a dict {{node: array}} with at least one node, got {type(arrays).__name__}")
    decided, visit = visit or {}, {}
    values, mask = dict[str, Any](), dict[str, np.ndarray]()
    for i, (node, given) in enumerate(arrays.items()):
        if stays_sparse(given, specs.get(node)):
            values[node], visit[node] = rows_from_sparse(node, given, specs[node]), "none"
            continue
        array, seen = opened(node, given, specs)
        unit = (units or {}).get(node, Unit())
        values[node], visit[node] = _compact(
            node, array, seen, specs[node], binarise, (seed, i), decided.get(node), unit
        )
        if seen is not None:
            mask[node] = seen
    n, *others = {len(v) for v in values.values()}
    if others:
        counts = ", ".join(f"{node!r} {len(v)}" for node, v in values.items())
        raise DataError(f"nodes must have the same number of rows, got {counts}")
    if n == 0:
        raise DataError(f"node {next(iter(values))!r}: the array has no rows; give at least one")
    return Rows(values, n, mask, dict.fromkeys(values, ()), visit)


def opened(node: str, given: object, specs: Mapping[str, ArraySpec]) -> tuple[np.ndarray, np.ndarray | None]:
    """Return a node's array `(n, *shape)` of numbers, and where it is observed (None: everywhere).

    Raises:
        DataError: an unknown node, no numbers, or a shape that does not fit.
    """
    if node not in specs:
        raise unknown("node", node, specs)
    return _shaped(node, *numeric(node, given), specs[node].shape)


def units_of(arrays: Mapping[str, Any], specs: Mapping[str, ArraySpec]) -> dict[str, Unit]:
    """Return the unit and type of each node's array, as they are when fitting."""
    found = {}
    for node, given in arrays.items():
        if stays_sparse(given, specs.get(node)):
            found[node] = Unit(type_of(given))
            continue
        array, seen = opened(node, given, specs)
        scale = (255.0,) if specs[node].what == "binary" and grey(array) else (1.0,)
        found[node] = (
            standard(array, seen, specs[node].one_unit) if specs[node].moves else Unit(type_of(array), scale=scale)
        )
    return found


def grey(array: np.ndarray) -> bool:
    """Say whether the array of a binary node holds levels 0..255."""
    return array.dtype == np.uint8 and array.max(initial=0) > 1


def numeric(node: str, given: object) -> tuple[np.ndarray, np.ndarray | None]:
    """Return a bool or number array and where it is observed (None: everywhere); NaN and masked places hold 0."""
    if is_sparse(given):
        raise DataError(f"node {node!r}: a sparse {type(given).__name__} was given; call .toarray() on it first")
    if isinstance(given, pd.Series | pd.DataFrame):
        given = given.to_numpy(object) if given.isna().to_numpy().any() else given.to_numpy()
    hidden: Any = False
    if isinstance(given, np.ma.MaskedArray):
        given, hidden = given.filled(0), np.ma.getmaskarray(given)
    try:
        array = np.asarray(given)
        if array.dtype == object:
            holes = pd.isna(array)
            hidden = hidden | holes
            array = np.where(holes, 0, array).astype(np.float64)
    except (TypeError, ValueError):
        array = np.empty(0, dtype="U1")
    if array.dtype.kind not in "biuf":
        of = f" of {given.dtype}" if hasattr(given, "dtype") else ""
        raise DataError(
            f"node {node!r}: expected an array of numbers, got {type(given).__name__}{of}; codes for labels are made "
            "by codes, names = pandas.factorize(labels)"
        )
    if array.dtype.kind == "f":
        holes = np.isnan(array)
        if holes.any():
            hidden, array = hidden | holes, np.where(holes, 0, array)
        bad = np.isinf(array)
        if bad.any():
            raise DataError(
                f"node {node!r}: {where(bad)} hold infinities; put finite numbers, or NaN for hidden, there"
            )
    return array, ~hidden if np.any(hidden) else None


def _shaped(
    node: str, array: np.ndarray, seen: np.ndarray | None, shape: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the array as `(n, *shape)`, when that is the same sites in the same order."""
    if array.ndim == 0:
        raise DataError(f"node {node!r}: expected an array with rows first, {('n', *shape)}, got one number")
    if array.shape[1:] != shape:
        flat = len(shape) <= 1 or array.ndim <= 2 or _squeezed(array.shape[1:]) == _squeezed(shape)
        if math.prod(array.shape[1:]) != math.prod(shape) or not flat:
            want = ", ".join(["n", *map(str, shape)])
            raise DataError(
                f"node {node!r}: expected shape ({want}{',' if not shape else ''}), got {array.shape}; "
                "reshape the array, or declare the node with the array's event shape"
            )
        array = array.reshape(len(array), *shape)
        seen = None if seen is None else seen.reshape(array.shape)
    return array, seen


def _squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n for n in shape if n != 1)


def _compact(
    node: str,
    array: np.ndarray,
    seen: np.ndarray | None,
    spec: ArraySpec,
    binarise: str,
    seed: tuple[int, int],
    decided: str | None,
    unit: Unit,
) -> tuple[np.ndarray, str]:
    if seen is not None:
        if decided is None and not seen.any():  # when fitting; a question may well be about what is hidden
            raise DataError(f"node {node!r}: every place is hidden; leave it out: a node without data is latent")
        array = np.where(seen, array, array.dtype.type(0))
    if spec.what == "binary":
        return _binary(node, array, binarise, seed, decided, unit)
    _check_support(node, array, seen, spec)
    if spec.what != "classes":
        return _narrow(node, unit.encode(array) if unit.dense else array, seen), "none"
    sizes = np.array(spec.sizes, np.int64)  # of each site
    sizes = np.broadcast_to(sizes.reshape(() if sizes.size == 1 else spec.shape), spec.shape)
    bad = np.asarray(array >= sizes)
    if bad.any():
        raise DataError(
            f"node {node!r}: class codes must lie in 0..{int(sizes.max()) - 1}, got {int(array[bad].max())} "
            f"({where(bad)}); declare more classes, or number them from 0"
        )
    return array.astype(np.min_scalar_type(int(sizes.max()) - 1)), "none"


def _narrow(node: str, array: np.ndarray, seen: np.ndarray | None) -> np.ndarray:
    """Return numbers as float32 (small whole ones as they are), 0 where hidden."""
    with np.errstate(over="ignore"):
        compact = array if array.dtype == np.uint8 else array.astype(np.float32, copy=False)
    if not np.isfinite(compact).all():
        raise DataError(
            f"node {node!r}: numbers up to {np.abs(array).max():.3g} are too large for float32; rescale them"
        )
    return compact if seen is None else np.where(seen, compact, compact.dtype.type(0))


def _check_support(node: str, array: np.ndarray, seen: np.ndarray | None, spec: ArraySpec) -> None:
    """Refuse observed values that the node's family gives no probability."""
    for bad, expected, way in outside(array, spec):
        wrong = np.asarray(bad if seen is None else bad & seen)
        if wrong.any():
            first = tuple(int(i) for i in np.argwhere(wrong)[0])
            some = f"{int(wrong.sum())} of {array.size} values, the first at index {first}; {where(wrong)}"
            raise DataError(f"node {node!r}: expected {expected}, got {array[first].item()!r} ({some}); {way}")


def _binary(
    node: str, array: np.ndarray, binarise: str, seed: tuple[int, int], decided: str | None, unit: Unit
) -> tuple[np.ndarray, str]:
    if decided == "intensity" and array.dtype == np.uint8:
        return array, "intensity"
    levels = array.dtype == np.uint8 and unit.grey  # as when fitting, also where they are 0 and 1 alone
    if not levels and (array.dtype == bool or (array.min(initial=0) >= 0 and np.isin(array, (0, 1)).all())):
        return array.astype(np.uint8), "none"
    if array.dtype.kind == "f" and array.min() >= 0 and array.max() <= 1:
        share = array
    elif array.dtype == np.uint8:
        share = array.astype(np.float32) / np.float32(255)
    else:
        raise DataError(
            f"node {node!r} is binary: expected 0 and 1, uint8 intensities 0..255 or fractions in [0, 1]; "
            f"got {array.dtype} from {array.min().item():g} to {array.max().item():g}; "
            "convert it, e.g. images.astype('uint8')"
        )
    if binarise == "none":
        return share.astype(np.float32), "none"
    if binarise == "dynamic":
        return (array if array.dtype == np.uint8 else np.round(share * 255).astype(np.uint8)), "intensity"
    return (np.random.default_rng(seed).random(array.shape, np.float32) < share).astype(np.uint8), "fixed"
