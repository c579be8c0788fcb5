"""Dtypes of pandas as text, and back: what a schema keeps of a column's type.

pandas reads most dtypes from their own text, but not all of Arrow's: decimals, dictionaries and zoned times have
parameters, and its `string[pyarrow]` means two things. Those are written `arrow:` and Arrow's own text.
"""

import re
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

_TEXTS = (pa.string(), pa.large_string())
OF = "category of "  # categories that are intervals, as `pd.cut` makes them
DECIMAL = ", decimal"  # of object columns whose cells are decimal.Decimal, as databases give
# what pandas and Arrow raise at a text that they cannot read as a dtype
_UNREADABLE = (TypeError, ValueError, SyntaxError, AttributeError, NotImplementedError)


def dtype_text(series: pd.Series) -> str:
    """Return the dtype as text, from which `dtype_of` makes it again; `object` for nested types of Arrow."""
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        kind, names = f"{OF}{dtype.categories.dtype}", dtype.categories
        intervals = isinstance(names.dtype, pd.IntervalDtype) and categories([str(v) for v in names], kind).equals(
            names
        )
        return (kind if intervals else "category") + (", ordered" if series.cat.ordered else "")
    if isinstance(dtype, pd.StringDtype) and dtype.na_value is pd.NA:
        return f"string[{dtype.storage}]"
    if not isinstance(dtype, pd.ArrowDtype):
        return str(dtype) + (DECIMAL if dtype.kind == "O" and pd.api.types.infer_dtype(series) == "decimal" else "")
    for text in (str(dtype), f"arrow:{dtype.pyarrow_dtype}"):
        try:
            if dtype_of(text) == dtype:
                return text
        except _UNREADABLE:
            continue
    return "object"


def dtype_of(text: str) -> Any:
    """Return the dtype that `dtype_text` wrote; of categories without their levels.

    Raises:
        ValueError, TypeError, ...: it is none.
    """
    if text.startswith("arrow:"):
        return pd.ArrowDtype(arrow_type(text.removeprefix("arrow:")))
    if text.startswith(OF):
        return pd.CategoricalDtype()
    return pd.api.types.pandas_dtype(text.removesuffix(", ordered").removesuffix(DECIMAL))


def categories(levels: Sequence[Any], text: str) -> pd.Index:
    """Return levels as categories of the dtype that `text` says: intervals where they were, else as they are."""
    kind = text.removesuffix(", ordered").removeprefix(OF)
    if not text.startswith(OF):
        return pd.Index(list(levels))
    try:
        dtype = pd.IntervalDtype(kind)
        ends = [pd.Series(part, dtype=object).astype(dtype.subtype) for part in zip(*map(_ends, levels), strict=True)]
        return pd.IntervalIndex.from_arrays(*ends, dtype.closed)
    except _UNREADABLE:  # such as a level of others
        return pd.Index(list(levels))


def _ends(level: str) -> tuple[str, str]:
    left, right = level[1:-1].split(", ")
    return left, right


def is_dtype(text: str) -> bool:
    """Say whether `dtype_of` can read it."""
    try:
        dtype_of(text)
    except _UNREADABLE:
        return False
    return True


def arrow_type(text: str) -> pa.DataType:
    """Return an Arrow type from its text: plain ones, decimals, zoned times, dictionaries.

    Raises:
        ValueError: another type, or none at all.
    """
    if found := re.fullmatch(r"decimal(32|64|128|256)\((\d+), (-?\d+)\)", text):
        return getattr(pa, f"decimal{found[1]}")(int(found[2]), int(found[3]))
    if found := re.fullmatch(r"timestamp\[(\w+), tz=([\w/+:-]+)\]", text):
        return pa.timestamp(found[1], found[2])
    if found := re.fullmatch(r"dictionary<values=(.+), indices=(\w+), ordered=([01])>", text):
        return pa.dictionary(arrow_type(found[2]), arrow_type(found[1]), found[3] == "1")
    if text in ("float", "halffloat"):
        return pa.float32() if text == "float" else pa.float16()
    return pa.type_for_alias(text)


def zone_of(dtype: Any) -> Any:
    """Return the time zone of a dtype of pandas or Arrow; None where there is none."""
    return getattr(getattr(dtype, "pyarrow_dtype", dtype), "tz", None)


def is_text(dtype: Any) -> bool:
    """Say whether a dtype holds text alone."""
    return isinstance(dtype, pd.StringDtype) or getattr(dtype, "pyarrow_dtype", None) in _TEXTS


def is_text_dictionary(dtype: Any) -> bool:
    """Say whether a dtype is Arrow's dictionary of texts."""
    arrow = getattr(dtype, "pyarrow_dtype", None)
    return isinstance(arrow, pa.DictionaryType) and arrow.value_type in _TEXTS
