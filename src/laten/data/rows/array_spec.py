"""What a declared node takes of an array, and what lies outside of it."""

from collections.abc import Iterator

import numpy as np

from laten.common.errors import DataError, known
from laten.data.records import Record, Whole

WHATS = ("values", "classes", "binary", "counts", "positive", "fraction", "levels")
MOST_COUNT = 2**24  # above it float32 does not hold every whole number


class ArraySpec(Record, frozen=True):
    """What a declared node takes.

    Args:
        shape: Event shape; `()` for one number a row.
        what: `values` (real numbers), `positive`, `fraction` (from 0 to 1), `classes` (codes 0..size−1), `binary`,
            `counts` (whole numbers from 0) or `levels` (whole numbers between two ends).
        sizes: For classes: number of classes, one for all sites or one a site.
        ends: For levels: the smallest and the largest.
        moves: Values are standardised when fitting (`Unit`).
        one_unit: All sites have one unit.
        sum_of: Node whose counts the value adds up, where none is given.
    """

    shape: tuple[Whole, ...]
    what: str = "values"
    sizes: Whole | tuple[Whole, ...] | None = None
    ends: tuple[int, int] | None = None
    moves: bool = False
    one_unit: bool = False
    sum_of: str | None = None

    def __post_init__(self) -> None:
        if self.what not in WHATS:
            raise DataError(f"what must be one of {known(WHATS)}, not {self.what!r}")
        if (self.what == "classes") != (self.sizes is not None):
            raise DataError("sizes are given for classes, and only for them")
        if (self.what == "levels") != (self.ends is not None):
            raise DataError("ends are given for levels, and only for them")


def outside(array: np.ndarray, spec: ArraySpec) -> Iterator[tuple[np.ndarray, str, str]]:
    """Mark values outside a support, and say what was expected and the way out."""
    if spec.what == "positive":
        yield array <= 0, "numbers above 0", "for other numbers declare a Normal node"
    elif spec.what == "fraction":
        yield (array < 0) | (array > 1), "fractions from 0 to 1", "divide them by the largest that can be"
    elif spec.what == "counts":
        way = "for other numbers declare a Normal node"
        yield (array < 0) | (array != np.round(array)), "counts, whole numbers of at least 0", way
        way = "declare a LogNormal node, or count in thousands"
        yield array > MOST_COUNT, f"counts of at most {MOST_COUNT}, which float32 tells apart", way
    elif spec.what == "classes":
        yield (array < 0) | (array != np.round(array)), "class codes, whole numbers from 0", "NaN marks a hidden place"
    elif spec.ends is not None:
        low, high = spec.ends
        bad = (array < low) | (array > high) | (array != np.round(array))
        yield bad, f"whole numbers from {low} to {high}", "declare the family with other levels"
