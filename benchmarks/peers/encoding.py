"""A mixed table as one matrix of real numbers for peers that take nothing else, and back.

Categories become indicators of their levels, everything else is standardised (a hole stays a hole, in each indicator of
its column). Back: the largest indicator names the level; ordinals go to the nearest level seen; numbers stay within the
range seen.
"""

import numpy as np

CLASSES = ("cat", "ordinal")


def nearest(levels: np.ndarray, value: np.ndarray) -> np.ndarray:
    """The nearest of the sorted levels."""
    return levels[np.searchsorted((levels[1:] + levels[:-1]) / 2, value)]


class Encoding:
    """Learned from the observed cells of X `(rows, columns)`, with the kind of each column."""

    def __init__(self, X: np.ndarray, kinds: list[str]):
        levels = [np.unique(c[~np.isnan(c)]) for c in X.T]
        mean, scale = np.nanmean(X, axis=0), np.nanstd(X, axis=0) + 1e-12
        ends = np.cumsum([len(v) if k == "cat" else 1 for v, k in zip(levels, kinds, strict=True)])
        self.columns = list(zip(kinds, levels, mean, scale, [0, *ends[:-1]], ends, strict=True))

    def forward(self, X: np.ndarray) -> np.ndarray:
        """The matrix `(rows, width)`."""
        out = np.empty((len(X), self.columns[-1][-1]))
        for x, (kind, levels, mean, scale, a, b) in zip(X.T[..., None], self.columns, strict=True):
            out[:, a:b] = np.where(np.isnan(x), np.nan, x == levels) if kind == "cat" else (x - mean) / scale
        return out

    def back(self, matrix: np.ndarray) -> np.ndarray:
        """The table `(rows, columns)`."""
        out = []
        for kind, levels, mean, scale, a, b in self.columns:
            if kind == "cat":
                out.append(levels[matrix[:, a:b].argmax(1)])
                continue
            value = np.clip(matrix[:, a] * scale + mean, levels[0], levels[-1])
            out.append(nearest(levels, value) if kind == "ordinal" else value)
        return np.stack(out, axis=1)
