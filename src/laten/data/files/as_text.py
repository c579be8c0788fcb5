"""Rows as text, in the notation of the file that a model was fitted to, or to the letter of the file that was read."""

import pandas as pd
import pyarrow as pa

from laten.data.files.write import Bare
from laten.data.schema.schema import Schema
from laten.data.text.notation import assumed
from laten.data.text.written import write_as


def as_written(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Return rows with each column as text that was text where the model was fitted, in the notation of that file."""
    notations = {c.name: c.notation for c in schema.columns if c.notation is not None and c.name in frame.columns}
    out = frame.astype(dict.fromkeys(notations, object))
    for name, notation in notations.items():
        out[name] = write_as(frame[name], notation)
    return out


def as_in_file(filled: pd.DataFrame, data: pd.DataFrame, texts: pa.Table) -> pd.DataFrame:
    """Return filled rows as text: full cells as the file has them, to the letter; others in their column's notation.

    Args:
        data: The rows as they were read, with what was assumed of them.
        texts: Their cells as the file has them.
    """
    record = assumed(data)
    assert record is not None
    out = filled.astype(object)
    for name in filled.columns:
        if str(name) not in texts.column_names:
            continue
        hole = data[name].isna().to_numpy()
        new = hole & filled[name].notna().to_numpy()
        cells = texts.column(str(name)).to_numpy().astype(object)
        cells[new] = write_as(filled.loc[new, name], record.columns[str(name)])
        cells[hole & ~new] = [Bare(text) for text in cells[hole & ~new]]
        out[name] = cells
    return out
