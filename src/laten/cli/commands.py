"""What can be typed: commands, their arguments and options. Importing this loads typer and nothing else, so that help is instant.

Each command hands what it was given to a function of the same name in the module that does the work.
"""

import importlib
from enum import StrEnum
from typing import Annotated, Any

import typer

from laten import __version__

app = typer.Typer(
    name="laten",
    help="Variational autoencoders as Bayesian networks: fit a model to data, then ask it anything.",
    epilog="DATA is a file (csv, tsv, parquet, feather, npy, npz, idx; also .gz), a folder of PNG or JPEG images, or one of "
    "digits, wine, breast_cancer, clinic. Results go to -o, in the format of its extension, or as CSV to standard output.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Goal(StrEnum):
    """What training maximises."""

    ELBO = "elbo"
    IWAE = "iwae"


class Binarise(StrEnum):
    """What becomes of intensities."""

    DYNAMIC = "dynamic"
    FIXED = "fixed"
    NONE = "none"


class Picture(StrEnum):
    """What can be plotted."""

    HISTORY = "history"
    SAMPLES = "samples"
    RECONSTRUCTIONS = "reconstructions"
    LATENTS = "latents"
    MANIFOLD = "manifold"


Model = Annotated[str, typer.Argument(metavar="MODEL", help="Model file, as `laten fit` writes.", show_default=False)]
Data = Annotated[str, typer.Argument(metavar="DATA", help="File, folder of images, or name of an embedded set.", show_default=False)]
Output = Annotated[str | None, typer.Option("--output", "-o", metavar="FILE", help="Where the result goes; standard output by default.", show_default=False)]
Draws = Annotated[int | None, typer.Option(min=1, help="Draws a row with which integrals are estimated.", show_default=False)]
Seed = Annotated[int | None, typer.Option(min=0, help="Another seed gives other draws.", show_default=False)]

SHAPE, TRAINING, TABLES = "Network", "Training", "Data"


def work(module: str) -> Any:
    """The module that does a command's work, imported when the command runs."""
    return importlib.import_module(f"laten.{module}")


def show_version(wanted: bool) -> None:
    """Prints the version and ends."""
    if wanted:
        print(f"laten {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version and exit.")] = False,
) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command()
def fit(
    data: Data,
    output: Annotated[str | None, typer.Option("--output", "-o", metavar="MODEL", help="Model file to write; by default the name of the data + .laten.", show_default=False)] = None,
    latent: Annotated[int, typer.Option(min=1, help="Latent dimensions.", rich_help_panel=SHAPE)] = 16,
    width: Annotated[int, typer.Option(min=1, help="Units of each hidden layer.", rich_help_panel=SHAPE)] = 128,
    kind: Annotated[list[str] | None, typer.Option(metavar="COLUMN=KIND", help="Sets a column's kind, e.g. age=count, id=identifier (left out), 'pain=ordinal:none,mild,severe' (levels, low to high). Repeatable.", show_default=False, rich_help_panel=TABLES)] = None,
    hide: Annotated[bool | None, typer.Option("--hide/--no-hide", help="Hide further cells at random while training, so that any columns can be evidence later. Default: for tables.", show_default=False, rich_help_panel=TABLES)] = None,
    binarise: Annotated[Binarise, typer.Option(help="Grey pixels: binarised anew at each visit, once, or kept as fractions.", rich_help_panel=TABLES)] = Binarise.DYNAMIC,
    objective: Annotated[Goal, typer.Option(help="Bound on log p(x) to maximise: the evidence lower bound, or its importance-weighted sharpening.", rich_help_panel=TRAINING)] = Goal.ELBO,
    draws: Annotated[int | None, typer.Option(min=1, help="Draws a row in the objective. Default: elbo 1, iwae 50.", show_default=False, rich_help_panel=TRAINING)] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the rows. Default: about 20 000 steps.", show_default=False, rich_help_panel=TRAINING)] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Rows a step.", rich_help_panel=TRAINING)] = 128,
    learning_rate: Annotated[float, typer.Option(help="Peak rate of Adam.", rich_help_panel=TRAINING)] = 1e-3,
    patience: Annotated[int | None, typer.Option(min=0, help="Epochs without a better held-out bound before stopping; 0 never stops early. Default: planned.", show_default=False, rich_help_panel=TRAINING)] = None,
    validation: Annotated[float, typer.Option(help="Share of rows held out for early stopping; 0 for none.", rich_help_panel=TRAINING)] = 0.1,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random: the same seed gives the same file.", rich_help_panel=TRAINING)] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No schema, progress or notes.", rich_help_panel=TRAINING)] = False,
) -> int:
    """Learn a model from DATA. Ctrl-C ends training early and still writes the model."""
    options = {
        "latent": latent, "width": width, "hide": hide, "binarise": binarise.value, "epochs": epochs, "batch_size": batch_size,
        "learning_rate": learning_rate, "patience": patience, "validation": validation, "seed": seed,
    }  # fmt: skip
    return work("cli.fitting").fit(data, output, kind or [], objective.value, draws, options, quiet)


@app.command()
def sample(
    model: Model,
    n: Annotated[int, typer.Option("-n", min=1, help="Number of rows.")] = 10,
    given: Annotated[list[str] | None, typer.Option(metavar="COLUMN=VALUE", help="Hold a column at a value, e.g. income='>50K'. Repeatable.", show_default=False)] = None,
    output: Output = None,
    seed: Seed = None,
) -> None:
    """Draw new rows: p(row), or p(rest | given)."""
    work("cli.answers").sample(model, n, given or [], output, seed)


@app.command()
def score(
    model: Model,
    data: Data,
    output: Output = None,
    by_column: Annotated[bool, typer.Option("--by-column", help="What each column, and the latents, cost: minus their shares of log p.")] = False,
    draws: Draws = None,
) -> None:
    """Log p of each row, in nats: the lower, the odder. The mean and its errors go to standard error."""
    work("cli.answers").score(model, data, output, by_column, draws)


@app.command()
def impute(
    model: Model,
    data: Data,
    output: Output = None,
    draws: Annotated[int | None, typer.Option(min=1, metavar="M", help="Write M completed copies drawn from p(hidden | seen), numbered in the column `draw`, instead of one with the expected values.", show_default=False)] = None,
    seed: Seed = None,
) -> None:
    """Fill empty cells; cells that are there stay as they are."""
    work("cli.answers").impute(model, data, output, draws, seed)


@app.command()
def embed(model: Model, data: Data, output: Output = None) -> None:
    """Latent means of each row."""
    work("cli.answers").embed(model, data, output)


@app.command()
def reconstruct(model: Model, data: Data, output: Output = None) -> None:
    """Each row's means after passing through the latents."""
    work("cli.answers").reconstruct(model, data, output)


@app.command()
def info(
    model: Model,
    svg: Annotated[str | None, typer.Option(metavar="FILE", help="Also write the network as a plate diagram.", show_default=False)] = None,
) -> None:
    """The network, its guide, the schema, and how training went."""
    work("cli.looking").info(model, svg)


@app.command()
def plot(
    model: Model,
    what: Annotated[Picture, typer.Option(help="What to draw.", show_default=False)],
    output: Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="Picture to write: png, svg, pdf.", show_default=False)],
    data: Annotated[str | None, typer.Argument(metavar="[DATA]", help="Rows to show, for reconstructions and latents.", show_default=False)] = None,
    colour: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column (or array, such as `label`) that colours the latents.", show_default=False)] = None,
    seed: Seed = None,
) -> None:
    """Draw a picture."""
    work("cli.looking").plot(model, data, what.value, output, colour, seed)


@app.command()
def demo(folder: Annotated[str, typer.Option(metavar="FOLDER", help="Where models and pictures go.")] = "demo") -> None:
    """Fit digits and a table with holes; leave models and pictures in a folder. Takes a minute."""
    work("demo").demo(folder)
