"""`laten outliers`: the least probable rows, and why."""

from typing import Any

import numpy as np
import pandas as pd

from laten.answers.outliers import explained, usual_rows
from laten.cli.data_in_out import TABLES, Source, check_output, note, put
from laten.cli.reading import told
from laten.cli.waiting import quiet, waiting
from laten.cli.work.ask import precision, tidy
from laten.cli.work.fit_first import asked
from laten.cli.work.in_parts import each, larger
from laten.cli.work.labelled import first, labelled, scored
from laten.common.errors import DataError
from laten.data.files.in_parts import Parts
from laten.estimator.model_file import is_model
from laten.estimator.plain_vae import PlainVAE, load


def outliers(
    model: str, data: str | None, output: str | None, top: int, by_column: bool, join: bool, draws: int | None,
    error: float | None, save: str | None = None, memory: str | None = None,
) -> None:  # fmt: skip
    """Write the `top` oddest rows, the oddest first; 0: all rows."""
    check_output(output, TABLES, [model, data])
    parts, usual = None, None
    loaded = load(model) if data is not None and is_model(model) else None
    if loaded is not None and data is not None:
        parts = larger(loaded, data, memory)
    if parts is None or loaded is None:
        vae, source, usual = asked("outliers", model, data, None, save, loaded)
        with waiting("scoring rows"):
            options: dict[str, Any] = {} if error is None else {"error": error}
            found = vae.outliers(source.data, top or None, by_column=by_column, draws=draws, usual=usual, **options)
        of = source.rows
    else:
        if not top:
            raise DataError("--top 0: all rows cannot be put in order, for they are read in parts; say how many")
        vae = loaded
        found, cells, of = oddest(vae, parts, top, by_column, draws, error)
        source = Source(cells, {}, {})
    rows = found.pop("row").to_numpy()
    places = rows if parts is None else np.arange(len(rows))  # in the source
    shown = pd.concat(
        [scored(found.pop("log_p").to_numpy(), found.pop("error").to_numpy(), output), found.round(3)], axis=1
    )
    if join and isinstance(source.data, pd.DataFrame):
        own = tidy(vae, source.data.iloc[places].reset_index(drop=True), output)
        named = {*shown.columns, *told()[0].get("id", ())}
        shown = pd.concat([shown, own[[c for c in own.columns if c not in named]]], axis=1)
    ids = bool(told()[0].get("id"))
    put(labelled(shown, source, places) if ids else first(shown, "row", rows), output)
    note(f"The {len(rows)} {'least probable' if usual is None else 'oddest'} of {of} rows.")


def oddest(
    vae: PlainVAE, parts: Parts, top: int, by_column: bool, draws: int | None, error: float | None
) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """Return the oddest rows as `vae.outliers`, the rows themselves, and how many there are in all."""
    rows = parts.rows if parts.rows is not None else sum(map(len, parts.cells()))
    usual = usual_rows(rows)
    lines, cells = pd.DataFrame(), pd.DataFrame()
    some: list[pd.DataFrame] = []
    with waiting("scoring rows") as wait:
        for start, frame, _ in each(parts, wait):
            with quiet():
                own = vae.log_likelihood(frame, draws, error=precision(draws, error))
            at = np.argsort(own.per_row, kind="stable")[:top]
            new = pd.DataFrame({"row": start + at, "log_p": own.per_row[at], "error": own.errors[at]})
            lines, cells = (pd.concat(p, ignore_index=True) if len(p[0]) else p[1].reset_index(drop=True)
                            for p in ((lines, new), (cells, frame.iloc[at])))  # fmt: skip
            best = np.argsort(lines["log_p"].to_numpy(), kind="stable")[:top]
            lines, cells = lines.iloc[best].reset_index(drop=True), cells.iloc[best].reset_index(drop=True)
            mine = usual[np.searchsorted(usual, start) : np.searchsorted(usual, start + len(frame))] - start
            some.append(frame.iloc[mine])
    return explained(vae._fitted(), lines, cells, pd.concat(some), by_column, draws), cells, rows
