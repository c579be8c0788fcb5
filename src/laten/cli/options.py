"""What can be typed after a command: arguments, options and their help. Loads typer and nothing else."""

from typing import Annotated, Any, Literal

import typer


def argument(metavar: str, help: str) -> Any:
    """Declare an argument."""
    return typer.Argument(metavar=metavar, help=help)


def option(*names: str, help: str, group: str | None = None, metavar: str | None = None) -> Any:
    """Declare an option; `group` is its heading in the help."""
    return typer.Option(*names, help=help, rich_help_panel=group, metavar=metavar, case_sensitive=False)


def count(*names: str, help: str, least: int = 1, group: str | None = None) -> Any:
    """Declare an option that is a whole number."""
    return typer.Option(*names, help=help, rich_help_panel=group, metavar="N", min=least)


def output(help: str, metavar: str = "FILE") -> Any:
    """Declare the option that says where the result goes."""
    return option("--output", "-o", metavar=metavar, help=help)


Model = Annotated[str, argument("MODEL", "Model file, as `laten fit` writes.")]
Data = Annotated[str, argument("DATA", "File, folder of images, or name of an embedded set.")]
Rows = Annotated[str | None, argument("DATA", "Rows to show, or to compare with those of the model.")]
Output = Annotated[str | None, output("File to write; without it, standard output.")]
DRAWS_HELP = "Draws from the guide for each row. Default: 128, and more for rows that need them (--error)."
Draws = Annotated[int | None, count(help=DRAWS_HELP)]
ERROR_HELP = "Standard error of each row's log p that is precise enough. Default: 0.2."
Error = Annotated[float | None, option("--error", metavar="NATS", help=ERROR_HELP)]
Seed = Annotated[int | None, count(least=0, help="Another seed gives other random numbers.")]

# fit: the parameters of laten.VAE, in the field's words
NETWORK, DATA, TRAINING = "Network", "Data", "Training"
Written = Annotated[str | None, output("File to write. Default: the name of DATA + .laten.", "MODEL")]
Quiet = Annotated[bool, option("--quiet", "-q", help="No schema, progress or notes.")]
Latent = Annotated[int, count(help="Latent dimensions.", group=NETWORK)]
WIDTH_HELP = "Units of each hidden layer. Default: 256 for tables of at least 2500 rows, else 128."
Width = Annotated[int | None, count(help=WIDTH_HELP, group=NETWORK)]
NUMBERS_HELP = "How numbers of a table are modelled: by histograms of any shape (cells), or by normals (for anomalies)."
Numbers = Annotated[Literal["cells", "normal"], option(help=NUMBERS_HELP, group=NETWORK)]
KIND_HELP = (
    "Set the kind of a column: age=count, note=text (left out), 'pain=ordinal:none,mild,severe' (levels, low to high). "
    "Repeatable."
)
Kinds = Annotated[list[str] | None, option(metavar="COLUMN=KIND", help=KIND_HELP, group=DATA)]
CONSTRAINT_HELP = (
    "What all rows keep, and samples and filled cells as well: 'start <= end', 'total = a + b', 'city -> state', "
    "'city, zip' (seen combinations only), '0 <= share <= 1'. Repeatable."
)
Constraints = Annotated[list[str] | None, option("--constraint", metavar="TEXT", help=CONSTRAINT_HELP, group=DATA)]
FORGET_HELP = "Do not keep this constraint, which was found in DATA; 'all': none that was. Repeatable."
Forgotten = Annotated[list[str] | None, option("--no-constraint", metavar="TEXT", help=FORGET_HELP, group=DATA)]
SCHEMA_HELP = "File that says what the columns are, as `laten schema` writes it. DATA must agree with it."
Agreed = Annotated[str | None, option("--schema", metavar="FILE", help=SCHEMA_HELP, group=DATA)]
HIDE_HELP = (
    "Hide more cells at random while training, so that any columns can be evidence later. Default: for tables only."
)
Hide = Annotated[bool | None, option("--hide/--no-hide", help=HIDE_HELP, group=DATA)]
TRIM_HELP = "Fraction of each batch to ignore: the rows the model fits worst. Use it (0.3) when DATA contain outliers."
Trim = Annotated[float, option(metavar="SHARE", help=TRIM_HELP, group=TRAINING)]
GREY_HELP = "How grey pixels become 0/1: redrawn at each visit, once, or not (they stay fractions)."
Grey = Annotated[Literal["dynamic", "fixed", "none"], option(help=GREY_HELP, group=DATA)]
HELD_HELP = "Fraction of rows held out for early stopping; 0: none."
Validation = Annotated[float, option(metavar="SHARE", help=HELD_HELP, group=DATA)]
GOAL_HELP = "Bound on log p(row) to maximise: the evidence lower bound, or the tighter importance-weighted bound."
Objective = Annotated[Literal["elbo", "iwae"], option(help=GOAL_HELP, group=TRAINING)]
GOAL_DRAWS_HELP = "Draws for each row in the objective. Default: elbo 1, iwae 50."
GoalDraws = Annotated[int | None, count(help=GOAL_DRAWS_HELP, group=TRAINING)]
Epochs = Annotated[int | None, count(help="Passes over the rows. Default: about 20000 steps.", group=TRAINING)]
BatchSize = Annotated[int | None, count(help="Rows in each step. Default: 128.", group=TRAINING)]
RATE_HELP = "Highest learning rate of Adam. Default: 0.003 for tables, 0.001 for arrays."
Rate = Annotated[float | None, option(metavar="X", help=RATE_HELP, group=TRAINING)]
PATIENCE_HELP = "Stop after this many epochs without a better held-out bound; 0: never. Default: from the rows."
Patience = Annotated[int | None, count(least=0, help=PATIENCE_HELP, group=TRAINING)]
Restarts = Annotated[int, count(help="Train N models side by side, keep the best.", group=TRAINING)]
FitSeed = Annotated[int, count(least=0, help="The same seed gives the same file.", group=TRAINING)]
RUN_HELP = "Keep the training in this folder: `laten resume DIR`, or the same command, goes on after a break."
Run = Annotated[str | None, option("--run", metavar="DIR", help=RUN_HELP, group=TRAINING)]
RunFolder = Annotated[str, argument("DIR", "Folder that `laten fit DATA --run DIR` trained in.")]
INEXACT_HELP = "Go on under other versions or on another machine too, where the last digits differ."
Inexact = Annotated[bool, option("--inexact", help=INEXACT_HELP)]

# schema
TOML_HELP = "TOML file to write; without it, standard output. With --check: a table of the findings."
Toml = Annotated[str | None, output(TOML_HELP)]
CHECK_HELP = "Compare DATA with this schema, or with that of a model file, and propose nothing."
Check = Annotated[str | None, option(metavar="FILE", help=CHECK_HELP)]

# questions
Count = Annotated[int, count("-n", help="Number of rows.")]
GIVEN_HELP = (
    "What is known of a column: a value, income='>50K'; a range, 'age=30..40', 'age>40', 'age=[30..40)'; a year or "
    "month, born=1985-03; 'crp is missing'. Repeatable; a column named twice may have any of its values."
)
Given = Annotated[list[str] | None, option(metavar="COLUMN=VALUE", help=GIVEN_HELP)]
BY_HELP = "Write what each column, and the latents, cost: minus their shares of log p."
ByColumn = Annotated[bool, option("--by-column", help=BY_HELP)]
HOLES_HELP = "Leave cells empty as often, and together, as in the fitted data."
Holes = Annotated[bool, option("--holes", help=HOLES_HELP)]
SAMPLES_HELP = (
    "Write M completed copies, drawn from p(hidden | seen) and numbered in a column `sample`. Default: one, with means."
)
Samples = Annotated[int | None, typer.Option(min=1, metavar="M", help=SAMPLES_HELP)]
FLAG_HELP = "Add a column NAME_filled for each column with empty cells: 1 where a cell was filled."
Flag = Annotated[bool, option("--flag", help=FLAG_HELP)]
ENDS_HELP = "Add columns NAME_low and NAME_high: the ends of the central interval of numbers and ordered classes."
Interval = Annotated[bool, option("--interval", help=ENDS_HELP)]
Coverage = Annotated[float, option(metavar="SHARE", help="Probability inside an interval.")]
PUT_HELP = "What is known of a column, put into its empty cells before they are filled: city=Oslo. Repeatable."
Put = Annotated[list[str] | None, option("--given", metavar="COLUMN=VALUE", help=PUT_HELP)]
Asked = Annotated[str, option("--column", metavar="COLUMN", help="The column to predict from all others.")]
PROBA_HELP = "Add the probability of each of its levels: columns p(level)."
Proba = Annotated[bool, option("--proba", help=PROBA_HELP)]
KNOWN_HELP = "What is known of a column in all rows, in place of their own cells: a value or a range. Repeatable."
Known = Annotated[list[str] | None, option("--given", metavar="COLUMN=VALUE", help=KNOWN_HELP)]
FITTED_HELP = "Model file, as `laten fit` writes; without DATA also a file of data, to which a model is fitted first."
ModelOrData = Annotated[str, argument("MODEL", FITTED_HELP)]
OddRows = Annotated[str | None, argument("DATA", "Rows among which odd ones are looked for.")]
Top = Annotated[int, count("--top", least=0, help="How many rows, the least probable first; 0: all.")]
EXCESS_HELP = "Write by how many nats each column costs more than usual, in place of words."
Excess = Annotated[bool, option("--by-column", help=EXCESS_HELP)]
Join = Annotated[bool, option("--join", help="Add the rows themselves.")]
ModelA = Annotated[str, argument("A", "A model file.")]
ModelB = Annotated[str, argument("B", "Another, of the same columns.")]
Unlearned = Annotated[str, argument("DATA", "Rows that neither has learned from.")]
PerRow = Annotated[str | None, output("Table of both scores of each row.")]
NewRows = Annotated[str, argument("NEW", "New rows, to be compared with those of the fit.")]
REFERENCE_HELP = "Rows to compare with, in place of what the model keeps of its fit."
Reference = Annotated[str | None, option("--reference", metavar="DATA", help=REFERENCE_HELP)]
PerColumn = Annotated[str | None, output("Table of all columns: p-values, sizes, what moved.")]
OldDraws = Annotated[int | None, typer.Option("--draws", hidden=True)]
Svg = Annotated[str | None, option(metavar="FILE", help="Also write the network as a plate diagram.")]
Picture = Literal["history", "samples", "reconstructions", "latents", "manifold"]
What = Annotated[Picture, option(help="What to draw.")]
Drawn = Annotated[str, output("Picture: png, svg or pdf.")]
COLOUR_HELP = "Column, or array of the file, that colours the latents. Default: `label`, if there is one."
Colour = Annotated[str | None, option(metavar="COLUMN", help=COLOUR_HELP)]

# synthetic rows
Real = Annotated[str, argument("REAL", "Table the generator learned from.")]
Synthetic = Annotated[str, argument("SYNTHETIC", "Table of the rows that it made, with the same columns.")]
HOLDOUT_HELP = "Table of real rows that the generator has not seen: the reference; usefulness and privacy need it."
Holdout = Annotated[str | None, option(metavar="DATA", help=HOLDOUT_HELP)]
TARGET_HELP = "Column to predict from the others: trained on synthetic rows, tested on held-out ones."
Target = Annotated[str | None, option(metavar="COLUMN", help=TARGET_HELP)]
Shown = Annotated[str | None, option("--plot", metavar="FILE", help="Also draw: png, svg or pdf.")]
Measures = Annotated[str | None, output("Write the measures as a table instead of showing them.")]
Folder = Annotated[str, option(metavar="FOLDER", help="Folder for models and pictures.")]

# audit
ONLY_HELP = (
    "One of bounds, exact, quadrature, ais, hmc, gap, latents, bdmc, sbc; repeatable. Default: all that the model "
    "allows."
)
Only = Annotated[list[str] | None, option(metavar="ESTIMATOR", help=ONLY_HELP)]
RowCount = Annotated[int, count("--rows", help="Rows to use, and rows to simulate.")]
AuditDraws = Annotated[int, count(help="Draws from the guide for each row.")]
Bridges = Annotated[
    int, count(help="Distributions between the start and the posterior: the more, the closer to log p.")
]
Chains = Annotated[int, count(help="Annealing chains for each row.")]
StartAt = Annotated[Literal["guide", "prior"], option(help="Where annealing begins.")]
WALKER_HELP = r"How posterior samples are drawn; nuts needs laten\[lab]."  # unescaped, Rich takes [lab] for a style
Walker = Annotated[Literal["hmc", "nuts"], option(help=WALKER_HELP)]

# explain
EXPLAINED_HELP = "Model file, as `laten fit` writes; with --given also a discrete network (.bif)."
Explained = Annotated[str, argument("MODEL", EXPLAINED_HELP)]
CONTEXT_HELP = "Rows that give the latents to compare; with --of and --on: rows whose other columns are kept."
Context = Annotated[str | None, argument("DATA", CONTEXT_HELP)]
ABOUT_HELP = "How much columns tell about each other, or which columns latents move."
About = Annotated[Literal["columns", "latents"], option(help=ABOUT_HELP)]
OF_HELP = "Show how this column depends on another, --on; with DATA, while all others are kept (partial dependence)."
Of = Annotated[str | None, option(metavar="COLUMN", help=OF_HELP)]
On = Annotated[str | None, option(metavar="COLUMN", help="The column whose values are iterated over.")]
Points = Annotated[int, count(help="Values of a column of numbers to try.")]
SHARES_HELP = "For columns: give shares of the smaller entropy instead of nats."
Shares = Annotated[bool, option("--normalised", help=SHARES_HELP)]
HIDDEN_HELP = (
    "With --given: a variable to explain; the rest are summed out. Repeatable. Default: all ancestors of what is given."
)
Hidden = Annotated[list[str] | None, option("--latent", metavar="NAME", help=HIDDEN_HELP)]
Drawing = Annotated[str | None, output("Picture: png, svg or pdf; with --given also gif.")]
TABLE_HELP = "Table of the numbers; without picture and table they go to standard output."
Numbered = Annotated[str | None, option(metavar="FILE", help=TABLE_HELP)]

# query
SOURCE_HELP = "Discrete network (.bif), or a model of a table, as `laten fit` writes."
Source = Annotated[str, argument("NETWORK", SOURCE_HELP)]
QUESTION_HELP = (
    "P(targets | evidence), e.g. 'P(lung | smoke=yes, dysp=yes)' or 'P(risk | age>=40)'; a name given twice may have "
    "any of its values."
)
Question = Annotated[str, argument("QUESTION", QUESTION_HELP)]
