r"""Columns of very many levels: the frequent ones are entries of their own, the rare ones share entries.

With $n_v$ the rows of level $v$ and $N_g$ those of the entry $g$ it belongs to,

$$P(v) = P(g)\, n_v / N_g:$$

the model gives $P(g)$ for at most 256 entries, the shares are fixed by the counts and are the codec's log-determinant.
So a draw of a group is a level in proportion to its frequency, and what is kept grows with levels plus rows, never with
their product.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

OWN, GROUPS = 192, 64
UNSEEN_ROWS = 0.5  # of a level that is known and was never seen


@dataclass(frozen=True)
class Groups:
    """Entries for levels 0, 1, …: the most frequent first, then groups of about equal mass, in order of frequency.

    Args:
        counts: Rows of each level.
    """

    counts: tuple[int, ...]

    @cached_property
    def _order(self) -> np.ndarray:
        """Levels, the most frequent first."""
        return np.argsort(-np.array(self.counts), kind="stable")

    @cached_property
    def _mass(self) -> np.ndarray:
        """Rows of each level, in that order."""
        return np.maximum(np.array(self.counts, np.float64)[self._order], UNSEEN_ROWS)

    @cached_property
    def _starts(self) -> np.ndarray:
        """Rank of the first level of each entry, and at the end their number."""
        rest = self._mass[OWN:]
        before = np.cumsum(rest) - rest / 2
        group = np.floor(before * (GROUPS / rest.sum())) if len(rest) else rest
        first = OWN + np.flatnonzero(np.diff(group, prepend=-1)) if len(rest) else np.zeros(0, np.int64)
        return np.concatenate([np.arange(min(OWN, len(self._mass))), first, [len(self._mass)]]).astype(np.int64)

    @cached_property
    def _entry(self) -> np.ndarray:
        """Entry of each level."""
        entry = np.empty(len(self._order), np.int64)
        entry[self._order] = np.repeat(np.arange(self.size), np.diff(self._starts))
        return entry

    @cached_property
    def shares(self) -> np.ndarray:
        """Share of each level in its entry, `(levels,)`."""
        total = np.add.reduceat(self._mass, self._starts[:-1])
        share = np.empty(len(self._order))
        share[self._order] = self._mass / np.repeat(total, np.diff(self._starts))
        return share

    @property
    def size(self) -> int:
        """Number of entries."""
        return len(self._starts) - 1

    def encode(self, level: np.ndarray) -> np.ndarray:
        """Return the entry of each level, int64."""
        return self._entry[level]

    def log_det(self, level: np.ndarray) -> np.ndarray:
        """Return the log share of each level in its entry, nats."""
        return np.log(self.shares[level])

    def decode(self, entry: np.ndarray) -> np.ndarray:
        """Return the most frequent level of each entry."""
        return self._order[self._starts[np.asarray(entry, np.int64).clip(0, self.size - 1)]]

    def draw(self, entry: np.ndarray, u: np.ndarray) -> np.ndarray:
        """Draw a level of each entry in proportion to its rows, by uniform numbers `u`."""
        entry = np.asarray(entry, np.int64).clip(0, self.size - 1)
        total = np.concatenate([[0.0], np.cumsum(self._mass)])
        first, last = self._starts[entry], self._starts[entry + 1]
        target = total[first] + u * (total[last] - total[first])
        return self._order[np.clip(np.searchsorted(total, target, side="right") - 1, first, last - 1)]

    def spread(self, p: np.ndarray) -> np.ndarray:
        """Return probabilities of entries `(n, size)` as those of levels `(n, levels)`."""
        return p[:, self._entry] * self.shares

    def best(self, p: np.ndarray) -> np.ndarray:
        """Return the most probable level, `(n,)`, for probabilities of entries `(n, size)`."""
        top = self.decode(np.arange(self.size))
        return top[np.argmax(np.asarray(p) * self.shares[top], axis=1)]
