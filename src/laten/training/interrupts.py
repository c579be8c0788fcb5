"""Signals that end training early, and leave what it has learned."""

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

WAYS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}  # signal -> how training ended
CTRL_C = (signal.SIGINT,)


class Interruption(threading.Event):
    """Set by the first signal that comes."""

    way = ""  # how training ended, in the words of `WAYS`


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
        event.way = WAYS[number]
        event.set()
        restore()

    for number in signals:
        signal.signal(number, handler)
    try:
        yield event
    finally:
        restore()
