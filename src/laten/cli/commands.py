"""What can be typed: commands, their arguments and options. Loads typer and nothing else, so that help is instant.

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
    epilog="DATA is a file (csv, tsv, parquet, feather, npy, npz, idx; also .gz), a folder of PNG or JPEG images, or "
    "one of digits, wine, breast_cancer, clinic. Results go to -o, in the format of its extension, or as CSV to "
    "standard output; progress and notes go to standard error.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Goal(StrEnum):
    """What training maximises."""

    ELBO = "elbo"
    IWAE = "iwae"


class Binarise(StrEnum):
    """What becomes of grey pixels."""

    DYNAMIC = "dynamic"
    FIXED = "fixed"
    NONE = "none"


class Density(StrEnum):
    """How numbers of a table are modelled."""

    CELLS = "cells"
    NORMAL = "normal"


class Picture(StrEnum):
    """What can be drawn."""

    HISTORY = "history"
    SAMPLES = "samples"
    RECONSTRUCTIONS = "reconstructions"
    LATENTS = "latents"
    MANIFOLD = "manifold"


def option(
    *names: str,
    help: str,
    group: str | None = None,
    least: int | None = None,
    metavar: str | None = None,
    default: bool = True,
) -> Any:
    """An option; `default=False` does not show its default, `group` is the heading of help it stands under."""
    return typer.Option(
        *names, help=help, rich_help_panel=group, min=least, metavar=metavar, show_default=default, case_sensitive=False
    )


MODEL_HELP = "Model file, as `laten fit` writes."
Model = Annotated[str, typer.Argument(metavar="MODEL", help=MODEL_HELP, show_default=False)]
DATA_HELP = "File, folder of images, or name of an embedded set."
Data = Annotated[str, typer.Argument(metavar="DATA", help=DATA_HELP, show_default=False)]
Rows = Annotated[
    str | None, typer.Argument(metavar="DATA", help="Rows to show or to set beside the model's.", show_default=False)
]
Output = Annotated[
    str | None, option("--output", "-o", metavar="FILE", help="Where it goes; else standard output.", default=False)
]
Draws = Annotated[int | None, option(least=1, metavar="N", help="Draws a row; by default 500.", default=False)]
Seed = Annotated[int | None, option(least=0, metavar="N", help="Another seed gives other draws.", default=False)]

# fit: the parameters of laten.VAE, in the field's words
NETWORK, DATA, TRAINING = "Network", "Data", "Training"
Written = Annotated[
    str | None,
    option("--output", "-o", metavar="MODEL", help="File to write; else the data's name + .laten.", default=False),
]
Quiet = Annotated[bool, option("--quiet", "-q", help="No schema, progress or notes.")]
Latent = Annotated[int, option(least=1, metavar="N", help="Latent dimensions.", group=NETWORK)]
WIDTH_HELP = "Units of each hidden layer. Default: 256 for tables of 2500 rows on, else 128."
Width = Annotated[int | None, option(least=1, metavar="N", help=WIDTH_HELP, group=NETWORK, default=False)]
NUMBERS_HELP = "Model of a table's numbers: histograms of any shape, or normals (for anomalies)."
Numbers = Annotated[Density, option(help=NUMBERS_HELP, group=NETWORK)]
KIND_HELP = (
    "Sets what a column is taken for: age=count, note=text (left out), 'pain=ordinal:none,mild,severe' (levels, low to "
    "high). Repeatable."
)
Kinds = Annotated[list[str] | None, option(metavar="COLUMN=KIND", help=KIND_HELP, group=DATA, default=False)]
SCHEMA_HELP = "File that says what the columns are, as `laten schema` writes it; the data must keep to it."
Agreed = Annotated[str | None, option("--schema", metavar="FILE", help=SCHEMA_HELP, group=DATA, default=False)]
HIDE_HELP = (
    "Hide further cells at random while training, so that any columns can be evidence later. Default: for tables."
)
Hide = Annotated[bool | None, option("--hide/--no-hide", help=HIDE_HELP, group=DATA, default=False)]
TRIM_HELP = "Rows of each batch, those of lowest bound, not to learn from: for when odd rows are among DATA, say 0.3."
Trim = Annotated[float, option(metavar="SHARE", help=TRIM_HELP, group=TRAINING)]
GREY_HELP = "Grey pixels: binarised anew at each visit, binarised once, or kept as fractions."
Grey = Annotated[Binarise, option(help=GREY_HELP, group=DATA)]
Validation = Annotated[float, option(metavar="SHARE", help="Rows held out, for early stopping; 0: none.", group=DATA)]
GOAL_HELP = "Bound on log p(row) to maximise: the evidence lower bound, or its importance-weighted sharpening."
Objective = Annotated[Goal, option(help=GOAL_HELP, group=TRAINING)]
GOAL_DRAWS_HELP = "Draws a row in the objective. Default: elbo 1, iwae 50."
GoalDraws = Annotated[int | None, option(least=1, metavar="N", help=GOAL_DRAWS_HELP, group=TRAINING, default=False)]
EPOCHS_HELP = "Passes over the rows. Default: about 20000 steps."
Epochs = Annotated[int | None, option(least=1, metavar="N", help=EPOCHS_HELP, group=TRAINING, default=False)]
BATCH_HELP = "Rows a step. Default: 128."
BatchSize = Annotated[int | None, option(least=1, metavar="N", help=BATCH_HELP, group=TRAINING, default=False)]
RATE_HELP = "Peak rate of Adam. Default: 0.003 for tables, 0.001 for arrays."
Rate = Annotated[float | None, option(metavar="X", help=RATE_HELP, group=TRAINING, default=False)]
PATIENCE_HELP = "Epochs without a better held-out bound after which to stop; 0: never. Default: planned."
Patience = Annotated[int | None, option(least=0, metavar="N", help=PATIENCE_HELP, group=TRAINING, default=False)]
Restarts = Annotated[int, option(least=1, metavar="N", help="Train N side by side, keep the best.", group=TRAINING)]
FitSeed = Annotated[int, option(least=0, metavar="N", help="The same seed gives the same file.", group=TRAINING)]

# schema
TOML_HELP = "TOML file to write; else standard output. With --check: a table of the findings."
Toml = Annotated[str | None, option("--output", "-o", metavar="FILE", help=TOML_HELP, default=False)]
CHECK_HELP = "Instead: compare DATA with this schema, or with that of a model file."
Check = Annotated[str | None, option(metavar="FILE", help=CHECK_HELP, default=False)]

# questions
Count = Annotated[int, typer.Option("-n", min=1, metavar="N", help="Number of rows.")]
GIVEN_HELP = "Holds a column at a value, income='>50K', or in a range, age=30..40; named again, at any of its values."
Given = Annotated[list[str] | None, option(metavar="COLUMN=VALUE", help=GIVEN_HELP, default=False)]
BY_HELP = "Instead: what each column, and the latents, cost; minus their shares of log p."
ByColumn = Annotated[bool, option("--by-column", help=BY_HELP)]
COPIES_HELP = (
    "Write M copies drawn from p(hidden | seen), numbered in a column `draw`, instead of one with expected values."
)
Copies = Annotated[int | None, option("--draws", least=1, metavar="M", help=COPIES_HELP, default=False)]
Svg = Annotated[str | None, option(metavar="FILE", help="Also write the network as a plate diagram.", default=False)]
What = Annotated[Picture, option(help="What to draw.", default=False)]
Drawn = Annotated[str, option("--output", "-o", metavar="FILE", help="Picture: png, svg or pdf.", default=False)]
COLOUR_HELP = "Column, or array of the file, that colours the latents; `label` if there is one."
Colour = Annotated[str | None, option(metavar="COLUMN", help=COLOUR_HELP, default=False)]

# synthetic rows
REAL_HELP = "Table the generator learned from."
Real = Annotated[str, typer.Argument(metavar="REAL", help=REAL_HELP, show_default=False)]
Synthetic = Annotated[
    str,
    typer.Argument(metavar="SYNTHETIC", help="Table of the rows it made, with the same columns.", show_default=False),
]
HOLDOUT_HELP = "Table of real rows it has not seen: what is the best one can hope for, and what use and privacy need."
Holdout = Annotated[str | None, option(metavar="DATA", help=HOLDOUT_HELP, default=False)]
TARGET_HELP = "Column to predict from the others: train on synthetic rows, test on held-out ones."
Target = Annotated[str | None, option(metavar="COLUMN", help=TARGET_HELP, default=False)]
Shown = Annotated[str | None, option("--plot", metavar="FILE", help="Also draw: png, svg or pdf.", default=False)]
MEASURES_HELP = "Write the measures as a table instead of showing them."
Measures = Annotated[str | None, option("--output", "-o", metavar="FILE", help=MEASURES_HELP, default=False)]

Folder = Annotated[str, option(metavar="FOLDER", help="Where models and pictures go.")]


def work(module: str) -> Any:
    """The module that does a command's work, imported when the command runs."""
    return importlib.import_module(f"laten.{module}")


def show_version(wanted: bool) -> None:
    """Prints the version and ends."""
    if wanted:
        print(f"laten {__version__}")
        raise typer.Exit


Version = Annotated[bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version.")]


@app.callback(invoke_without_command=True)
def start(context: typer.Context, version: Version = False) -> None:  # noqa: D103 (a docstring would be the help)
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command()
def fit(
    data: Data,
    output: Written = None,
    latent: Latent = 16,
    width: Width = None,
    numbers: Numbers = Density.CELLS,
    kind: Kinds = None,
    schema: Agreed = None,
    hide: Hide = None,
    binarise: Grey = Binarise.DYNAMIC,
    validation: Validation = 0.1,
    trim: Trim = 0.0,
    objective: Objective = Goal.ELBO,
    draws: GoalDraws = None,
    epochs: Epochs = None,
    batch_size: BatchSize = None,
    learning_rate: Rate = None,
    patience: Patience = None,
    restarts: Restarts = 1,
    seed: FitSeed = 0,
    quiet: Quiet = False,
) -> int:
    """Learn a model from DATA. Ctrl-C ends training early and still writes the model."""
    options = {
        "latent": latent,
        "width": width,
        "numbers": numbers.value,
        "hide": hide,
        "trim": trim,
        "binarise": binarise.value,
        "validation": validation,
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "patience": patience,
        "restarts": restarts,
        "seed": seed,
    }
    return work("cli.fitting").fit(data, output, kind or [], schema, objective.value, draws, options, quiet)


@app.command()
def schema(data: Data, output: Toml = None, kind: Kinds = None, check: Check = None) -> int:
    """Say what each column of DATA is, as a file to edit and to fit by; or check DATA against one.

    With --check, shows what lacks, is new, of another type or far outside; exits with 1 when a model would refuse it.
    """
    return work("cli.contracts").schema(data, output, kind or [], check)


@app.command()
def sample(model: Model, n: Count = 10, given: Given = None, output: Output = None, seed: Seed = None) -> None:
    """Draw new rows: p(row), or p(rest | given)."""
    work("cli.answers").sample(model, n, given or [], output, seed)


@app.command()
def score(model: Model, data: Data, output: Output = None, by_column: ByColumn = False, draws: Draws = None) -> None:
    """Log p of each row in nats: the lower, the odder. Mean, errors and Pareto k go to standard error."""
    work("cli.answers").score(model, data, output, by_column, draws)


@app.command()
def impute(model: Model, data: Data, output: Output = None, draws: Copies = None, seed: Seed = None) -> None:
    """Fill empty cells; what is there stays as it is."""
    work("cli.answers").impute(model, data, output, draws, seed)


@app.command()
def embed(model: Model, data: Data, output: Output = None) -> None:
    """Latent means of each row."""
    work("cli.answers").embed(model, data, output)


@app.command()
def reconstruct(model: Model, data: Data, output: Output = None) -> None:
    """Each row's means, given its latent means."""
    work("cli.answers").reconstruct(model, data, output)


@app.command()
def info(model: Model, svg: Svg = None) -> None:
    """Network, guide, schema, and how training went."""
    work("cli.looking").info(model, svg)


@app.command()
def plot(model: Model, what: What, output: Drawn, data: Rows = None, colour: Colour = None, seed: Seed = None) -> None:
    """Draw a picture."""
    work("cli.looking").plot(model, data, what.value, output, colour, seed)


@app.command()
def quality(
    real: Real,
    synthetic: Synthetic,
    holdout: Holdout = None,
    target: Target = None,
    plot: Shown = None,
    output: Measures = None,
    seed: Seed = None,
) -> None:
    """How good synthetic rows are: likeness, detection, use, privacy."""
    work("cli.judging").quality(real, synthetic, holdout, target, plot, output, seed)


@app.command()
def demo(folder: Folder = "demo") -> None:
    """Fit digits and a table with holes; leave models and pictures in a folder."""
    work("demo").demo(folder)
