"""Reading a contract from a file, and imposing it on a frame.

    text --read_contract--> Contract --impose(frame)--> Schema

Nothing in the file is passed over: an unknown key, kind or table is an error that names its line and what was probably
meant. Then each column is read as in `infer`, and given the kind, levels and policy of its clause; a frame that cannot
keep the contract is an error that names the clause, the column and the rows.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from laten.common.bounded_reading import read_file
from laten.common.errors import DataError, known
from laten.data.columns.cells import Cells, check_frame
from laten.data.columns.column import ASIDE, CLASSES, KINDS, NUMBERS, UNSEEN, Column
from laten.data.columns.unseen_levels import LEAST, with_unseen
from laten.data.constraint_text import parsed
from laten.data.messages import did_you_mean, shown, where
from laten.data.records import Plain, is_plain, name_of, plain_of
from laten.data.schema import toml
from laten.data.schema.contract import EXTRA, Clause, Contract, Group, as_number, by_text
from laten.data.schema.infer import infer_column, refuse_empty, tied
from laten.data.schema.notations import with_notation
from laten.data.schema.schema import Schema
from laten.data.text.notation import recorded

TABLES = ("extra", "constraints", "nodes", "columns")
KEYS = ("kind", "levels", "unseen", "range", "missing")
_MOST_BYTES = 10_000_000


def read_schema(source: str | Path, frame: pd.DataFrame) -> Schema:
    """Build the schema of `frame` under the contract in a file.

    Args:
        source: A TOML file as `schema.to_toml()` and `laten schema` write it, or its text (several lines).
        frame: At least two rows.
    Returns:
        The inferred schema of the contract's columns, each with the kind, levels and policy that the contract says.
    Raises:
        DataError: the file cannot be read or has unknown keys, or the frame does not keep the contract: a column lacks,
            is one too many where `extra = "error"`, or has other cells than its clause allows.
    """
    return impose(open_contract(source), frame)


def open_contract(source: str | Path) -> Contract:
    """Read a contract from a file, or from its text.

    Raises:
        DataError: no such file, no UTF-8, no TOML, or not a contract.
    """
    if isinstance(source, str) and "\n" in source:
        return read_contract(source)
    path = Path(source)
    try:
        if path.is_file() and path.stat().st_size > _MOST_BYTES:
            raise DataError(f"{path}: has more than {_MOST_BYTES // 1_000_000} MB and is no schema")
        text = read_file(path).decode("utf-8-sig")
    except FileNotFoundError:
        way = f"; `laten schema DATA -o {path}` proposes one" if path.suffix == ".toml" else ""
        raise DataError(f"{path}: no such file{way}") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: byte {error.start} is not UTF-8 text; a schema is a TOML file") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    return read_contract(text, str(path))


def read_contract(text: str, source: str = "schema") -> Contract:
    """Read a contract from its text.

    Args:
        text: TOML.
        source: What it is called in messages.
    Raises:
        DataError: bad TOML, an unknown key or table, a value of the wrong type; with the line.
    """
    return _Text(text, source).contract()


class _Text:
    """The text of a contract, parsed, and where things stand in it."""

    def __init__(self, text: str, source: str) -> None:
        self.parsed = toml.loads(text, source)
        self.lines = toml.lines_of(text)
        self.source = source

    def refuse(self, path: Iterable[str], message: str) -> NoReturn:
        """Raise, naming the line of the last part of `path` that stands in the text."""
        names = tuple(path)
        lines = (self.lines.get(names[:n]) for n in range(len(names), 0, -1))
        line = next((n for n in lines if n is not None), None)
        raise DataError(f"{self.source}{'' if line is None else f', line {line}'}: {message}")

    def only(self, path: tuple[str, ...], table: dict, names: tuple[str, ...], what: str) -> None:
        for name in table:
            if name not in names:
                self.refuse(
                    (*path, name), f"{what}unknown key {name!r}{did_you_mean(name, names)}; known: {known(names)}"
                )

    def contract(self) -> Contract:
        self.only((), self.parsed, TABLES, "")
        extra = self.parsed.get("extra", "ignore")
        if extra not in EXTRA:
            self.refuse(["extra"], f"extra must be one of {known(EXTRA)}, not {extra!r}")
        columns = self.parsed.get("columns")
        if not isinstance(columns, dict) or not columns:
            self.refuse(["columns"], "names no columns; each has a table: [columns.age] and below it kind = 'count'")
        clauses = tuple(self.clause(name, table) for name, table in columns.items())
        return Contract(clauses, self.groups(columns), extra, self.constraints(columns), source=self.source)

    def constraints(self, columns: dict) -> tuple[str, ...] | None:
        found = self.parsed.get("constraints")
        if found is None:
            return None
        if not isinstance(found, list) or not all(isinstance(v, str) for v in found):
            self.refuse(["constraints"], f"constraints must be a list of texts, such as 'a <= b', not {found!r:.60}")
        for text in found:
            try:
                parsed(text, columns)
            except DataError as error:
                self.refuse(["constraints"], str(error))
        return tuple(found)

    def groups(self, columns: dict) -> tuple[Group, ...]:
        nodes, groups = self.parsed.get("nodes", {}), []
        if not isinstance(nodes, dict):
            self.refuse(["nodes"], "nodes must be a table: node = 'column', or node = ['column', ...]")
        for node, names in nodes.items():
            scalar = isinstance(names, str)
            found = (names,) if scalar else tuple(names) if isinstance(names, list) else ()
            if not found or not all(isinstance(n, str) for n in found):
                self.refuse(
                    ["nodes", node], f"node {node!r} must name a column or a list of columns, not {names!r:.60}"
                )
            for name in found:
                if name not in columns:
                    close = did_you_mean(name, columns)
                    self.refuse(["nodes", node], f"node {node!r}: there is no column {name!r}{close}")
            groups.append(Group(node, found, scalar))
        return tuple(groups)

    def clause(self, name: str, table: Any) -> Clause:
        path, at = ("columns", name), f"column {name!r}: "
        if not isinstance(table, dict):
            self.refuse(path, f"{at}must be a table: [columns.{toml.key(name)}] and below it kind = 'count'")
        self.only(path, table, KEYS, at)
        if "kind" not in table:
            self.refuse(path, f"{at}its kind is missing; kinds: {known(KINDS, 20)}")
        kind = table["kind"]
        if kind not in KINDS:
            self.refuse(
                (*path, "kind"), f"{at}there is no kind {kind!r}{did_you_mean(kind, KINDS)}; kinds: {known(KINDS, 20)}"
            )
        levels, unseen = table.get("levels"), table.get("unseen", "error")
        if levels is not None:
            levels = self.levels(path, at, kind, levels)
        if unseen not in UNSEEN:
            self.refuse((*path, "unseen"), f"{at}unseen must be one of {known(UNSEEN)}, not {unseen!r}")
        if unseen == "other" and kind != "categorical":
            way = "make it 'categorical', or leave unseen = 'error'"
            self.refuse((*path, "unseen"), f"{at}unseen = 'other' is for categorical columns, not {kind}; {way}")
        counts = kind in NUMBERS and "range" in table  # one left over from another kind is no matter
        low, high = self.range(path, at, kind, table["range"]) if counts else (None, None)
        missing = table.get("missing")
        if missing is not None and not (_is_number(missing) and 0 <= missing <= 1):
            self.refuse((*path, "missing"), f"{at}missing must be a share from 0 to 1, not {missing!r:.60}")
        line = self.lines.get(path, 0)
        return Clause(name, kind, levels, unseen, low, high, missing, line=line)

    def levels(self, path: tuple[str, ...], at: str, kind: str, levels: Any) -> tuple[Plain, ...]:
        path = (*path, "levels")
        if kind not in CLASSES:
            self.refuse(path, f"{at}levels belong to {known(CLASSES)}, not to {kind}; leave them out")
        if not isinstance(levels, list) or not all(map(is_plain, levels)):
            self.refuse(path, f"{at}levels must be a list of texts, numbers or booleans, not {levels!r:.60}")
        found = tuple(map(plain_of, levels))
        twice = [v for i, v in enumerate(found) if v in found[:i]] if len(set(found)) < len(found) else []
        if twice:
            self.refuse(path, f"{at}the level {twice[0]!r} stands in the list twice")
        if len(found) < 2 or (kind == "binary" and len(found) != 2):
            self.refuse(path, f"{at}{kind} needs {'2' if kind == 'binary' else 'at least 2'} levels, not {len(found)}")
        return found

    def range(self, path: tuple[str, ...], at: str, kind: str, ends: Any) -> tuple[float, float]:
        found = [as_number(kind, v) for v in ends] if isinstance(ends, list) else []
        if len(found) != 2 or found[0] is None or found[1] is None or not found[0] <= found[1]:
            form = {"date": "[2020-01-01, 2020-12-31]", "duration": "['0 days', '2 days 12:00:00']"}.get(
                kind, "[0, 100]"
            )
            self.refuse((*path, "range"), f"{at}range must be low and high, such as {form}, not {ends!r:.60}")
        return found[0], found[1]


def _is_number(v: object) -> bool:
    return isinstance(v, int | float) and not isinstance(v, bool)


def impose(contract: Contract, frame: pd.DataFrame) -> Schema:
    """Build the schema of a frame under a contract: see `read_schema`."""
    check_frame(frame, rows=2)
    names = by_text(frame, contract.source)
    clauses = {str(c.name): c for c in contract.clauses}
    lacking = [c for c in contract.clauses if str(c.name) not in names]
    if lacking:
        rest = [n for n in names if n not in clauses]
        raise DataError(
            f"{_place(contract, lacking[0])}the frame lacks the column{'s' if len(lacking) > 1 else ''} "
            f"{known(c.name for c in lacking)}{did_you_mean(lacking[0].name, rest)}; rename it in the frame, or "
            "delete its section from the schema"
        )
    extra = [n for text, n in names.items() if text not in clauses]
    if extra and contract.extra == "error":
        raise DataError(
            f"{contract.source}: the frame has columns that the schema does not name: {known(extra)}"
            f"{did_you_mean(extra[0], clauses)}; drop them, give them sections, or set extra = 'ignore'"
        )
    kept = [n for text, n in names.items() if text in clauses]
    refuse_empty(frame[kept], [n for n in kept if clauses[str(n)].kind not in ASIDE])
    record, cells = recorded(frame.attrs), {n: Cells(n, frame[n]) for n in kept}
    found = (_impose_one(contract, clauses[str(n)], n, cells[n]) for n in kept)
    columns = tuple(with_notation(c, record, cells[c.name]) for c in found)
    groups = tuple(Group(g.node, tuple(names[str(n)] for n in g.columns), g.scalar) for g in contract.groups)
    try:
        return tied(Schema(columns, groups, contract.extra), cells, contract.constraints or (),
                    search=contract.constraints is None)  # fmt: skip
    except DataError as error:
        raise DataError(f"{contract.source}: {error}") from None


def _place(contract: Contract, clause: Clause) -> str:
    return f"{contract.source}{f', line {clause.line}' if clause.line else ''}: "


def _impose_one(contract: Contract, clause: Clause, name: str | int, cells: Cells) -> Column:
    series = cells.series
    try:
        column = infer_column(cells, clause.kind)
        levels = clause.levels if clause.kind in CLASSES else None
        if levels is not None:
            unlisted = _unlisted(clause, column, series)
            levels = in_order(levels, unlisted, column) if unlisted else levels
        elif clause.kind == "ordinal" and column.kind != "ordinal" and column.seen.form == "text":
            some = ", ".join(map(toml.value, (column.seen.values or ("low", "middle", "high"))[:6]))
            raise DataError(f"column {name!r}: say the order of its levels, low to high: levels = [{some}]")
        if column.kind != clause.kind or (levels is not None and levels != column.levels):
            column = column.with_kind(clause.kind, levels)
        return column if clause.unseen == "error" else with_unseen(column, clause.unseen, clause.levels)
    except DataError as error:
        raise DataError(f"{_place(contract, clause)}{error}") from None


def in_order(levels: tuple[Plain, ...], unlisted: tuple[Plain, ...], column: Column) -> tuple[Plain, ...]:
    """List levels that stay classes, then what will be folded as it was seen, then what no cell holds."""
    counts = column.seen.tally
    kept = [v for v in levels if counts.get(v, 0) >= LEAST]
    rest = {*levels, *unlisted} - set(kept)
    seen = [v for v in counts if v in rest]
    return (*kept, *seen, *(v for v in levels if v not in counts))


def _unlisted(clause: Clause, column: Column, series: pd.Series) -> tuple[Plain, ...]:
    """Return levels in the cells that the clause does not list, in order; refuse them unless they may be `(other)`."""
    levels, listed = clause.levels or (), set(clause.levels or ())
    unlisted = tuple(v for v, n in column.seen.tally.items() if n and v not in listed)
    if not unlisted:
        return ()
    texts = {str(v): v for v in levels}
    retyped = [v for v in unlisted if str(v) in texts]
    wrong = set(retyped or unlisted)
    bad = np.array([held and plain_of(v) in wrong for v, held in zip(series, series.notna(), strict=True)])
    if retyped:
        a, b = (name_of(v) for v in (retyped[0], texts[str(retyped[0])]))
        raise DataError(
            f"column {column.name!r}: {retyped[0]!r} ({where(bad)}) is {a}, the schema lists it as {b}; "
            "write it in levels as it stands in the data, or convert the column"
        )
    if clause.unseen == "error":
        raise DataError(
            f"column {column.name!r}: {shown(unlisted)} ({where(bad)}) is not among its levels {known(levels)}"
            f"{did_you_mean(unlisted[0], levels)}; add it to levels, or set unseen = 'other'"
        )
    return unlisted
