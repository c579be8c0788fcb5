"""The schema of a table: what each column is, and which columns make one node.

A model sees a table as a few *blocks*, one for each family, each one array: all binary columns are the node `binary`,
all counts the node `count`, and so on (positive numbers and dates are real numbers after their codec). When the network
was declared with nodes named after columns, the schema groups columns by those names instead.

A schema is read from data by `infer_schema`, shown by `print(schema)`, edited by `schema.with_kind("age", "count")` and
kept in the model file by `schema.to_json()`. `schema.binned()` is the same table with its numbers, dates and durations
in one node, `number`, each value the code of a bin (`histogram/`).
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import Any

from laten.common import notebook
from laten.common.errors import DataError, known
from laten.data.columns.column import ASIDE, CLASSES, KINDS, NUMBERS, Column
from laten.data.columns.dtypes import is_dtype
from laten.data.columns.unseen_levels import with_unseen
from laten.data.constraints import Constraint, FixedCombinations, Follows, columns_of
from laten.data.messages import text_table, unknown
from laten.data.records import Plain, Record, read, replace
from laten.data.schema.block import Block
from laten.data.schema.check import Findings, check
from laten.data.schema.contract import EXTRA, Contract, Group, Name, Nodes, clause_of, groups_of, to_toml
from laten.data.schema.worth_a_look import Remark, listing

FAMILY_KINDS = ("binary", "categorical", "ordinal", "count", "real", "bins")
_FAMILY_KIND = {k: k for k in FAMILY_KINDS} | dict.fromkeys(("positive", "date", "duration"), "real")


class Schema(Record, frozen=True):
    """Columns of a table, in the frame's order.

    Args:
        columns: One for each column of the frame.
        groups: Declared nodes; empty for one node a kind.
        extra: What a later frame's further columns are: `ignore`, or `error`.
        constraints: What rows keep, found in the data or declared (`laten.constraints`); equations in an order in which
            they can be computed.
        worth_a_look: What the table's owner should look at; two schemas are equal whatever it says.
    Raises:
        DataError: two columns of one name, a column in two nodes, or a node of several kinds.
    """

    columns: tuple[Column, ...]
    groups: tuple[Group, ...] = ()
    extra: str = "ignore"
    constraints: tuple[Constraint, ...] = ()
    worth_a_look: tuple[Remark, ...] = ()

    def __post_init__(self) -> None:
        if self.extra not in EXTRA:
            raise DataError(f"schema: extra must be one of {known(EXTRA)}, not {self.extra!r}")
        twice = [n for n, k in Counter(c.name for c in self.columns).items() if k > 1]
        if twice:
            raise DataError(f"two columns of one name: {known(twice)}")
        grouped = Counter(name for g in self.groups for name in g.columns)
        for name, times in grouped.items():
            column = self[name]
            if times > 1:
                raise DataError(f"column {name!r} stands in {times} nodes; a column belongs to one")
            if column.kind in ASIDE:
                way = f"schema.with_kind({name!r}, ...) sets another kind, or leave it out of the network"
                raise DataError(f"column {name!r} is {column.kind} ({column.reason}) and cannot be a node; {way}")
        for g in self.groups:
            kinds = {self.family_kind(self[name]) for name in g.columns}
            if len(kinds) != 1 or (g.scalar and len(g.columns) != 1):
                found = ", ".join(f"{n!r} {self[n].kind}" for n in g.columns)
                way = "say one by kinds={column: kind}, or declare a node for each kind"
                raise DataError(f"node {g.node!r}: its columns must be of one kind, got {found or 'none'}; {way}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Schema) and self._facts == other._facts

    def __hash__(self) -> int:
        return hash(self._facts)

    @property
    def _facts(self) -> tuple[Any, ...]:
        return self.columns, self.groups, self.extra, self.constraints

    def __getitem__(self, name: Name) -> Column:
        """Return the column called `name`."""
        if name not in self._by_name:
            raise unknown("column", name, self.names)
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    @cached_property
    def _by_name(self) -> dict[Name, Column]:
        return {c.name: c for c in self.columns}

    @property
    def names(self) -> tuple[Name, ...]:
        """Names of all columns."""
        return tuple(c.name for c in self.columns)

    @property
    def set_aside(self) -> tuple[Column, ...]:
        """Columns in no block: constants, identifiers, free text, and those no declared node names."""
        used = {n for b in self.blocks for n in b.names}
        return tuple(c for c in self.columns if c.name not in used)

    @cached_property
    def ties(self) -> tuple[Constraint, ...]:
        """The constraints that drawn rows can keep: those whose columns are modelled, and of a kind that suits."""
        modelled = {n: c for b in self.blocks for n, c in zip(b.names, b.columns, strict=True)}

        def suits(tie: Constraint) -> bool:
            names = columns_of(tie)
            classes = {Follows: names[:-1], FixedCombinations: names}.get(type(tie), ())
            return all(n in modelled for n in names) and all(modelled[n].kind in CLASSES for n in classes)

        return tuple(tie for tie in self.constraints if suits(tie))

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The nodes of this table.

        Raises:
            DataError: no column is left to model.
        """
        if self.groups:
            made = ((g, tuple(self[n] for n in g.columns)) for g in self.groups)
            return tuple(Block(g.node, self.family_kind(of[0]) or "", of, g.scalar) for g, of in made)
        blocks = []
        for family_kind in FAMILY_KINDS:
            columns = tuple(c for c in self.columns if self.family_kind(c) == family_kind)
            if columns:
                blocks.append(Block("number" if family_kind == "bins" else family_kind, family_kind, columns))
        if not blocks:
            found = ", ".join(f"{c.name!r} {c.kind} ({c.reason})" for c in self.columns[:6])
            raise DataError(f"no column is left to model: {found}; schema.with_kind(name, kind) sets another kind")
        return tuple(blocks)

    def family_kind(self, column: Column) -> str | None:
        """Return the kind of block a column belongs to; None for columns set aside."""
        return "bins" if column.binned and column.kind in NUMBERS else _FAMILY_KIND.get(column.kind)

    def binned(self, but: Collection[Name] = ()) -> "Schema":
        """Return this schema as a proposed network models it: numbers, dates and durations as histograms.

        Of a categorical column of more than 256 levels the rare ones share entries (`columns/rare_levels.py`).

        Args:
            but: Columns of numbers that keep a density of their own.
        Raises:
            DataError: such a column was never seen in data.
        """
        return replace(self, columns=tuple(replace(c, binned=c.name not in but) for c in self.columns))

    def with_nodes(self, nodes: Nodes) -> "Schema":
        """Return this schema with other nodes, given as `infer_schema` takes them; a column in none is set aside.

        Raises:
            DataError: no such column, a column in two nodes, or a node of several kinds.
        """
        return replace(self, groups=groups_of(nodes))

    def with_kind(self, name: Name, kind: str, levels: Sequence[Plain] | None = None) -> "Schema":
        """Return this schema with column `name` as another kind.

        Args:
            name: The column.
            kind: binary, categorical, ordinal, count, positive, real, date, duration, constant, identifier or text (the
                last two leave it out of the model).
            levels: For binary, categorical and ordinal: the classes in order.
        Raises:
            DataError: no such column or kind, or the cells seen do not allow it.
        """
        return self._with(self[name].with_kind(kind, None if levels is None else tuple(levels)))

    def _with(self, new: Column) -> "Schema":
        """Return this schema with another column of that name."""
        remarks = tuple(r for r in self.worth_a_look if r.columns != (new.name,))
        columns = tuple(new if c.name == new.name else c for c in self.columns)
        return replace(self, columns=columns, worth_a_look=remarks)

    def without_constraints(self, *texts: str) -> "Schema":
        """Return this schema without some constraints, named by their text; without all when none is named.

        Raises:
            DataError: there is no such constraint.
        """
        known_texts = {str(c): c for c in self.constraints}
        for text in texts:
            if text not in known_texts:
                raise unknown("constraint", text, known_texts)
        kept = tuple(c for text, c in known_texts.items() if texts and text not in texts)
        gone = {columns_of(c) for c in self.constraints if c not in kept}
        remarks = tuple(r for r in self.worth_a_look if r.what != "follows" or r.columns not in gone)
        return replace(self, constraints=kept, worth_a_look=remarks)

    def with_kinds(self, kinds: Mapping[Name, str] | None = None, /, **named: str) -> "Schema":
        """Set several kinds at once: `with_kinds(age="count")` or `with_kinds({"my age": "count"})`."""
        schema = self
        for name, kind in [*(kinds or {}).items(), *named.items()]:
            schema = schema.with_kind(name, kind)
        return schema

    def with_unseen(self, name: Name, policy: str) -> "Schema":
        """Return this schema with another policy for new levels of column `name`.

        Args:
            name: A categorical column.
            policy: `error`, or `other`: a further class, `(other)`, stands for them. It learns from the levels seen
                in fewer than two rows. Filled and sampled cells hold one of these levels instead, or the most frequent.
        Raises:
            DataError: no such column or policy, or the column is not categorical.
        """
        return self._with(with_unseen(self[name], policy))

    @property
    def contract(self) -> Contract:
        """What a later frame is compared with."""
        clauses = tuple(clause_of(c) for c in self.columns)
        return Contract(clauses, self.groups, self.extra, self.constraints, self.columns)

    def to_toml(self) -> str:
        """Write the text of a contract that `lt.read_schema` imposes on another frame; reasons are comments.

        Raises:
            DataError: two columns are the same as text, or a text cannot be written as UTF-8.
        """
        return to_toml(self.columns, self.groups, self.extra, tuple(map(str, self.constraints)))

    def check(self, frame: Any) -> Findings:
        """Find how a later frame differs from this schema; `print` shows it as a table.

        Args:
            frame: A table in any container that `VAE.fit` takes; at least one row.
        Returns:
            Columns that lack, are too many or of another type, levels never seen with their counts, numbers far outside
            the fitted range, changed shares of empty cells, rows that break a constraint. `findings.broken` are those
            that a model refuses.
        """
        return check(self.contract, frame)

    @staticmethod
    def from_json(value: Any) -> "Schema":
        """Rebuild a schema, checking every field.

        Raises:
            DataError: a field is missing, of the wrong type, or does not go with the others.
        """
        schema: Schema = read(value, Schema, "schema")
        schema.check_read()
        return schema

    def check_read(self) -> None:
        """Check what is true of columns that were inferred, and need not be of those in a file.

        Raises:
            DataError: a dtype that is none, or a value that stands in a list twice.
        """
        for column in self.columns:
            if not is_dtype(column.dtype):
                raise DataError(f"column {column.name!r}: {column.dtype!r:.80} is no pandas dtype; the file is damaged")
            for values in (column.levels, column.folded, column.seen.values):
                if values is not None and len(set(values)) != len(values):
                    raise DataError(f"column {column.name!r}: values stand in a list twice; the file is damaged")

    def __str__(self) -> str:
        more = listing(self.worth_a_look)
        return f"{self.table}\n\n{more}" if more else self.table

    @property
    def table(self) -> str:
        """The columns as text, a line each."""
        head = ("column", "kind", "missing", "values", "because")
        rows = [
            (str(c.name), c.kind, f"{c.missing:.1%}" if c.seen.missing else "-", c.describe(), c.reason)
            for c in self.columns
        ]
        widths = (30, 11, 7, 34, 78)
        return text_table(head, [[_cut(cell, w) for cell, w in zip(row, widths, strict=True)] for row in rows])

    def _repr_html_(self) -> str:
        heads = ("column", "kind", "missing", "values", "because")
        rows = (
            (c.name, c.kind, f"{c.missing:.1%}" if c.seen.missing else "", c.describe(), c.reason) for c in self.columns
        )
        return notebook.table(heads, rows, len(self.columns)) + notebook.sentences(listing(self.worth_a_look))

    def __repr__(self) -> str:
        counts = Counter(c.kind for c in self.columns)
        parts = ", ".join(f"{counts[k]} {k}" for k in KINDS if counts[k])
        return f"Schema({len(self.columns)} columns: {parts})"


def _cut(text: str, width: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= width else text[: width - 1] + "…"
