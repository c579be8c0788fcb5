"""Matrices of numbers, in and out of frames."""

from typing import Any

import numpy as np
import pandas as pd

from laten.errors import DataError


def refuse_sparse(data: Any) -> None:
    """Sparse matrices are not read.

    Raises:
        DataError: `data` is one.
    """
    if hasattr(data, "tocsr"):
        raise DataError(
            "sparse input is not supported: a sparse matrix or array was given; call .toarray() on it first"
        )


def as_matrix(data: Any) -> np.ndarray:
    """A two-dimensional array of numbers.

    Raises:
        DataError: anything else.
    """
    refuse_sparse(data)
    array = np.asarray(data)
    if array.ndim != 2:
        raise DataError(
            f"expected a table with two dimensions (rows, columns), got an array of shape {array.shape}. "
            "Reshape your data: X.reshape(-1, 1) makes one column"
        )
    if array.shape[1] == 0:
        raise DataError(f"0 feature(s) (shape={array.shape}) while a minimum of 1 is required.")
    if array.dtype.kind not in "biuf":
        if array.dtype.kind == "c":
            raise DataError("Complex data not supported: take real and imaginary parts as columns")
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise DataError(
                f"expected a matrix of numbers: {error}. For text and mixed types use a DataFrame"
            ) from error
    return array


def as_numbers(frame: pd.DataFrame) -> np.ndarray:
    """A frame of numbers as a matrix."""
    array = frame.to_numpy()
    return array.astype(np.float64) if array.dtype == object else array
