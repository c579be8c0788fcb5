"""Tables that are larger than memory: read in parts, answered, and written as the answers come."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd

from laten.cli.data_in_out import Source, in_parts, mark_of, print_part
from laten.cli.reading import told
from laten.cli.waiting import Waiting
from laten.cli.work.labelled import first, labelled
from laten.common.errors import DataError, known
from laten.data.files.in_parts import PART, Parts
from laten.data.files.open_parts import estimated_rows
from laten.data.files.write_parts import WRITTEN, appending, texts
from laten.data.rows.views import TableView
from laten.estimator.plain_vae import PlainVAE


def larger(vae: PlainVAE, data: str, memory: str | None, output: str | None = None) -> Parts | None:
    """Return the parts of a table that does not fit into memory; None: it does.

    Raises:
        DataError: `output` cannot be written a part at a time, or the model is not of tables and `memory` is given.
    """
    if not isinstance(vae.view_, TableView):
        if memory is not None:
            raise DataError("--memory is for tables; this model was fitted to arrays: leave it out")
        return None
    parts = in_parts(data, memory, vae.schema_)
    if parts is not None and output is not None and not output.lower().endswith(WRITTEN):
        raise DataError(f"{output}: cannot be written a part at a time; known: {known(WRITTEN)}")
    return parts


@contextmanager
def writing(output: str | None, sep: str = ",") -> Iterator[Callable[[pd.DataFrame], None]]:
    """Open what answers are written to: a file, or standard output."""
    if output is not None:
        with appending(output, sep) as put:
            yield put
        return
    write = texts(sep)

    def shown(part: pd.DataFrame) -> None:
        for text in write(part):
            print_part(text)

    yield shown


def each(parts: Parts, wait: Waiting) -> Iterator[tuple[int, pd.DataFrame, Any]]:
    """Go through frames, and show how far that is."""
    wait.total = estimated_rows(parts)
    for start, frame, cells in parts.frames(PART):
        wait.part = len(frame)
        yield start, frame, cells
        wait.done += len(frame)
        wait.update(0, 0)


def by_row(answer: pd.DataFrame, frame: pd.DataFrame, start: int) -> pd.DataFrame:
    """Put first what names the rows of a part (`labelled`)."""
    if told()[0].get("id"):
        return labelled(answer, Source(frame, {}, {}))
    return first(answer.reset_index(drop=True), "row", np.arange(start, start + len(frame)))


def mark_of_parts(parts: Parts) -> str:
    """Return what stands between the cells of a text table."""
    return mark_of(Source(next(parts.frames(1))[1], {}, {}))
