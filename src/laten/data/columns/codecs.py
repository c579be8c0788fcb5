r"""Codecs: invertible maps of a column, each with its log-determinant.

A model sees $y = f(x)$ of order one; the density of the column in its own scale follows by change of variables,

$$\log p_x(x) = \log p_y(f(x)) + \log\left|\frac{dy}{dx}\right|,$$

so that log p (nats, per unit of the column) can be compared between models with other codecs. All maps work on whole
float64 arrays; NaN passes through. Scales are positive by construction: of a column without spread the scale is one.

| codec | y | log abs dy/dx |
|---|---|---|
| `Identity` | x | 0 |
| `Standardise` | (x − loc) / scale | −log scale |
| `Log` | (log(x + shift) − loc) / scale | −log(x + shift) − log scale |
| `Date` | (days since 1970-01-01 − loc) / scale | −log scale |
| `Histogram` | number of a bin (`histogram/`) | log density inside the bin |
"""

import math

import numpy as np

from laten.common.errors import DataError
from laten.data.histogram.find_bins import loc_and_scale
from laten.data.histogram.histogram import Histogram
from laten.data.records import Finite, Positive, Record

STYLES = ("datetime", "date", "%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S")
_LOG_MAX = 700.0  # exp of more is no float64


class Identity(Record, frozen=True, tag_field="codec", tag="identity"):
    """y = x: whole numbers counted, and codes."""

    def encode(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(x, np.float64)

    def decode(self, y: np.ndarray) -> np.ndarray:
        return np.asarray(y, np.float64)

    def log_det(self, x: np.ndarray) -> np.ndarray:
        """Return log |dy/dx| at each value, nats."""
        return np.zeros(np.shape(x))


class _Affine(Record, frozen=True):
    """y = (x − loc) / scale."""

    loc: Finite
    scale: Positive

    def __post_init__(self) -> None:
        if not (math.isfinite(self.loc) and math.isfinite(self.scale) and self.scale > 0):
            raise DataError(
                f"codec: loc must be finite and scale finite and above zero, got {self.loc!r} and {self.scale!r}"
            )

    def encode(self, x: np.ndarray) -> np.ndarray:
        return (np.asarray(x, np.float64) - self.loc) / self.scale

    def decode(self, y: np.ndarray) -> np.ndarray:
        return np.asarray(y, np.float64) * self.scale + self.loc

    def log_det(self, x: np.ndarray) -> np.ndarray:
        """Return log |dy/dx| at each value, nats."""
        return np.full(np.shape(x), -math.log(self.scale))


class Standardise(_Affine, frozen=True, tag_field="codec", tag="standardise"):
    """y = (x − loc) / scale."""


class Log(_Affine, frozen=True, tag_field="codec", tag="log"):
    """y = (log(x + shift) − loc) / scale, for x > −shift; `shift` is above 0 only where zeros were seen."""

    shift: Finite = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (math.isfinite(self.shift) and self.shift >= 0):
            raise DataError(f"codec Log: shift must be a finite number of at least 0, got {self.shift!r}")

    def encode(self, x: np.ndarray) -> np.ndarray:
        return super().encode(np.log(np.asarray(x, np.float64) + self.shift))

    def decode(self, y: np.ndarray) -> np.ndarray:
        return np.exp(np.minimum(super().decode(y), _LOG_MAX)) - self.shift

    def log_det(self, x: np.ndarray) -> np.ndarray:
        """Return log |dy/dx| at each value, nats."""
        return super().log_det(x) - np.log(np.asarray(x, np.float64) + self.shift)


class Date(_Affine, frozen=True, tag_field="codec", tag="date"):
    """Days since 1970-01-01, standardised; densities are per day.

    Args:
        whole: Every date seen was at midnight (of its own time zone): decoded dates are rounded to days.
        style: How dates stand in the frame: `datetime` (datetime64 of any unit, zone or period), `date` (Python
            objects), or the format of a text.
    """

    whole: bool = True
    style: str = "datetime"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.style not in STYLES:
            raise DataError(f"codec Date: style must be one of {STYLES}, got {self.style!r}")


Codec = Identity | Standardise | Log | Date | Histogram
_OF_KIND = {"count": Identity, "real": Standardise, "positive": Log, "date": Date}


def fit_codecs(x: np.ndarray) -> tuple[Codec, ...]:
    """Fit every codec that finite numbers `x` allow.

    Zeros among positive numbers get a shift: the lowest twentieth of the positive ones.
    """
    codecs: list[Codec] = [Standardise(*loc_and_scale(x))]
    positive = x[x > 0]
    if len(positive) and x.min() >= 0:
        shift = 0.0 if len(positive) == len(x) else float(np.quantile(positive, 0.05))
        codecs.append(Log(*loc_and_scale(np.log(x + shift)), shift))
    return tuple(codecs)


def choose_codec(kind: str, codecs: tuple[Codec, ...]) -> Codec | None:
    """Return the codec of `codecs` that a column of `kind` uses; None for kinds without one, or when none fits."""
    wanted = _OF_KIND.get(kind)
    if wanted is Identity:
        return Identity()
    if kind == "duration":  # the logarithm is among the codecs only where it suits
        return next((c for c in reversed(codecs) if isinstance(c, Standardise | Log)), None)
    return next((c for c in codecs if type(c) is wanted), None)
