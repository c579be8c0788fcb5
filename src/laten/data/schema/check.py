"""How a frame differs from what was agreed: the findings that `schema.check` and `laten schema --check` print.

A finding is *broken* when a model refuses the frame for it: a column that lacks, is one too many, holds another type of
cells, or levels that may not be. The others are notes: the frame is taken, but is not like the fitted one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from laten.common.errors import DataError
from laten.data.columns.cells import Cells, check_frame
from laten.data.columns.column import CLASSES, NUMBERS
from laten.data.columns.encode import misfits
from laten.data.columns.later_cells import as_fitted
from laten.data.constraints import columns_of
from laten.data.containers.containers import as_table
from laten.data.messages import did_you_mean, shown, text_table, where
from laten.data.records import name_of, plain_of
from laten.data.schema.contract import Clause, Contract, Name, as_plain, by_text
from laten.data.schema.ties import broken

FAR = 0.5  # widths of the range beyond its ends, past which a number is far outside
CHANGED = 0.05  # difference of shares of missing cells that is worth a word,
ERRORS = 4.0  # and this many standard errors
_SHOWN = 6
_HEAD = ("", "column", "finding", "rows", "what")


@dataclass(frozen=True)
class Finding:
    """One difference.

    Args:
        column: The column's name.
        what: `lacking`, `extra`, `type`, `value`, `level`, `range`, `missing` or `constraint`.
        broken: A model refuses the frame for it.
        rows: How many cells it concerns.
        detail: In words.
    """

    column: str | int
    what: str
    broken: bool
    rows: int
    detail: str


@dataclass(frozen=True)
class Findings:
    """All differences of a frame, in the order of the agreed columns. `print` shows them; empty is false."""

    found: tuple[Finding, ...]
    rows: int
    columns: int

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    @property
    def broken(self) -> tuple[Finding, ...]:
        """Those for which a model refuses the frame."""
        return tuple(f for f in self.found if f.broken)

    @property
    def frame(self) -> pd.DataFrame:
        """A row for each finding: column, what, broken, rows, detail."""
        return pd.DataFrame(list(self.found), columns=[f.name for f in fields(Finding)])

    def __str__(self) -> str:
        size = f"{self.rows} rows, {self.columns} columns"
        if not self.found:
            return f"{size}: as agreed"
        marks, broken = ("note", "broken"), len(self.broken)
        rows = ((marks[f.broken], str(f.column), f.what, str(f.rows), f.detail) for f in self.found)
        return f"{size}: {broken} broken, {len(self.found) - broken} to note\n\n{text_table(_HEAD, rows)}"


def check(contract: Contract, frame: Any) -> Findings:
    """Find how `frame` differs from `contract`.

    Raises:
        DataError: no table, or no rows.
    """
    frame = check_frame(as_table(frame))
    names = by_text(frame, contract.source)
    agreed = {str(c.name) for c in contract.clauses}
    extra = [n for text, n in names.items() if text not in agreed]
    found, n = [], len(frame)
    for clause in contract.clauses:
        if str(clause.name) not in names:
            detail = f"there is no such column{did_you_mean(clause.name, extra)}"
            found.append(Finding(clause.name, "lacking", clause.kind in (*CLASSES, *NUMBERS), n, detail))
        else:
            found += _column(clause, frame[names[str(clause.name)]])
    for name in extra:
        refused = contract.extra == "error"
        detail = "no further columns are allowed" if refused else "not in the schema; it is ignored"
        found.append(Finding(name, "extra", refused, n, detail))
    if not any(f.what == "type" for f in found):
        found += _constraints(contract, frame, names)
    return Findings(tuple(found), n, len(frame.columns))


def _column(clause: Clause, series: pd.Series) -> list[Finding]:
    """Find what is to be said of one column."""
    found = _missing(clause, series)
    if not series.notna().any():
        return found
    try:
        if clause.column is not None and clause.kind in (*CLASSES, *NUMBERS):
            series = as_fitted(clause.column, Cells(clause.name, series)).series
        if clause.kind in CLASSES or (clause.kind == "constant" and clause.levels is not None):
            found += _classes(clause, series)
        elif clause.kind in NUMBERS:
            found += _numbers(clause, series)
    except DataError as error:
        words = str(error).removeprefix(f"column {clause.name!r}: ")
        found.append(Finding(clause.name, "type", True, int(series.notna().sum()), words.partition("; ")[0]))
    return found


def _constraints(contract: Contract, frame: pd.DataFrame, names: dict[str, Name]) -> list[Finding]:
    """Find rows that do not keep what all fitted rows kept."""
    columns = {c.name: c for c in contract.columns if str(c.name) in names}
    cells = {n: Cells(n, frame[names[str(n)]]) for n in columns}
    found = []
    for constraint in contract.constraints or ():
        of = () if isinstance(constraint, str) else columns_of(constraint)
        if isinstance(constraint, str) or not all(n in columns for n in of):
            continue
        bad = broken(constraint, columns, cells)
        if bad.any():
            detail = f"{constraint}: not so in {where(bad)}"
            found.append(Finding(of[0], "constraint", False, int(bad.sum()), detail))
    return found


def _missing(clause: Clause, series: pd.Series) -> list[Finding]:
    if clause.missing is None:
        return []
    now, before, n = float(series.isna().mean()), clause.missing, len(series)
    error = np.sqrt(max(before * (1 - before), now * (1 - now)) / n)
    if abs(now - before) <= max(CHANGED, ERRORS * error):
        return []
    detail = f"{now:.1%} of the cells are empty, {before:.1%} were"
    return [Finding(clause.name, "missing", False, int(series.isna().sum()), detail)]


def _classes(clause: Clause, series: pd.Series) -> list[Finding]:
    if clause.levels is None:
        return []
    at, values = pd.factorize(series)
    held = [plain_of(v) for v in values]
    tally, levels = np.bincount(at[at >= 0], minlength=len(held)), set(clause.levels)
    new = [i for i in np.argsort(-tally, kind="stable") if held[i] not in levels]
    if not new:
        return []
    rows, texts = int(tally[new].sum()), {str(v): v for v in clause.levels}
    retyped = [held[i] for i in new if str(held[i]) in texts]
    if retyped and clause.kind != "constant":
        other = texts[str(retyped[0])]
        detail = f"{retyped[0]!r} is {name_of(retyped[0])}, was {name_of(other)}: convert the column's type"
        return [Finding(clause.name, "type", True, rows, detail)]
    few = ", ".join(f"{held[i]!r} ({tally[i]})" for i in new[:_SHOWN])
    more = f", … ({len(new)} levels)" if len(new) > _SHOWN else ""
    fate = {"error": "", "other": "; they fall into (other)"}[clause.unseen]
    if clause.kind == "constant":
        return [Finding(clause.name, "value", False, rows, f"was {clause.levels[0]!r} throughout, holds {few}{more}")]
    return [Finding(clause.name, "level", clause.unseen == "error", rows, f"never seen: {few}{more}{fate}")]


def _numbers(clause: Clause, series: pd.Series) -> list[Finding]:
    """Find numbers that the kind does not allow, and those far from the fitted range."""
    cells = Cells(clause.name, series)
    if clause.kind == "date":
        x = cells.days(clause.style or cells.style or "datetime", False)
    else:
        x = cells.seconds if clause.kind == "duration" else cells.numbers
    wrong, expected = misfits(clause.kind, clause.above, x)
    found = []
    if wrong.any():
        detail = f"expected {expected}, got {shown(x[wrong].tolist())} ({where(wrong)})"
        found.append(Finding(clause.name, "value", True, int(wrong.sum()), detail))
    if clause.low is None or clause.high is None:
        return found
    width = clause.high - clause.low or max(abs(clause.low), 1.0)
    far = ~wrong & ((x < clause.low - FAR * width) | (x > clause.high + FAR * width))
    if far.any():
        ends = [as_plain(clause.kind, v) for v in (clause.low, clause.high, np.min(x[far]), np.max(x[far]))]
        to = f" to {ends[3]}" if ends[3] != ends[2] else ""
        detail = f"far outside {ends[0]} .. {ends[1]}: {ends[2]}{to} ({where(far)})"
        found.append(Finding(clause.name, "range", False, int(far.sum()), detail))
    return found
