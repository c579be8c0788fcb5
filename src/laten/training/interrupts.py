"""Signals that end training early, and leave what it has learned."""

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import jax

from laten.training.cluster import gathered

WAYS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}  # signal -> how training ended
CTRL_C = (signal.SIGINT,)


class Interruption(threading.Event):
    """Set by the first signal that comes; where several processes train together, when all have heard of it."""

    way = ""  # how training ended, in the words of `WAYS`
    asked = ""  # the same, of a signal to this process

    def ask(self, way: str) -> None:
        """Take a signal."""
        self.asked = way
        if jax.process_count() == 1:
            self.end(way)

    def end(self, way: str) -> None:
        """End training."""
        self.way = way
        self.set()


@contextmanager
def interruptible(signals: Sequence[signal.Signals] = CTRL_C) -> Iterator[Interruption]:
    """Set the event that is handed out on the first of these signals; a second one does what it did before."""
    event = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return
    before = {number: signal.getsignal(number) for number in signals}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def handler(number, frame):
        event.ask(WAYS[number])
        restore()

    for number in signals:
        signal.signal(number, handler)
    try:
        yield event
    finally:
        restore()


def settled(interrupted: Interruption, number: int) -> int:
    """Agree between all processes whether training ends; return the first process's number."""
    if jax.process_count() == 1:
        return number
    ways = ["", *WAYS.values()]
    found = gathered([ways.index(interrupted.asked), number])
    if way := ways[found[:, 0].max()]:
        interrupted.end(way)
    return int(found[0, 1])
