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
from dataclasses import asdict, dataclass

import numpy as np

from laten.common.errors import DataError
from laten.data.histogram.calendar import cycle_from_json, cycle_to_json
from laten.data.histogram.fit import loc_and_scale
from laten.data.histogram.histogram import Histogram
from laten.data.json_reader import Reader

STYLES = ("datetime", "date", "%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S")
_LOG_MAX = 700.0  # exp of more is no float64


@dataclass(frozen=True)
class Identity:
    """y = x: whole numbers counted, and codes."""

    def encode(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(x, np.float64)

    def decode(self, y: np.ndarray) -> np.ndarray:
        return np.asarray(y, np.float64)

    def log_det(self, x: np.ndarray) -> np.ndarray:
        """log |dy/dx| at each value, nats."""
        return np.zeros(np.shape(x))


@dataclass(frozen=True)
class Standardise:
    """y = (x − loc) / scale."""

    loc: float
    scale: float

    def __post_init__(self) -> None:
        _check(self.loc, self.scale)

    def encode(self, x: np.ndarray) -> np.ndarray:
        return (np.asarray(x, np.float64) - self.loc) / self.scale

    def decode(self, y: np.ndarray) -> np.ndarray:
        return np.asarray(y, np.float64) * self.scale + self.loc

    def log_det(self, x: np.ndarray) -> np.ndarray:
        """log |dy/dx| at each value, nats."""
        return np.full(np.shape(x), -math.log(self.scale))


@dataclass(frozen=True)
class Log:
    """y = (log(x + shift) − loc) / scale, for x > −shift; `shift` is above 0 only where zeros were seen."""

    loc: float
    scale: float
    shift: float = 0.0

    def __post_init__(self) -> None:
        _check(self.loc, self.scale)
        if not (math.isfinite(self.shift) and self.shift >= 0):
            raise DataError(f"codec Log: shift must be a finite number of at least 0, got {self.shift!r}")

    def encode(self, x: np.ndarray) -> np.ndarray:
        return (np.log(np.asarray(x, np.float64) + self.shift) - self.loc) / self.scale

    def decode(self, y: np.ndarray) -> np.ndarray:
        log_x = np.asarray(y, np.float64) * self.scale + self.loc
        return np.exp(np.minimum(log_x, _LOG_MAX)) - self.shift

    def log_det(self, x: np.ndarray) -> np.ndarray:
        """log |dy/dx| at each value, nats."""
        return -np.log(np.asarray(x, np.float64) + self.shift) - math.log(self.scale)


@dataclass(frozen=True)
class Date:
    """Days since 1970-01-01, standardised; densities are per day.

    Args:
        whole: Every date seen was at midnight (of its own time zone): decoded dates are rounded to days.
        style: How dates stand in the frame: `datetime` (datetime64 of any unit, zone or period), `date` (Python
            objects), or the format of a text.
    """

    loc: float
    scale: float
    whole: bool = True
    style: str = "datetime"

    def __post_init__(self) -> None:
        _check(self.loc, self.scale)
        if self.style not in STYLES:
            raise DataError(f"codec Date: style must be one of {STYLES}, got {self.style!r}")

    def encode(self, x: np.ndarray) -> np.ndarray:
        return (np.asarray(x, np.float64) - self.loc) / self.scale

    def decode(self, y: np.ndarray) -> np.ndarray:
        return np.asarray(y, np.float64) * self.scale + self.loc

    def log_det(self, x: np.ndarray) -> np.ndarray:
        """log |dy/dx| at each value, nats, x in days."""
        return np.full(np.shape(x), -math.log(self.scale))


Codec = Identity | Standardise | Log | Date | Histogram
_BY_NAME = {"identity": Identity, "standardise": Standardise, "log": Log, "date": Date, "histogram": Histogram}
_BY_NAME["cells"] = Histogram  # in older files
_OF_KIND = {"count": Identity, "real": Standardise, "positive": Log, "date": Date}


_BINS = ("edges", "mass", "starts", "centres", "tails", "grid", "yearly", "cycle")


def fit_codecs(x: np.ndarray) -> tuple[Codec, ...]:
    """Every codec that finite numbers `x` allow, fitted to them.

    Zeros among positive numbers get a shift: the lowest twentieth of the positive ones.
    """
    codecs: list[Codec] = [Standardise(*loc_and_scale(x))]
    positive = x[x > 0]
    if len(positive) and x.min() >= 0:
        shift = 0.0 if len(positive) == len(x) else float(np.quantile(positive, 0.05))
        codecs.append(Log(*loc_and_scale(np.log(x + shift)), shift))
    return tuple(codecs)


def choose_codec(kind: str, codecs: tuple[Codec, ...]) -> Codec | None:
    """The codec of `codecs` that a column of `kind` uses; None for kinds without one, or when none fits."""
    wanted = _OF_KIND.get(kind)
    if wanted is Identity:
        return Identity()
    if kind == "duration":  # the logarithm is among the codecs only where it suits
        return next((c for c in reversed(codecs) if isinstance(c, Standardise | Log)), None)
    return next((c for c in codecs if type(c) is wanted), None)


def histogram_to_json(bins: Histogram) -> dict:
    """Plain fields."""
    plain = {name: getattr(bins, name) for name in _BINS}
    plain = {name: list(v) if isinstance(v, tuple) else v for name, v in plain.items()}
    return plain | {"cycle": cycle_to_json(bins.cycle)}


def histogram_from_json(reader: Reader) -> Histogram:
    """Rebuilds the codec from checked fields.

    Raises:
        DataError: a field is missing, of the wrong type, or does not go with the others.
    """
    reader.only(["codec", *_BINS])
    edges, mass, centres, tails = (reader.numbers(k) for k in ("edges", "mass", "centres", "tails"))
    starts = reader.numbers("starts")
    if not all(s.is_integer() for s in starts):
        raise DataError(f"{reader.at}: 'starts' should be whole numbers; the file is damaged")
    grid = None if reader.is_none("grid") else reader.number("grid", positive=True)
    cycle = None if reader.is_none("cycle") else cycle_from_json(reader.object("cycle"))
    if len(tails) != 2:
        raise DataError(f"{reader.at}: 'tails' should be two numbers, got {len(tails)}; the file is damaged")
    whole = tuple(int(s) for s in starts)
    return Histogram(edges, mass, whole, centres, (tails[0], tails[1]), grid, reader.flag("yearly"), cycle)


def codec_to_json(codec: Codec) -> dict:
    """Plain fields and the codec's name."""
    plain = histogram_to_json(codec) if isinstance(codec, Histogram) else asdict(codec)
    return {"codec": type(codec).__name__.lower(), **plain}


def codec_from_json(reader: Reader) -> Codec:
    """Rebuilds a codec from checked fields.

    Raises:
        DataError: an unknown codec, a missing field, or a scale that is not above zero.
    """
    kind = _BY_NAME[reader.text("codec", tuple(_BY_NAME))]
    if kind is Histogram:
        return histogram_from_json(reader)
    if kind is Identity:
        reader.only(["codec"])
        return Identity()
    loc, scale = reader.number("loc"), reader.number("scale", positive=True)
    if kind is Standardise:
        reader.only(["codec", "loc", "scale"])
        return Standardise(loc, scale)
    if kind is Log:
        reader.only(["codec", "loc", "scale", "shift"])
        return Log(loc, scale, reader.number("shift"))
    reader.only(["codec", "loc", "scale", "whole", "style"])
    return Date(loc, scale, reader.flag("whole"), reader.text("style", STYLES))


def _check(loc: float, scale: float) -> None:
    if not (math.isfinite(loc) and math.isfinite(scale) and scale > 0):
        raise DataError(f"codec: loc must be finite and scale finite and above zero, got {loc!r} and {scale!r}")
