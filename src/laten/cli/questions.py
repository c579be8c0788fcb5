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
    """Draw new rows from p(row), or from p(rest | given)."""
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
    draws: o.OldDraws = None,
) -> None:
    """Fill empty cells; what is there stays as it is."""
    if draws is not None:
        raise typer.BadParameter(
            f"this option is now --samples {draws}, the number of completed copies", param_hint="--draws"
        )
    from laten.cli.work import impute as work

    work.impute(model, data, output, samples, given or [], flag, interval, coverage, seed, save)


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
    """Predict a column of each row from its other columns; its own cells, if there are any, are not looked at."""
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
) -> None:
    """Estimate log p of each row in nats, with its error: odd rows have low values.

    The mean goes to standard error, beside independent columns and a tree of pairs. --id carries a column through.
    """
    from laten.cli.work import ask as work

    work.score(model, data, output, by_column, draws, error)


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
) -> None:
    """Find the least probable rows, and say which of their cells make them so.

    Rows are counted from 0. After a fit to the data themselves, `score` orders them: 0 is usual, the lower the odder.
    """
    from laten.cli.work import outliers as work

    work.outliers(model, data, output, top, by_column, join, draws, error, save)


@app.command(rich_help_panel=PANEL)
@reads
def embed(model: o.Model, data: o.Data, output: o.Output = None) -> None:
    """Write the latent means of each row, after its number or the columns of --id."""
    from laten.cli.work import ask as work

    work.embed(model, data, output)


@app.command(rich_help_panel=PANEL)
@reads
def reconstruct(model: o.Model, data: o.Data, output: o.Output = None) -> None:
    """Write what the model makes of each row: means given its latent means."""
    from laten.cli.work import ask as work

    work.reconstruct(model, data, output)


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
    """Say which of two models explains the same rows better: the paired difference of log p, and its error."""
    from laten.cli.work import compare as work

    work.compare(first, second, data, output, draws, error)


@app.command(rich_help_panel=PANEL)
@reads
def drift(model: o.Model, new: o.NewRows, reference: o.Reference = None, output: o.PerColumn = None) -> None:
    """Say whether new rows are like those of the fit, by column and as wholes, and what moved."""
    from laten.cli.work import drift as work

    work.drift(model, new, reference, output)
