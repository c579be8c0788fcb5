r"""How thinly populated the surroundings of a row are.

With $d_k$ the distance of a row to its k-th nearest of n known rows, spreads of each column added (levels that differ
count $\sqrt 2$, the spread of a difference of numbers),

$$\mathrm{thin}(x) = \operatorname{mean}_k \log d_k(x),\qquad k = 1, \dots, n/10 \text{ in geometric steps}.$$

This is, up to a constant and the dimension, minus the log of a density that is an average of k-nearest-neighbour
estimates (Loftsgaarden & Quesenberry 1965) of many sizes: small surroundings see fine structure, large ones are not
fooled by odd rows that come in groups. A row that is itself known is not its own neighbour.
"""

import numpy as np
from sklearn.metrics import pairwise_distances

from laten.data.rows.standardised import Coordinates

MOST_ROWS = 5_000  # known rows that are looked at
SHARE, LEAST, SIZES = 10, 5, 10  # the largest neighbourhood is a tenth of the rows, or 5; so many sizes
NEAR = 1e-9
CHUNK = 500  # rows at a time


def known_rows(rows: Coordinates, seed: int) -> Coordinates:
    """Return at most 5000 distinct rows, drawn by chance."""
    n = len(rows.numbers)
    some = rows.take(np.sort(np.random.default_rng(seed).permutation(n)[:MOST_ROWS]))
    _, first = np.unique(np.hstack([some.numbers, some.classes]).round(9), axis=0, return_index=True)
    return some.take(np.sort(first))


def thinness(rows: Coordinates, known: Coordinates) -> np.ndarray:
    """Return `thin(x)` of each row, `(rows,)`: the larger, the lonelier.

    Args:
        rows: To be scored.
        known: Distinct rows (`known_rows`); of a single one nothing follows: 0.
    """
    n = len(known.numbers)
    if n < 2:
        return np.zeros(len(rows.numbers))
    most = min(max(LEAST, n // SHARE), n - 1)
    sizes = np.unique(np.geomspace(1, most, SIZES).astype(int))
    parts = (rows.take(np.arange(i, min(i + CHUNK, len(rows.numbers)))) for i in range(0, len(rows.numbers), CHUNK))
    return np.concatenate([_thinness(part, known, sizes) for part in parts])


def _thinness(rows: Coordinates, known: Coordinates, sizes: np.ndarray) -> np.ndarray:
    apart = np.zeros((len(rows.numbers), len(known.numbers)))
    if rows.numbers.shape[1]:
        apart += pairwise_distances(rows.numbers, known.numbers, metric="manhattan")
    if rows.classes.shape[1]:
        differ = pairwise_distances(rows.classes, known.classes, metric="hamming")
        apart += np.sqrt(2) * rows.classes.shape[1] * differ
    itself = np.argmin(apart, axis=1)
    here = np.arange(len(apart))
    apart[here, itself] = np.where(apart[here, itself] < NEAR, np.inf, apart[here, itself])
    near = np.partition(apart, sizes - 1, axis=1)[:, sizes - 1]
    return np.log(np.maximum(near, NEAR)).mean(axis=1)
