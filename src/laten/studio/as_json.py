"""What the page is told: columns, distributions and tables as plain JSON, without NaN."""

import math
from collections.abc import Container, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from laten.answers.marginals import Marginal, Marginals
from laten.common.errors import DataError
from laten.data.columns.column import ASIDE, CLASSES, OTHER, Column
from laten.data.records import replace
from laten.data.rows.between import Between, between
from laten.data.schema.schema import Schema
from laten.data.text.notation import assumed
from laten.plots.contents.columns import Marginal as Drawn
from laten.studio.column_edits import first_order

MOST_LEVELS = 12  # of a column, that have a bar of their own
BARS = 30
MILLISECONDS = 86_400_000.0


def plain(value: Any) -> Any:
    """Return a value as JSON has it: what is missing or infinite is null, a date is its text."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | np.ndarray | pd.Index | pd.Series):
        return [plain(v) for v in value]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, pd.Timestamp):
        return value.strftime("%Y-%m-%d") if value == value.normalize() else value.strftime("%Y-%m-%d %H:%M")
    return str(value)


def data_card(source: str, frame: pd.DataFrame | None, images: np.ndarray | None) -> dict[str, Any] | None:
    """Return what the page says of the data, `source` by name; None: there are none."""
    if frame is not None:
        notes = assumed(frame)
        said = "" if notes is None or notes.plain else replace(notes, source=source).line()
        size = {"rows": len(frame), "columns": len(frame.columns), "form": "table", "assumed": said}
    elif images is not None:
        size = {"rows": len(images), "columns": 0, "form": "images", "assumed": ""}
    else:
        return None
    return {"name": source, **size}


def table(frame: pd.DataFrame) -> dict[str, Any]:
    """Return a table as names and rows of texts; null where a cell is empty."""
    texts = [[None if pd.isna(v) else text_of(v) for v in frame[c]] for c in frame]
    return {"columns": [str(c) for c in frame], "rows": [list(r) for r in zip(*texts, strict=True)]}


def text_of(value: Any) -> str:
    """Return a cell as it is shown."""
    if isinstance(value, float | np.floating):
        return f"{value:.6g}"
    return str(plain(value))


def cards(frame: pd.DataFrame, schema: Schema, chosen: Container[str]) -> list[dict[str, Any]]:
    """Return a card for each column; `chosen`: those whose kind was changed."""
    remarks = {str(n): r.text for r in schema.worth_a_look for n in r.columns}
    return [
        card(c, frame[c.name]) | {"remark": remarks.get(str(c.name), ""), "chosen": str(c.name) in chosen}
        for c in schema.columns
    ]


def card(column: Column, cells: pd.Series) -> dict[str, Any]:
    """Return what the page says of one column of the data."""
    seen = column.seen
    found: dict[str, Any] = {
        "name": str(column.name), "kind": column.kind, "reason": column.reason, "missing": seen.missing,
        "rows": seen.rows, "aside": column.kind in ASIDE, "kinds": possible_kinds(column), "said": column.describe(),
    }  # fmt: skip
    if column.kind in CLASSES:
        tally = seen.tally | {OTHER: sum(seen.tally.get(v, 0) for v in column.folded)} if column.folded else seen.tally
        share = np.array([tally.get(level, 0) for level in column.classes], float)
        found |= {"unseen": column.unseen if column.kind == "categorical" else "", "folded": len(column.folded)}
        if column.kind == "ordinal":
            found["order"] = [str(x) for x in column.levels or ()]
        found |= bars([str(x) for x in column.classes], share / max(share.sum(), 1.0))
    elif not found["aside"]:
        x = own_scale(column, cells)
        counts, edges = np.histogram(x, BARS, (float(np.quantile(x, 0.005)), float(np.quantile(x, 0.995))))
        found |= {"form": form_of(column), "edges": plain(in_page(column, edges)), "p": plain(counts / max(len(x), 1))}
    return found


def possible_kinds(column: Column) -> list[str]:
    """Return the kinds that a user may choose for a column."""
    found = []
    for kind in ("binary", "categorical", "ordinal", "count", "positive", "real", "identifier"):
        try:
            column.with_kind(kind, (first_order(column) or None) if kind == "ordinal" else None)
        except DataError:
            continue
        found.append(kind)
    return sorted({*found, column.kind})


def form_of(column: Column) -> str:
    """Return how an axis of the column is labelled: number, date or duration."""
    return column.kind if column.kind in ("date", "duration") else "number"


def own_scale(column: Column, cells: pd.Series) -> np.ndarray:
    """Return the values of a column of numbers in its own scale: days, seconds or as they are."""
    cells = cells.dropna()
    if column.kind == "date":
        return (pd.to_datetime(cells).dt.tz_localize(None) - pd.Timestamp(0)) / pd.Timedelta(days=1)
    if column.kind == "duration":
        return cells.dt.total_seconds().to_numpy()
    return cells.to_numpy(float)


def in_page(column: Column, x: np.ndarray) -> np.ndarray:
    """Return numbers of a column's own scale as the page draws them: dates in milliseconds."""
    return np.asarray(x) * MILLISECONDS if column.kind == "date" else np.asarray(x)


def bars(labels: list[str], p: np.ndarray, prior: np.ndarray | None = None) -> dict[str, Any]:
    """Return bars of classes; of very many, those that matter and the rest together."""
    weight = p if prior is None else np.maximum(p, prior)
    order = np.arange(len(p))
    if len(p) > MOST_LEVELS:
        order = np.sort(np.argsort(-weight, kind="stable")[: MOST_LEVELS - 1])
    rest = len(p) - len(order)
    found = {"form": "classes", "labels": [labels[i] for i in order], "index": plain(order), "p": plain(p[order])}
    found["others"], found["others_p"] = rest, float(p.sum() - p[order].sum()) if rest else 0.0
    if prior is not None:
        found["prior"] = plain(prior[order])
        found["others_prior"] = float(prior.sum() - prior[order].sum()) if rest else 0.0
        found["levels"] = labels if rest else []
    return found


def distribution(m: Marginal) -> dict[str, Any]:
    """Return one column's distribution beside the one without evidence."""
    column = m.scale.column
    common = {"name": str(column.name), "kind": column.kind, "information": m.information}
    if m.labels is not None:
        return common | bars([str(x) for x in m.labels], m.probability, m.prior)
    edges, p, prior = m.histogram(BARS)
    low, middle, high, mean = (shown(column, x) for x in (*map(m.quantile, (0.05, 0.5, 0.95)), m.mean()))
    return common | {
        "form": form_of(column), "edges": plain(in_page(column, edges)), "p": plain(p), "prior": plain(prior),
        "low": low, "median": middle, "high": high, "mean": mean, "decimals": column.seen.decimals,
    }  # fmt: skip


def shown(column: Column, value: Any) -> Any:
    """Return a value of a column of numbers as the page shows it: days without a time where the column holds none."""
    whole = column.kind == "date" and column.date.whole
    return plain(value.normalize() if whole and isinstance(value, pd.Timestamp) else value)


def distributions(found: Marginals) -> dict[str, Any]:
    """Return all columns given the evidence, and how far to trust it."""
    columns = [
        distribution(m) | ({} if m.labels is None else {"error": float(found.standard_error(name).max())})
        for name, m in found.columns.items()
    ]
    asked = sorted((c for c in columns if c["information"] > 0), key=lambda c: -c["information"])
    return {
        "columns": columns, "log_evidence": plain(found.log_evidence), "pareto_k": plain(found.pareto_k),
        "effective": plain(found.effective_sample_size), "next": [c["name"] for c in asked[:3]],
    }  # fmt: skip


def histogram(m: Drawn) -> dict[str, Any]:
    """Return one column of drawn rows beside the data."""
    prior = None if m.data is None else plain(m.data)
    found = {"name": m.column, "p": plain(m.model), "prior": prior}
    if m.edges is None:
        return found | {"form": "classes", "labels": list(m.labels), "index": list(range(len(m.labels))), "others": 0}
    edges = m.edges * MILLISECONDS if m.date else m.edges
    return found | {"form": "date" if m.date else "number", "edges": plain(edges)}


def evidence_of(columns: Iterable[Column], given: Mapping[str, Any]) -> dict[Any, Any]:
    """Return evidence as `VAE.marginals` takes it, from what was clicked or typed.

    Args:
        given: Column -> `{"is": position of a level}`, `{"any": positions}`, `{"low": x, "high": y}` in the page's
            scale, or `{"text": "..."}`.
    Raises:
        DataError: no such column, or something else.
    """
    known = {str(c.name): c for c in columns}
    found: dict[Any, Any] = {}
    for name, said in given.items():
        if name not in known:
            raise DataError(f"no column {name!r}")
        column = known[name]
        match said:
            case {"text": str(text)}:
                found[column.name] = text
            case {"is": int(i)} if column.kind in CLASSES and 0 <= i < len(column.classes):
                found[column.name] = column.classes[i]
            case {"any": [*several]} if column.kind in CLASSES and all(
                isinstance(i, int) and 0 <= i < len(column.classes) for i in several
            ):
                found[column.name] = [column.classes[i] for i in several]
            case {"low": low, "high": high} if column.kind not in CLASSES:
                found[column.name] = interval(column, low, high)
            case _:
                raise DataError(f"column {name!r}: cannot read the evidence {str(said)[:80]}")
    return found


def interval(column: Column, low: Any, high: Any) -> Between:
    """Return an interval that was drawn on a column's axis."""
    ends: list[Any] = [None if end is None else float(end) for end in (low, high)]
    if column.kind == "date":
        grain = "D" if column.date.whole else "s"
        ends = [None if e is None else pd.Timestamp(round(e), unit="ms").round(grain) for e in ends]
    elif column.kind == "duration":
        ends = [None if e is None else pd.Timedelta(seconds=round(e)) for e in ends]
    else:
        ends = [None if e is None else float(f"{e:.4g}") for e in ends]
    return between(*ends)
