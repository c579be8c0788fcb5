"""`laten audit`: how good a model's posterior and log p(x) are, as a table, a picture, or both."""

from collections.abc import Sequence
from typing import Any

from laten.cli.data_in_out import TABLES, check_output, for_model, note, show, wrote
from laten.estimator.plain_vae import load
from laten.plots.audit import plot_audit
from laten.plots.canvas import FORMATS


def audit(
    model: str, data: str, only: Sequence[str] | None, plot: str | None, output: str | None, **options: Any
) -> None:
    """Show the figures on standard output, or write them to a table; `plot` also draws them."""
    check_output(plot, FORMATS, [model, data])
    check_output(output, TABLES, [model, data])
    vae = load(model)
    found = vae.audit(for_model(vae, data).data, only or (), **options, say=note)
    if plot is not None:
        plot_audit(found, plot)
    show(found, found.table, output)
    wrote(output, plot)
