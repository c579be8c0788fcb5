"""Rows of several requests in one compiled call.

Each request is parsed, encoded and answered in a thread of its own, so that what is wrong with one touches no other.
Only the compiled calls meet here: chunks that differ in nothing but their rows are put together, answered in calls of
one size, and taken apart again. A row's random numbers come from the row or its number, so that who shares a call with
whom changes no answer.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from laten.inference.asking import Chunk, answered, side_by_side, sites_of

GATHER = 0.002  # seconds that a request waits for others
DEADLINE: ContextVar[float] = ContextVar("when the client stops waiting (time.monotonic)", default=float("inf"))


class TooLate(Exception):
    """The client does not wait any more."""


@dataclass(eq=False)
class Ticket:
    """A chunk that waits for its answer."""

    chunk: Chunk
    group: Hashable
    deadline: float
    done: threading.Event = field(default_factory=threading.Event)
    found: Any = None
    error: BaseException | None = None


class Batches:
    """One thread that answers chunks, those of a kind together.

    Args:
        told: Called with the rows of each compiled call, and how many requests they are of.
    """

    def __init__(self, told: Callable[[int, int], None] = lambda rows, requests: None) -> None:
        self._told = told
        self._waiting: deque[Ticket] = deque()
        self._changed = threading.Condition()
        self._compiled: dict[Hashable, Chunk] = {}  # kind -> one such chunk
        self._closed = self._ended = False
        self._thread = threading.Thread(target=self._work, name="laten-batches", daemon=True)
        self._thread.start()

    def answer(self, chunk: Chunk, size: int) -> Any:
        """Answer for a chunk, in its request's thread; `size`, to which it would be padded alone, does not matter.

        Raises:
            TooLate: the client gave up before the chunk's turn.
        """
        if self._ended:
            raise TooLate
        full = {name: chunk.masks.get(name, np.ones(x.shape, bool)) for name, x in chunk.values.items()}
        chunk = chunk._replace(masks={**chunk.masks, **full})  # one program, whether or not a batch has holes
        group = group_of(chunk)
        if group not in self._compiled:  # others do not wait while it is compiled
            found = in_calls(chunk)
            self._compiled[group] = chunk
            return found
        ticket = Ticket(chunk, group, DEADLINE.get())
        with self._changed:
            if self._closed:  # a request that began before its model was replaced
                return in_calls(chunk)
            self._waiting.append(ticket)
            self._changed.notify()
        ticket.done.wait()
        if ticket.error is not None:
            raise ticket.error
        return ticket.found

    def warm(self, more: Callable[[Chunk], list[Chunk]]) -> int:
        """Compile what may follow from each kind of chunk that was answered so far.

        Args:
            more: Other chunks that may follow from one.
        Returns:
            How many programs are there.
        """
        for chunk in list(self._compiled.values()):
            for other in more(chunk):
                group = group_of(other)
                if group not in self._compiled and not self._ended:
                    in_calls(other)
                    self._compiled[group] = other
        return len(self._compiled)

    def close(self, end: bool = False) -> None:
        """End the thread; whoever waits is answered first.

        Args:
            end: Nobody asks any more: what is being compiled ahead is given up.
        """
        with self._changed:
            self._closed, self._ended = True, end
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        while batch := self._next():
            try:
                self._answer(batch)
            except BaseException as error:
                for ticket in batch:
                    ticket.error = error
            for ticket in batch:
                ticket.done.set()

    def _next(self) -> list[Ticket]:
        """Wait for chunks of a kind; none when closed."""
        with self._changed:
            while not self._waiting:
                if self._closed:
                    return []
                self._changed.wait()
            first = self._waiting[0]
            until, room = time.monotonic() + GATHER, max(first.chunk.n, rows_of_call(first.chunk))
            while self._rows(first) < room and (left := until - time.monotonic()) > 0 and not self._closed:
                self._changed.wait(left)
            batch: list[Ticket] = []
            for ticket in [t for t in self._waiting if t.group == first.group]:
                if ticket.chunk.n <= room:
                    batch.append(ticket)
                    room -= ticket.chunk.n
            chosen = set(map(id, batch))
            self._waiting = deque(t for t in self._waiting if id(t) not in chosen)
            return batch

    def _rows(self, first: Ticket) -> int:
        return sum(t.chunk.n for t in self._waiting if t.group == first.group)

    def _answer(self, batch: list[Ticket]) -> None:
        """Put chunks together, answer, and take the answers apart."""
        now = time.monotonic()
        for ticket in batch:
            if ticket.deadline < now:
                ticket.error = TooLate()
        batch = [ticket for ticket in batch if ticket.error is None]
        if not batch:
            return
        whole = together([ticket.chunk for ticket in batch])
        found = in_calls(whole)
        self._told(whole.n, len(batch))
        start = 0
        for ticket in batch:
            own = slice(start, start + ticket.chunk.n)
            ticket.found = jax.tree.map(lambda x, own=own: x[own], found)
            start = own.stop


def rows_of_call(chunk: Chunk) -> int:
    """Return how many rows a compiled call takes: those computed side by side, with the bits of `ask`."""
    return side_by_side(chunk.question.draws, sites_of(chunk.model))


def in_calls(chunk: Chunk) -> Any:
    """Answer for a chunk in compiled calls of one size."""
    size = rows_of_call(chunk)
    found = [answered(chunk.part(i, size), size) for i in range(0, chunk.n, size)]
    return found[0] if len(found) == 1 else jax.tree.map(lambda *xs: np.concatenate(xs), *found)


def together(chunks: list[Chunk]) -> Chunk:
    """Return one chunk of the rows of all."""
    if len(chunks) == 1:
        return chunks[0]
    first = chunks[0]
    values, masks = (
        {name: np.concatenate([getattr(c, part)[name] for c in chunks]) for name in getattr(first, part)}
        for part in ("values", "masks")
    )
    places = None if first.positions is None else np.concatenate([np.asarray(c.positions) for c in chunks])
    copies = None if first.copies is None else np.concatenate([np.asarray(c.copies) for c in chunks])
    return first._replace(values=values, masks=masks, n=sum(c.n for c in chunks), positions=places, copies=copies)


def group_of(chunk: Chunk) -> Hashable:
    """Return what chunks that can share a call have in common: all but their rows."""
    leaves, structure = jax.tree.flatten(chunk.question)
    arrays = tuple((x.shape, str(x.dtype), np.asarray(x).tobytes()) if hasattr(x, "dtype") else x for x in leaves)
    rows = tuple((name, str(x.dtype), x.shape[1:]) for name, x in chunk.values.items())
    more = tuple(sorted(set(chunk.masks) - set(chunk.values)))
    keys = chunk.positions is None, chunk.copies is None, chunk.seed
    return id(chunk.model), structure, arrays, rows, more, keys, chunk.presentation
