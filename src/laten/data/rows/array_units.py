r"""How the values of a node stand in the user's arrays, as the fitted array had them.

$$\text{array} = \text{loc} + \text{scale}\cdot\text{value},\qquad
\log p(\text{array}) = \log p(\text{value}) - \log\text{scale}\ \text{ per site of a density (nats)}$$

A family that may be moved and stretched (`Family.moves`) sees standardised values: of a node with one axis each site
has its own location and scale, for sites may be kilograms and years; of a node with more axes, a picture, all sites
have one, for they are measured in one unit. A site that never varies keeps the scale one. A binary node given levels
0..255 has the scale 255.
"""

import numpy as np

from laten.data.histogram.find_bins import loc_and_scale
from laten.data.records import Finite, Positive, Record


class Unit(Record, frozen=True):
    """Unit and type of a node's array.

    Args:
        dtype: NumPy type of the array that was fitted.
        loc: One number, or one a site.
        scale: One number, or one a site.
        dense: The values have a density, which the scale changes.
    """

    dtype: str = "float32"
    loc: tuple[Finite, ...] = (0.0,)
    scale: tuple[Positive, ...] = (1.0,)
    dense: bool = False

    @property
    def whole(self) -> bool:
        """Whether the array held whole numbers, or true and false."""
        return np.dtype(self.dtype).kind != "f"

    @property
    def grey(self) -> bool:
        """Whether the array of a binary node held levels 0..255."""
        return not self.dense and self.scale == (255.0,)

    def encode(self, array: np.ndarray) -> np.ndarray:
        """Return the user's numbers `(n, *shape)` as values of a model, float64."""
        loc, scale = (self._of_sites(x, array) for x in (self.loc, self.scale))
        return (np.asarray(array, np.float64) - loc) / scale

    def decode(self, values: np.ndarray) -> np.ndarray:
        """Return values `(n, *shape)` of a model in the user's numbers, float64."""
        loc, scale = (self._of_sites(x, values) for x in (self.loc, self.scale))
        return np.asarray(values, np.float64) * scale + loc

    def log_det(self, seen: np.ndarray) -> np.ndarray:
        """Return log |d value / d array| at observed sites `(n, *shape)`, in nats; 0 where hidden."""
        return np.where(seen, -np.log(self._of_sites(self.scale, seen)), 0.0)

    def typed(self, array: np.ndarray, means: bool = False) -> np.ndarray:
        """Return the user's numbers in the fitted type; means of whole numbers are float32."""
        dtype = np.dtype(self.dtype)
        if dtype.kind == "f":
            return array.astype(dtype)
        if means:
            return array.astype(np.float32)
        if dtype.kind == "b":
            return np.round(array) > 0
        ends = np.iinfo(dtype)
        high = float(ends.max) if ends.max < 2**53 else np.nextafter(float(ends.max), 0)
        return np.clip(np.round(array), float(ends.min), high).astype(dtype)

    @staticmethod
    def _of_sites(numbers: tuple[float, ...], like: np.ndarray) -> np.ndarray:
        return np.reshape(numbers, like.shape[1:] if len(numbers) > 1 else ())


def type_of(array: np.ndarray) -> str:
    """Return the name of an array's type; of a longer float than 64 bits, which not every machine has, float64."""
    return "float64" if array.dtype.kind == "f" and array.dtype.itemsize > 8 else array.dtype.name


def standard(array: np.ndarray, seen: np.ndarray | None, one: bool = False) -> Unit:
    """Return the unit in which an array `(n, *shape)` is standardised, by what is seen of it; `one`: for all sites."""
    there = np.ones(array.shape, bool) if seen is None else seen
    one = one or array.ndim > 2
    sites = [array[there]] if one else [x[own] for x, own in zip(_by_site(array), _by_site(there), strict=True)]
    loc, scale = zip(*[loc_and_scale(x.astype(np.float64)) for x in sites], strict=True)
    return Unit(type_of(array), loc, scale, dense=True)


def _by_site(array: np.ndarray) -> np.ndarray:
    return array.reshape(len(array), -1).T
