"""The report of a fitted model: figures, findings, and one page that holds them."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from laten import __version__
from laten.answers.fitted import Fitted
from laten.common.atomic_file import atomic
from laten.common.errors import LatenError
from laten.data.rows.views import TableView
from laten.plots.contents.model import FittedModel
from laten.report.figures import Figures, figures, strongest
from laten.report.findings import Finding, findings
from laten.report.judged import Known
from laten.report.parts import number, percent
from laten.report.sections import Section, sections

STYLE = Path(__file__).with_name("page.css")


@dataclass(frozen=True, eq=False)
class Report:
    """What is known of a fitted model.

    Args:
        title: Of the page.
        findings: Sentences, the worrying first.
        figures: All numbers, in plain types of JSON; null where something does not apply.
        html: The page: one file that needs no other.
    """

    title: str
    findings: tuple[Finding, ...]
    figures: Mapping[str, Any] = field(repr=False)
    html: str = field(repr=False)

    def save(self, path: str | Path) -> None:
        """Write the page (.html) or the figures (.json).

        Raises:
            LatenError: another ending, or a place that cannot be written.
        """
        suffix = Path(path).suffix.lower()
        if suffix not in (".html", ".htm", ".json"):
            raise LatenError(
                f"{path}: a report is written as .html, its figures as .json, not {suffix or 'without extension'!r}"
            )
        text = self.html if suffix != ".json" else json.dumps(self.figures, ensure_ascii=False, indent=1) + "\n"
        with atomic(path) as file:
            file.write(text.encode())

    def __str__(self) -> str:
        said = {"worry": "!", "note": "·", "good": "+"}
        return "\n".join([self.title, *(f"{said[f.level]} {f.text}" for f in self.findings)])

    def _repr_html_(self) -> str:
        look, title = "width:100%;height:80vh;border:0", escape(self.title)
        return f'<iframe srcdoc="{escape(self.html)}" style="{look}" title="{title}"></iframe>'


def report(vae: FittedModel, fitted: Fitted, data: Any, title: str, seed: int) -> Report:
    """Compute figures, judge them, and write the page.

    Args:
        data: Rows, as the model takes them; None: what the model knows by itself.
    """
    found = figures(vae, fitted, data, seed)
    judged = findings(found, fitted.view)
    known = Known(vae, fitted, data, found, judged, seed)
    return Report(title, judged, as_plain(found, judged, fitted), page(title, known))


def page(title: str, k: Known) -> str:
    """Write the whole page."""
    parts = list(sections(k))
    links = "".join(f'<li><a href="#{s.id}">{escape(s.short)}</a></li>' for s in parts)
    shown = "".join(f"<li><b>{escape(value)}</b><span>{escape(name)}</span></li>" for value, name in tiles(k))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>\n{STYLE.read_text('utf-8')}</style></head><body>\n"
        f"<header><div><h1>{escape(title)}</h1><p>{escape(lead(k))}</p></div></header>\n"
        f'<nav aria-label="Sections"><ul>{links}</ul></nav>\n<main><ul class="tiles">{shown}</ul>\n'
        f"{''.join(map(written, parts))}\n<footer>Written by laten {escape(__version__)}. "
        "log p and gains are in nats, in the data's own units.</footer></main></body></html>\n"
    )


def written(section: Section) -> str:
    """Write a section."""
    return f'<section id="{section.id}"><h2>{escape(section.title)}</h2>{section.body}</section>\n'


def lead(k: Known) -> str:
    """Say in a sentence what this is about."""
    f, view = k.figures, k.fitted.view
    what = f"{len(view.schema.columns)} columns" if isinstance(view, TableView) else "arrays"
    rows = "" if f.rows is None else f", asked about {f.rows:,} rows"
    few = f" ({f.scored:,} of them, evenly spread, are scored)" if f.rows is not None and f.scored < f.rows else ""
    return f"A variational autoencoder of {what}{rows}{few}."


def tiles(k: Known) -> Iterator[tuple[str, str]]:
    """Return the few figures that stand at the top."""
    f = k.figures
    if f.rows is not None:
        yield f"{f.rows:,}", "rows"
    if isinstance(k.fitted.view, TableView):
        yield str(sum(len(b.names) for b in k.fitted.view.schema.blocks)), "columns modelled"
    gains = f.held_out[3] if f.held_out else {}
    if f.log_p is not None and not gains:
        gains = {name: f.log_p.value - x for name, x in f.log_p.references.items()}
    over = next((x for name, x in gains.items() if "independent" in name), None)
    if over is not None:
        yield f"{over:+.2f}".replace("-", "−"), "nats a row above independent columns"
    elif f.log_p is not None:
        yield number(f.log_p.value), "log p, nats a row"
    if f.active is not None and f.latents:
        yield f"{f.active} of {len(f.latents)}", "latents used"
    if f.columns is not None and (true := f.columns.inside.get(0.9)) is not None:
        yield percent(true, 1), "of cells in their 90% interval"
    if f.odd_share is not None:
        yield percent(f.odd_share, 1), "of rows are odd"


def as_plain(f: Figures, judged: tuple[Finding, ...], fitted: Fitted) -> dict[str, Any]:
    """Return all figures in plain types of JSON."""
    schema = fitted.view.schema if isinstance(fitted.view, TableView) else None
    history = f.history.drop(columns="seconds", errors="ignore")
    found: dict[str, Any] = {
        "laten": __version__,
        "findings": [asdict(finding) for finding in judged],
        "rows": f.rows,
        "scored": f.scored,
        "network": str(fitted.model.network),
        "weights": f.weights,
        "latents": {"names": list(f.latents), "active": f.active, "variances": dict(f.variances)},
        "training": {"stopped": f.stopped, "history": history.to_dict("list")},
        "held_out": f.held_out and dict(zip(("log_p", "error", "rows", "gains"), f.held_out, strict=True)),
        "log_p": f.log_p and {n: v for n, v in asdict(f.log_p).items() if n not in ("per_row", "errors")},
        "odd": None if f.odd is None else {"fence": f.fence, "share": f.odd_share, "rows": f.odd.to_dict("records")},
        "columns": f.columns and [{n: v for n, v in asdict(c).items() if n != "log_p"} for c in f.columns.columns],
        "calibration": f.columns and {
            "intervals": f.columns.inside, "off": f.columns.off, "stated": f.columns.stated, "came": f.columns.happened,
            "count": f.columns.count,
        },
        "synthetic": f.synthetic and {
            "measures": {m.name: m.value for m in f.synthetic.measures if not m.left_out},
            "columns": f.synthetic.columns["error"].to_dict(),
        },
        "pairs": None if f.ties is None else [{"columns": [a, b], "share": x} for a, b, x in strongest(f.ties)],
        "empty_together": [{"columns": [a, b], "correlation": r} for a, b, r in f.together],
        "schema": schema and [
            {"name": c.name, "kind": c.kind, "missing": c.missing, "values": c.describe(), "because": c.reason}
            for c in schema.columns
        ],
    }  # fmt: skip
    return {name: plain(value) for name, value in found.items()}


def plain(value: Any) -> Any:
    """Return a value in types of JSON; what is no finite number is null."""
    if isinstance(value, Mapping):
        return {str(name): plain(x) for name, x in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(x) for x in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    return value if isinstance(value, bool | int | str) else str(value)
