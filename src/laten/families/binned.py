r"""Numbers sorted into cells: a categorical family whose classes lie on a line.

The real line is cut into cells $c_1 < \dots < c_K$ by the data layer. The net gives their probabilities,

$$P(x \in c_k) = \mathrm{softmax}(l)_k,$$

and inside a cell the density is fixed, so that any shape (skewed, bounded, of several modes, with spikes) costs one
softmax. Draws, scores and the log-mass are those of `Categorical`. What differs is what a value is to a net: not one
input a cell, which a guide overfits, but the few numbers that say where the cell lies.
"""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from laten.errors import DeclarationError
from laten.families.categorical import Categorical
from laten.types import Array

Points = tuple[tuple[float, ...], ...]  # of one column: for each cell, its features


@dataclass(frozen=True, repr=False)
class Binned(Categorical):
    """Codes of ordered cells, 0, 1, ... as int32.

    Args:
        sizes: Number of cells of each column, as in `Categorical`.
        points: For each column its cells' features, each a tuple of as many numbers of order one.
    """

    points: tuple[Points, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        points = tuple(tuple(tuple(map(float, cell)) for cell in column) for column in self.points)
        object.__setattr__(self, "points", points)
        found = tuple(map(len, points))
        if found != self.packing.sizes:
            raise DeclarationError(f"Binned: points of {found} cells were given for columns of {self.packing.sizes}")
        for i, column in enumerate(points):
            if len({len(cell) for cell in column}) != 1 or not column[0] or not np.isfinite(column).all():
                raise DeclarationError(f"Binned: each cell of column {i} needs the same number of finite features")

    @property
    def widths(self) -> tuple[int, ...]:
        """Number of features of each column."""
        return tuple(len(column[0]) for column in self.points)

    @property
    def n_features(self) -> int:
        return sum(self.widths)

    @property
    def feature_sites(self) -> np.ndarray:
        return np.repeat(np.arange(self.n_sites, dtype=np.int32), self.widths)

    def features(self, value: Array) -> Array:
        """The numbers of each column's cell, one column after the other."""
        first = np.concatenate([[0], np.cumsum(np.multiply(self.packing.sizes, self.widths))[:-1]])
        rank = np.concatenate([np.arange(n) for n in self.widths])
        table = np.concatenate([np.ravel(column) for column in self.points]).astype(np.float32)
        sites = self.feature_sites
        index = value.reshape(-1)[sites] * np.repeat(self.widths, self.widths) + first[sites] + rank
        return jnp.asarray(table)[index]

    def __repr__(self) -> str:
        return f"Binned({self.sizes})"
