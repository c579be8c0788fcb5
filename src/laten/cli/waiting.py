"""What a terminal shows while a command works: nothing for two seconds, then what is done, of how much, and how long.

Rows are answered in parts, so that memory does not grow with their number; a part tells how far it is through
`inference.asking.WATCHED`. Nothing is shown where standard error is no terminal.
"""

import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from laten.common.errors import LatenWarning
from laten.inference.asking import WATCHED

PATIENCE = 2.0  # seconds before anything is shown
PART = 16_384  # rows answered at once


class Waiting:
    """How far a command is."""

    def __init__(self, what: str, live: Callable[[], Progress] | None) -> None:
        self.what, self.live = what, live
        self.done, self.part, self.total = 0, 0, 0
        self.shown: Progress | None = None
        self.task: Any = None

    def show(self) -> None:
        """Begin to show."""
        if self.live is not None:
            self.shown = self.live()
            self.task = self.shown.add_task(self.what, total=None)
            self.shown.start()
            self.update(0, 0)

    def hide(self) -> None:
        """Take away what is shown."""
        if self.shown is not None:
            self.shown.stop()
            self.shown = None

    def update(self, rows: int, of: int) -> None:
        """Note that a question is answered for `rows` of `of` rows."""
        if self.shown is None:
            return
        share = rows / of if of else 0.0
        done, total = (self.done + share * self.part, self.total) if self.total else (rows, of)
        self.shown.update(self.task, completed=done, total=total or None)

    def parts(self, data: Any, size: int = PART) -> Iterator[Any]:
        """Iterate over parts of rows: of a frame, an array, or a dictionary of arrays."""
        self.total = rows_of(data)
        for start in range(0, self.total, size):
            self.part = min(size, self.total - start)
            yield rows_between(data, start, start + self.part)
            self.done += self.part
            self.update(0, 0)


def rows_of(data: Any) -> int:
    """Return the number of rows."""
    first = next(iter(data.values())) if isinstance(data, dict) else data
    return first.shape[0] if hasattr(first, "shape") else len(first)


def rows_between(data: Any, start: int, stop: int) -> Any:
    """Return rows `start` to `stop`, without a copy."""
    if isinstance(data, dict):
        return {name: array[start:stop] for name, array in data.items()}
    return data.iloc[start:stop] if isinstance(data, pd.DataFrame) else data[start:stop]


def together(parts: list[Any]) -> Any:
    """Join answers for parts of rows."""
    if len(parts) == 1:
        return parts[0]
    if isinstance(parts[0], dict):
        return {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
    return pd.concat(parts) if isinstance(parts[0], pd.DataFrame | pd.Series) else np.concatenate(parts)


@contextmanager
def quiet() -> Iterator[None]:
    """Say nothing of a part of the rows that would be said of all."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LatenWarning)
        yield


@contextmanager
def waiting(what: str) -> Iterator[Waiting]:
    """Show on a terminal that a command works, once it takes more than two seconds."""
    terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    state = Waiting(what, bar if terminal else None)
    timer = threading.Timer(PATIENCE, state.show)
    timer.daemon = True
    if terminal:
        timer.start()
    token = WATCHED.set(state.update)
    try:
        yield state
    finally:
        WATCHED.reset(token)
        timer.cancel()
        if terminal:
            timer.join()
        state.hide()


def bar() -> Progress:
    """Build what is shown, on standard error; it vanishes at the end."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=Console(stderr=True), transient=True)
