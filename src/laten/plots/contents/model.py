"""Training, samples, reconstructions, latents and decoded means of a fitted `VAE`, as arrays.

Every function takes the estimator first and returns a small frozen dataclass, with a `note` that says in words what was
computed. Images are floats in [0, 1], `(n, height, width)` or `(n, height, width, 3)`; NaN was hidden.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Protocol

import jax
import numpy as np
import pandas as pd

from laten.common.errors import LatenError
from laten.inference.asking import ancestral
from laten.network.model import Model
from laten.network.network import Network
from laten.plots.contents.columns import OTHER, Agreement, Colour, Marginal, agreement, codes, colours, marginal
from laten.plots.contents.containers import (
    ROWS,
    as_images,
    as_labels,
    as_numbers,
    as_table,
    is_class,
    is_date,
    n_rows,
    shown_rows,
    take,
    unit,
)
from laten.plots.contents.main_directions import main_directions

HIDDEN = "hidden cells"  # the bound of training rows that are not judged as held-out rows are
MOST_CLASSES = 8  # with a colour of their own on a grid


class FittedModel(Protocol):
    """The part of a fitted `laten.estimator.vae.VAE` that pictures use."""

    history_: pd.DataFrame
    model_: Model
    network_: Network
    guide_: Network
    presentation_: Any
    view_: Any

    def sample(self, n: int, given: Any = None, *, seed: int | None = None) -> Any: ...
    def reconstruct(self, X: Any) -> Any: ...
    def transform(self, X: Any) -> Any: ...
    def inverse_transform(self, Z: Any) -> Any: ...
    def get_feature_names_out(self) -> np.ndarray: ...


@dataclass(frozen=True)
class History:
    """Training, an epoch an entry; bounds, KL and terms in nats a row. Empty means not recorded."""

    epoch: np.ndarray  # (epochs,)
    bounds: dict[str, np.ndarray]  # "training" and "held-out" -> (epochs,)
    terms: dict[str, np.ndarray]  # node -> (epochs,)
    kl: np.ndarray
    active_units: np.ndarray
    best_epoch: int  # whose weights were kept
    note: str


@dataclass(frozen=True)
class Samples:
    """Draws from the model: images, or marginals of a table's columns."""

    note: str
    images: np.ndarray | None
    marginals: tuple[Marginal, ...] = ()


@dataclass(frozen=True)
class Reconstructions:
    """Rows and what the model makes of them: pairs of images, or columns of a table."""

    note: str
    original: np.ndarray | None
    again: np.ndarray | None
    columns: tuple[Agreement, ...] = ()


@dataclass(frozen=True)
class LatentMap:
    """Posterior means in two dimensions."""

    points: np.ndarray  # (rows, 2)
    axes: tuple[str, str]
    note: str
    colour: Colour | None


@dataclass(frozen=True)
class Ground:
    """A column over the grid of a manifold."""

    values: np.ndarray  # (up, across) numbers, or codes of classes
    labels: tuple[str, ...] = ()  # of classes, the most frequent first
    date: bool = False


@dataclass(frozen=True)
class Manifold:
    """Decoded means over a grid of the latents' prior quantiles; row 0 is the lowest value of the second latent."""

    note: str
    axes: tuple[str, str]
    across: np.ndarray  # (side,) values of the first latent
    up: np.ndarray  # (side,) of the second; one value when there is one latent
    images: np.ndarray | None  # (up, across, height, width[, 3])
    columns: dict[str, Ground]  # column -> what it is there


def history(vae: FittedModel) -> History:
    """Tell how training went."""
    frame = vae.history_
    alike = "train_bound" in frame  # judged as held-out rows are
    hidden = vae.presentation_.hide and not alike
    name = HIDDEN if hidden and "valid_bound" in frame else "training"  # no curve that looks as if it could be compared
    bounds = {name: frame["train_bound" if alike else "bound"].to_numpy(float)}
    if "valid_bound" in frame:
        bounds["held-out"] = frame["valid_bound"].to_numpy(float)
    terms = {n.removeprefix("term_"): frame[n].to_numpy(float) for n in map(str, frame) if n.startswith("term_")}
    kl, active = (frame[n].to_numpy(float) if n in frame else np.zeros(0) for n in ("kl", "active_units"))
    epoch = frame["epoch"].to_numpy(int)
    kept = epoch[frame["kept"].to_numpy(bool)]
    best = int(kept[-1]) if len(kept) else 0
    note = f"{HIDDEN}: of training rows with cells hidden at random, which is easier than whole rows." if hidden else ""
    return History(epoch, bounds, terms, kl, active, best, note)


def samples(vae: FittedModel, n: int = 64, data: Any = None, seed: int = 0, means: bool = True) -> Samples:
    """Draw from the model.

    Args:
        n: Images to draw; for a table at least 1000 rows are drawn.
        data: Rows to set a table's marginals against.
        seed: Another seed gives other draws.
        means: For images: draw the latents and show the mean image given them; False draws pixels too.
    """
    inner = {name for name in vae.network_.stochastic if name not in vae.network_.leaves}
    drawn = vae.sample(n, seed=seed)
    images = as_images(drawn)
    if images is None:
        synthetic = as_table(vae.sample(max(n, 1000), seed=seed), vae.view_)
        real = None if data is None else as_table(data, vae.view_)
        shown = [c for c in synthetic.columns if real is None or c in real.columns]
        marginals = tuple(marginal(c, synthetic[c], None if real is None else real[c]) for c in shown)
        return Samples(f"{len(synthetic)} rows drawn from the model", None, marginals)
    if not means or not inner or not inner <= set(vae.model_.latents):
        return Samples("drawn from the model, pixel by pixel", unit(images))
    decoded = as_images(vae.inverse_transform(prior_latents(vae, n, seed)))
    images = images if decoded is None else decoded
    return Samples("mean images, latents drawn from the prior", unit(images))


def prior_latents(vae: FittedModel, n: int, seed: int) -> np.ndarray:
    """Draw all latents from the network, `(n, latents)` in the order of `transform`."""
    drawn = ancestral(vae.model_, n, seed)
    families = vae.network_.families
    parts = [np.asarray(jax.vmap(families[name].certain)(drawn[name])) for name in vae.model_.latents]
    return np.concatenate([x.reshape(n, -1) for x in parts], axis=1)


def reconstructions(vae: FittedModel, data: Any, n: int | None = None) -> Reconstructions:
    """Return rows and their reconstructions.

    Args:
        n: How many rows, spread evenly over the data; None: 10 images, or 1000 rows of a table.
    """
    wanted = n or (1000 if as_images(data) is None else 10)
    index = np.unique(np.linspace(0, n_rows(data) - 1, min(wanted, n_rows(data))).astype(int))
    part = take(data, index)
    before, after = as_images(part), as_images(vae.reconstruct(part))
    if before is not None and after is not None:
        both = unit(np.stack([before, after]))
        return Reconstructions("above the data, below their reconstruction", both[0], both[1])
    old, new = as_table(part, vae.view_), as_table(vae.reconstruct(part), vae.view_)
    columns = tuple(agreement(c, old[c], new[c]) for c in new.columns if c in old.columns)
    return Reconstructions(f"{len(index)} rows against their reconstruction", None, None, columns)


def latent_map(
    vae: FittedModel,
    data: Any,
    colour: Any = None,
    method: str = "auto",
    seed: int = 0,
    most: int = ROWS,
    z: Any = None,
) -> LatentMap:
    """Place rows by their posterior means in two dimensions.

    Args:
        colour: Name of a column (or array) of `data`, or `(rows,)` values.
        method: With more than two latents: `"pca"` (also `"auto"`), their two main directions; `"axes"`, the two
            latents whose posterior mean varies most.
        seed: Of the choice of rows, where there are more than `most`.
        z: `(rows shown, latents)` of `transform`, where they are known already.
    Raises:
        LatenError: no such method or column, or another number of colours than rows.
    """
    if method not in ("auto", "pca", "axes"):
        raise LatenError(f"method must be 'auto', 'pca' or 'axes', not {method!r}")
    kept = shown_rows(rows := n_rows(data), seed, most)
    shade = None if colour is None else colours(data, colour, kept, vae.view_)
    if isinstance(data, Mapping) and isinstance(colour, str) and colour not in vae.network_.nodes:
        data = {name: x for name, x in data.items() if name != colour}
    z = np.asarray(vae.transform(take(data, kept)) if z is None else z, float)
    names = [str(name) for name in vae.get_feature_names_out()]
    if z.shape[1] == 1:
        z = np.stack([z[:, 0], np.random.default_rng(seed).uniform(-1, 1, len(z))], 1)
        names, note = [names[0], ""], "posterior means; heights are random"
    elif z.shape[1] == 2:
        note = "posterior means"
    elif method == "axes":
        note = f"posterior means, the two of {z.shape[1]} latents that vary most"
        chosen = np.argsort(-z.var(0), kind="stable")[:2]
        z, names = z[:, chosen], [names[i] for i in chosen]
    else:
        note = f"posterior means of {z.shape[1]} latents, main directions (PCA)"
        z, share = main_directions(z)
        names = [f"main direction {i + 1} ({s:.0%} of variance)" for i, s in enumerate(share)]
    note += f", {most} of {rows} rows" if rows > most else ""
    return LatentMap(z, (names[0], names[1]), note, shade)


def manifold(vae: FittedModel, side: int = 20, data: Any = None) -> Manifold:
    """Decode means over a grid of prior quantiles (Kingma & Welling 2014, figure 4).

    Args:
        side: Grid points along each latent.
        data: With more than two latents: rows by which the two most active are found; None asks the network how far
            the decoded means move with each latent. The others are held at 0.
    """
    names = [str(name) for name in vae.get_feature_names_out()]
    usable = np.flatnonzero(continuous(vae))
    if not len(usable):
        raise LatenError("a manifold needs a continuous latent; every latent of this network is a class")
    grid = np.array([NormalDist().inv_cdf((i + 0.5) / side) for i in range(side)])
    chosen, note = usable, "means decoded over a grid of prior quantiles"
    if len(usable) > 2:
        chosen = np.sort(usable[np.argsort(-activity(vae, data)[usable], kind="stable")[:2]])
        note += f"; the two most active of {len(names)} latents, the others at 0"
    up = grid if len(chosen) > 1 else np.zeros(1)
    z = np.zeros((len(up), side, len(names)), np.float32)
    z[..., chosen[0]] = grid
    if len(chosen) > 1:
        z[..., chosen[1]] = up[:, None]
    decoded = vae.inverse_transform(z.reshape(-1, len(names)))
    axes = (names[chosen[0]], names[chosen[1]] if len(chosen) > 1 else "")
    images = as_images(decoded)
    if images is not None:
        return Manifold(note, axes, grid, up, unit(images).reshape(len(up), side, *images.shape[1:]), {})
    frame = as_table(decoded, vae.view_)
    shown = {str(c): ground(frame[c], (len(up), side)) for c in frame.columns}
    same = [c for c, g in shown.items() if len(g.labels) == 1 and len(shown) > 1]
    note += f"; the same everywhere: {', '.join(same[:6])}" if same else ""
    note += f" and {len(same) - 6} more" if len(same) > 6 else ""
    return Manifold(note, axes, grid, up, None, {c: g for c, g in shown.items() if c not in same})


def ground(column: pd.Series, shape: tuple[int, int]) -> Ground:
    """Return a decoded column over a grid of `shape`; of many classes the rarest are one."""
    if not is_class(column):
        return Ground(as_numbers(column).reshape(shape), date=is_date(column))
    texts = as_labels(column)
    labels = tuple(texts.value_counts().index)
    labels = labels if len(labels) <= MOST_CLASSES else (*labels[: MOST_CLASSES - 1], OTHER)
    return Ground(codes(texts.where(texts.isin(labels), OTHER), labels).reshape(shape), labels)


def continuous(vae: FittedModel) -> np.ndarray:
    """Say which latents are numbers: `(latents,)`, False for class probabilities; in the order of `transform`."""
    families = [vae.guide_.families[name] for name in vae.model_.latents]
    widths = [sum(f.support.sizes) if f.support.kind == "classes" else f.n_sites for f in families]
    return np.repeat([f.n_states is None for f in families], widths)


def activity(vae: FittedModel, data: Any = None) -> np.ndarray:
    """Say how much each latent matters, `(latents,)`: its variance over rows, or how far decoded means move with it."""
    if data is not None:
        return np.asarray(vae.transform(data), float).var(0)
    k = len(continuous(vae))
    decoded = vae.inverse_transform(np.concatenate([np.eye(k), -np.eye(k)]).astype(np.float32))
    images = as_images(decoded)
    if images is not None:
        x = images.reshape(2 * k, -1).astype(float)
    else:
        table = as_table(decoded, vae.view_)
        dates = {c: as_numbers(table[c]) for c in table.columns if not is_class(table[c])}
        x = pd.get_dummies(table.assign(**dates)).to_numpy(float)
        x = x / np.maximum(x.std(0), 1e-12)
    return np.square(x[:k] - x[k:]).mean(1)
