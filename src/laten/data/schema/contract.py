"""A schema as a contract: what each column has to be, in a file that people read and edit.

    schema --to_toml--> text --read_contract (enforce.py)--> Contract --impose(frame)--> schema
      └--clause_of--> Contract --check(frame) (check.py)--> findings

A contract says less than a schema: kinds, levels, what becomes of unseen levels, and the range and share of holes that
a later frame is compared with. Codecs and counts belong to the data, and are fitted anew to whichever are given.
"""

import datetime
import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version

import pandas as pd

from laten.common.errors import DataError
from laten.data.columns.column import CLASSES, NUMBERS, Column
from laten.data.columns.unseen_levels import listed
from laten.data.constraints import Constraint
from laten.data.messages import span
from laten.data.records import Plain, Record
from laten.data.schema import toml

Name = str | int
EXTRA = ("ignore", "error")  # what further columns of a table are
MOST_LEVELS = 200  # that a file lists; more are taken from the data
_EPOCH = datetime.date(1970, 1, 1)
_HEAD = """\
# What the columns of a table are: {rows} rows, {columns} columns. Proposed by laten {version}; edit as you like.
#   laten fit DATA --schema FILE           enforces it       lt.read_schema(FILE, frame)
#   laten schema NEW --check FILE          compares rows     schema.check(frame)
#
# kind     {modelled};
#          {aside}: carried along, not modelled
# levels   the classes; of an ordinal column from low to high. Without them: those in the data.
# unseen   what becomes of other classes: "error", or "other": a class of its own (categorical columns)
# range, missing   smallest and largest number, share of empty cells: what --check compares with

extra = {extra}  # what further columns of a table are: "ignore" or "error"
# what all rows keep, and samples and filled cells as well; left out: what is found in the data
constraints = {constraints}
"""


class Group(Record, frozen=True):
    """A declared node and the columns it holds. `scalar`: its values are `(rows,)`, of one column."""

    node: str
    columns: tuple[Name, ...]
    scalar: bool = False


Nodes = Mapping[str, Name | Sequence[Name]] | Iterable[str]


def groups_of(nodes: Nodes) -> tuple[Group, ...]:
    """Return declared nodes: from names of columns, or from a dictionary of a column or a list of columns each."""
    declared = nodes.items() if isinstance(nodes, Mapping) else ((n, n) for n in nodes)
    return tuple(
        Group(node, (names,), scalar=True) if isinstance(names, str | int) else Group(node, tuple(names))
        for node, names in declared
    )


@dataclass(frozen=True)
class Clause:
    """What a contract says of one column.

    Args:
        name: The column's name; in a file it is text.
        kind: One of `laten.data.columns.column.KINDS`.
        levels: Classes in order; None: whatever the data hold.
        unseen: `error` or `other`.
        low: Smallest number (days since 1970-01-01 for dates, seconds for durations); None: not said.
        high: Largest number.
        missing: Share of cells without a value; None: not said.
        style: How dates are written, when that is known (`Date.style`).
        above: 0 is refused, as by a logarithm.
        line: Where it stands in its file; 0: in none.
        column: The fitted column, by which text and times are read; None where it comes from a file.
    """

    name: Name
    kind: str
    levels: tuple[Plain, ...] | None = None
    unseen: str = "error"
    low: float | None = None
    high: float | None = None
    missing: float | None = None
    style: str | None = None
    above: bool = False
    line: int = 0
    column: Column | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Contract:
    """What a table has to be.

    Args:
        clauses: One for each column.
        groups: Declared nodes and their columns.
        extra: What further columns are: `ignore` or `error`.
        constraints: What rows keep, as of a schema, or their texts; None: what is found in the data.
        columns: What the fitted columns were, where that is known: constraints are checked with them.
        source: The file it was read from, for messages.
    """

    clauses: tuple[Clause, ...]
    groups: tuple[Group, ...] = ()
    extra: str = "ignore"
    constraints: tuple[str | Constraint, ...] | None = None
    columns: tuple[Column, ...] = ()
    source: str = field(default="the schema", compare=False)


def clause_of(column: Column) -> Clause:
    """Say what a column was when it was fitted."""
    numbers = column.kind in NUMBERS
    return Clause(
        name=column.name,
        kind=column.kind,
        levels=listed(column) if column.kind in CLASSES else column.levels,
        unseen=column.unseen,
        low=column.seen.low if numbers else None,
        high=column.seen.high if numbers else None,
        missing=column.missing,
        style=column.seen.date.style if column.seen.date else None,
        above=column.above,
        column=column,
    )


def to_toml(columns: Sequence[Column], groups: Sequence[Group], extra: str, constraints: Sequence[str] = ()) -> str:
    """Write a schema as the text of a contract, with the reason of each kind beside it.

    Raises:
        DataError: two columns whose names differ in type alone, `1` and `"1"`, or a name that cannot be written.
    """
    texts = [str(c.name) for c in columns]
    twice = [t for t in texts if texts.count(t) > 1] if len(set(texts)) < len(texts) else []
    if twice:
        raise DataError(f"two columns are both written {twice[0]!r}; rename one, a file knows names as text alone")
    rows = max((c.seen.rows for c in columns), default=0)
    parts = [
        _HEAD.format(
            rows=rows,
            columns=len(columns),
            version=version("laten"),
            modelled=", ".join((*CLASSES, *NUMBERS)),
            aside="constant, identifier, text",
            extra=toml.value(extra),
            constraints=toml.value(list(constraints)),
        )
    ]
    if groups:
        held = ((g.node, [str(n) for n in g.columns], g.scalar) for g in groups)
        nodes = [f"{toml.key(node)} = {toml.value(names[0] if scalar else names)}" for node, names, scalar in held]
        parts.append("\n".join(["[nodes]  # which columns are which node of the network", *nodes, ""]))
    parts += [_table(column) for column in columns]
    return "\n".join(parts)


def _table(column: Column) -> str:
    clause = clause_of(column)
    kind, reason = f"kind = {toml.value(column.kind)}", toml.comment(column.reason)
    beside = len(kind) + len(reason) + 4 <= toml.WIDTH
    above = [] if beside else [f"# {line}" for line in textwrap.wrap(reason, toml.WIDTH - 2)]
    lines = [f"[columns.{toml.key(column.name)}]", *above, f"{kind}  # {reason}" if beside and reason else kind]
    if column.kind in CLASSES and clause.levels is not None:
        n = len(clause.levels)
        some = f"# {n} levels, as in the data; levels = [...] would fix them"
        lines.append(f"levels = {toml.value(clause.levels)}" if n <= MOST_LEVELS else some)
    if column.kind == "categorical":
        lines.append(f"unseen = {toml.value(clause.unseen)}")
    if clause.low is not None and clause.high is not None:
        lines.append(f"range = {toml.value([as_plain(column.kind, v) for v in (clause.low, clause.high)])}")
    if clause.missing is not None:
        lines.append(f"missing = {toml.value(float(f'{clause.missing:.4g}'))}")
    return "\n".join(lines) + "\n"


def as_plain(kind: str, x: float) -> object:
    """Return a number as a person writes it: dates as dates, durations as text, others with six digits."""
    if kind == "date":
        return _EPOCH + datetime.timedelta(min(max(int(x // 1), -719_162), 2_932_896))
    if kind == "duration":
        return span(x)
    short = float(f"{x:.6g}")
    return int(short) if short.is_integer() and abs(short) < 2**53 else short


def as_number(kind: str, v: object) -> float | None:
    """Return what `as_plain` wrote as a number; None when it is none."""
    if kind == "date" and isinstance(v, datetime.date):
        day = v.date() if isinstance(v, datetime.datetime) else v
        return float((day - _EPOCH).days)
    if kind == "duration" and isinstance(v, str):
        if v.endswith(" s"):
            return None if math.isnan(x := pd.to_numeric(v[:-2], errors="coerce")) else float(x)
        found = pd.to_timedelta(v, errors="coerce")
        return None if pd.isna(found) else float(found.total_seconds())
    return float(v) if kind != "date" and isinstance(v, int | float) and not isinstance(v, bool) else None


def by_text(frame: pd.DataFrame, source: str) -> dict[str, Name]:
    """Return names of a frame's columns by their text.

    Raises:
        DataError: two of them have the same text.
    """
    names = [n if isinstance(n, str) else int(n) for n in frame.columns]
    found = {str(n): n for n in names}
    if len(found) < len(names):
        twice = next(n for n in names if found[str(n)] != n)
        raise DataError(f"{source}: {twice!r} and {found[str(twice)]!r} are two columns of the frame; rename one")
    return found
