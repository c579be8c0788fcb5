"""`laten report`: a model on one page."""

from pathlib import Path

from laten.cli.data_in_out import check_output, for_model, wrote
from laten.cli.waiting import waiting
from laten.estimator.plain_vae import load


def report(model: str, data: str | None, output: str, figures: str | None, seed: int | None) -> None:
    """Write the page, and its figures; show the findings."""
    check_output(output, (".html", ".htm"))
    check_output(figures, (".json",))
    vae = load(model)
    with waiting("writing the report"):
        rows = None if data is None else for_model(vae, data).data
        found = vae.report(rows, title=f"Report of {Path(model).stem}", seed=seed)
    found.save(output)
    if figures is not None:
        found.save(figures)
    print(found)
    wrote(output, figures)
