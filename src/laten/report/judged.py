"""Sections of a report that judge a model by rows: log p, calibration, columns, drawn rows, odd rows, holes."""

import math
from typing import Any, NamedTuple

from laten.answers.fitted import Fitted
from laten.inference.diagnostics import digits, figure
from laten.plots.calibration import plot_calibration
from laten.plots.canvas import mosaic
from laten.plots.canvas import picture as image_picture
from laten.plots.contents.containers import as_images, take, unit
from laten.plots.contents.model import FittedModel
from laten.plots.model import plot_reconstructions, plot_samples
from laten.plots.quality import plot_quality
from laten.report.by_column import JUDGED, ColumnFigures
from laten.report.figures import Figures
from laten.report.findings import TAIL, WORSE, Finding, misses
from laten.report.parts import (
    NAME,
    NONE,
    NUMBER,
    QUIET,
    TEXT,
    Head,
    bar,
    flagged,
    heading,
    holes,
    number,
    paragraph,
    percent,
    picture,
    table,
)


class Known(NamedTuple):
    """All that a section may show."""

    vae: FittedModel
    fitted: Fitted
    data: Any
    figures: Figures
    findings: tuple[Finding, ...]
    seed: int


def of_quality(k: Known) -> str:
    """Write log p beside simpler models, and draw calibration."""
    f, out, rows = k.figures, [], []
    if f.held_out is not None:
        value, error, n, gains = f.held_out
        rows.append([f"held-out rows of the fit ({n})", f"{value:.{digits(error)}f} ± {figure(error)}", *gained(gains)])
    if f.log_p is not None:
        p = f.log_p
        error = math.hypot(p.standard_error, 0.0 if math.isnan(p.rows_error) else p.rows_error)
        gains = {name: p.value - x for name, x in p.references.items()}
        rows.append([f"these rows ({f.scored})", f"{p.value:.{digits(error)}f} ± {figure(error)}", *gained(gains)])
        k_text = (
            "all weights are equal" if not math.isfinite(p.pareto_k) else f"Pareto k {p.pareto_k:.2f}, fine below 0.7"
        )
        trust = f"Of the estimate: {k_text}; {p.effective_sample_size:.0f} effective of {p.draws} draws a row."
        out.append(paragraph(trust))
    heads = [
        Head("rows"),
        Head("log p, nats a row", NUMBER),
        Head("above independent columns", NUMBER),
        Head("above a tree of pairs", NUMBER),
    ]
    out.insert(0, table(heads, [[row[0], *(cell.replace("-", "−") for cell in row[1:])] for row in rows]))
    beside = any(x != NONE for row in rows for x in row[2:])
    about = "log p says how probable a row is to the model; by itself it says little"
    out.insert(0, paragraph(f"{about}, so two simpler models stand beside it." if beside else f"{about}."))
    if f.columns is not None and (f.columns.inside or len(f.columns.count)):
        c = f.columns
        out.append(heading("Does it know how sure it is?"))
        off = "" if math.isnan(c.off) else f" Probabilities of classes are off by {percent(c.off, 1)} on average."
        true = c.inside.get(JUDGED)
        held = "" if true is None else f"{JUDGED:.0%} intervals hold {percent(true, 1)} of the cells."
        out.append(paragraph(f"Each column of {c.rows} rows was hidden in turn and asked for. {held}{off}"))
        drawn = plot_calibration(c.inside, c.stated, c.happened, c.count)
        out.append(picture(drawn, "Stated probabilities against what happens"))
    return "".join(out)


def gained(gains: Any) -> list[str]:
    """Write the gains over independent columns and over a tree of pairs."""
    found = [next((x for name, x in gains.items() if word in name), math.nan) for word in ("independent", "tree")]
    return [NONE if math.isnan(x) else f"{x:+.2f}" for x in found]


def of_columns(k: Known) -> str:
    """Write how well each column is told from the others."""
    c = k.figures.columns
    assert c is not None
    most = max([x.gain for x in c.columns if not math.isnan(x.gain)], default=1.0)
    ordered = sorted(c.columns, key=lambda x: -x.gain if not math.isnan(x.gain) else 0.0)
    rows = [
        [
            x.name,
            x.kind,
            bar(number(x.gain), x.gain / max(most, 1e-9)),
            right(x),
            sure(x),
            *(tail(x, i) for i in (0, 1)),
        ]
        for x in ordered
    ]
    heads = [
        Head("column", NAME), Head("kind"), Head("told by the others, nats", NUMBER), Head("predicted", NUMBER),
        Head(f"in {JUDGED:.0%} interval", NUMBER), Head("low tail, nats", NUMBER), Head("high tail, nats", NUMBER),
    ]  # fmt: skip
    said = (
        "How much the other columns tell of each, in nats a row above its own histogram. Predicted: of classes the "
        "share that is right (in brackets that of always saying the most frequent), of numbers the share of variance "
        "that is explained. Tails: the outermost hundredth of the rows; below 0 a histogram would do better there."
    )
    left = f"{c.left_out} further columns were not asked." if c.left_out else ""
    return paragraph(said) + table(heads, rows) + paragraph(left)


def right(x: ColumnFigures) -> str:
    """Write how well a column is predicted."""
    if math.isnan(x.right):
        return NONE
    return f"{percent(x.right)} ({percent(x.base)})" if x.base else f"R² {number(x.right)}"


def sure(x: ColumnFigures) -> str:
    """Write how many cells lie in their interval."""
    true = x.inside.get(JUDGED)
    return NONE if true is None else flagged(percent(true), misses(x))


def tail(x: ColumnFigures, i: int) -> str:
    """Write what is gained in a tail."""
    nats = x.tail[i]
    return NONE if math.isnan(nats) else flagged(number(nats, 1), nats < (TAIL if nats < WORSE else -math.inf))


def of_synthetic(k: Known) -> str:
    """Draw rows from the model beside real ones."""
    q = k.figures.synthetic
    if q is None:
        drawn = picture(plot_samples(k.vae, seed=k.seed), "Rows drawn from the model", photo=True)
        if k.data is None:
            return drawn
        again = plot_reconstructions(k.vae, k.data)
        return (
            drawn
            + heading("Reconstructions")
            + picture(again, "Rows above, what the model makes of them below", photo=True)
        )
    rows = [[m.name, m.text, m.better, m.meaning] for m in q.measures if not m.left_out]
    heads = [Head("measure", NAME), Head("value", NUMBER), Head("better"), Head("meaning", QUIET)]
    said = (
        "As many rows were drawn from the model as are compared. Measures that need rows the model has not seen are "
        "left out."
    )
    return paragraph(said) + picture(plot_quality(q), "Drawn rows against real ones", broad=True) + table(heads, rows)


def of_odd(k: Known) -> str:
    """Name the least probable rows, and why."""
    f = k.figures
    odd = f.odd
    assert odd is not None and f.fence is not None and f.odd_share is not None
    said = (
        f"The {len(odd)} least probable of {f.scored} rows, counted from 0. Below {number(f.fence, 1)} a row is odd "
        f"(1.5 quartile ranges below the lower quartile): {percent(f.odd_share, 1)} are."
    )
    if "why" not in odd:
        images = as_images(take(k.data, odd["row"].to_numpy()))
        if images is None:
            return paragraph(said)
        shown, ax = image_picture(mosaic(unit(images), len(images)), 7.0, "The oddest rows")
        ax.set_axis_off()
        places = ", ".join(str(int(r)) for r in odd["row"])
        return paragraph(said) + picture(shown, "The oddest rows", photo=True) + paragraph(f"Rows {places}.")
    rows = [[int(r.row), number(r.log_p, 1), r.why] for r in odd.itertuples()]
    heads = [Head("row", NUMBER), Head("log p", NUMBER), Head("cells that cost most, nats above what is usual", TEXT)]
    return paragraph(said) + table(heads, rows)


def of_holes(k: Known) -> str:
    """Write which cells are empty, and how well they are filled."""
    schema, f = k.fitted.view.schema, k.figures  # type: ignore[union-attr]
    known_ = {c.name: c for c in (f.columns.columns if f.columns else ())}
    found = sorted((c for c in schema.columns if c.seen.missing), key=lambda c: -c.missing)
    if not found:
        return ""
    rows = [
        [c.name, holes(c.missing), right(known_[str(c.name)]) if str(c.name) in known_ else NONE] for c in found
    ]  # fmt: skip
    said = "Columns with empty cells, and how well a hidden cell of them is filled (as in the table of columns)."
    pairs = [[f"{a} × {b}", number(r)] for a, b, r in f.together if r > 0.1]
    more = heading("Empty together") + table([Head("columns", NAME), Head("correlation of their holes", NUMBER)], pairs)
    heads = [Head("column", NAME), Head("empty", NUMBER), Head("filled", NUMBER)]
    return paragraph(said) + table(heads, rows) + (more if pairs else "")
