"""Evidence that is not one value: an interval, or that a cell has no value."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from laten.common.errors import DataError, known

CLOSED = ("both", "left", "right", "neither")


@dataclass(frozen=True)
class Between:
    """Evidence that a number, a date or a rank lies from `low` to `high`.

    Args:
        low: Lower end, in the column's own units; None for none. Dates may be text: "2013" is a whole year, "2013-01" a
            month, "2013-01-31" a day.
        high: Upper end.
        closed: Which ends are included: "both", "left", "right" or "neither".
    Raises:
        DataError: both are None, `low` is above `high`, or `closed` is another word.

    >>> between(30, 40)
    Between(low=30, high=40, closed='both')
    >>> str(between(30, closed="neither"))
    '>30'
    """

    low: Any = None
    high: Any = None
    closed: str = "both"

    def __post_init__(self) -> None:
        if self.low is None and self.high is None:
            raise DataError("between: give low, high or both; with neither, leave the column out of what is given")
        if self.closed not in CLOSED:
            raise DataError(f"between: closed must be one of {known(CLOSED)}, not {self.closed!r}")
        numbers = all(isinstance(v, int | float | np.number) for v in (self.low, self.high))
        if numbers and self.low > self.high:
            raise DataError(f"between: low {self.low!r} is above high {self.high!r}; exchange them")

    @property
    def open_low(self) -> bool:
        """Whether the lower end is left out."""
        return self.closed in ("right", "neither")

    @property
    def open_high(self) -> bool:
        """Whether the upper end is left out."""
        return self.closed in ("left", "neither")

    def __str__(self) -> str:
        if self.high is None:
            return f">{'' if self.open_low else '='}{self.low}"
        if self.low is None:
            return f"<{'' if self.open_high else '='}{self.high}"
        if self.closed == "both":
            return f"{self.low}..{self.high}"
        return f"{'(' if self.open_low else '['}{self.low}..{self.high}{')' if self.open_high else ']'}"


@dataclass(frozen=True)
class Missing:
    """Evidence that a cell has no value. It tells something only where missing cells are modelled."""

    def __repr__(self) -> str:
        return "missing"

    def __str__(self) -> str:
        return "is missing"


between = Between
missing = Missing()
