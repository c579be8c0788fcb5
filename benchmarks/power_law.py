r"""Exponents: $\log y = a + b\log n$ by least squares, and lines $y = a + bn$ of what has a constant."""

from typing import NamedTuple

import numpy as np


class Slope(NamedTuple):
    """A slope, its standard error, and where the line meets the axis; NaN where there are too few points."""

    value: float
    error: float
    start: float

    def __str__(self) -> str:
        return f"{self.value:.2f} ± {self.error:.2f}" if np.isfinite(self.error) else f"{self.value:.2f}"


def line(x: np.ndarray, y: np.ndarray) -> Slope:
    """Least squares; the standard error is of independent errors of one size, which takes three points."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if len(np.unique(x)) < 2:
        return Slope(np.nan, np.nan, np.nan)
    middle = x - x.mean()
    value = float(middle @ y / (middle @ middle))
    start = float(y.mean() - value * x.mean())
    left = y - start - value * x
    error = float(np.sqrt(left @ left / (len(x) - 2) / (middle @ middle))) if len(x) > 2 else np.nan
    return Slope(value, error, start)


def exponent(n: np.ndarray, y: np.ndarray) -> Slope:
    """b of y ~ n^b; `start` is the logarithm of the factor."""
    return line(np.log(n), np.log(y))


def upper_decade(n: np.ndarray) -> np.ndarray:
    """Which sizes lie within a factor of ten of the largest: there a constant weighs least."""
    return np.asarray(n) >= 0.099 * np.max(n)
