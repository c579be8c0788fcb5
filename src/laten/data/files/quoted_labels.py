"""Labels that look like codes for missing, such as `NA`: a file tells them apart by quotes.

Where quotes stand only around cells that need them, those around a code say that it is text. A file that quotes all of
its text says so too, if its missing cells have no quotes. `write.py` quotes such labels.
"""

import io
import re
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from laten.data.text.missing import ALWAYS

CODES = tuple(code for code in ALWAYS if code)
NEEDS = r"[,;\t|\"\r\n]|^['\s#]|\s$|^//"  # what a cell has that needs quotes in any file


class Quoted(NamedTuple):
    """Labels of a column that look like codes for missing, and its cells where those without quotes are empty."""

    labels: tuple[str, ...]
    cells: pa.ChunkedArray


def quoted_labels(text: str, cells: list[pa.ChunkedArray], sep: str, quote: str) -> dict[int, Quoted]:
    """Find codes for missing that would be labels in a column of text, because they are in quotes.

    Args:
        text: The rows of a file, without its names.
        cells: Its columns.
        sep: Between cells.
        quote: Around cells.
    Returns:
        By the column's number.
    """
    mark = re.escape(quote)
    if re.search(f"{mark}({'|'.join(map(re.escape, CODES))}){mark}", text) is None:
        return {}
    names = [str(i) for i in range(len(cells))]
    found = csv.read_csv(
        io.BytesIO(text.encode("utf-8", "surrogatepass")),
        read_options=csv.ReadOptions(column_names=names, block_size=max(1 << 20, min(1 << 30, len(text)))),
        parse_options=csv.ParseOptions(delimiter=sep, quote_char=quote, newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), null_values=list(ALWAYS), strings_can_be_null=True,
            quoted_strings_can_be_null=False, check_utf8=False,
        ),
    )  # fmt: skip
    sparing = not _needless(text, sep, quote)
    labels = {}
    for i, column in enumerate(found.columns):
        held = pc.unique(pc.filter(column, pc.is_in(column, value_set=pa.array(CODES)))).drop_null().to_pylist()
        if held and (sparing or column.null_count):
            labels[i] = Quoted(tuple(held), pc.fill_null(column, ""))
    return labels


def _needless(text: str, sep: str, quote: str) -> bool:
    """Say whether quotes stand around a cell that needs none."""
    mark, gap = re.escape(quote), re.escape(sep)
    cell = re.compile(rf"(?:^|{gap}){mark}([^{mark}\r\n]*){mark}(?={gap}|\r|\n|$)", re.MULTILINE)
    return any(
        found[1].strip() not in ALWAYS and not re.search(rf"{NEEDS}|\s", found[1]) for found in cell.finditer(text)
    )
