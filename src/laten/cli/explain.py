"""What can be typed after `laten explain`; joins the commands of `commands.py`, and like it loads typer alone."""

from enum import StrEnum
from typing import Annotated

import typer

from laten.cli.commands import Given, Seed, app, option, work

__all__ = ["app"]


class Subject(StrEnum):
    """What can be explained of a whole model."""

    COLUMNS = "columns"
    LATENTS = "latents"


MODEL_HELP = "Model file, as `laten fit` writes; with --given also a discrete network (.bif)."
Model = Annotated[str, typer.Argument(metavar="MODEL", help=MODEL_HELP, show_default=False)]
ROWS_HELP = "Rows whose latents vary; with --of and --on: rows whose other columns are kept."
Rows = Annotated[str | None, typer.Argument(metavar="DATA", help=ROWS_HELP, show_default=False)]
What = Annotated[Subject, option(help="What columns tell of one another, or which columns latents move.")]
OF_HELP = "Instead: how this column goes with another, --on; with DATA when the others are kept (partial dependence)."
Of = Annotated[str | None, option(metavar="COLUMN", help=OF_HELP, default=False)]
On = Annotated[str | None, option(metavar="COLUMN", help="The column whose values are gone through.", default=False)]
Points = Annotated[int, option(least=1, metavar="N", help="Values of a column of numbers to go through.")]
SHARES_HELP = "Of columns: shares of the smaller entropy in place of nats."
Shares = Annotated[bool, option("--normalised", help=SHARES_HELP)]
LATENT_HELP = "With --given: a variable to explain, the rest summed out; repeatable. Default: all above what is given."
Latents = Annotated[list[str] | None, option("--latent", metavar="NAME", help=LATENT_HELP, default=False)]
PICTURE_HELP = "Picture: png, svg or pdf; of --given also gif."
Picture = Annotated[str | None, option("--output", "-o", metavar="FILE", help=PICTURE_HELP, default=False)]
TABLE_HELP = "The numbers as a table; with neither picture nor table they go to standard output."
Table = Annotated[str | None, option(metavar="FILE", help=TABLE_HELP, default=False)]


@app.command()
def explain(
    model: Model,
    data: Rows = None,
    output: Picture = None,
    what: What = Subject.COLUMNS,
    of: Of = None,
    on: On = None,
    points: Points = 32,
    normalised: Shares = False,
    table: Table = None,
    given: Given = None,
    latent: Latents = None,
    seed: Seed = None,
) -> None:
    """Show what a model of a table has learned: ties between columns, effects of latents, curves.

    With --given: Bayes' theorem and log p(x) = KL + ELBO, with numbers, for one example of a discrete or
    linear-Gaussian network.
    """
    if given or latent or model.lower().endswith(".bif"):
        used = {"DATA": data, "--of": of, "--on": on, "--normalised": normalised or None}
        wrong = [name for name, value in used.items() if value is not None]
        work("cli.identity").identity(model, given or [], latent, output, table, wrong)
        return
    work("cli.explaining").explain(model, data, output, table, what.value, of, on, points, normalised, seed)
