"""Columns whose cells are of two sorts: refused with the rows that differ, for whichever is meant the other is wrong.

Numbers with some words among them (`n/a`, `unknown`) would be taken for a text column, and lost to the model without a
word; times of several zones have no common clock. Codes such as `85123A` and `0042` are text as they should be.
"""

import re

import numpy as np
import pandas as pd

from laten.common.errors import DataError
from laten.data.messages import shown, where

MOST = 0.1  # share of cells that are words, up to which a column counts as numbers
DISTINCT = 20  # different numbers from which a column counts as numbers
_PROBE = 200
_LONE = re.compile("[\ud800-\udfff]")
_STAMP = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)"


def refuse_words(series: pd.Series, name: object, values: pd.Series) -> None:
    """Refuse numbers with words among them.

    Args:
        series: Cells that are not all numbers, one sort of cell each.
        values: The distinct ones.
    Raises:
        DataError: at least 90 % of the cells are numbers, of more than 20 values, and none of the others has a digit.
    """
    if pd.to_numeric(values.iloc[:_PROBE], errors="coerce").notna().mean() < 0.5:
        return
    number = pd.to_numeric(values, errors="coerce").notna().to_numpy()
    words = values[~number].astype(str)
    zeros = values[number].astype(str).str.match(r"0\d")
    if number.sum() <= DISTINCT or not len(words) or words.str.contains(r"\d").any() or zeros.any():
        return
    bad = series.isin(values[~number]).to_numpy(bool)
    if bad.sum() > MOST * series.notna().sum():
        return
    what = "text" if any(not isinstance(v, str) for v in values[number]) else "words among numbers"
    raise DataError(
        f"column {name!r}: {bad.sum()} of {len(series)} cells are {what}: {where(bad)}: {shown(values[~number])}; make "
        f"them empty: frame[{name!r}] = pd.to_numeric(frame[{name!r}], errors='coerce'), or, if this is no column of "
        f"numbers, set its kind: kinds={{{name!r}: 'categorical'}} or 'text'"
    )


def refuse_zones(series: pd.Series, name: object) -> str | None:
    """Return the one time zone of Python times, or of text that ends in an offset; None where there is none.

    Raises:
        DataError: times of several zones, or with and without.
    """
    cells = series.dropna()
    if series.dtype == object and len(cells) and hasattr(cells.iloc[0], "tzinfo"):
        zones = series.map(lambda v: str(getattr(v, "tzinfo", None) or "none"), na_action="ignore")
    elif len(cells) and isinstance(cells.iloc[0], str) and re.fullmatch(_STAMP, cells.iloc[0]):
        zones = series.astype(object).astype("string").str.extract(f"^{_STAMP}$", expand=False)
        if zones.notna().sum() < len(cells):
            return None
    else:
        return None
    found = zones.dropna().unique()
    if len(found) > 1:
        bad = (zones.notna() & (zones != found[0])).to_numpy(bool, na_value=False)
        raise DataError(
            f"column {name!r}: times of {len(found)} zones: {shown(found)}, the first in row "
            f"{int(np.flatnonzero(zones.notna())[0])}, others in {where(bad)}; bring them to one: "
            f"frame[{name!r}] = pd.to_datetime(frame[{name!r}], utc=True), or set kind 'text'"
        )
    return None if found[0] == "none" else str(found[0])


def refuse_odd(name: object, series: pd.Series) -> None:
    """Refuse floats of more than 64 bits, and text with half of a character (a lone surrogate)."""
    dtype = series.dtype
    if isinstance(dtype, np.dtype) and dtype.kind == "f" and dtype.itemsize > 8:
        raise DataError(
            f"column {name!r}: {dtype} has more bits than laten keeps; convert it: frame[{name!r}].astype('float64')"
        )
    arrow = isinstance(dtype, pd.ArrowDtype) or (isinstance(dtype, pd.StringDtype) and dtype.storage == "pyarrow")
    if dtype.kind == "O" and not arrow:  # Arrow's text is UTF-8, which has none
        half = {v for v in series if isinstance(v, str) and not v.isascii() and _LONE.search(v)}
        if half:
            bad = np.array([isinstance(v, str) and v in half for v in series])
            raise DataError(
                f"column {name!r}: {where(bad)} hold{'s' if bad.sum() == 1 else ''} half of a character "
                f"({min(half)!a}), which no file can hold; mend the text, e.g. .str.encode('utf-8', 'replace')"
                ".str.decode('utf-8')"
            )
