r"""Rows that lie on the disk, of which the device holds a window at a time.

    spool --blocks in the order of (seed, turn)--> window | window | ... --order of (seed, turn, window)--> steps

A pass takes blocks of `BLOCK` rows in an order of its own, cuts the rows that follow one another so into windows, and
visits the rows of a window in random order: each row once a pass. All windows have one shape, and are full but for the
last, so that nothing is traced again. While one is trained on, a thread reads the next: also the first one of the next
pass. Which rows a step sees is a function of seed, turn and step, as where all rows lie on the device.
"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import jax
import numpy as np

from laten.data.rows.presentation import Store
from laten.data.rows.spool import Spool

BLOCK = 4096  # rows that stay together; there are many blocks in a window
LEAST_BLOCKS = 32


class Window(NamedTuple):
    """Some rows on the device, and steps over them.

    Args:
        store: The rows.
        order: `(steps, batch_size)` numbers of rows of the store; padded to one shape.
        numbers: The same without padding.
        turn: Which of all windows of all passes it is: no two have the same random numbers.
        first: Steps of the round before its own.
    """

    store: Store
    order: np.ndarray
    numbers: np.ndarray
    turn: int
    first: int


class Windows:
    """A spool, seen a window at a time.

    Args:
        spool: The rows to train on.
        size: Rows of a window, about: it is made of whole batches.
    """

    def __init__(self, spool: Spool, size: int) -> None:
        self.spool, self.size, self.rows = spool, min(size, spool.rows), spool.rows
        self.pool = ThreadPoolExecutor(1, thread_name_prefix="laten-window")
        self.ahead: tuple[Any, Future[Window]] | None = None

    def length(self, batch_size: int) -> int:
        """Return the rows of a window: whole batches."""
        return max(self.size // batch_size, 1) * batch_size

    def count(self, batch_size: int) -> int:
        """Return the number of windows in a pass."""
        return max(-(-(self.rows // batch_size * batch_size) // self.length(batch_size)), 1)

    def round(self, seed: int, turn: int, passes: int, batch_size: int, start: int = 0) -> Iterator[Window]:
        """Go through the windows of one or several passes.

        Args:
            turn: Number of the first pass.
            start: Steps that are made already.
        """
        a_pass, a_window = self.rows // batch_size, self.length(batch_size) // batch_size
        many = self.count(batch_size)
        first = start // a_pass * many + start % a_pass // a_window
        for i in range(first, passes * many):
            found = self._taken(seed, turn * many + i, batch_size)
            self._begin(seed, turn * many + i + 1, batch_size)  # of the last: the first one of the next pass
            yield found._replace(first=i // many * a_pass + i % many * a_window)

    def like(self, batch_size: int) -> tuple[Store, Any]:
        """Return shapes and types of what is handed to the loop: a store, and an order."""
        length = self.length(batch_size)
        shapes = [jax.tree.map(lambda x: jax.ShapeDtypeStruct((length, *x.shape[1:]), x.dtype), part)
                  for part in self.spool.empty(1)]  # fmt: skip
        return Store(*shapes), jax.ShapeDtypeStruct((length // batch_size, batch_size), np.int32)

    def told(self, head: dict[str, Any], batch_size: int) -> dict[str, Any]:
        """Return what tells a run from others (`fingerprint`), with these rows: their bytes, and how they are cut."""
        lying = {node.name: node.digest for node in self.spool.nodes}
        return head | {
            "settings": head["settings"] | {"rows of a window": self.length(batch_size)},
            "rows": self.rows,
            "data": {name: lying.get(name, "") + told for name, told in head["data"].items()},
        }

    def close(self) -> None:
        """Read no further."""
        self.pool.shutdown(wait=True, cancel_futures=True)
        self.ahead = None

    def _taken(self, *which: int) -> Window:
        ahead, self.ahead = self.ahead, None
        if ahead is not None and ahead[0] == which:
            return ahead[1].result()
        return self._read(*which)

    def _begin(self, *which: int) -> None:
        self.ahead = which, self.pool.submit(self._read, *which)

    def _read(self, seed: int, turn: int, batch_size: int) -> Window:
        """Read a window: of number `turn`, counted through all passes."""
        length, many = self.length(batch_size), self.count(batch_size)
        stretches, rows = self._stretches(seed, turn // many, turn % many, length)
        values, masks = self.spool.read(stretches, length)
        shuffled = np.arange(rows, dtype=np.int32)
        np.random.default_rng((seed, turn // many, turn % many)).shuffle(shuffled)
        steps = rows // batch_size
        numbers = shuffled[: steps * batch_size].reshape(steps, batch_size)
        order = np.pad(numbers, ((0, length // batch_size - steps), (0, 0)))
        return Window(Store(jax.device_put(values), jax.device_put(masks)), order, numbers, turn, 0)

    def _stretches(self, seed: int, turn: int, window: int, length: int) -> tuple[list[tuple[int, int]], int]:
        """Return which stretches of the spool a window of a pass is made of, and its number of rows."""
        block = max(1, min(BLOCK, length // LEAST_BLOCKS))
        order = np.random.default_rng((seed, turn)).permutation(-(-self.rows // block)).astype(np.int64)
        starts = order * block
        ends = np.minimum(starts + block, self.rows)
        upto = np.cumsum(ends - starts)
        low, high = window * length, min((window + 1) * length, self.rows)
        found = []
        for i in range(int(np.searchsorted(upto, low, side="right")), len(order)):
            before = int(upto[i]) - int(ends[i] - starts[i])
            if before >= high:
                break
            start, stop = int(starts[i]) + max(low - before, 0), int(ends[i]) - max(int(upto[i]) - high, 0)
            found.append((start, stop))
        return sorted(found), high - low
