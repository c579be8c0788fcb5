"""What can be typed: commands, their arguments and options. Loads typer and nothing else, so that help is instant.

Each command hands its arguments to a function of the same name in `work/`.
"""

from typing import Annotated

import typer

from laten import __version__
from laten.cli import options as o
from laten.cli.reading import reads

app = typer.Typer(
    name="laten",
    help="Fit a variational autoencoder to data, then ask it anything: fill holes, draw rows, predict, score, find odd "
    "rows.",
    epilog="Begin with `laten fit DATA`, then `laten impute MODEL DATA`. DATA is a file (csv, tsv, txt, xlsx, json, "
    "jsonl, sqlite, parquet, feather, arrow, npy, npz, idx; also in gz, xz, bz2, zst, zip), standard input (-), a "
    "folder of PNG or JPEG images, or one of digits, wine, breast_cancer, clinic. Results go to -o, in the format of "
    "its extension, or as CSV to standard output. Progress and notes go to standard error.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def show_version(wanted: bool) -> None:
    """Print the version and end."""
    if wanted:
        print(f"laten {__version__}")
        raise typer.Exit


Version = Annotated[bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version.")]


@app.callback(invoke_without_command=True)
def start(context: typer.Context, version: Version = False) -> None:  # noqa: D103 (a docstring would be the help)
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command()
@reads
def fit(
    data: o.Data,
    output: o.Written = None,
    latent: o.Latent = 16,
    width: o.Width = None,
    numbers: o.Numbers = "cells",
    kind: o.Kinds = None,
    schema: o.Agreed = None,
    constraint: o.Constraints = None,
    no_constraint: o.Forgotten = None,
    hide: o.Hide = None,
    binarise: o.Grey = "dynamic",
    validation: o.Validation = 0.1,
    trim: o.Trim = 0.0,
    objective: o.Objective = "elbo",
    draws: o.GoalDraws = None,
    epochs: o.Epochs = None,
    batch_size: o.BatchSize = None,
    learning_rate: o.Rate = None,
    patience: o.Patience = None,
    restarts: o.Restarts = 1,
    keep: o.Keep = "best",
    seed: o.FitSeed = 0,
    run: o.Run = None,
    memory: o.Memory = None,
    devices: o.Devices = None,
    coordinator: o.Coordinator = None,
    processes: o.Processes = None,
    process: o.Process = None,
    timeout: o.Timeout = None,
    quiet: o.Quiet = False,
) -> int:
    """Learn a model from DATA. Ctrl-C ends training early and still writes the model."""
    typed = dict(locals())
    from laten.cli.work import fit as work
    from laten.cli.work.together import Cluster

    cluster = Cluster(*(typed.pop(name) for name in Cluster._fields))
    return work.fit(**typed, cluster=cluster)


@app.command()
def resume(
    folder: o.RunFolder,
    inexact: o.Inexact = False,
    coordinator: o.Coordinator = None,
    processes: o.Processes = None,
    process: o.Process = None,
    timeout: o.Timeout = None,
    quiet: o.Quiet = False,
) -> int:
    """Go on with a training that `laten fit DATA --run DIR` began, as if there had been no break."""
    from laten.cli.work import resume as work
    from laten.cli.work.together import Cluster

    return work.resume(folder, inexact, quiet, Cluster(coordinator, processes, process, timeout))


@app.command()
@reads
def schema(
    data: o.Data,
    output: o.Toml = None,
    kind: o.Kinds = None,
    constraint: o.Constraints = None,
    no_constraint: o.Forgotten = None,
    check: o.Check = None,
) -> int:
    """Write what each column of DATA is, as a file that you edit and fit with; or check DATA against such a file.

    --check shows columns that are absent or new, cells of another type, and values far outside. It exits with 1 if a
    model would refuse DATA.
    """
    from laten.cli.work import schema as work

    return work.schema(data, output, kind or [], check, constraint or [], no_constraint or [])


@app.command()
def info(model: o.Model, svg: o.Svg = None) -> None:
    """Show the network, the guide, the schema, and how training went."""
    from laten.cli.work import show as work

    work.info(model, svg)


@app.command()
@reads
def plot(
    model: o.Model, what: o.What, output: o.Drawn, data: o.Rows = None, colour: o.Colour = None, seed: o.Seed = None
) -> None:
    """Draw a picture of a model: history, samples, reconstructions, latents or manifold."""
    from laten.cli.work import show as work

    work.plot(model, data, what, output, colour, seed)


@app.command()
@reads
def quality(
    real: o.Real,
    synthetic: o.Synthetic,
    holdout: o.Holdout = None,
    target: o.Target = None,
    plot: o.Shown = None,
    output: o.Measures = None,
    seed: o.Seed = None,
) -> None:
    """Measure synthetic rows: how similar to real rows, how easy to detect, how useful, how private."""
    from laten.cli.work import quality as work

    work.quality(real, synthetic, holdout, target, plot, output, seed)


@app.command()
def demo(folder: o.Folder = "demo") -> None:
    """Fit a model of digits and one of a table with holes; write models and pictures to a folder."""
    from laten.cli.work import demo as work

    work.demo(folder)


@app.command()
@reads
def audit(
    model: o.Model,
    data: o.Data,
    only: o.Only = None,
    rows: o.RowCount = 100,
    draws: o.AuditDraws = 5000,
    bridges: o.Bridges = 200,
    chains: o.Chains = 8,
    start: o.StartAt = "guide",
    sampler: o.Walker = "hmc",
    plot: o.Shown = None,
    output: o.Measures = None,
    seed: o.Seed = None,
) -> None:
    """Measure how good a model's posterior and log p are: bounds, exact values, gaps, calibration."""
    typed = dict(locals())
    from laten.cli.work import audit as work

    work.audit(**typed)


@app.command()
@reads
def explain(
    model: o.Explained,
    data: o.Context = None,
    output: o.Drawing = None,
    what: o.About = "columns",
    of: o.Of = None,
    on: o.On = None,
    points: o.Points = 32,
    normalised: o.Shares = False,
    table: o.Numbered = None,
    given: o.Given = None,
    latent: o.Hidden = None,
    seed: o.Seed = None,
) -> None:
    """Show what a model of a table has learned: how columns depend on each other, and what each latent moves.

    With --given: show Bayes' theorem and log p(x) = KL + ELBO in numbers, for a discrete or linear-Gaussian network.
    """
    from laten.cli.work import bayes_theorem

    if given or latent or bayes_theorem.is_bif(model):
        used = {"DATA": data, "--of": of, "--on": on, "--normalised": normalised or None}
        wrong = [name for name, value in used.items() if value is not None]
        bayes_theorem.identity(model, given or [], latent, output, table, wrong)
        return
    from laten.cli.work import explain as work

    work.explain(model, data, output, table, what, of, on, points, normalised, seed)


@app.command()
def query(network: o.Source, question: o.Question, output: o.Output = None) -> None:
    """Compute P(targets | evidence): exactly for a .bif network, by the guide for a fitted model."""
    from laten.cli.work import query as work

    work.query(network, question, output)


@app.command()
def studio(
    opened: o.Opened = None,
    host: o.Host = "127.0.0.1",
    port: o.FreePort = None,
    token: o.Token = None,
    browser: o.Browser = True,
) -> None:
    """Open a page in the browser: look at a table, train a model, and ask it by clicking. Needs laten[studio]."""
    from laten.cli.work import studio as work

    work.studio(opened, host, port, token, browser)
