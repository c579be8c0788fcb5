"""`laten audit`: how good a model's posterior and log p(x) are, as a table, a picture, or both."""

from collections.abc import Mapping, Sequence
from typing import Any

from laten.cli.data_in_out import TABLES, check_output, for_model, note, put
from laten.estimator.plain_vae import load
from laten.plots.audit import plot_audit
from laten.plots.canvas import FORMATS


def audit(
    model: str, data: str, only: Sequence[str], options: Mapping[str, Any], plot: str | None, output: str | None
) -> None:
    """Shows the figures on standard output, or writes them to a table; `plot` also draws them."""
    check_output(plot, FORMATS)
    check_output(output, TABLES)
    vae = load(model)
    found = vae.audit(for_model(vae, data).data, only, **options, say=note)
    if plot is not None:
        plot_audit(found, plot)
    if output is None:
        print(found)
    else:
        put(found.table, output)
    for name in (output, plot):
        if name is not None:
            note(f"Wrote {name}.")
