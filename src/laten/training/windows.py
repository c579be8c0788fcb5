r"""Rows that lie on the disk, of which the devices hold a window at a time.

    spool --blocks in the order of (seed, turn)--> window | window | ... --lanes, each in random order--> steps

A pass takes blocks of `BLOCK` rows in an order of its own and cuts the rows that follow one another so into windows. A
window is cut into lanes again; each lane gives its share of every batch, in random order: each row is visited once a
pass. Who trains with a part of every batch, one of several devices or processes, reads the lanes of that part alone,
and batches are the same for any number of them. All windows have one shape, and are full but for the last, so that
nothing is traced again. While one is trained on, a thread reads the next: also the first one of the next pass. Which
rows a step sees is a function of seed, turn and step, as where all rows lie on the device.
"""

import itertools
import math
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.sharding import Mesh

from laten.data.rows.presentation import Store
from laten.data.rows.spool import Arrays, Spool
from laten.training.devices import joined, own_columns
from laten.training.row_weights import visited

BLOCK = 4096  # rows that stay together; there are many blocks in a window
LEAST_BLOCKS = 32
LANES = 16  # at most: as many processes read nothing that another one reads


class Window(NamedTuple):
    """Some rows on the devices, and steps over them.

    Args:
        store: The rows.
        order: `(steps, batch_size)` numbers of rows of the store; padded to one shape. Where devices have rows of their
            own, each one's columns are numbers of its own rows.
        numbers: The same without padding; of the first device of this process.
        turn: Which of all windows of all passes it is: no two have the same random numbers.
        first: Steps of the round before its own.
    """

    store: Store
    order: Any
    numbers: np.ndarray
    turn: int
    first: int


class Often(NamedTuple):
    """Rows that are visited more often than others.

    Args:
        labels: Nodes: rows that show a site of one of them.
        more: Visits of such a row for one of another.
    """

    labels: tuple[str, ...] = ()
    more: float = 1.0

    def weights(self, masks: Mapping[str, np.ndarray], rows: int) -> np.ndarray | None:
        """Return weights of the first of some rows; None: all count alike."""
        if self.more == 1:
            return None
        seen = np.any([masks[n][:rows].reshape(rows, -1).any(axis=1) for n in self.labels], axis=0)
        return np.where(seen, self.more, 1.0)


ALIKE = Often()


class Windows:
    """A spool, seen a window at a time.

    Args:
        spool: The rows to train on.
        size: Rows of a window, about: it is made of whole batches.
        often: Which rows are visited more often, within a lane.
    """

    def __init__(self, spool: Spool, size: int, often: Often = ALIKE) -> None:
        self.spool, self.size, self.rows, self.often = spool, min(size, spool.rows), spool.rows, often
        self.pool = ThreadPoolExecutor(1, thread_name_prefix="laten-window")
        self.ahead: tuple[Any, Future[Window]] | None = None

    def length(self, batch_size: int) -> int:
        """Return the rows of a window: whole batches."""
        return max(self.size // batch_size, 1) * batch_size

    def count(self, batch_size: int) -> int:
        """Return the number of windows in a pass."""
        return max(-(-(self.rows // batch_size * batch_size) // self.length(batch_size)), 1)

    def round(
        self, seed: int, turn: int, passes: int, batch_size: int, start: int = 0, mesh: Mesh | None = None
    ) -> Iterator[Window]:
        """Go through the windows of one or several passes.

        Args:
            turn: Number of the first pass.
            start: Steps that are made already.
            mesh: The devices that share the rows of a batch; each gets the rows that it needs.
        """
        a_pass, a_window = self.rows // batch_size, self.length(batch_size) // batch_size
        many = self.count(batch_size)
        first = start // a_pass * many + start % a_pass // a_window
        for i in range(first, passes * many):
            found = self._taken(seed, turn * many + i, batch_size, mesh)
            self._begin(seed, turn * many + i + 1, batch_size, mesh)  # of the last: the first one of the next pass
            yield found._replace(first=i // many * a_pass + i % many * a_window)

    def like(self, batch_size: int, mesh: Mesh | None = None) -> tuple[Store, Any]:
        """Return shapes and types of what is handed to the loop: a store, and an order."""
        length = self.length(batch_size)
        rows = length if mesh is None else mesh.size * share_of(length, batch_size, mesh)
        shapes = [jax.tree.map(lambda x: jax.ShapeDtypeStruct((rows, *x.shape[1:]), x.dtype), part)
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

    def whole(self, seed: int, turn: int, batch_size: int) -> tuple[Store, np.ndarray]:
        """Read all rows of a window again, and return them on one device, with the steps over them."""
        values, masks, numbers = self._lanes(seed, turn, batch_size, range(lanes_of(batch_size)))
        return Store(jax.device_put(values), jax.device_put(masks)), numbers

    def _taken(self, *which: Any) -> Window:
        ahead, self.ahead = self.ahead, None
        if ahead is not None and ahead[0] == which:
            return ahead[1].result()
        return self._read(*which)

    def _begin(self, *which: Any) -> None:
        self.ahead = which, self.pool.submit(self._read, *which)

    def _read(self, seed: int, turn: int, batch_size: int, mesh: Mesh | None) -> Window:
        """Read a window: of number `turn`, counted through all passes; where there are several devices, its shares."""
        length, steps = self.length(batch_size), self.length(batch_size) // batch_size
        if mesh is None:
            values, masks, numbers = self._lanes(seed, turn, batch_size, range(lanes_of(batch_size)), length)
            order = np.pad(numbers, ((0, steps - len(numbers)), (0, 0)))
            return Window(Store(jax.device_put(values), jax.device_put(masks)), jax.device_put(order), numbers, turn, 0)
        rows, shares = share_of(length, batch_size, mesh), list[Any]()
        for columns in own_columns(batch_size, mesh):
            lanes = lanes_with(columns, batch_size)
            values, masks, numbers = self._lanes(seed, turn, batch_size, lanes, rows)
            before = lanes.start * (batch_size // lanes_of(batch_size))
            own = numbers[:, columns.start - before : columns.stop - before]
            shares.append(((values, masks), np.pad(own, ((0, steps - len(own)), (0, 0)))))
        rows_of, columns_of = joined(shares, mesh)
        return Window(Store(*rows_of), columns_of, numbers, turn, 0)

    def _lanes(
        self, seed: int, turn: int, batch_size: int, lanes: range, size: int | None = None
    ) -> tuple[Arrays, Arrays, np.ndarray]:
        """Read neighbouring lanes of a window.

        Args:
            size: Rows of the arrays; None: those that are read.
        Returns:
            Values and masks; and `(steps, columns)` numbers of rows of these, for the columns that the lanes have of
            each batch.
        """
        length, every = self.length(batch_size), lanes_of(batch_size)
        turn, window = divmod(turn, self.count(batch_size))
        low, high = window * length, min((window + 1) * length, self.rows)
        ends = [low + (high - low) * i // every for i in range(every + 1)]
        ends = ends[lanes.start : lanes.stop + 1]
        own = (high - low) // batch_size * (batch_size // every)  # visits of a lane
        stretches = self._stretches(seed, turn, length, ends)
        values, masks = self.spool.read(stretches, ends[-1] - ends[0] if size is None else size)
        columns = []
        for lane, start, stop in zip(lanes, ends, ends[1:], strict=False):
            rng, rows = np.random.default_rng((seed, turn, window, lane)), slice(start - ends[0], stop - ends[0])
            weights = self.often.weights({n: masks[n][rows] for n in self.often.labels}, stop - start)
            numbers = np.arange(stop - start, dtype=np.int32) if weights is None else visited(weights, rng.random())
            rng.shuffle(numbers)
            columns.append(np.int32(rows.start) + numbers[:own].reshape(-1, batch_size // every))
        return values, masks, np.concatenate(columns, axis=1)

    def _stretches(self, seed: int, turn: int, length: int, ends: list[int]) -> list[tuple[int, int]]:
        """Return stretches of the spool: the rows of a pass from each of some numbers to the next.

        Args:
            length: Rows of a window.
        """
        block = max(1, min(BLOCK, length // LEAST_BLOCKS))
        order = np.random.default_rng((seed, turn)).permutation(-(-self.rows // block)).astype(np.int64)
        starts = order * block
        stops = np.minimum(starts + block, self.rows)
        upto = np.cumsum(stops - starts)
        found = []
        for low, high in itertools.pairwise(ends):
            lane = []
            for i in range(int(np.searchsorted(upto, low, side="right")), len(order)):
                before = int(upto[i]) - int(stops[i] - starts[i])
                if before >= high:
                    break
                start, stop = int(starts[i]) + max(low - before, 0), int(stops[i]) - max(int(upto[i]) - high, 0)
                lane.append((start, stop))
            found += sorted(lane)
        return found


def lanes_of(batch_size: int) -> int:
    """Return how many lanes windows have: each has as many columns of a batch as any other."""
    return math.gcd(batch_size, LANES)


def lanes_with(columns: range, batch_size: int) -> range:
    """Return the lanes that some columns of a batch are of."""
    wide = batch_size // lanes_of(batch_size)
    return range(columns.start // wide, (columns.stop - 1) // wide + 1)


def share_of(length: int, batch_size: int, mesh: Mesh) -> int:
    """Return the rows that each device gets of a window, at most."""
    wide = batch_size // mesh.size
    shares = [lanes_with(range(i * wide, (i + 1) * wide), batch_size) for i in range(mesh.size)]
    return length // lanes_of(batch_size) * max(map(len, shares))
