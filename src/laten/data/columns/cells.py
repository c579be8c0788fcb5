"""The cells of a frame's columns, parsed once in each way: inference and encoding ask the same object.

frame --cells_of--> Cells --form, numbers, days, seconds, codes--> arrays
"""

import re

import numpy as np
import pandas as pd

from laten.common.errors import DataError, known
from laten.common.lazy_property import lazy_property
from laten.data.columns.ambiguous import refuse_odd, refuse_zones
from laten.data.columns.dtypes import is_text_dictionary, zone_of
from laten.data.columns.intervals import classes_of, intervals_of
from laten.data.messages import shown, where
from laten.data.records import Plain, is_plain, plain_of

_FORMS = (  # of what pandas infers of Python objects
    dict.fromkeys(("integer", "floating", "mixed-integer-float", "decimal"), "number")
    | dict.fromkeys(("date", "datetime", "datetime64"), "date")
    | dict.fromkeys(("timedelta", "timedelta64"), "duration")
    | dict.fromkeys(("string", "mixed-integer", "mixed", "empty"), "text")
    | {"boolean": "bool"}
)
ISO = r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?)?"
_ISO = re.compile(ISO)
_STYLES = {10: ("%Y-%m-%d",), 16: ("%Y-%m-%d %H:%M",), 19: ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S")}  # by length


class Cells:
    """The cells of one column.

    Args:
        name: The column's name, for messages.
        series: The cells; intervals are taken as classes.
    """

    def __init__(self, name: str | int, series: pd.Series) -> None:
        self.name = int(name) if isinstance(name, np.integer) else name
        self.came = intervals_of(series)
        self.series = classes_of(self.came)
        self._days: dict[tuple[str, bool], np.ndarray] = {}

    @lazy_property
    def present(self) -> np.ndarray:
        """Which cells hold a value, `(rows,)`."""
        return ~np.asarray(self.series.array.isna(), bool)

    @lazy_property
    def form(self) -> str:
        """What the cells are: bool, number, date, duration, text, class (a pandas category) or other."""
        dtype = self.series.dtype
        if isinstance(dtype, pd.CategoricalDtype):
            return "class"
        if pd.api.types.is_bool_dtype(dtype):
            return "bool"
        if pd.api.types.is_complex_dtype(dtype):
            return "other"
        if dtype.kind == "m":  # numpy's and Arrow's
            return "duration"
        if pd.api.types.is_numeric_dtype(dtype):
            return "number"
        if pd.api.types.is_datetime64_any_dtype(dtype) or isinstance(dtype, pd.PeriodDtype):
            return "date"
        if is_text_dictionary(dtype):
            return "text"
        inferred = pd.api.types.infer_dtype(self.series, skipna=True)
        odd = inferred == "mixed" and not all(map(is_plain, self.series.dropna()))
        return "other" if odd else _FORMS.get(inferred, "other")

    @lazy_property
    def numbers(self) -> np.ndarray:
        """Cells as `(rows,)` float64, NaN where missing.

        Raises:
            DataError: text, dates or categories where numbers are expected; infinities.
        """
        series, name, form, present = self.series, self.name, self.form, self.present
        if not present.any():
            return np.full(len(series), np.nan)
        if form == "class" and pd.api.types.is_numeric_dtype(series.cat.categories.dtype):
            series, form = series.astype(series.cat.categories.dtype if present.all() else float), "number"
        if form not in ("number", "bool"):
            found = pd.to_numeric(series.astype(object), errors="coerce").isna().to_numpy() & present
            way = f"frame[{name!r}] = pd.to_numeric(frame[{name!r}], errors='coerce') empties what is no number"
            raise self._expected("numbers", found if found.any() else present, f"convert it, e.g. {way}")
        x = series.to_numpy(dtype=np.float64, na_value=np.nan)
        bad = np.isinf(x)
        if bad.any():
            raise DataError(
                f"column {name!r}: {where(bad)} hold{'s' if bad.sum() == 1 else ''} an infinity; put a finite number "
                "or an empty cell there, e.g. frame.replace([numpy.inf, -numpy.inf], numpy.nan)"
            )
        return x

    @lazy_property
    def seconds(self) -> np.ndarray:
        """Durations as `(rows,)` float64 seconds, NaN where missing; text, as a CSV file has them, is read.

        Raises:
            DataError: cells that are no durations.
        """
        series, form, present = self.series, self.form, self.present
        if not present.any():
            return np.full(len(series), np.nan)
        spans = series
        if form == "text":  # a bare number has no unit and is no duration
            cells = series.astype(object)
            spans = pd.to_timedelta(cells, errors="coerce").where(pd.to_numeric(cells, errors="coerce").isna())
        elif form == "duration" and series.dtype == object:
            spans = pd.to_timedelta(series)
        bad = present & (spans.isna().to_numpy() if form in ("text", "duration") else True)
        if bad.any():
            way = "pd.to_timedelta(...), with its unit if they are numbers"
            raise self._expected("durations", bad, f"write them as '2 days 03:30:00', or convert the column: {way}")
        if isinstance(spans.dtype, pd.ArrowDtype):
            unit = spans.dtype.pyarrow_dtype.unit
            found = spans.to_numpy(dtype=f"timedelta64[{unit}]", na_value=np.timedelta64("NaT"))
        else:
            found = spans.to_numpy()
        return found / np.timedelta64(1, "s")

    def _expected(self, what: str, bad: np.ndarray, way: str) -> DataError:
        some = f"{where(bad)}: {shown(self.series[bad].head(20))}"
        return DataError(f"column {self.name!r}: expected {what}, got {self.series.dtype} cells: {some}; {way}")

    @lazy_property
    def factor(self) -> tuple[np.ndarray, np.ndarray]:
        """Position `(rows,)` of each cell among the distinct values, −1 where missing; and these, in order of rows."""
        at, values = pd.factorize(self.series.to_numpy(dtype=object))
        return at, np.asarray(values, dtype=object)

    def days(self, style: str, whole: bool) -> np.ndarray:
        """Return dates as `(rows,)` days since 1970-01-01, NaN where missing; in the column's zone when `whole`.

        Dates of a frame come back as text from a CSV file: ISO text without a zone is read.

        Raises:
            DataError: cells that are no dates of that style.
        """
        if (style, whole) not in self._days:
            self._days[style, whole] = self._read_days(style, whole)
        return self._days[style, whole]

    def _read_days(self, style: str, whole: bool) -> np.ndarray:
        series, form, present, _ = self.series, self.form, self.present, self.zone
        if not present.any():
            return np.full(len(series), np.nan)
        if form == "text" and "%" in style:
            stamps = pd.to_datetime(series.astype(object), format=style, errors="coerce")
        elif form == "text":
            at, values = self.factor
            iso = np.array([bool(_ISO.fullmatch(str(v))) for v in values] + [False])[at]
            stamps = pd.to_datetime(series.astype(object).where(iso), format="ISO8601", errors="coerce")
        elif form != "date":
            stamps = pd.Series(pd.NaT, index=series.index, dtype="datetime64[us]")
        elif isinstance(series.dtype, pd.PeriodDtype):
            stamps = series.dt.to_timestamp()
        elif isinstance(series.dtype, pd.ArrowDtype) and str(series.dtype).startswith("date"):
            stamps = series.astype("datetime64[s]")  # Arrow dates without time
        elif series.dtype == object:
            refuse_zones(series, self.name)
            stamps = pd.to_datetime(series)
        else:
            stamps = series
        bad = present & stamps.isna().to_numpy()
        if bad.any():
            written = style if "%" in style else "2024-12-31 12:30:00"
            raise self._expected("dates", bad, f"write them as {written}, or convert the column: pd.to_datetime(...)")
        if stamps.dt.tz is not None:
            stamps = stamps.dt.tz_localize(None) if whole else stamps.dt.tz_convert("UTC").dt.tz_localize(None)
        return (stamps.to_numpy() - np.datetime64(0, "s")) / np.timedelta64(1, "D")

    @lazy_property
    def zone(self) -> str | None:
        """The time zone of dates, `mixed` for Python objects of which any has one; None where there is none."""
        if self.series.dtype == object:
            zoned = (getattr(v, "tzinfo", None) is not None for v in self.series.dropna())
            return "mixed" if self.form == "date" and any(zoned) else None
        zone = zone_of(self.series.dtype)
        return None if zone is None else str(zone)

    @lazy_property
    def style(self) -> str | None:
        """How dates stand in the column (a `Date` codec's style); None when the cells are no dates."""
        series = self.series
        if self.form == "date":
            if series.dtype != object:
                return "datetime"
            if pd.api.types.infer_dtype(series, skipna=True) == "date":
                return "date"
            return None if self.zone else "datetime"  # zoned Python objects: a dtype for them is datetime64[us, zone]
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
        series, present = self.series, self.present
        place = {level: i for i, level in enumerate(levels)}
        if isinstance(series.dtype, pd.CategoricalDtype):
            of_category = np.array([place.get(plain_of(c), -2) for c in series.cat.categories] + [-1])
            found = of_category[series.array.codes]
        elif self.form in ("number", "bool") and not any(isinstance(v, str) for v in levels):
            x = self.numbers
            order = np.argsort(np.array(levels, np.float64))
            ordered = np.array(levels, np.float64)[order]
            at = np.minimum(np.searchsorted(ordered, np.where(present, x, ordered[0])), len(levels) - 1)
            found = np.where(ordered[at] == x, order[at], -2)
        else:
            at, values = self.factor
            found = np.array([place.get(v, -2) for v in values] + [-1])[at]
        found = np.where(present, found, -1)
        bad = found == -2
        if bad.any() and unseen is not None:
            texts = set(map(str, levels))
            new = ((v, plain_of(v)) for v in series[bad].unique())
            retyped = {v for v, plain in new if plain not in levels and str(plain) in texts}
            found = np.where(bad, unseen, found)
            bad = bad & series.isin(retyped).to_numpy(bool) if retyped else np.zeros_like(bad)
        if bad.any():
            raise _never_seen(series, self.name, levels, bad)
        return found


def cells_of(frame: pd.DataFrame) -> dict[str | int, Cells]:
    """Return the cells of each column of `frame`, not yet parsed.

    Raises:
        DataError: not a frame, columns without one plain name each, or cells that no file can hold.
    """
    found = {name: Cells(name, frame[name]) for name in check_frame(frame, rows=0).columns}
    for name, cells in found.items():
        refuse_odd(name, cells.series)
    return found


def _never_seen(series: pd.Series, name: object, levels: tuple[Plain, ...], bad: np.ndarray) -> DataError:
    new = series[bad].iloc[0]
    way = "give one of these, leave the cell empty, or fit again with rows that hold it"
    if plain_of(new) not in levels and str(new) in map(str, levels):
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
