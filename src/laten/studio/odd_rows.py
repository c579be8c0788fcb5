"""The page *Odd rows*: all rows by log p, those below a threshold, and what is odd about them."""

import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from laten.answers.outliers import explained, usual_rows
from laten.answers.sample_and_predict import table_of
from laten.answers.scores import FENCE
from laten.common.errors import LatenError
from laten.data.columns.column import NUMBERS
from laten.data.files.as_text import as_in_file, as_written
from laten.data.files.write import csv_parts
from laten.estimator.explanations import PRECISE
from laten.studio import as_json, copied
from laten.studio.questions import noted
from laten.studio.workspace import Workspace

SHOWN = 100  # rows of the list
FEW = 10  # rows of the list, at least, before a threshold is chosen
FAR = 8  # quartile ranges below the lower quartile, beyond which rows share the first bar
BARS = 40

Json = dict[str, Any]


class Odd(NamedTuple):
    """How odd the rows of a table are.

    Args:
        scores: `(rows,)` log p of all rows, nats.
        first: The least probable rows, the oddest first: `row`, `log_p`, and for each column the nats above what is
            usual.
        fence: Log p below which a row is odd until another threshold is chosen: 1.5 quartile ranges below the lower
            quartile, or higher where few rows lie there.
    """

    scores: np.ndarray
    first: pd.DataFrame
    fence: float


def odd_of(workspace: Workspace) -> Odd:
    """Return how odd all rows are; kept while the model and the table are the same."""
    vae, (frame, _) = workspace.model(), workspace.table()
    known = workspace.scored
    if known is None or known[0] is not vae or known[1] is not frame:
        fitted = vae._fitted()
        with noted():  # that draws are few for some of the rows
            scores = vae.log_likelihood(frame, error=PRECISE).per_row
            order = np.argsort(scores, kind="stable")[:SHOWN]
            out = pd.DataFrame({"row": order, "log_p": scores[order]})
            rows = table_of(fitted, "odd rows").opened(frame)
            first = explained(fitted, out, rows.iloc[order], rows.iloc[usual_rows(len(rows))], True, None)
        low, high = np.quantile(scores, [0.25, 0.75])
        fence = float(low - FENCE * (high - low))
        if (scores < fence).sum() < FEW:
            fence = float(np.sort(scores)[min(FEW, len(scores) - 1)])
        known = workspace.scored = vae, frame, Odd(scores, first, fence)
    found: Odd = known[2]
    return found


def threshold_of(found: Odd, below: float | None) -> float:
    """Return the threshold that was chosen, or the fence.

    Raises:
        LatenError: it is no number.
    """
    if below is not None and not math.isfinite(below):
        raise LatenError("a threshold is a number of nats")
    return found.fence if below is None else below


def odd(workspace: Workspace, below: float | None = None) -> Json:
    """Return the rows whose log p is below a threshold, the oddest first, and by how many nats each column costs more.

    Args:
        below: The threshold; None: the fence.
    """
    found, (frame, _) = odd_of(workspace), workspace.table()
    scores, threshold = found.scores, threshold_of(found, below)
    count = int((scores < threshold).sum())
    first = found.first.head(min(count, SHOWN))
    rows, excess = first.iloc[:, 0], first.iloc[:, 2:]
    low, high = np.quantile(scores, [0.25, 0.75])
    ends = max(float(scores.min()), float(low - FAR * (high - low))), float(scores.max())
    counts, edges = np.histogram(np.clip(scores, *ends), BARS, ends)
    return {
        "rows": rows.tolist(), "log_p": as_json.plain(first.iloc[:, 1]), "columns": list(excess.columns),
        "excess": as_json.plain(excess.round(3).to_numpy()), "table": as_json.table(frame.iloc[rows]),
        "edges": as_json.plain(edges), "counts": as_json.plain(counts), "threshold": as_json.plain(threshold),
        "count": count, "of": len(scores), "clipped": int((scores < ends[0]).sum()),
        "code": copied.odd(workspace.source, workspace.model_file, count, threshold, PRECISE),
    }  # fmt: skip


def flagged_csv(workspace: Workspace, below: float | None) -> str:
    """Return the whole table with the log p of each row, and whether it is below the threshold."""
    found, vae, (frame, _) = odd_of(workspace), workspace.model(), workspace.table()
    texts = workspace.texts
    out = as_written(frame, vae.schema_) if texts is None else as_in_file(frame, frame, texts)
    for name, cells in (("log_p", found.scores.round(4)), ("odd", found.scores < threshold_of(found, below))):
        out[unused(name, out)] = cells
    return "".join(csv_parts(out))


def unused(name: str, frame: pd.DataFrame) -> str:
    """Return a name that no column has."""
    return name if name not in frame.columns else unused(f"{name}_", frame)


def ordinary(workspace: Workspace, row: int, name: str) -> Json:
    """Return the nearest value of a cell that would make it ordinary, given the row's other cells.

    That is what the model fills in were the cell empty: of numbers the nearer end of the 90 % interval.

    Raises:
        LatenError: there is no such cell.
    """
    vae, (frame, _) = workspace.model(), workspace.table()
    column = next((c for c in vae.schema_.columns if str(c.name) == name and c.name in frame), None)
    if column is None or not 0 <= row < len(frame):
        raise LatenError(f"there is no row {row} with a column {name!r}")
    rows = frame.iloc[[row]]
    value, blank = rows[column.name].iloc[0], rows.copy()
    blank[column.name] = rows[column.name].mask([True])
    with noted():
        usual = vae.impute(blank)[column.name].iloc[0]
        if column.kind in NUMBERS and not pd.isna(value):
            low, high = (x[column.name].iloc[0] for x in vae.impute_interval(blank))
            usual = usual if pd.isna(low) or pd.isna(high) else min(max(value, low), high)
    return {"value": as_json.text_of(usual)}
