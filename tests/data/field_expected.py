"""What each file of a folder of messy files means, thought out from its name; `tools/field_files.py` compares.

Most hold the same 300 rows of age, income, city and sex (`t.pq`), written in some odd way. `same` names the columns
that must then equal those, cell by cell; where a file has a date, `when` says which truth it must equal.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

BASE = ("age", "income", "city", "sex")


@dataclass(frozen=True)
class Expect:
    """What a file should give.

    Args:
        rows: Number of rows.
        same: Columns of the base table that must be equal.
        names: Base column -> its name in this file, where it differs.
        scale: Of income: what it must be multiplied by, and the error allowed.
        labels: Labels of city that this file has in place of others.
        when: Which truth the column `when` must equal: day, minute, second, month, quarter, clock, year.
        kinds: Column -> its kind, of further columns.
        missing: A text that stands for missing in age, income and city; equal elsewhere.
        says: Words that the line of assumptions must have.
        refused: Words of the error, where there must be one.
        schema: Words of the error of `infer_schema`, where there must be one.
    """

    rows: int = 300
    same: tuple[str, ...] = BASE
    names: dict[str, str] = field(default_factory=dict)
    scale: tuple[float, float] = (1.0, 0.0)
    labels: dict[str, str] = field(default_factory=dict)
    when: str = ""
    kinds: dict[str, str] = field(default_factory=dict)
    missing: str | None = None
    says: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    schema: tuple[str, ...] = ()


def _lost(code: str, *says: str) -> Expect:
    return Expect(missing=code, says=says)


def _when(truth: str, *says: str, kind: str = "date") -> Expect:
    return Expect(when=truth, kinds={"when": kind}, says=says)


_LESS: tuple[str, ...] = ("age", "city", "sex")
_NUMBERED = {name: f"column_{i}" for i, name in enumerate(BASE)}
EXPECTED: dict[str, Expect] = {
    # layout
    "utf8.csv": Expect(says=("utf-8",)), "bom.csv": Expect(says=("utf-8",)), "utf16.csv": Expect(says=("utf-16",)),
    "latin1.csv": Expect(says=("cp1252", "encoding")),
    "cp1252.csv": Expect(labels={"Köln": "Köln – “Alt” €"}, says=("cp1252", "encoding")),
    "cr.csv": Expect(), "crlf.csv": Expect(), "blanklines.csv": Expect(says=("names in line 3",)),
    "comments.csv": Expect(says=("2 comment lines",)), "title_rows.csv": Expect(says=("2 lines above",)),
    "total_row.csv": Expect(says=("line 302", "left out")), "semicolon.csv": Expect(says=("';' between",)),
    "tab.csv": Expect(says=("tabs",)), "tab.txt": Expect(says=("tabs",)), "space.csv": Expect(says=("blanks between",)),
    "trailing_sep.csv": Expect(says=("end of every row",)), "singlequote.csv": Expect(says=("' around cells",)),
    "quoted_newline.csv": Expect(kinds={"note": "categorical"}),
    "empty.csv": Expect(refused=("empty",)), "headeronly.csv": Expect(refused=("no rows",)),
    "onerow.csv": Expect(rows=1, schema=("1 row",)), "threerows.csv": Expect(rows=3),
    "tiny.csv": Expect(rows=2, same=(), kinds={"income": "real"}),
    "one.csv": Expect(same=("income",)),
    "headerless.csv": Expect(names=_NUMBERED, says=("no names",)),
    "headerless_num.csv": Expect(same=(), kinds={f"column_{i}": "real" for i in range(4)}, says=("no names",)),
    "headerless_num_semi.csv": Expect(same=(), kinds={f"column_{i}": "real" for i in range(4)}, says=("no names",)),
    "duphead.csv": Expect(refused=("line 1", "income", "header=")),
    "emptyname.csv": Expect(names={"age": ""}, says=("column 1 has no name",)),
    "unnamed0.csv": Expect(kinds={"": "identifier"}, says=("column 1 has no name",)),
    "spacednames.csv": Expect(names={"age": " age", "income": "income ", "city": "row", "sex": "draw"}),
    "weirdnames.csv": Expect(names={"age": "Age (years)", "income": "income.USD / yr", "city": "class", "sex": "z"}),
    "emoji.csv": Expect(names={"age": "🎂 age", "income": "💰income", "city": "city 🏙️"}),
    "ragged_all_more.csv": Expect(refused=("line 1 has 4 names", "line 2", "5 cells", "header=")),
    "ragged_less.csv": Expect(refused=("line 51 has 2",)), "ragged_more.csv": Expect(refused=("line 51 has 6",)),
    "shift.csv": Expect(refused=("line 1 has 2 names", "line 2", "3 cells", "header=")),
    # numbers
    "thousands.csv": Expect(says=("',' between thousands", "decimal")),
    "thousands_de.csv": Expect(says=("decimal mark ','", "'.' between thousands")),
    "semi_decimalcomma.csv": Expect(says=("decimal mark ','",)), "currency.csv": Expect(says=("'$'",)),
    "percent.csv": Expect(scale=(1e-3, 0.0501), says=("'%'",)),
    "paren_negative.csv": Expect(same=_LESS, kinds={"income": "real"}, says=("negative",)),
    "scientific.csv": Expect(scale=(1.0, 50.0)),
    "onebad.csv": Expect(refused=("line 9", "'income'", "12,5O", "missing=")),
    "typo.csv": Expect(refused=("line 4", "'x'", "3.0O", "missing=")),
    "de.csv": Expect(rows=7, same=(), kinds={"name": "categorical", "value": "real"}, says=("decimal mark ','",)),
    "odd.csv": Expect(rows=6, same=(), kinds={"date": "date", "temp_max": "real", "weather": "categorical"}),
    "t.csv": Expect(rows=14, same=(), kinds={"column": "identifier", "Airport Name": "positive"}),
    # missing
    "miss_blank.csv": _lost(""), "miss_NA.csv": _lost("NA"), "miss_na.csv": _lost("n/a"),
    "miss_naLower.csv": _lost("na"),
    "miss_NaNs.csv": _lost("nan"), "miss_null.csv": _lost("null"), "miss_q.csv": _lost("?"),
    "miss_hashNA.csv": _lost("#N/A"), "miss_div0.csv": _lost("#DIV/0!"),
    "miss_none.csv": _lost("None", "'None'", "[missing]"), "miss_dot.csv": _lost(".", "'.'", "[missing]"),
    "miss_missing.csv": _lost("missing", "'missing'", "[missing]"), "miss_x.csv": _lost("x", "'x'", "[missing]"),
    "miss_inf.csv": _lost("inf", "'inf'", "[missing]"),
    "miss_99.csv": Expect(same=("sex",), says=("99 in 'age' looks", "99 in 'income' looks", "99 in 'city' looks")),
    "miss_9999.csv": Expect(same=("sex",), says=("9999 in 'age' looks", "9999 in 'income' looks", "9999 in 'city'")),
    "miss_m999.csv": Expect(same=("sex",), says=("-999 in 'age' looks", "-999 in 'income' looks", "-999 in 'city'")),
    "emptycol.csv": Expect(kinds={"empty": "text", "empty2": "text"}),
    # classes and codes
    "bools.csv": Expect(
        kinds=dict.fromkeys(("yn", "tf", "b01", "tfh", "yesno"), "binary") | {"int_holes": "count"}, says=("'yesno'",)
    ),
    "const.csv": Expect(kinds={"const": "constant", "const_holes": "constant"}),
    "trailing.csv": Expect(same=("age", "income", "city"), kinds={"sex": "categorical"}, says=("case alone",)),
    "trailing_semi.csv": Expect(same=("age", "income", "city"), kinds={"sex": "categorical"}, says=("case alone",)),
    "ids.csv": Expect(
        kinds={"customer_id": "identifier", "phone": "identifier", "plz": "categorical", "uuid": "identifier",
               "card": "identifier", "email": "identifier", "lat": "real", "text": "text", "json": "text"},
        says=("'phone' kept as text: leading zeros", "'plz' kept as text", "'card' kept as text: more than 15 digits"),
    ),
    "zip.csv": Expect(rows=4, same=(), kinds={"zip": "text"}, says=("'zip' kept as text",)),
    # dates and times
    "date_iso.csv": _when("day"), "date_slashy.csv": _when("day"), "date_dots.csv": _when("day", "day first"),
    "date_dmy.csv": _when("day", "day first", "dayfirst"), "date_mdy.csv": _when("day", "month first", "dayfirst"),
    "date_mixed.csv": _when("day", "2 ways"), "date_mon.csv": _when("day"), "date_compact.csv": _when("day", "dates"),
    "date_ym.csv": _when("month", "months"), "date_mon_year.csv": _when("month", "months"),
    "date_quarter.csv": _when("quarter", "quarters"), "date_year.csv": _when("year", kind="ordinal"),
    "date_somebad.csv": _when("day", "'unknown'", "[missing]"),
    "date_0000.csv": _when("day", "'0000-00-00'", "[missing]"),
    "date_1900.csv": _when("day", "1900-01-01", "looks like a code"),
    "ts_space.csv": _when("second"), "ts_slash.csv": _when("second"), "ts_ms.csv": _when("second"),
    "ts_minute.csv": _when("minute"), "ts_z.csv": _when("utc"), "ts_off.csv": _when("ahead2"),
    "ts_mixoff.csv": _when("ahead", "offsets", "UTC"), "epoch_s.csv": _when("utc", "since 1970"),
    "tod.csv": _when("clock_minute", "times of day", kind="duration"),
    "tod_s.csv": _when("clock", "times of day", kind="duration"),
    "duration.csv": _when("", "durations", kind="duration"),
    # formats
    "t.csv.gz": Expect(), "t.csv.bz2": Expect(), "t.csv.xz": Expect(), "t.zip": Expect(), "t.json": Expect(),
    "t.jsonl": Expect(), "t.xlsx": Expect(), "t.sqlite": Expect(), "t.pq": Expect(), "t.feather": Expect(),
    "types.parquet": Expect(
        kinds={"when": "date", "cat": "binary", "dec": "positive", "dict": "categorical", "b": "binary",
               "bytes": "text", "nint": "count", "td": "duration", "time": "text", "date": "date"}
    ),
    "nested.parquet": Expect(refused=("'nested'", "'lst'", "drop=")),
}  # fmt: skip


def faults(name: str, expect: Expect, raw: str, frame: pd.DataFrame, line: str, kinds: dict, base, truth) -> list[str]:
    """List what differs from what a file means.

    Args:
        raw: The file as text, for counting its codes.
        frame: What was read.
        line: What was assumed.
        kinds: Column -> kind that `infer_schema` proposes.
        base: The base table and its kinds.
        truth: Exact times of the column `when`.
    """
    table, base_kinds = base
    found = [f"{len(frame)} rows"] if len(frame) != expect.rows else []
    found += [f"not said: {w}" for w in expect.says if w not in line]
    for column in expect.same:
        got = frame[expect.names.get(column, column)]
        want = table[column].iloc[: len(got)]
        want = want.replace(expect.labels) if column == "city" else want
        lost = got.isna().to_numpy()
        if lost.any() and expect.missing is None:
            found.append(f"{column}: cells lost")
        factor, error = expect.scale if column == "income" else (1.0, 0.0)
        if pd.api.types.is_numeric_dtype(want):
            same = np.abs(got.to_numpy(float) - want.to_numpy() * factor) <= error + 1e-9
        else:
            same = (got == want).to_numpy(bool)
        found += [] if same[~lost].all() else [f"{column}: other cells"]
        usual = len(got) > 3 and not lost.any() and expect.scale == (1.0, 0.0)
        if usual and kinds.get(got.name) != base_kinds[column]:
            found.append(f"{column}: {kinds.get(got.name)}")
    if expect.missing is not None:
        cells = [c for row in raw.splitlines()[1:] for c in row.split(",")]
        wanted = sum(c.strip() == expect.missing for c in cells)
        if int(frame.isna().sum().sum()) != wanted or wanted == 0:
            found.append(f"{int(frame.isna().sum().sum())} cells missing, not {wanted}")
    found += [f"{c}: {kinds.get(c)}, not {k}" for c, k in expect.kinds.items() if kinds and kinds.get(c) != k]
    if expect.when:
        got = frame["when"]
        seen = got.notna() & ~got.astype(str).str.startswith("1900")
        found += [] if same_times(got[seen], truth[seen.to_numpy()], expect.when) else ["when: other times"]
    return found


def same_times(got: pd.Series, truth: pd.Series, what: str) -> bool:
    """Say whether times are the true ones, to the unit that a file writes."""
    if what in ("month", "quarter"):
        return got.astype(str).tolist() == truth.dt.to_period(what[0].upper()).astype(str).tolist()
    if what == "year":
        return got.tolist() == truth.dt.year.tolist()
    if what.startswith("clock"):
        return bool((got == (truth - truth.dt.normalize()).dt.floor("min" if "minute" in what else "s")).all())
    if what == "utc":
        return bool((got.dt.tz_convert("UTC").dt.tz_localize(None) == truth).all())
    if what.startswith("ahead"):
        hours = (truth - got.dt.tz_convert("UTC").dt.tz_localize(None)) / pd.Timedelta("1h")
        return set(hours) == ({2.0} if what == "ahead2" else {1.0, 2.0})
    return bool((got == truth.dt.floor({"day": "D", "minute": "min", "second": "s"}[what])).all())
