"""The two directions in which points vary most (principal components)."""

import numpy as np


def main_directions(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return `(rows, 2)` coordinates along the two directions of largest variance, and their shares of it."""
    centred = z - z.mean(0)
    _, size, directions = np.linalg.svd(centred, full_matrices=False)
    directions = directions[:2] * np.sign(directions[:2][[0, 1], np.abs(directions[:2]).argmax(1)])[:, None]
    return centred @ directions.T, size[:2] ** 2 / max(float((size**2).sum()), 1e-12)
