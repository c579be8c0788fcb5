"""`laten quality`: how good synthetic rows are, told by two or three tables."""

from laten.cli.data_in_out import TABLES, check_output, column_named, read_table, show, wrote
from laten.data.text.notation import assumed
from laten.plots.canvas import FORMATS
from laten.plots.quality import plot_quality
from laten.synthetic.quality import quality as judge


def quality(
    real: str, synthetic: str, holdout: str | None, target: str | None, plot: str | None, output: str | None,
    seed: int | None,
) -> None:  # fmt: skip
    """Show the measures on standard output, or write them to a table; `plot` also draws them."""
    check_output(plot, FORMATS, [real, synthetic, holdout])
    check_output(output, TABLES, [real, synthetic, holdout])
    use = "quality compares tables"
    first = read_table(real, use)
    others = [read_table(n, use, assumed(first)) for n in (synthetic, holdout) if n is not None]
    name = None if target is None else column_named(target, first.columns)
    found = judge(first, *others, target=name, seed=seed or 0)
    if plot is not None:
        plot_quality(found, plot)
    show(found, found.frame, output)
    wrote(output, plot)
