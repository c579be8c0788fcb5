"""Rows ready for a model: one compact array a node, and masks where cells are hidden."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from laten.common.errors import DataError


@dataclass(frozen=True, eq=False)
class Rows:
    """Values of all nodes for `n` rows, rows first, in their smallest types.

    Args:
        values: Node -> `(n, *event shape)`: uint8 for binary values and intensities, the smallest whole type for
            classes, float32 for counts and real numbers, or `SparseRows` of counts. Hidden places hold 0, which is
            inside every support.
        mask: Node -> bool array of the same shape, True where observed; only nodes with a hidden place appear.
        n: Number of rows.
        labels: Node -> names of its columns (or sites), for messages; empty where there are none.
        visit: Node -> what to do at each visit: `intensity` (uint8 levels 0..255, to be binarised anew with probability
            level / 255), `fixed` (binarised once already) or `none` (as it is).
    """

    values: dict[str, Any]
    n: int
    mask: dict[str, np.ndarray] = field(default_factory=dict)
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    visit: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for node, array in self.values.items():
            if len(array) != self.n:
                raise DataError(f"node {node!r} has {len(array)} rows, expected {self.n}")
        for node, array in self.mask.items():
            if node not in self.values or array.shape != self.values[node].shape or array.dtype != bool:
                raise DataError(f"node {node!r}: its mask must be bool, of the shape of its values")

    def __len__(self) -> int:
        return self.n

    @property
    def blank(self) -> np.ndarray:
        """Say which rows `(n,)` hold no value at all."""
        seen = [self.mask[node].reshape(self.n, -1).any(axis=1) for node in self.values if node in self.mask]
        if len(seen) < len(self.values):  # a node that is observed in every row
            return np.zeros(self.n, bool)
        return ~np.any(seen, axis=0) if seen else np.ones(self.n, bool)

    def take(self, indices: np.ndarray | Sequence[int] | slice) -> "Rows":
        """Return the rows at `indices`, in that order (a node of which they hide nothing keeps its mask)."""
        values = {node: array[indices] for node, array in self.values.items()}
        mask = {node: array[indices] for node, array in self.mask.items()}
        n = len(np.arange(self.n)[indices])
        return Rows(values, n, mask, self.labels, self.visit)

    def parts(self, share: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Split by chance in `(kept, held out)`, about `share` in the second: row numbers, ascending, int32.

        Raises:
            DataError: fewer than two rows, or a share not between 0 and 1.
        """
        if not 0 < share < 1:
            raise DataError(f"share of rows to hold out must lie between 0 and 1, got {share!r}")
        if self.n < 2:
            raise DataError(f"{self.n} row cannot be split; give at least 2 rows, or hold none out")
        held = min(max(round(share * self.n), 1), self.n - 1)
        order = np.random.default_rng(seed).permutation(self.n).astype(np.int32)
        return np.sort(order[held:]), np.sort(order[:held])
