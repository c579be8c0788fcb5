"""`laten outliers`: the least probable rows, and why."""

from typing import Any

import pandas as pd

from laten.cli.data_in_out import TABLES, check_output, note, put
from laten.cli.reading import told
from laten.cli.waiting import waiting
from laten.cli.work.ask import tidy
from laten.cli.work.fit_first import asked
from laten.cli.work.labelled import labelled, scored


def outliers(
    model: str, data: str | None, output: str | None, top: int, by_column: bool, join: bool, draws: int | None,
    error: float | None, save: str | None = None,
) -> None:  # fmt: skip
    """Write the `top` oddest rows, the oddest first; 0: all rows."""
    check_output(output, TABLES, [model, data])
    vae, source, usual = asked("outliers", model, data, None, save)
    with waiting("scoring rows"):
        options: dict[str, Any] = {} if error is None else {"error": error}
        found = vae.outliers(source.data, top or None, by_column=by_column, draws=draws, usual=usual, **options)
    rows = found.pop("row").to_numpy()
    shown = pd.concat(
        [scored(found.pop("log_p").to_numpy(), found.pop("error").to_numpy(), output), found.round(3)], axis=1
    )
    if join and isinstance(source.data, pd.DataFrame):
        own = tidy(vae, source.data.iloc[rows].reset_index(drop=True), output)
        named = {*shown.columns, *told()[0].get("id", ())}
        shown = pd.concat([shown, own[[c for c in own.columns if c not in named]]], axis=1)
    put(labelled(shown, source, rows), output)
    note(f"The {len(rows)} {'least probable' if usual is None else 'oddest'} of {source.rows} rows.")
