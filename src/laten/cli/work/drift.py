"""`laten drift`: whether new rows are like those of the fit."""

from laten.cli.data_in_out import TABLES, check_output, for_model, put, wrote
from laten.cli.waiting import waiting
from laten.common.errors import harmless
from laten.estimator.plain_vae import load


def drift(model: str, new: str, reference: str | None, output: str | None) -> None:
    """Print what has changed; write a table of all columns to `output`."""
    check_output(output, TABLES, [model, new, reference])
    vae = load(model)
    with waiting("comparing rows"):
        rows = for_model(vae, new).data
        found = vae.drift(rows, None if reference is None else for_model(vae, reference).data)
    print(harmless(str(found)))
    if output is not None:
        put(found.columns, output)
    wrote(output)
