"""`laten quality`: how good synthetic rows are, told by two or three tables."""

import pandas as pd

from laten.cli.data_in_out import TABLES, check_output, column_named, put, wrote
from laten.common.errors import DataError
from laten.data.files.read import read
from laten.plots.canvas import FORMATS
from laten.plots.quality import plot_quality
from laten.synthetic.quality import quality as judge


def quality(
    real: str, synthetic: str, holdout: str | None, target: str | None, plot: str | None, output: str | None,
    seed: int | None,
) -> None:  # fmt: skip
    """Show the measures on standard output, or write them to a table; `plot` also draws them."""
    check_output(plot, FORMATS)
    check_output(output, TABLES)
    tables = [table(real), table(synthetic), None if holdout is None else table(holdout)]
    found = judge(*tables, target=None if target is None else column_named(target, tables[0].columns), seed=seed or 0)
    if plot is not None:
        plot_quality(found, plot)
    if output is None:
        print(found)
    else:
        put(found.frame, output)
    wrote(output, plot)


def table(name: str) -> pd.DataFrame:
    """Read a table.

    Raises:
        DataError: it cannot be read, or holds arrays.
    """
    data = read(name)
    if not isinstance(data, pd.DataFrame):
        raise DataError(f"{name}: holds arrays; quality compares tables, e.g. {name.rpartition('.')[0] or name}.csv")
    return data
