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
        self.kinds = kinds
        self.levels = [np.unique(c[~np.isnan(c)]) for c in X.T]
        self.mean, self.scale = np.nanmean(X, axis=0), np.nanstd(X, axis=0) + 1e-12
        widths = [len(v) if k == "cat" else 1 for v, k in zip(self.levels, kinds, strict=True)]
        self.ends = np.cumsum(widths)
        self.starts = self.ends - widths

    def forward(self, X: np.ndarray) -> np.ndarray:
        """The matrix `(rows, width)`."""
        out = np.empty((len(X), self.ends[-1]))
        for i, (kind, a, b) in enumerate(zip(self.kinds, self.starts, self.ends, strict=True)):
            column = X[:, i]
            if kind == "cat":
                out[:, a:b] = column[:, None] == self.levels[i]
                out[np.isnan(column), a:b] = np.nan
            else:
                out[:, a] = (column - self.mean[i]) / self.scale[i]
        return out

    def back(self, matrix: np.ndarray) -> np.ndarray:
        """The table `(rows, columns)`."""
        out = np.empty((len(matrix), len(self.kinds)))
        for i, (kind, a, b) in enumerate(zip(self.kinds, self.starts, self.ends, strict=True)):
            levels = self.levels[i]
            if kind == "cat":
                out[:, i] = levels[matrix[:, a:b].argmax(1)]
                continue
            value = np.clip(matrix[:, a] * self.scale[i] + self.mean[i], levels[0], levels[-1])
            out[:, i] = nearest(levels, value) if kind == "ordinal" else value
        return out
