"""The sections of a report, each from the figures: a sentence or two, a picture, a table."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import NamedTuple

import numpy as np
import pandas as pd

from laten.data.rows.views import TableView
from laten.inference.diagnostics import ACTIVE
from laten.plots.contents.containers import as_images
from laten.plots.dependence import plot_latent_effects, plot_mutual_information
from laten.plots.model import plot_history, plot_latents, plot_manifold
from laten.report.figures import strongest
from laten.report.findings import LITTLE, Finding
from laten.report.judged import Known, of_columns, of_holes, of_odd, of_quality, of_synthetic
from laten.report.parts import (
    NAME,
    NUMBER,
    QUIET,
    TEXT,
    Head,
    Html,
    bar,
    drawing,
    heading,
    holes,
    paragraph,
    percent,
    picture,
    table,
)

SAID = {"worry": "Look at this", "note": "Note", "good": "Good"}


class Section(NamedTuple):
    """A part of the page."""

    id: str
    title: str
    short: str  # in the line of links
    body: str


def sections(k: Known) -> Iterator[Section]:
    """Return the sections that apply."""
    table_ = isinstance(k.fitted.view, TableView)
    yield Section("findings", "What stands out", "Findings", listed(k.findings))
    if table_:
        yield Section("data", "The data", "Data", of_data(k))
    yield Section("network", "The network", "Network", of_network(k))
    yield Section("training", "How training went", "Training", of_training(k))
    if k.figures.log_p is not None or k.figures.held_out is not None:
        yield Section("good", "How good it is", "Quality", of_quality(k))
    if k.figures.columns is not None:
        yield Section("columns", "Column by column", "Columns", of_columns(k))
    if k.figures.synthetic is not None or not table_:
        yield Section("synthetic", "Real rows and drawn ones", "Synthetic", of_synthetic(k))
    if k.figures.latents:
        yield Section("map", "The map", "Map", of_map(k))
    if k.figures.ties is not None and len(k.figures.ties) > 1:
        yield Section("dependence", "What goes together", "Dependence", of_dependence(k))
    if k.figures.odd is not None:
        yield Section("odd", "Odd rows", "Odd rows", of_odd(k))
    if table_ and (holes := of_holes(k)):
        yield Section("holes", "Holes", "Holes", holes)


def listed(findings: Sequence[Finding]) -> str:
    """Write the findings, each with a link to what shows it."""
    items = [
        f'<li class="{f.level}"><span class="level">{SAID[f.level]}</span>'
        f'<a href="#{f.about}">{escape(f.text)}</a></li>'
        for f in findings
    ]
    about = "By rules with fixed thresholds, the worrying first. Each links to the figures behind it."
    return paragraph(about) + f'<ul class="findings">{"".join(items)}</ul>'


def of_data(k: Known) -> str:
    """Write what each column is."""
    schema = k.fitted.view.schema  # type: ignore[union-attr]
    modelled = {n for b in schema.blocks for n in b.names}
    rows = [
        [
            c.name,
            c.kind,
            holes(c.missing) if c.seen.missing else Html('<span class="quiet">none</span>'),
            c.describe(),
            c.reason if c.name in modelled else Html(f"<b>set aside</b>: {escape(c.reason)}"),
        ]
        for c in schema.columns
    ]  # fmt: skip
    heads = [Head("column", NAME), Head("kind"), Head("empty", NUMBER), Head("values", TEXT), Head("because", QUIET)]
    said = paragraph(f"{len(modelled)} of {len(schema.columns)} columns are modelled. As the fit saw them:")
    ties = "; ".join(map(str, schema.ties))
    return said + table(heads, rows) + paragraph(f"Kept in drawn rows and filled cells: {ties}." if ties else "")


def of_network(k: Known) -> str:
    """Draw the network, and write it."""
    view, network = k.fitted.view, k.fitted.model.network
    columns = {b.node: b.names for b in view.schema.blocks} if isinstance(view, TableView) else None
    said = f"{len(k.figures.latents)} latents and {k.figures.weights:,} weights. What is grey is observed."
    text = Html(f"<pre>{escape(str(network))}</pre>")
    return paragraph(said) + drawing(network.draw(columns=columns), f"Plate diagram of {network.factors()}") + text


def of_training(k: Known) -> str:
    """Draw bounds by epoch."""
    h = k.figures.history
    if not len(h):
        return paragraph("No epoch was finished.", True)
    last, ways = (
        h.iloc[-1],
        {"plan": "as planned", "early": "early: it stopped improving", "interrupted": "when it was interrupted"},
    )
    ended = ways.get(k.figures.stopped, k.figures.stopped)
    said = f"{int(last['epoch'])} epochs, {int(last['step'])} steps; it ended {ended}."
    return paragraph(said) + picture(plot_history(k.vae), "Bounds, KL and active units by epoch", broad=True)


def of_map(k: Known) -> str:
    """Draw rows by their latents, and what latents move."""
    f, out = k.figures, []
    total, active = len(f.latents), f.active
    used = "" if active is None else f"{active} of {total} latents vary by more than {ACTIVE:g} over the rows. "
    if k.data is not None:
        out.append(paragraph(f"{used}Each dot is a row; rows that the model finds alike lie together."))
        colour = coloured(k)
        shown = plot_latents(k.vae, k.data, colour, seed=k.seed)
        out.append(picture(shown, "Rows by their latents", dense=True, titled=True))
    else:
        out.append(paragraph(used))
    if f.effects is not None:
        out.append(heading("What latents move"))
        out.append(picture(plot_latent_effects(f.effects), "Shares of each column's variance that latents move"))
    elif as_images(k.vae.sample(1, seed=k.seed)) is not None:
        out.append(heading("Between images"))
        out.append(picture(plot_manifold(k.vae, 12, k.data), "Images over two latents", photo=True))
    return "".join(out)


def coloured(k: Known) -> str | None:
    """Choose the column that goes most with all others, to colour the map; one with few levels first."""
    ties = k.figures.ties
    if ties is None or not isinstance(k.data, pd.DataFrame):
        return None
    names = [str(n) for n in ties.index]
    total = (ties.to_numpy(float) - np.eye(len(ties))).sum(0)
    few = np.array([n in k.data and 1 < k.data[n].nunique() <= 10 for n in names])
    usable = np.array([n in k.data for n in names])
    wanted = few if few.any() else usable
    return names[int(np.argmax(np.where(wanted, total, -np.inf)))] if wanted.any() else None


def of_dependence(k: Known) -> str:
    """Draw what columns tell of one another, and name the strongest pairs."""
    ties = k.figures.ties
    assert ties is not None
    pairs = strongest(ties)
    if pairs[0][2] < LITTLE:
        return paragraph(f"Under the model no two columns tell more than {percent(LITTLE)} of one another.", True)
    rows = [[f"{a} × {b}", bar(percent(x), x)] for a, b, x in pairs]
    said = (
        "How much two columns tell of one another under the model: 100% where one settles the other, 0% where neither "
        "helps."
    )
    heads = [Head("columns", NAME), Head("of the smaller entropy", NUMBER)]
    shown = picture(plot_mutual_information(ties), "Mutual information of each two columns", broad=len(ties) > 12)
    return paragraph(said) + shown + table(heads, rows)
