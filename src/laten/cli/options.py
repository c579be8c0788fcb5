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


Model = Annotated[str, argument("MODEL", "Model file that `laten fit` wrote.")]
Data = Annotated[str, argument("DATA", "A file, a folder, a pattern ('DIR/*.parquet'), or an embedded set's name.")]
Rows = Annotated[str | None, argument("DATA", "Rows to show, or to compare with what the model draws.")]
Output = Annotated[str | None, output("File to write. Default: standard output.")]
DRAWS_HELP = "Draws from the guide for each row. Default: 128, and more for rows that are not yet exact (--error)."
Draws = Annotated[int | None, count(help=DRAWS_HELP)]
ERROR_HELP = "Draw more until the standard error of each row's log p is below this. Default: 0.2."
Error = Annotated[float | None, option("--error", metavar="NATS", help=ERROR_HELP)]
Seed = Annotated[int | None, count(least=0, help="Seed of the random numbers: the same seed gives the same result.")]

# fit: the parameters of laten.VAE, in the field's words
NETWORK, DATA, TRAINING = "Network", "Data", "Training"
Written = Annotated[str | None, output("Model file to write. Default: the name of DATA with .laten.", "MODEL")]
Quiet = Annotated[bool, option("--quiet", "-q", help="Print no schema, no progress, no notes.")]
Latent = Annotated[int, count(help="Number of latent dimensions.", group=NETWORK)]
WIDTH_HELP = "Units of each hidden layer. Default: 256 for tables of at least 2500 rows, else 128."
Width = Annotated[int | None, count(help=WIDTH_HELP, group=NETWORK)]
NUMBERS_HELP = (
    "Model for columns of numbers: histograms of any shape (cells), or normal distributions, better for odd rows."
)
Numbers = Annotated[Literal["cells", "normal"], option(help=NUMBERS_HELP, group=NETWORK)]
KIND_HELP = (
    "Set the kind of a column: age=count, note=text (not modelled), or with its levels from low to high: "
    "'pain=ordinal:none,mild,severe'. Repeatable."
)
Kinds = Annotated[list[str] | None, option(metavar="COLUMN=KIND", help=KIND_HELP, group=DATA)]
CONSTRAINT_HELP = (
    "A rule that all rows of DATA obey. Samples and filled cells obey it too: 'start <= end', 'total = a + b', "
    "'city -> state', 'city, zip' (only combinations that were seen), '0 <= share <= 1'. Repeatable."
)
Constraints = Annotated[list[str] | None, option("--constraint", metavar="TEXT", help=CONSTRAINT_HELP, group=DATA)]
FORGET_HELP = "Drop this constraint, which was found in DATA; 'all' drops every one that was found. Repeatable."
Forgotten = Annotated[list[str] | None, option("--no-constraint", metavar="TEXT", help=FORGET_HELP, group=DATA)]
SCHEMA_HELP = "Schema file that `laten schema` wrote: it says what each column is. DATA must agree with it."
Agreed = Annotated[str | None, option("--schema", metavar="FILE", help=SCHEMA_HELP, group=DATA)]
HIDE_HELP = (
    "Hide further cells at random in training, so that any columns can be evidence later. Default: only for tables."
)
Hide = Annotated[bool | None, option("--hide/--no-hide", help=HIDE_HELP, group=DATA)]
TRIM_HELP = "Share of each batch to ignore: the rows that the model fits worst. Use 0.3 if DATA contain odd rows."
Trim = Annotated[float, option(metavar="SHARE", help=TRIM_HELP, group=TRAINING)]
GREY_HELP = (
    "How grey pixels become 0 or 1: drawn anew in each epoch (dynamic), drawn once (fixed), or kept grey (none)."
)
Grey = Annotated[Literal["dynamic", "fixed", "none"], option(help=GREY_HELP, group=DATA)]
HELD_HELP = "Share of rows to hold out for early stopping. 0: hold out none."
Validation = Annotated[float, option(metavar="SHARE", help=HELD_HELP, group=DATA)]
GOAL_HELP = (
    "Bound on log p(row) to maximise: the evidence lower bound (elbo), or the tighter importance-weighted bound (iwae)."
)
Objective = Annotated[Literal["elbo", "iwae"], option(help=GOAL_HELP, group=TRAINING)]
GOAL_DRAWS_HELP = "Draws for each row in the objective. Default: elbo 1, iwae 50."
GoalDraws = Annotated[int | None, count(help=GOAL_DRAWS_HELP, group=TRAINING)]
Epochs = Annotated[
    int | None, count(help="Passes over the rows. Default: as many as make about 20000 steps.", group=TRAINING)
]
BatchSize = Annotated[int | None, count(help="Rows in each step. Default: 128.", group=TRAINING)]
RATE_HELP = "Peak learning rate of Adam. Default: 0.003 for tables, 0.001 for arrays."
Rate = Annotated[float | None, option(metavar="X", help=RATE_HELP, group=TRAINING)]
PATIENCE_HELP = "Stop after N epochs without a better held-out bound. 0: never. Default: chosen by the number of rows."
Patience = Annotated[int | None, count(least=0, help=PATIENCE_HELP, group=TRAINING)]
Restarts = Annotated[int, count(help="Train N models, from different initial weights.", group=TRAINING)]
KEEP_HELP = "Of several --restarts: keep the best on held-out rows, or all, whose answers are then averaged."
Keep = Annotated[Literal["best", "all"], option(help=KEEP_HELP, group=TRAINING)]
FitSeed = Annotated[int, count(least=0, help="The same seed gives the same file.", group=TRAINING)]
RUN_HELP = "Keep the training in this folder: `laten resume DIR`, or the same command, goes on after a break."
Run = Annotated[str | None, option("--run", metavar="DIR", help=RUN_HELP, group=TRAINING)]
MEMORY_HELP = (
    "Memory to take at most, such as 2GiB. A table that needs more is read in parts. Default: 60 % of this machine's."
)
Memory = Annotated[str | None, option("--memory", metavar="SIZE", help=MEMORY_HELP)]
RunFolder = Annotated[str, argument("DIR", "Folder that `laten fit DATA --run DIR` trained in.")]
CLUSTER = "Devices and machines"
DEVICES_HELP = (
    "Devices of this process that share the rows of each batch. Default: 1; with --coordinator all that JAX sees."
)
Devices = Annotated[int | None, count(help=DEVICES_HELP, group=CLUSTER)]
COORDINATOR_HELP = (
    "Train together with other processes: the address of process 0, a free port of it. 'auto' under Slurm, Open MPI or "
    "Kubernetes. Type the same command for each process."
)
Coordinator = Annotated[str | None, option(metavar="HOST:PORT", help=COORDINATOR_HELP, group=CLUSTER)]
Processes = Annotated[int | None, count(help="How many processes train together.", group=CLUSTER)]
PROCESS_HELP = "The number of this one, from 0. Process 0 keeps --run and writes the model."
Process = Annotated[int | None, count(help=PROCESS_HELP, least=0, group=CLUSTER)]
TIMEOUT_HELP = (
    "Seconds of silence after which a process is lost; the others then end with exit code 75, and the run can go on. "
    "Default: 30."
)
Timeout = Annotated[float | None, typer.Option(metavar="SECONDS", min=1, help=TIMEOUT_HELP, rich_help_panel=CLUSTER)]
INEXACT_HELP = "Go on under other versions or on another machine too, where the last digits differ."
Inexact = Annotated[bool, option("--inexact", help=INEXACT_HELP)]

# schema
TOML_HELP = "TOML file to write. Default: standard output. With --check: write the findings as a table."
Toml = Annotated[str | None, output(TOML_HELP)]
CHECK_HELP = "Compare DATA with this schema file, or with the schema of a model file, and propose nothing."
Check = Annotated[str | None, option(metavar="FILE", help=CHECK_HELP)]

# questions
Count = Annotated[int, count("-n", help="Number of rows.")]
GIVEN_HELP = (
    "What is known about a column: a value, income='>50K'; a range, 'age=30..40', 'age>40', 'age=[30..40)'; a year or "
    "month, born=1985-03; or 'crp is missing'. Repeatable. Name a column twice to allow either value."
)
Given = Annotated[list[str] | None, option(metavar="COLUMN=VALUE", help=GIVEN_HELP)]
BY_HELP = "Also write the surprise of each column and of the latents: minus their shares of log p."
ByColumn = Annotated[bool, option("--by-column", help=BY_HELP)]
HOLES_HELP = "Leave cells empty: as often, and in the same combinations, as in the fitted data."
Holes = Annotated[bool, option("--holes", help=HOLES_HELP)]
SAMPLES_HELP = (
    "Write M completed copies, drawn from p(hidden | seen) and numbered in a column `sample`. Default: one copy with "
    "the best single value of each cell."
)
Samples = Annotated[int | None, typer.Option(min=1, metavar="M", help=SAMPLES_HELP)]
FLAG_HELP = "Add a column NAME_filled for each column with empty cells. It is 1 where a cell was filled."
Flag = Annotated[bool, option("--flag", help=FLAG_HELP)]
ENDS_HELP = "Add columns NAME_low and NAME_high: both ends of the central interval of numbers and ordered classes."
Interval = Annotated[bool, option("--interval", help=ENDS_HELP)]
Coverage = Annotated[float, option(metavar="SHARE", help="Probability that the interval contains the true value.")]
PUT_HELP = "Put this value into the empty cells of a column before the rest is filled: city=Oslo. Repeatable."
Put = Annotated[list[str] | None, option("--given", metavar="COLUMN=VALUE", help=PUT_HELP)]
Asked = Annotated[str, option("--column", metavar="COLUMN", help="Column to predict from all others.")]
PROBA_HELP = "Also write the probability of each level, in columns p(level)."
Proba = Annotated[bool, option("--proba", help=PROBA_HELP)]
KNOWN_HELP = "Use this value or range for a column in all rows, instead of their own cells. Repeatable."
Known = Annotated[list[str] | None, option("--given", metavar="COLUMN=VALUE", help=KNOWN_HELP)]
FITTED_HELP = "Model file that `laten fit` wrote. Without DATA: a file of data, to which a model is fitted first."
ModelOrData = Annotated[str, argument("MODEL", FITTED_HELP)]
DRAWN_FROM_HELP = "Model file that `laten fit` wrote; or a file of data, to which a model is fitted first."
DrawnFrom = Annotated[str, argument("MODEL", DRAWN_FROM_HELP)]
SAVE_HELP = "Keep the model that is fitted first in this file."
Save = Annotated[str | None, option("--save", metavar="MODEL", help=SAVE_HELP)]
HoledRows = Annotated[str | None, argument("DATA", "Rows with empty cells.")]
OddRows = Annotated[str | None, argument("DATA", "Rows in which to look for odd ones.")]
Top = Annotated[int, count("--top", least=0, help="Number of rows to write, the oddest first. 0: all.")]
EXCESS_HELP = "Write numbers instead of words: how many nats more than usual each column costs."
Excess = Annotated[bool, option("--by-column", help=EXCESS_HELP)]
Join = Annotated[bool, option("--join", help="Also write all columns of the rows.")]
ModelA = Annotated[str, argument("A", "Model file.")]
ModelB = Annotated[str, argument("B", "Another model file, of the same columns.")]
Unlearned = Annotated[str, argument("DATA", "Rows that neither model was fitted to.")]
PerRow = Annotated[str | None, output("Table to write: both scores of each row.")]
NewRows = Annotated[str, argument("NEW", "New rows, to compare with the rows of the fit.")]
REFERENCE_HELP = "Rows to compare with, instead of the summary that the model keeps of its fit."
Reference = Annotated[str | None, option("--reference", metavar="DATA", help=REFERENCE_HELP)]
PerColumn = Annotated[
    str | None, output("Table to write: p-value, size of the change and what moved, for each column.")
]
OldDraws = Annotated[int | None, typer.Option("--draws", hidden=True)]
Svg = Annotated[str | None, option(metavar="FILE", help="Also write the network as a plate diagram.")]
Picture = Literal["history", "samples", "reconstructions", "latents", "manifold"]
What = Annotated[Picture, option(help="What to draw.")]
Drawn = Annotated[str, output("Picture to write: png, svg or pdf.")]
COLOUR_HELP = "Column (or array of the file) that gives the colours of the latents. Default: `label`, if there is one."
Colour = Annotated[str | None, option(metavar="COLUMN", help=COLOUR_HELP)]

# synthetic rows
Real = Annotated[str, argument("REAL", "Table that the generator learned from.")]
Synthetic = Annotated[str, argument("SYNTHETIC", "Table that the generator made, with the same columns.")]
HOLDOUT_HELP = (
    "Table of real rows that the generator has not seen. It is the reference; usefulness and privacy need it."
)
Holdout = Annotated[str | None, option(metavar="DATA", help=HOLDOUT_HELP)]
TARGET_HELP = (
    "Column to predict from the others: a classifier learns from synthetic rows and is tested on held-out rows."
)
Target = Annotated[str | None, option(metavar="COLUMN", help=TARGET_HELP)]
Shown = Annotated[str | None, option("--plot", metavar="FILE", help="Also draw a picture: png, svg or pdf.")]
Measures = Annotated[str | None, output("Write the measures as a table instead of showing them.")]
Folder = Annotated[str, option(metavar="FOLDER", help="Folder for models and pictures.")]

# audit
ONLY_HELP = (
    "Run only this: bounds, exact, quadrature, ais, hmc, gap, latents, bdmc or sbc. Repeatable. Default: all that the "
    "model allows."
)
Only = Annotated[list[str] | None, option(metavar="ESTIMATOR", help=ONLY_HELP)]
RowCount = Annotated[int, count("--rows", help="Number of rows to use, and to simulate.")]
AuditDraws = Annotated[int, count(help="Draws from the guide for each row.")]
Bridges = Annotated[
    int, count(help="Number of distributions between start and posterior. More come closer to log p and take longer.")
]
Chains = Annotated[int, count(help="Annealing chains for each row.")]
StartAt = Annotated[Literal["guide", "prior"], option(help="Where annealing begins.")]
WALKER_HELP = r"How to draw posterior samples; nuts needs laten\[lab]."  # unescaped, Rich takes [lab] for a style
Walker = Annotated[Literal["hmc", "nuts"], option(help=WALKER_HELP)]

# explain
EXPLAINED_HELP = "Model file that `laten fit` wrote. With --given also a discrete network (.bif)."
Explained = Annotated[str, argument("MODEL", EXPLAINED_HELP)]
CONTEXT_HELP = "Rows whose latents are compared. With --of and --on: rows whose other columns stay as they are."
Context = Annotated[str | None, argument("DATA", CONTEXT_HELP)]
ABOUT_HELP = "Show how much columns tell about each other (columns), or which columns each latent moves (latents)."
About = Annotated[Literal["columns", "latents"], option(help=ABOUT_HELP)]
OF_HELP = "Show how this column depends on the column --on. With DATA: all other columns stay (partial dependence)."
Of = Annotated[str | None, option(metavar="COLUMN", help=OF_HELP)]
On = Annotated[str | None, option(metavar="COLUMN", help="Column whose values are tried, one after another.")]
Points = Annotated[int, count(help="How many values of a column of numbers to try.")]
SHARES_HELP = "For columns: write shares of the smaller entropy instead of nats."
Shares = Annotated[bool, option("--normalised", help=SHARES_HELP)]
HIDDEN_HELP = (
    "With --given: explain this variable and sum out the rest. Repeatable. Default: all ancestors of what is given."
)
Hidden = Annotated[list[str] | None, option("--latent", metavar="NAME", help=HIDDEN_HELP)]
Drawing = Annotated[str | None, output("Picture to write: png, svg or pdf; with --given also gif.")]
TABLE_HELP = "Table of the numbers to write. Without picture and table, they go to standard output."
Numbered = Annotated[str | None, option(metavar="FILE", help=TABLE_HELP)]

# query
SOURCE_HELP = "Discrete network (.bif), or a model of a table that `laten fit` wrote."
Source = Annotated[str, argument("NETWORK", SOURCE_HELP)]
QUESTION_HELP = (
    "P(targets | evidence), for example 'P(lung | smoke=yes, dysp=yes)' or 'P(risk | age>=40)'. Name a variable twice "
    "to allow either value."
)
Question = Annotated[str, argument("QUESTION", QUESTION_HELP)]

# serve
SERVED_HELP = "Model file, as `laten fit` writes; it is called as the file is, without its ending."
ServedModel = Annotated[str | None, argument("MODEL", SERVED_HELP)]
NAMED_HELP = "Serve this model file under this name. Repeatable."
Named = Annotated[list[str] | None, option("--name", metavar="NAME=MODEL", help=NAMED_HELP)]
HOST_HELP = "Address to listen on. Others than this machine's own need --token."
Host = Annotated[str, option(metavar="ADDRESS", help=HOST_HELP)]
Port = Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="Port to listen on; 0: any that is free.")]
TOKEN_HELP = "What requests must know: `Authorization: Bearer TOKEN`."
Token = Annotated[str | None, typer.Option(metavar="TEXT", envvar="LATEN_TOKEN", help=TOKEN_HELP)]
LIMITS = "Limits"
LimitRows = Annotated[int, count(help="Rows in a request.", group=LIMITS)]
LimitMegabytes = Annotated[int, count(help="Megabytes in a request.", group=LIMITS)]
LimitSeconds = Annotated[int, count(help="Seconds to an answer.", group=LIMITS)]
LimitWaiting = Annotated[int, count(help="Requests at once; more are told to come again.", group=LIMITS)]

# report
REPORTED_HELP = "Rows to judge the model by, best some that it has not learned from. Default: what it knows by itself."
Judged = Annotated[str | None, argument("DATA", REPORTED_HELP)]
Page = Annotated[str, output("Page to write; open it in a browser, or print it.", "FILE.html")]
JSON_HELP = "Also write all its figures."
Figures = Annotated[str | None, option("--json", metavar="FILE.json", help=JSON_HELP)]

# studio
Opened = Annotated[str | None, argument("DATA|MODEL", "Data, a model file or a .bif network to begin with.")]
FREE_HELP = "Port to listen on; by default the first free one from 8642."
FreePort = Annotated[int | None, typer.Option("--port", metavar="N", min=0, max=65535, help=FREE_HELP)]
Browser = Annotated[bool, option("--browser/--no-browser", help="Open the page in the browser.")]
