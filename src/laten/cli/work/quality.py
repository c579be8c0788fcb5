"""`laten quality`: how good synthetic rows are, told by two or three tables."""

import pandas as pd

from laten.cli.data_in_out import TABLES, check_output, note, put
from laten.common.errors import DataError
from laten.data.files.read import read
from laten.data.schema.contract import Name
from laten.plots.canvas import FORMATS
from laten.plots.quality import plot_quality
from laten.synthetic.quality import quality as judge


def quality(
    real: str, synthetic: str, holdout: str | None, target: str | None, plot: str | None, output: str | None,
    seed: int | None,
) -> None:  # fmt: skip
    """Shows the measures on standard output, or writes them to a table; `plot` also draws them."""
    check_output(plot, FORMATS)
    check_output(output, TABLES)
    tables = [table(real), table(synthetic), None if holdout is None else table(holdout)]
    found = judge(*tables, target=column(tables[0], target), seed=seed or 0)
    if plot is not None:
        plot_quality(found, plot)
    if output is None:
        print(found)
    else:
        put(found.frame, output)
    for name in (output, plot):
        if name is not None:
            note(f"Wrote {name}.")


def table(name: str) -> pd.DataFrame:
    """A table as read.

    Raises:
        DataError: it cannot be read, or holds arrays.
    """
    data = read(name)
    if not isinstance(data, pd.DataFrame):
        raise DataError(f"{name}: holds arrays; quality compares tables, e.g. {name.rpartition('.')[0] or name}.csv")
    return data


def column(frame: pd.DataFrame, name: str | None) -> Name | None:
    """The column that was typed; columns called by whole numbers are found by their text."""
    return name if name is None else next((n for n in frame.columns if str(n) == name), name)
