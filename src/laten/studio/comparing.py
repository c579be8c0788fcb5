"""The pages *Compare* and *Audit*: two models on the same rows, and how far one model's log p can be trusted."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from laten.answers.audit.result import Audit
from laten.answers.audit.which_fit import reasons
from laten.answers.compare import paired, refuse_unlike
from laten.common.errors import LatenError
from laten.estimator.plain_vae import PlainVAE
from laten.plots.contents.containers import n_rows, take
from laten.plots.contents.model import samples
from laten.report.by_column import COLUMNS, JUDGED, ByColumn, ColumnFigures, by_column
from laten.studio import as_json, copied
from laten.studio.background import Job
from laten.studio.questions import noted
from laten.studio.workspace import Workspace

MOST = 1000  # rows that are scored
FEWEST = 30  # held-out rows, below which all rows are taken
BARS = 40
IMAGES = 20
LADDER = ("bounds", "exact", "quadrature", "ais", "gap", "latents")
AUDITED = (20, 50, 100, 200)  # rows of an audit to choose from

Json = dict[str, Any]


def pair(workspace: Workspace, other: str) -> tuple[PlainVAE, PlainVAE, tuple[str, str]]:
    """Return the model, another one, and what they are called.

    Raises:
        LatenError: there is no such model, or it is of other columns.
    """
    one, two = workspace.model(), workspace.models.get(other)
    if two is None or two is one:
        raise LatenError(f"there is no second model {other!r}; train another, or open its file on the page Compare")
    names = workspace.model_file, other
    refuse_unlike(one.view_, two.view_, names)
    return one, two, names


class Chosen(NamedTuple):
    """Rows that are judged.

    Args:
        numbers: Their places, where they are not all rows.
        fresh: No model has learned from them.
    """

    rows: Any
    numbers: list[int] | None
    fresh: bool


def rows_for(workspace: Workspace, names: tuple[str, ...], most: int) -> Chosen:
    """Return rows that none of these models has learned from, or where that is not known, any rows."""
    data = workspace.data()
    held = [workspace.held[name] for name in names if name in workspace.held]
    unseen = held[0] if held else np.zeros(0, int)
    for more in held[1:]:
        unseen = np.intersect1d(unseen, more)
    fresh = len(held) == len(names) and len(unseen) >= FEWEST
    index = np.sort(unseen) if fresh else np.arange(n_rows(data))
    index = index[np.unique(np.linspace(0, len(index) - 1, min(len(index), most)).astype(int))]
    every = len(index) == n_rows(data)
    return Chosen(take(data, index), None if every else index.tolist(), fresh)


def compare(workspace: Workspace, other: str) -> Json:
    """Return which of two models explains the same rows better."""
    one, two, names = pair(workspace, other)
    chosen = rows_for(workspace, names, MOST)
    with noted() as notes:
        found = one.compare(two, chosen.rows, names=names)
    counts, edges = np.histogram(found.frame["difference"], BARS)
    scored = [{"name": n, "log_p": x, "error": e} for n, (x, e) in zip(names, found.log_p, strict=True)]
    return as_json.plain({
        "said": str(found), "rows": len(found.frame), "fresh": chosen.fresh, "models": scored, "better": found.better,
        "difference": found.difference, "error": found.standard_error, "wins": found.wins, "notes": notes,
        "edges": edges, "counts": counts, "code": copied.compare(names, workspace.source, chosen.numbers),
    })  # fmt: skip


def begin_columns(workspace: Workspace, other: str) -> None:
    """Start to find out how well each of two models tells each column from the others."""
    one, two, names = pair(workspace, other)
    begun = workspace.jobs.get("columns")
    if begun is not None and begun.about == (one, two) and begun.well:
        return
    if begun is not None:
        begun.cancel()
    data = rows_for(workspace, names, MOST).rows
    if not isinstance(data, pd.DataFrame):
        raise LatenError("only tables have columns")
    modelled = one.schema_.blocks

    def work(say: Callable[[str], None]) -> Json:
        with noted():
            a, b = (by_column(vae._fitted(), data, say) for vae in (one, two))
        return compared(names, a, b)

    steps = 2 * min(sum(len(block.columns) for block in modelled), COLUMNS)
    workspace.jobs["columns"] = Job((one, two), work, steps)


def compared(names: tuple[str, str], a: ByColumn, b: ByColumn) -> Json:
    """Return what is found of the columns under two models."""
    twins = {c.name: c for c in b.columns}
    columns = [both(c, twins[c.name]) for c in a.columns if c.name in twins]
    columns.sort(key=lambda c: -abs(c["difference"]))
    return as_json.plain({"columns": columns, "rows": a.rows, "judged": JUDGED,
                          "models": [calibration(name, x) for name, x in zip(names, (a, b), strict=True)]})  # fmt: skip


def both(a: ColumnFigures, b: ColumnFigures) -> Json:
    """Return one column under two models."""
    difference, error = paired(a.log_p, b.log_p)
    each = [{"log_p": float(x.log_p.mean()), "right": x.right, "inside": x.inside.get(JUDGED)} for x in (a, b)]
    return {"name": a.name, "kind": a.kind, "difference": difference, "error": error, "models": each}


def calibration(name: str, found: ByColumn) -> Json:
    """Return whether a model's stated probabilities come true."""
    inside = found.inside
    return {"name": name, "stated": found.stated, "came": found.happened, "count": found.count, "off": found.off,
            "coverage": list(inside), "inside": list(inside.values())}  # fmt: skip


def compare_samples(workspace: Workspace, other: str) -> Json:
    """Return what two models draw, beside the data."""
    one, two, names = pair(workspace, other)
    data = workspace.data() if workspace.frame is not None else None
    drawn = [samples(vae, IMAGES, data) for vae in (one, two)]
    images = [None if d.images is None else np.round(d.images, 2).tolist() for d in drawn]
    columns = [{"name": a.column, "models": [as_json.histogram(a), as_json.histogram(b)]}
               for a, b in zip(*(d.marginals for d in drawn), strict=True)]  # fmt: skip
    return {"names": list(names), "columns": columns, "images": None if images[0] is None else images}


def begin_audit(workspace: Workspace, rows: int, every: bool) -> None:
    """Start to measure how good log p and the posterior are.

    Raises:
        LatenError: an audit is under way, or there is nothing to audit.
    """
    begun = workspace.jobs.get("audit")
    if begun is not None and begun.running:
        raise LatenError("an audit is under way; cancel it first")
    if rows not in AUDITED:
        raise LatenError(f"rows: one of {AUDITED}")
    vae = workspace.model()
    chosen = rows_for(workspace, (workspace.model_file,), rows)
    fitted = vae._fitted()
    why = reasons(fitted, fitted.scored(chosen.rows)[0], "hmc")
    only = tuple(name for name in (why if every else LADDER) if not why[name])
    code = copied.audit(workspace.model_file, workspace.source, () if every else only, rows, chosen.numbers)

    def work(say: Callable[[str], None]) -> Json:
        with noted() as notes:
            found = vae.audit(chosen.rows, only, rows=rows, say=say)
        return audited(found) | {"fresh": chosen.fresh, "notes": notes, "code": code, "model": workspace.model_file}

    workspace.jobs["audit"] = Job(vae, work, len(only))


def audited(found: Audit) -> Json:
    """Return what an audit has found: the ladder of bounds, all figures, and sentences."""
    return as_json.plain({
        "ladder": [f._asdict() for f in found.bounds],
        "figures": [f._asdict() for f in found.figures if f not in found.bounds],
        "said": found.remarks,
    })  # fmt: skip
