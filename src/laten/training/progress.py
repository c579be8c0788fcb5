"""The progress of training, on standard error.

`progress(kind)` opens a display and hands out what `fit.train` calls once an epoch with that epoch's record: a live bar
on a terminal, now and then a line elsewhere, or nothing. Rates are medians over the last epochs, so that the first one,
which also compiles, and a busy moment do not count. Bounds and KL are in nats a row.
"""

import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from laten.common.errors import LatenError, known

Record = dict[str, Any]
Report = Callable[[Record], None]
KINDS = ("auto", "rich", "plain", "quiet")

WINDOW = 20  # epochs that rates are taken from
PAUSE = 2.0  # seconds between two plain lines, at least
SHARE = 0.05  # and at least this share of the time so far: a day of training makes a readable log


@contextmanager
def progress(
    kind: str = "auto", stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
) -> Iterator[Report]:
    """Open a display of training.

    Args:
        kind: `"rich"` (a live bar), `"plain"` (lines), `"quiet"` (nothing), or `"auto"`: a bar on terminals only.
        stream: Where it goes; None: standard error.
        clock: Seconds now.
    Yields:
        What `train` calls once an epoch. Keys read: `epoch`, `epochs`, `bound`, `rows`, `seconds`; if there,
        `train_bound`, `valid_bound`, `kl`, `kl_` and a node (of several), `active_units`, `skipped`, `rollbacks`.
    Raises:
        LatenError: another kind.
    """
    if kind not in KINDS:
        raise LatenError(f"progress must be one of {known(KINDS)}, not {kind!r}")
    stream = sys.stderr if stream is None else stream
    if kind == "auto":
        kind = "rich" if stream.isatty() and os.environ.get("TERM") != "dumb" else "plain"
    if kind == "quiet":
        yield lambda record: None
    elif kind == "plain":
        lines = Lines(stream, clock)
        try:
            yield lines
        finally:
            lines.finish()
    else:
        screen = Screen(clock)
        console = Console(file=stream, force_terminal=True)
        with Live(screen, console=console, refresh_per_second=8, redirect_stdout=False) as live:
            try:
                yield screen
            finally:
                screen.running = False
                live.refresh()


class Pace:
    """Rows a second and the time left, from the last epochs."""

    def __init__(self) -> None:
        self.seconds: deque[float] = deque(maxlen=WINDOW)
        self.first = True

    def add(self, record: Record) -> None:
        """Note one epoch; the first is forgotten when there is a second."""
        if len(self.seconds) == 1 and self.first:
            self.seconds.clear()
            self.first = False
        self.seconds.append(max(float(record["seconds"]), 1e-9))

    def rate(self, record: Record) -> str:
        """Write rows a second in words; nothing while only the first of several epochs is known."""
        if self.first and record["epochs"] > 1:
            return ""
        return f"{thousands(record['rows'] / median(self.seconds))} rows/s"

    def left(self, record: Record) -> str:
        """Write the time until the plan is done in words; early stopping makes it less."""
        epochs = record["epochs"] - record["epoch"]
        return "" if self.first or epochs <= 0 else f"ETA {duration(epochs * median(self.seconds))}"


class Lines:
    """Lines of text, not too many, and the last epoch's for certain."""

    def __init__(self, stream: TextIO, clock: Callable[[], float]) -> None:
        self.stream, self.clock = stream, clock
        self.began, self.last = clock(), -float("inf")
        self.pace = Pace()
        self.waiting: Record | None = None

    def __call__(self, record: Record) -> None:
        """Show that one epoch is over."""
        self.pace.add(record)
        self.waiting = record
        now = self.clock()
        if now - self.last >= max(PAUSE, SHARE * (now - self.began)):
            self.last = now
            self.finish()

    def finish(self) -> None:
        """Write the line that waits, if one does."""
        if self.waiting is None:
            return
        record, self.waiting = self.waiting, None
        width = len(str(record["epochs"]))
        epoch = f"epoch {record['epoch']:{width}d}/{record['epochs']}"
        parts = [epoch, *figures(record, self.pace), self.pace.left(record)]
        print("  ".join(filter(None, parts)), file=self.stream, flush=True)


class Screen:
    """A bar over a line of figures; rich draws it again and again."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock, self.began = clock, clock()
        self.pace = Pace()
        self.record: Record | None = None
        self.running = True
        self.spinner = Spinner("dots", text=Text("compiling", style="dim"))

    def __call__(self, record: Record) -> None:
        """Show that one epoch is over."""
        self.pace.add(record)
        self.record = record

    def __rich__(self) -> Any:
        if self.record is None:
            return self.spinner if self.running else Text("")
        epoch, epochs = self.record["epoch"], self.record["epochs"]
        state = self.pace.left(self.record) if self.running else "stopped" if epoch < epochs else ""
        times = " · ".join(filter(None, [duration(self.clock() - self.began), state]))
        top = Table.grid(padding=(0, 1), expand=True)
        top.add_column(no_wrap=True)
        top.add_column(ratio=1)
        top.add_column(no_wrap=True)
        bar = ProgressBar(total=epochs, completed=epoch, complete_style="cyan", finished_style="green")
        top.add_row(Text(f"epoch {epoch}/{epochs}", style="bold"), bar, Text(times, style="dim"))
        return Group(top, Text(" · ".join(figures(self.record, self.pace)), overflow="ellipsis", no_wrap=True))


def figures(record: Record, pace: Pace) -> list[str]:
    """Say what is known of an epoch, in words; bounds and KL in nats a row."""
    own = {"train_bound": "training"} if "train_bound" in record else {"bound": "bound"}  # as held-out rows are judged
    nats, counts = own | {"valid_bound": "held-out", "kl": "KL"}, {"active_units": "active"}
    parts = [f"{word} {number(record[key])}" for key, word in nats.items() if key in record]
    nodes = [key for key in record if key.startswith("kl_")]
    parts += [f"KL {key[3:]} {number(record[key])}" for key in nodes if len(nodes) > 1]
    parts += [f"{word} {record[key]}" for key, word in counts.items() if key in record]
    parts += filter(None, [pace.rate(record)])
    faults = {"skipped": "skipped", "rollbacks": "roll-backs"}
    return parts + [f"{word} {record[key]}" for key, word in faults.items() if record.get(key)]


def number(x: float) -> str:
    """Write a figure in nats: two decimals, one or none as it grows."""
    return f"{x:.{2 if abs(x) < 1000 else 1 if abs(x) < 10000 else 0}f}"


def thousands(x: float) -> str:
    """Write `30412` as `'30 400'`: three figures are all that a rate is good for."""
    if x < 10:
        return f"{x:.1f}"
    digits = max(len(str(int(x))) - 3, 0)
    return f"{round(x / 10**digits) * 10**digits:,}".replace(",", " ")


def duration(seconds: float) -> str:
    """Write `75` as `'1:15'`, `3700` as `'1:01:40'`."""
    whole = max(round(seconds), 0)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
