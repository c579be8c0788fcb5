"""The cells of a frame's columns, parsed once in each way: inference and encoding ask the same object.

frame --cells_of--> Cells --form, numbers, days, seconds, codes--> arrays
"""

from functools import cached_property

import numpy as np
import pandas as pd

from laten.common.errors import DataError, known
from laten.data.columns import parse
from laten.data.columns.durations import seconds
from laten.data.messages import shown, where
from laten.data.records import Plain

_STYLES = {10: ("%Y-%m-%d",), 16: ("%Y-%m-%d %H:%M",), 19: ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S")}  # by length


class Cells:
    """The cells of one column.

    Args:
        name: The column's name, for messages.
        series: The cells.
    """

    def __init__(self, name: str | int, series: pd.Series) -> None:
        self.name = int(name) if isinstance(name, np.integer) else name
        self.series = series
        self._days: dict[tuple[str, bool], np.ndarray] = {}

    @cached_property
    def form(self) -> str:
        """What the cells are (`parse.form_of`)."""
        return parse.form_of(self.series)

    @cached_property
    def numbers(self) -> np.ndarray:
        """Cells as `(rows,)` numbers (`parse.numbers`)."""
        return parse.numbers(self.series, self.name, self.form)

    @cached_property
    def seconds(self) -> np.ndarray:
        """Durations as `(rows,)` seconds (`durations.seconds`)."""
        return seconds(self.series, self.name, self.form)

    @cached_property
    def factor(self) -> tuple[np.ndarray, np.ndarray]:
        """Position `(rows,)` of each cell among the distinct values, −1 where missing; and these, in order of rows."""
        at, values = pd.factorize(self.series.astype(object))
        return at, np.asarray(values, dtype=object)

    def days(self, style: str, whole: bool) -> np.ndarray:
        """Return dates as `(rows,)` days (`parse.days`)."""
        if (style, whole) not in self._days:
            self._days[style, whole] = parse.days(self.series, self.name, self.form, style, whole)
        return self._days[style, whole]

    @cached_property
    def style(self) -> str | None:
        """How dates stand in the column (a `Date` codec's style); None when the cells are no dates."""
        series = self.series
        if self.form == "date":
            if series.dtype != object:
                return "datetime"
            if pd.api.types.infer_dtype(series, skipna=True) == "date":
                return "date"
            zoned = any(getattr(v, "tzinfo", None) is not None for v in series.dropna())
            return None if zoned else "datetime"  # zoned Python objects: a dtype for them is datetime64[us, zone]
        first = next(iter(series.dropna().head(1)), None)
        if self.form != "text" or not isinstance(first, str) or len(first) not in _STYLES:
            return None
        values = pd.Series(self.factor[1], dtype=object)
        for style in _STYLES[len(first)]:
            if pd.to_datetime(values.iloc[:1], format=style, errors="coerce").notna().all():
                return style if pd.to_datetime(values, format=style, errors="coerce").notna().all() else None
        return None

    def codes(self, levels: tuple[Plain, ...], unseen: int | None = None) -> np.ndarray:
        """Return cells as `(rows,)` int64 positions in `levels`, −1 where missing.

        Args:
            unseen: The code of classes that are not among `levels`; None refuses them.
        Raises:
            DataError: a class that is not among `levels`, or is one of them in another type.
        """
        series, present = self.series, self.series.notna().to_numpy()
        if isinstance(series.dtype, pd.CategoricalDtype):
            place = {level: i for i, level in enumerate(levels)}
            of_category = np.array([place.get(parse.plain(c), -2) for c in series.cat.categories] + [-1])
            found = of_category[series.cat.codes.to_numpy()]
        elif self.form in ("number", "bool") and not any(isinstance(v, str) for v in levels):
            x = self.numbers
            order = np.argsort(np.array(levels, np.float64))
            ordered = np.array(levels, np.float64)[order]
            at = np.minimum(np.searchsorted(ordered, np.where(present, x, ordered[0])), len(levels) - 1)
            found = np.where(ordered[at] == x, order[at], -2)
        else:
            at, values = self.factor
            of_value = pd.Index(list(levels), dtype=object).get_indexer(pd.Index(values, dtype=object))
            found = np.append(np.where(of_value < 0, -2, of_value), -1)[at]
        found = np.where(present, found, -1)
        bad = found == -2
        if bad.any() and unseen is not None:
            texts = set(map(str, levels))
            new = ((v, parse.plain(v)) for v in series[bad].unique())
            retyped = {v for v, plain in new if plain not in levels and str(plain) in texts}
            found = np.where(bad, unseen, found)
            bad = bad & series.isin(retyped).to_numpy(bool) if retyped else np.zeros_like(bad)
        if bad.any():
            raise _never_seen(series, self.name, levels, bad)
        return found


def cells_of(frame: pd.DataFrame) -> dict[str | int, Cells]:
    """Return the cells of each column of `frame`, not yet parsed.

    Raises:
        DataError: not a frame, or columns without one plain name each.
    """
    return {name: Cells(name, frame[name]) for name in check_frame(frame, rows=0).columns}


def _never_seen(series: pd.Series, name: object, levels: tuple[Plain, ...], bad: np.ndarray) -> DataError:
    new = series[bad].iloc[0]
    way = "give one of these, leave the cell empty, or fit again with rows that hold it"
    if parse.plain(new) not in levels and str(new) in map(str, levels):
        same = next(v for v in levels if str(v) == str(new))
        way = f"the fitted level is the {type(same).__name__} {same!r}: convert the column's type"
    elif str(new).strip() in map(str, levels):
        way = f"there is a level {str(new).strip()!r} without the spaces around it: strip them with .str.strip()"
    return DataError(
        f"column {name!r}: {shown(series[bad].head(50))} ({where(bad)}) was never seen when fitting; "
        f"known levels: {known(levels)}; {way}"
    )


def check_frame(frame: object, rows: int = 1) -> pd.DataFrame:
    """Return `frame` if it is a frame of at least `rows` rows whose columns have one plain name each.

    Raises:
        DataError: not a frame, too few rows, no column, two columns of one name, or a name that is no text or number.
    """
    if not isinstance(frame, pd.DataFrame):
        raise DataError(
            f"expected a pandas DataFrame, got {type(frame).__name__}; "
            "make one with pd.DataFrame(...), or give arrays as a dict {node: array}"
        )
    if frame.shape[1] == 0:
        raise DataError("the frame has no columns; give at least one")
    if not frame.columns.is_unique:
        twice = list(dict.fromkeys(frame.columns[frame.columns.duplicated()]))
        raise DataError(f"two columns of one name: {known(twice)}; rename or drop one of each")
    for name in frame.columns:
        if isinstance(name, bool) or not isinstance(name, str | int | np.integer):
            raise DataError(
                f"column name {name!r} is a {type(name).__name__}; names must be text or whole numbers, "
                "e.g. frame.columns = [str(c) for c in frame.columns]"
            )
    if len(frame) < rows:
        way = "give at least one row" if rows == 1 else f"nothing can be learned from fewer than {rows}"
        raise DataError(
            f"the frame has {len(frame)} row{'s' if len(frame) != 1 else ''} (n_samples={len(frame)}); {way}"
        )
    return frame


def refuse_empty(frame: pd.DataFrame) -> None:
    """Refuse columns without any value.

    Raises:
        DataError: there are some.
    """
    empty = [name for name in frame.columns if not frame[name].notna().any()]
    if empty:
        raise DataError(
            f"no value at all in column{'s' if len(empty) > 1 else ''} {known(empty)}: all {len(frame)} rows are empty "
            f"and nothing can be learned; drop it: frame.drop(columns={known(empty)})"
        )
