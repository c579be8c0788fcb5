"""Tables of answers: the row or the id of each answer first, and numbers with the digits that their errors allow."""

import numpy as np
import pandas as pd

from laten.cli.data_in_out import Source
from laten.cli.reading import told
from laten.inference.diagnostics import digits

TYPED = (".parquet", ".feather", ".npy", ".npz")  # formats that keep all digits of a number


def labelled(frame: pd.DataFrame, source: Source, rows: np.ndarray | None = None) -> pd.DataFrame:
    """Put first what names the rows: the columns of `--id`, else their numbers from 0, in a column `row`.

    Args:
        frame: An answer a row.
        source: The data as read.
        rows: Which rows of the data the answers are for; None: all, in order.
    """
    rows = np.arange(source.rows) if rows is None else rows
    ids = [name for name in told()[0].get("id", ()) if isinstance(source.data, pd.DataFrame)]
    found = frame.reset_index(drop=True)
    if not ids:
        return first(found, "row", rows)
    for name in reversed(ids):
        found = first(found, name, source.data[name].iloc[rows].to_numpy())
    return found


def first(frame: pd.DataFrame, name: str, values: np.ndarray) -> pd.DataFrame:
    """Add a first column, called `name`, or `name_` where that is taken."""
    while name in frame.columns:
        name += "_"
    return pd.concat([pd.Series(values, index=frame.index, name=name), frame], axis=1)


def scored(log_p: np.ndarray, errors: np.ndarray, output: str | None) -> pd.DataFrame:
    """Return log p and its error, nats; as text with the digits that the error allows."""
    if output is not None and output.lower().endswith(TYPED):
        return pd.DataFrame({"log_p": log_p, "error": errors})
    places = np.array([digits(e) for e in errors.tolist()])
    both = (np.array([round(v, int(d)) for v, d in zip(x.tolist(), places, strict=True)]) for x in (log_p, errors))
    return pd.DataFrame(dict(zip(("log_p", "error"), both, strict=True)))
