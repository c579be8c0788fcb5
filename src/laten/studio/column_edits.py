"""What the page *Data* changes of columns: their kind, the order of their levels, what becomes of levels never seen.

A change is kept with the training, and is written as Python, as options of `laten fit`, or as the schema file.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from laten.common.errors import LatenError
from laten.data.columns.column import Column
from laten.data.messages import unknown
from laten.data.records import Plain
from laten.data.schema.schema import Schema


class Edit(NamedTuple):
    """What was changed of one column; what is empty was not.

    Args:
        kind: Its kind.
        levels: Its levels in order.
        unseen: What becomes of levels that were never seen.
    """

    kind: str = ""
    levels: tuple[Plain, ...] = ()
    unseen: str = ""


Edits = Mapping[str, Edit]  # column, as text -> what was changed of it


def changed(schema: Schema, name: str, before: Edit, said: Mapping[str, Any]) -> tuple[Schema, Edit]:
    """Return a schema after one click, and the edit that its column now has.

    Args:
        before: What was changed of the column so far.
        said: `{"kind": ...}`, `{"levels": places of its levels in their new order}`, or `{"unseen": ...}`.
    Raises:
        DataError: no such column, or its cells do not allow it.
    """
    column = named(schema, name)
    match said:
        case {"kind": str(kind)}:
            edit = Edit(kind, first_order(column) if kind == "ordinal" else ())
        case {"levels": [*places]} if is_order(places, len(column.levels or ())):
            edit = Edit(column.kind, tuple((column.levels or ())[i] for i in places))
        case {"unseen": str(unseen)}:
            edit = before._replace(unseen="" if unseen == "error" else unseen)
            return schema.with_unseen(column.name, unseen), edit
        case _:
            raise LatenError(f"column {name!r}: cannot read the change {str(said)[:80]}")
    return applied(schema, {name: edit}), edit


def is_order(places: list[Any], size: int) -> bool:
    """Say whether these are the places of `size` levels, each once."""
    return all(isinstance(i, int) for i in places) and sorted(places) == [*range(size)]


def named(schema: Schema, name: str) -> Column:
    """Return a column by its name as text.

    Raises:
        DataError: there is none.
    """
    for column in schema.columns:
        if str(column.name) == name:
            return column
    raise unknown("column", name, schema.names)


def first_order(column: Column) -> tuple[Plain, ...]:
    """Return the order in which the levels of a column of text stand until it is changed; empty where it is known."""
    ordered = column.kind == "ordinal" or column.seen.form != "text"
    return () if ordered else column.levels or column.seen.values or ()


def applied(schema: Schema, edits: Edits) -> Schema:
    """Return a schema with these changes."""
    for name, edit in edits.items():
        key = named(schema, name).name
        if edit.kind:
            schema = schema.with_kind(key, edit.kind, edit.levels or None)
        if edit.unseen:
            schema = schema.with_unseen(key, edit.unseen)
    return schema


def restored(found: Mapping[str, Any]) -> dict[str, Edit]:
    """Return edits as a run folder has them; those of earlier versions were kinds."""
    return {name: Edit(e) if isinstance(e, str) else Edit(e[0], tuple(e[1]), e[2]) for name, e in found.items()}


def python_of(schema: Schema | None, edits: Edits) -> str:
    """Return the calls that change a schema so."""
    calls = ""
    for name, edit in edits.items():
        key = name if schema is None else named(schema, name).name
        levels = f", levels={list(edit.levels)!r}" if edit.levels else ""
        calls += f".with_kind({key!r}, {edit.kind!r}{levels})" if edit.kind else ""
        calls += f".with_unseen({key!r}, {edit.unseen!r})" if edit.unseen else ""
    return calls


def options_of(edits: Edits) -> list[str]:
    """Return the options of `laten fit` that change a schema so; where no option says it, the schema file does."""
    if any(edit.unseen or not all(map(plain, edit.levels)) for edit in edits.values()):
        return ["--schema=schema.toml"]
    return [f"--kind={name}={told(edit)}" for name, edit in edits.items() if edit.kind]


def told(edit: Edit) -> str:
    """Return a kind as `--kind` takes it."""
    return ":".join([edit.kind, ",".join(map(str, edit.levels))]) if edit.levels else edit.kind


def plain(level: Plain) -> bool:
    """Say whether a level can stand in an option, between commas."""
    return not {",", "="} & set(str(level)) and str(level) == str(level).strip()


def said_of(edits: Edits) -> dict[str, str]:
    """Return edits in a few words, for the page."""
    said = {name: [told(e)[:60], e.unseen and f"unseen {e.unseen}"] for name, e in edits.items()}
    return {name: " ".join(filter(None, words)) for name, words in said.items()}
