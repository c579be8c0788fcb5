"""Sparse matrices of counts, as SciPy has them, to `SparseRows`: they are never filled."""

import math
from typing import Any

import numpy as np

from laten.common.errors import DataError
from laten.common.sparse_rows import SparseRows, is_sparse, sparse_rows
from laten.data.rows.array_spec import ArraySpec, outside


def stays_sparse(given: object, spec: ArraySpec | None) -> bool:
    """Say whether a node takes a sparse matrix as it is: counts do, whose zeros are values like others."""
    return is_sparse(given) and spec is not None and spec.what == "counts"


def rows_from_sparse(node: str, given: Any, spec: ArraySpec) -> SparseRows:
    """Check a sparse matrix of counts, and make it compact.

    Raises:
        DataError: another shape, or entries that are no counts.
    """
    matrix, width = given.tocsr(), math.prod(spec.shape)
    if len(matrix.shape) != 2 or matrix.shape[1] != width:
        raise DataError(f"node {node!r}: expected a sparse matrix of shape (n, {width}), got {tuple(matrix.shape)}")
    if not matrix.has_canonical_format:
        matrix = matrix.copy()
        matrix.sum_duplicates()
    entries = np.asarray(matrix.data)
    if entries.dtype.kind not in "biuf":
        raise DataError(f"node {node!r}: expected a sparse matrix of counts, got one of {entries.dtype}")
    if len(entries) >= 2**31:
        raise DataError(f"node {node!r}: {len(entries)} entries are more than can be numbered; choose rows or columns")
    whole = "counts, whole numbers of at least 0"
    odd = [(~np.isfinite(entries), whole, "call .toarray() on it first: NaN then marks a hidden place")]
    for bad, expected, way in odd if odd[0][0].any() else outside(entries, spec):
        if bad.any():
            first = int(np.argmax(bad))
            row = int(np.searchsorted(matrix.indptr, first, side="right")) - 1
            place = f"row {row}, column {int(matrix.indices[first])}"
            raise DataError(f"node {node!r}: expected {expected}; got {entries[first].item()!r} in {place}; {way}")
    return sparse_rows(entries, np.asarray(matrix.indices), np.asarray(matrix.indptr), spec.shape)


def totals(given: Any) -> np.ndarray:
    """Return the sum of each row's counts, at least 1, `(rows, 1)` float32; hidden ones count as none."""
    if is_sparse(given):
        sums = np.asarray(given.sum(axis=1)).ravel()
    else:
        array = np.asarray(given, np.float64)
        sums = np.nansum(array.reshape(len(array), -1), axis=1)
    return np.maximum(sums, 1).astype(np.float32)[:, None]
