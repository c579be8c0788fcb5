"""What a model has learned, laid out for the eye: like beside like, what matters little left out, rare levels together.

Each function takes a frame as `VAE` answers it and returns a small frozen dataclass.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

LEAST = 0.01  # of a column's variance: a latent that moves no column so much is not shown
MOST_LEVELS = 9  # of classes with a colour of their own
MOST_ROWS = 40  # levels that are iterated over
MOST_COLUMNS = 40  # of a map: the names of more cannot be read
NUMBERS = ("mean", "5%", "50%", "95%")
OTHER = "other"


@dataclass(frozen=True)
class Ties:
    """The mutual information of each two columns."""

    names: tuple[str, ...]
    values: np.ndarray  # (columns, columns), NaN on the diagonal
    unit: str
    left_out: int  # columns with the weakest ties


@dataclass(frozen=True)
class Effects:
    """The share of each column's variance that each latent moves."""

    names: tuple[str, ...]  # of columns
    latents: tuple[str, ...]
    values: np.ndarray  # (columns, latents)
    left_out: int  # latents that move nothing
    columns_left_out: int  # that latents move least


@dataclass(frozen=True)
class Curve:
    """A column at values of another."""

    of: str
    on: str
    at: np.ndarray | None  # (n,) numbers or times of `on`
    labels: tuple[str, ...]  # (n,) of its levels, if it has some
    mass: np.ndarray  # (n,)
    numbers: dict[str, np.ndarray]  # mean and quantiles, (n,) each
    levels: dict[str, np.ndarray]  # level -> (n,) probabilities
    rows: int  # of a partial dependence; 0: p(of | on)
    left_out: int  # rare levels of `on`


def ties(found: pd.DataFrame) -> Ties:
    """Sort mutual information so that like stands beside like; of many columns the 40 with the strongest ties.

    Args:
        found: As `VAE.mutual_information` gives it.
    """
    every = found.to_numpy(float)
    strongest = np.max(every - np.diag(np.diag(every)), axis=1, initial=0.0)
    kept = np.sort(np.argsort(-strongest, kind="stable")[:MOST_COLUMNS])
    values = every[np.ix_(kept, kept)]
    entropy = np.maximum(np.diag(values), 1e-12)
    order = beside(values / np.minimum(entropy[:, None], entropy))
    values = values[np.ix_(order, order)].copy()
    np.fill_diagonal(values, np.nan)
    names = tuple(str(found.index[i]) for i in kept[order])
    return Ties(names, values, str(found.attrs.get("unit", "")), len(found) - len(kept))


def effects(found: pd.DataFrame) -> Effects:
    """Return effects of the latents that have some, the strongest first; columns by the latent that moves them most.

    Args:
        found: As `VAE.latent_effects` gives it.
    """
    values = found.to_numpy(float).T
    order = np.argsort(-values.sum(0), kind="stable")
    shown = order[values[:, order].max(0, initial=0.0) >= LEAST]
    shown = shown if len(shown) else order[:1]
    values = values[:, shown]
    kept = np.sort(np.argsort(-values.max(1), kind="stable")[:MOST_COLUMNS])
    rows = kept[np.lexsort((-values[kept].max(1), values[kept].argmax(1)))]
    names, latents = tuple(str(found.columns[i]) for i in rows), tuple(str(found.index[i]) for i in shown)
    return Effects(names, latents, values[rows], len(found) - len(shown), values.shape[0] - len(rows))


def curve(found: pd.DataFrame) -> Curve:
    """Tell a column at values of another.

    Args:
        found: As `VAE.dependence` gives it.
    """
    rows = int(found.attrs.get("rows", 0))
    of, on, left_out = str(found.columns.name), str(found.index.name), 0
    classes = found.index.dtype.kind not in "iufMm"
    ordered = found.attrs.get("ordered", ())
    if classes:
        often = np.argsort(-found.iloc[:, -1].to_numpy(), kind="stable")[:MOST_ROWS]
        left_out = len(found) - len(often)
        found = found.iloc[np.sort(often) if found.index.name in ordered else often]
    mass = found.iloc[:, -1].to_numpy(float)
    at = None if classes else as_axis(found.index)
    labels = tuple(map(str, found.index)) if classes else ()
    numbers: dict[str, np.ndarray] = {}
    levels: dict[str, np.ndarray] = {}
    if tuple(found.columns[:-1]) == NUMBERS:
        numbers = {name: as_axis(found[name]) for name in NUMBERS}
    else:
        p = {str(name): found.iloc[:, i].to_numpy(float) for i, name in enumerate(found.columns[:-1])}
        weight = {name: float(x @ mass) for name, x in p.items()}
        ranked = sorted(p, key=lambda n: -weight[n])
        kept = ranked[: MOST_LEVELS if len(p) > MOST_LEVELS + 1 else len(p)]
        levels = {name: p[name] for name in (p if found.columns.name in ordered else kept) if name in kept}
        if len(kept) < len(p):
            levels[OTHER] = np.sum([x for name, x in p.items() if name not in kept], axis=0)
    return Curve(of, on, at, labels, mass, numbers, levels, rows, left_out)


def as_axis(x: pd.Series | pd.Index) -> np.ndarray:
    """Return numbers or times for an axis; durations in days."""
    values = x.to_numpy()
    return values / np.timedelta64(1, "D") if values.dtype.kind == "m" else values


def beside(likeness: np.ndarray) -> np.ndarray:
    """Find an order in which what is alike stands together: average linkage, groups joined at their likest ends.

    Args:
        likeness: `(n, n)`, symmetric.
    """
    groups = [[i] for i in range(len(likeness))]
    mean = np.array(likeness, float)
    np.fill_diagonal(mean, -np.inf)
    while len(groups) > 1:
        i, j = sorted(np.unravel_index(np.argmax(mean), mean.shape))
        one, two = groups[i], groups[j]
        ways = [(a, b) for a in (one, one[::-1]) for b in (two, two[::-1])]
        first, second = max(ways, key=lambda w: likeness[w[0][-1], w[1][0]])
        joined = (len(one) * mean[i] + len(two) * mean[j]) / (len(one) + len(two))
        mean[i], mean[:, i], mean[i, i] = joined, joined, -np.inf
        groups[i] = first + second
        mean = np.delete(np.delete(mean, j, 0), j, 1)
        del groups[j]
    return np.array(groups[0])
