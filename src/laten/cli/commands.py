"""What can be typed: commands, their arguments and options. Loads typer and nothing else, so that help is instant.

Each command hands what it was given to a function of the same name in the module that does the work.
"""

from typing import Annotated

import typer

from laten import __version__
from laten.cli.options import (
    About,
    Agreed,
    AuditDraws,
    BatchSize,
    Binarise,
    Bridges,
    ByColumn,
    Chains,
    Check,
    Colour,
    Context,
    Copies,
    Count,
    Data,
    Density,
    Drawing,
    Drawn,
    Draws,
    Epochs,
    Explained,
    FitSeed,
    Folder,
    Given,
    Goal,
    GoalDraws,
    Grey,
    Hidden,
    Hide,
    Holdout,
    Kinds,
    Latent,
    Measures,
    Model,
    Numbered,
    Numbers,
    Objective,
    Of,
    On,
    Only,
    Output,
    Patience,
    Points,
    Question,
    Quiet,
    Rate,
    Real,
    Restarts,
    RowCount,
    Rows,
    Sampler,
    Seed,
    Shares,
    Shown,
    Source,
    Start,
    StartAt,
    Subject,
    Svg,
    Synthetic,
    Target,
    Toml,
    Trim,
    Validation,
    Walker,
    What,
    Width,
    Written,
)

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
    from laten.cli.work import fit as work

    return work.fit(data, output, kind or [], schema, objective.value, draws, options, quiet)


@app.command()
def schema(data: Data, output: Toml = None, kind: Kinds = None, check: Check = None) -> int:
    """Say what each column of DATA is, as a file to edit and to fit by; or check DATA against one.

    With --check, shows what lacks, is new, of another type or far outside; exits with 1 when a model would refuse it.
    """
    from laten.cli.work import schema as work

    return work.schema(data, output, kind or [], check)


@app.command()
def sample(model: Model, n: Count = 10, given: Given = None, output: Output = None, seed: Seed = None) -> None:
    """Draw new rows: p(row), or p(rest | given)."""
    from laten.cli.work import ask as work

    work.sample(model, n, given or [], output, seed)


@app.command()
def score(model: Model, data: Data, output: Output = None, by_column: ByColumn = False, draws: Draws = None) -> None:
    """Log p of each row in nats: the lower, the odder. Mean, errors and Pareto k go to standard error."""
    from laten.cli.work import ask as work

    work.score(model, data, output, by_column, draws)


@app.command()
def impute(model: Model, data: Data, output: Output = None, draws: Copies = None, seed: Seed = None) -> None:
    """Fill empty cells; what is there stays as it is."""
    from laten.cli.work import ask as work

    work.impute(model, data, output, draws, seed)


@app.command()
def embed(model: Model, data: Data, output: Output = None) -> None:
    """Latent means of each row."""
    from laten.cli.work import ask as work

    work.embed(model, data, output)


@app.command()
def reconstruct(model: Model, data: Data, output: Output = None) -> None:
    """Each row's means, given its latent means."""
    from laten.cli.work import ask as work

    work.reconstruct(model, data, output)


@app.command()
def info(model: Model, svg: Svg = None) -> None:
    """Network, guide, schema, and how training went."""
    from laten.cli.work import show as work

    work.info(model, svg)


@app.command()
def plot(model: Model, what: What, output: Drawn, data: Rows = None, colour: Colour = None, seed: Seed = None) -> None:
    """Draw a picture."""
    from laten.cli.work import show as work

    work.plot(model, data, what.value, output, colour, seed)


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
    from laten.cli.work import quality as work

    work.quality(real, synthetic, holdout, target, plot, output, seed)


@app.command()
def demo(folder: Folder = "demo") -> None:
    """Fit digits and a table with holes; leave models and pictures in a folder."""
    from laten.cli.work import demo as work

    work.demo(folder)


@app.command()
def audit(
    model: Model,
    data: Data,
    only: Only = None,
    rows: RowCount = 100,
    draws: AuditDraws = 5000,
    bridges: Bridges = 200,
    chains: Chains = 8,
    start: StartAt = Start.GUIDE,
    sampler: Walker = Sampler.HMC,
    plot: Shown = None,
    output: Measures = None,
    seed: Seed = None,
) -> None:
    """How good a model's posterior and log p are: bounds, exact values, gaps, calibration."""
    names = [e.value for e in only or []]
    options = {"rows": rows, "draws": draws, "bridges": bridges, "chains": chains, "start": start.value}
    from laten.cli.work import audit as work

    work.audit(model, data, names, {**options, "sampler": sampler.value, "seed": seed}, plot, output)


@app.command()
def explain(
    model: Explained,
    data: Context = None,
    output: Drawing = None,
    what: About = Subject.COLUMNS,
    of: Of = None,
    on: On = None,
    points: Points = 32,
    normalised: Shares = False,
    table: Numbered = None,
    given: Given = None,
    latent: Hidden = None,
    seed: Seed = None,
) -> None:
    """Show what a model of a table has learned: ties between columns, effects of latents, curves.

    With --given: Bayes' theorem and log p(x) = KL + ELBO, with numbers, for one example of a discrete or
    linear-Gaussian network.
    """
    if given or latent or model.lower().endswith(".bif"):
        used = {"DATA": data, "--of": of, "--on": on, "--normalised": normalised or None}
        wrong = [name for name, value in used.items() if value is not None]
        from laten.cli.work import bayes_theorem

        bayes_theorem.identity(model, given or [], latent, output, table, wrong)
        return
    from laten.cli.work import explain as work

    work.explain(model, data, output, table, what.value, of, on, points, normalised, seed)


@app.command()
def query(network: Source, question: Question, output: Output = None) -> None:
    """Probabilities of some variables given others: exact for a .bif network, by the guide for a fitted model."""
    from laten.cli.work import query as work

    work.query(network, question, output)
