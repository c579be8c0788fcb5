"""What can be typed, continued: the commands that put questions to a model file. Loads typer and nothing else."""

import typer

from laten.cli import options as o
from laten.cli.commands import app
from laten.cli.reading import reads

__all__ = ["app"]

PANEL = "Questions to a model"


@app.command(rich_help_panel=PANEL)
@reads
def sample(
    model: o.DrawnFrom,
    n: o.Count = 10,
    given: o.Given = None,
    holes: o.Holes = False,
    output: o.Output = None,
    seed: o.Seed = None,
    save: o.Save = None,
) -> None:
    """Draw new rows: from p(row), or with --given from p(other columns | given)."""
    from laten.cli.work import ask as work

    work.sample(model, n, given or [], output, seed, holes, save)


@app.command(rich_help_panel=PANEL)
@reads
def impute(
    model: o.ModelOrData,
    data: o.HoledRows = None,
    output: o.Output = None,
    samples: o.Samples = None,
    flag: o.Flag = False,
    interval: o.Interval = False,
    coverage: o.Coverage = 0.9,
    given: o.Put = None,
    seed: o.Seed = None,
    save: o.Save = None,
    memory: o.Memory = None,
    draws: o.OldDraws = None,
) -> None:
    """Fill empty cells. Cells that hold a value stay as they are."""
    if draws is not None:
        raise typer.BadParameter(
            f"this option is now --samples {draws}, the number of completed copies", param_hint="--draws"
        )
    from laten.cli.work import impute as work

    work.impute(model, data, output, samples, given or [], flag, interval, coverage, seed, save, memory)


@app.command(rich_help_panel=PANEL)
@reads
def predict(
    model: o.Model,
    data: o.Data,
    column: o.Asked,
    output: o.Output = None,
    proba: o.Proba = False,
    interval: o.Interval = False,
    coverage: o.Coverage = 0.9,
    given: o.Known = None,
) -> None:
    """Predict one column of each row from its other columns. Cells of that column, if there are any, are ignored."""
    from laten.cli.work import predict as work

    work.predict(model, data, column, output, proba, interval, coverage, given or [])


@app.command(rich_help_panel=PANEL)
@reads
def score(
    model: o.Model,
    data: o.Data,
    output: o.Output = None,
    by_column: o.ByColumn = False,
    draws: o.Draws = None,
    error: o.Error = None,
    memory: o.Memory = None,
) -> None:
    """Estimate log p of each row, in nats, with its error. Odd rows have low values.

    The mean goes to standard error, beside two simple models: independent columns, and a tree of pairs.
    """
    from laten.cli.work import ask as work

    work.score(model, data, output, by_column, draws, error, memory)


@app.command(rich_help_panel=PANEL)
@reads
def outliers(
    model: o.ModelOrData,
    data: o.OddRows = None,
    output: o.Output = None,
    top: o.Top = 20,
    by_column: o.Excess = False,
    join: o.Join = False,
    draws: o.Draws = None,
    error: o.Error = None,
    save: o.Save = None,
    memory: o.Memory = None,
) -> None:
    """Find the oddest rows, and the cells that make them odd.

    Rows are numbered from 0. If a model is fitted first, `score` orders the rows: 0 is usual, lower is odder.
    """
    from laten.cli.work import outliers as work

    work.outliers(model, data, output, top, by_column, join, draws, error, save, memory)


@app.command(rich_help_panel=PANEL)
@reads
def embed(model: o.Model, data: o.Data, output: o.Output = None, memory: o.Memory = None) -> None:
    """Write the latent means of each row. They follow its number, or the columns of --id."""
    from laten.cli.work import ask as work

    work.embed(model, data, output, memory)


@app.command(rich_help_panel=PANEL)
@reads
def reconstruct(model: o.Model, data: o.Data, output: o.Output = None, memory: o.Memory = None) -> None:
    """Pass each row through the latents and back: write the means given its latent means."""
    from laten.cli.work import ask as work

    work.reconstruct(model, data, output, memory)


@app.command(rich_help_panel=PANEL)
@reads
def compare(
    first: o.ModelA,
    second: o.ModelB,
    data: o.Unlearned,
    output: o.PerRow = None,
    draws: o.Draws = None,
    error: o.Error = None,
) -> None:
    """Find out which of two models explains the same rows better: the paired difference of log p, with its error."""
    from laten.cli.work import compare as work

    work.compare(first, second, data, output, draws, error)


@app.command(rich_help_panel=PANEL)
@reads
def drift(model: o.Model, new: o.NewRows, reference: o.Reference = None, output: o.PerColumn = None) -> None:
    """Test whether new rows are like the rows of the fit, column by column and as a whole; show what moved."""
    from laten.cli.work import drift as work

    work.drift(model, new, reference, output)


@app.command(rich_help_panel=PANEL)
@reads
def report(
    model: o.Model, data: o.Judged = None, output: o.Page = "report.html", json: o.Figures = None, seed: o.Seed = None
) -> None:
    """Put all that is known of a model on one page: findings in sentences, figures, pictures."""
    from laten.cli.work import report as work

    work.report(model, data, output, json, seed)


@app.command(rich_help_panel=PANEL)
def serve(
    model: o.ServedModel = None,
    name: o.Named = None,
    host: o.Host = "127.0.0.1",
    port: o.Port = 8000,
    token: o.Token = None,
    limit_rows: o.LimitRows = 10_000,
    limit_megabytes: o.LimitMegabytes = 16,
    limit_seconds: o.LimitSeconds = 30,
    limit_waiting: o.LimitWaiting = 64,
) -> None:
    """Answer questions over HTTP, for programs: rows as JSON or Arrow, documented in /openapi.json.

    A model file that is replaced is read anew, also on SIGHUP; SIGTERM ends it when all is answered.
    """
    from laten.cli.work import serve as work

    work.serve(model, name or [], host, port, token, (limit_rows, limit_megabytes, limit_seconds, limit_waiting))
