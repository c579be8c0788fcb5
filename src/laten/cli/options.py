"""What can be typed after a command: arguments, options and their help. Loads typer and nothing else."""

from enum import StrEnum
from typing import Annotated, Any

import typer


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


# audit
class Estimator(StrEnum):
    """What can be audited."""

    BOUNDS = "bounds"
    EXACT = "exact"
    QUADRATURE = "quadrature"
    AIS = "ais"
    HMC = "hmc"
    GAP = "gap"
    LATENTS = "latents"
    BDMC = "bdmc"
    SBC = "sbc"


class Start(StrEnum):
    """Where annealing begins."""

    GUIDE = "guide"
    PRIOR = "prior"


class Sampler(StrEnum):
    """How posterior samples are drawn."""

    HMC = "hmc"
    NUTS = "nuts"


ONLY_HELP = "One estimator; repeatable. Default: all that fit the model."
Only = Annotated[list[Estimator] | None, option(help=ONLY_HELP, default=False)]
RowCount = Annotated[int, option("--rows", least=1, metavar="N", help="Rows to look at, and rows to simulate.")]
AuditDraws = Annotated[int, option(least=1, metavar="N", help="Guide draws a row.")]
BRIDGES_HELP = "Distributions that annealing passes: the more, the closer to log p."
Bridges = Annotated[int, option(least=1, metavar="N", help=BRIDGES_HELP)]
Chains = Annotated[int, option(least=1, metavar="N", help="Annealing chains a row.")]
StartAt = Annotated[Start, option(help="Where annealing begins.")]
Walker = Annotated[Sampler, option(help="How posterior samples are drawn; nuts needs laten[lab].")]


# explain
class Subject(StrEnum):
    """What can be explained of a whole model."""

    COLUMNS = "columns"
    LATENTS = "latents"


EXPLAINED_HELP = "Model file, as `laten fit` writes; with --given also a discrete network (.bif)."
Explained = Annotated[str, typer.Argument(metavar="MODEL", help=EXPLAINED_HELP, show_default=False)]
CONTEXT_HELP = "Rows whose latents vary; with --of and --on: rows whose other columns are kept."
Context = Annotated[str | None, typer.Argument(metavar="DATA", help=CONTEXT_HELP, show_default=False)]
About = Annotated[Subject, option(help="What columns tell of one another, or which columns latents move.")]
OF_HELP = "Instead: how this column goes with another, --on; with DATA when the others are kept (partial dependence)."
Of = Annotated[str | None, option(metavar="COLUMN", help=OF_HELP, default=False)]
On = Annotated[str | None, option(metavar="COLUMN", help="The column whose values are tried in turn.", default=False)]
Points = Annotated[int, option(least=1, metavar="N", help="Values of a column of numbers to try.")]
SHARES_HELP = "Of columns: shares of the smaller entropy in place of nats."
Shares = Annotated[bool, option("--normalised", help=SHARES_HELP)]
HIDDEN_HELP = "With --given: a variable to explain, the rest summed out; repeatable. Default: all above what is given."
Hidden = Annotated[list[str] | None, option("--latent", metavar="NAME", help=HIDDEN_HELP, default=False)]
DRAWING_HELP = "Picture: png, svg or pdf; of --given also gif."
Drawing = Annotated[str | None, option("--output", "-o", metavar="FILE", help=DRAWING_HELP, default=False)]
TABLE_HELP = "The numbers as a table; with neither picture nor table they go to standard output."
Numbered = Annotated[str | None, option(metavar="FILE", help=TABLE_HELP, default=False)]

# query
SOURCE_HELP = "Discrete network (.bif), or a model of a table, as `laten fit` writes."
Source = Annotated[str, typer.Argument(metavar="NETWORK", help=SOURCE_HELP, show_default=False)]
QUESTION_HELP = "P(targets | evidence), e.g. 'P(lung | smoke=yes, dysp=yes)'; a name given again: any of its values."
Question = Annotated[str, typer.Argument(metavar="QUESTION", help=QUESTION_HELP, show_default=False)]
