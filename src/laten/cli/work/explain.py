"""`laten explain`: what a model has learned, as a picture, a table, or both."""

from typing import Any

import pandas as pd

from laten.cli.data_in_out import TABLES, check_output, column_named, for_model, put, wrote
from laten.cli.work.labelled import first as put_first
from laten.common.errors import LatenError
from laten.data.rows.table_view import TableView
from laten.estimator.plain_vae import load
from laten.plots.canvas import FORMATS
from laten.plots.dependence import plot_dependence, plot_latent_effects, plot_mutual_information


def explain(
    model: str, data: str | None, output: str | None, table: str | None, what: str, of: str | None, on: str | None,
    points: int, normalised: bool, seed: int | None,
) -> None:  # fmt: skip
    """Write a picture to `output` and numbers to `table`; with neither the numbers to standard output."""
    check_output(output, FORMATS, [model, data])
    check_output(table, TABLES, [model, data])
    if (of is None) != (on is None):
        raise LatenError(f"--of and --on go together: laten explain {model} --of COLUMN --on COLUMN -o FILE")
    if data is not None and of is None and what == "columns":
        raise LatenError(
            "what columns tell about each other comes from the model alone; DATA goes with --what latents, or with "
            "--of and --on"
        )
    vae = load(model)
    rows = None if data is None else for_model(vae, data).data
    draw: Any = plot_dependence
    if of is not None and on is not None:
        names = vae.view_.schema.names if isinstance(vae.view_, TableView) else ()
        found = vae.dependence(column_named(of, names), column_named(on, names), rows, points, seed=seed)
        first = on
    elif what == "latents":
        found, draw, first = vae.latent_effects(rows, seed=seed), plot_latent_effects, "latent"
    else:
        found = vae.mutual_information(normalised=normalised, seed=seed)
        draw, first = plot_mutual_information, "column"
    if output is not None:
        draw(found, output)
    if table is not None or output is None:
        put(flat(found.round(6) if table is None else found, first), table)
    wrote(output, table)


def flat(found: pd.DataFrame, first: str) -> pd.DataFrame:
    """Return a frame whose row labels are its first column, and whose columns are text."""
    plain = found.set_axis([str(c) for c in found.columns], axis=1)
    return put_first(plain.reset_index(drop=True), first, found.index.to_numpy())
