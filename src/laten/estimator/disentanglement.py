r"""How far each latent stands for one known factor of variation, and each factor for one latent.

With $I_{jk}$ the mutual information of latent j, in 20 bins of equal mass, and factor k, in nats, and $H_k$ the
factor's entropy, both less the bias of few rows in many cells (Miller 1955):

- MIG (Chen et al. 2018): mean over factors of $(I_{(1)k} - I_{(2)k})/H_k$, the two latents that tell most about it;
- modularity (Ridgeway & Mozer 2018): mean over latents, weighted by $I_{jk^*}$, of
  $1 - \sum_{k\ne k^*} I_{jk}^2 / (I_{jk^*}^2(K-1))$, with $k^*$ the factor that latent j tells most about;
- DCI (Eastwood & Williams 2018): importances of the latents in forests that predict each factor; disentanglement is one
  less the entropy of a latent's importances over factors, completeness of a factor's over latents, informativeness how
  well factors are predicted on rows held out;
- SAP (Kumar et al. 2018): mean over factors of the gap between the two latents that predict it best alone, by $r^2$ for
  numbers, by the accuracy of a tree above that of the commonest class for classes.

All are 1 for latents that are the factors, and near 0 for latents that know nothing of them.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.metrics import mutual_info_score
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.tree import DecisionTreeClassifier

from laten.common.errors import DataError

BINS = 20
LEVELS = 20  # most values that whole numbers have as classes
TREES = 50
LEAST = 50  # rows
FOLDS = 3  # of the rows, by which a tree is judged
FAINT = 1e-12


class HasLatents(Protocol):
    """A fitted `VAE`, or anything else with latents of rows."""

    def transform(self, X: Any) -> Any: ...


class Factor(NamedTuple):
    """A factor of variation: numbers, or codes of classes."""

    values: np.ndarray  # (rows,)
    classes: bool


class Disentanglement(NamedTuple):
    """Measures from 0 to 1; `print` shows them.

    Args:
        mig, disentanglement, completeness, informativeness, sap, modularity: See `lt.disentanglement`.
        information: Mutual information `(latents, factors)`, in nats.
        importance: Of latents in predicting each factor, `(latents, factors)`; a factor's add up to 1.
    """

    mig: float
    disentanglement: float
    completeness: float
    informativeness: float
    sap: float
    modularity: float
    information: pd.DataFrame
    importance: pd.DataFrame

    def __str__(self) -> str:
        return "\n".join(f"{name:<16} {getattr(self, name):.3f}" for name in self._fields[:6])


def disentanglement(vae: HasLatents, X: Any, factors: Any, *, seed: int = 0) -> Disentanglement:
    """Measure how far latents stand for known factors: MIG, DCI, SAP and modularity.

    Args:
        vae: A fitted `lt.VAE`, or another object with `transform`.
        X: Rows, at least 50.
        factors: What is known of each row: a frame, a dictionary of columns, or an array `(rows, factors)`. Texts, and
            whole numbers of at most 20 values, are classes.

    Other arguments:
        seed: Of the forests and the rows held out.
    Returns:
        `mig`, `disentanglement`, `completeness`, `informativeness` (these three are DCI), `sap`, `modularity`, and two
        frames.
    Raises:
        DataError: factors that are constant, have holes or hardly a value twice, or are of another number of rows;
            fewer than two latents, or some that are not finite.

    >>> import laten as lt
    >>> import numpy as np
    >>> class Identity:
    ...     def transform(self, X):
    ...         return X
    >>> z = np.random.default_rng(0).normal(size=(300, 2))
    >>> round(lt.disentanglement(Identity(), z, z).modularity, 1)
    1.0
    """
    codes = np.asarray(vae.transform(X), np.float64)
    if np.ndim(factors) > 2:
        raise DataError(f"factors are a table (rows, factors), not an array {np.shape(factors)}")
    table = pd.DataFrame(factors)
    if codes.ndim != 2 or codes.shape[1] < 2 or len(codes) < LEAST:
        raise DataError(f"disentanglement needs two latents and {LEAST} rows at least; these are {codes.shape}")
    if not np.isfinite(codes).all():
        raise DataError("disentanglement: some latents are not finite numbers; leave out these rows, or fit again")
    if len(table) != len(codes):
        raise DataError(f"there are {len(table)} rows of factors and {len(codes)} rows of data")
    known = {str(name): factor_of(str(name), column) for name, column in table.items()}
    information = informations(codes, known)
    importance, said = importances(codes, known, seed)
    entropies = np.array([shared(x := binned(f), x) for f in known.values()])
    latents = [f"latent {j}" for j in range(codes.shape[1])]
    return Disentanglement(
        mig=float(np.mean(gap(information) / entropies)),
        disentanglement=purity(importance, axis=1),
        completeness=purity(importance, axis=0),
        informativeness=said,
        sap=float(np.mean(gap(separations(codes, known, seed)))),
        modularity=modular(information),
        information=pd.DataFrame(information, latents, list(known)),
        importance=pd.DataFrame(importance, latents, list(known)),
    )


def factor_of(name: str, column: pd.Series) -> Factor:
    """Return a column as a factor."""
    if column.isna().any():
        raise DataError(f"factor {name!r} has holes; leave out these rows, or this factor")
    if column.nunique() < 2:
        raise DataError(f"factor {name!r} is the same in all rows; leave it out")
    numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    numbers = numeric and not (column.nunique() <= LEVELS and bool((column == column.round()).all()))
    if numeric and not np.isfinite(column.to_numpy(np.float64)).all():
        raise DataError(f"factor {name!r} holds infinities; put finite numbers there, or leave out these rows")
    if not numbers and column.value_counts().max() < FOLDS:
        raise DataError(f"factor {name!r} has hardly a value twice, too few for classes; leave it out, or give numbers")
    if numbers:
        return Factor(column.to_numpy(np.float64), False)
    return Factor(pd.factorize(column, sort=True)[0], True)


def binned(factor: Factor) -> np.ndarray:
    """Return codes `(rows,)`: of numbers, bins of equal mass."""
    if factor.classes:
        return factor.values
    edges = np.quantile(factor.values, np.linspace(0, 1, BINS + 1)[1:-1])
    return np.searchsorted(np.unique(edges), factor.values, side="right")


def informations(codes: np.ndarray, factors: Mapping[str, Factor]) -> np.ndarray:
    """Return mutual informations `(latents, factors)`, in nats."""
    latents = [binned(Factor(column, False)) for column in codes.T]
    return np.array([[shared(z, binned(f)) for f in factors.values()] for z in latents])


def shared(a: np.ndarray, b: np.ndarray) -> float:
    """Return the mutual information of two columns of codes, in nats, corrected for the number of cells."""
    cells = len(np.unique(np.stack([a, b]), axis=1).T)
    bias = (cells - len(np.unique(a)) - len(np.unique(b)) + 1) / (2 * len(a))
    return max(float(mutual_info_score(a, b)) - bias, 0.0)


def gap(scores: np.ndarray) -> np.ndarray:
    """Return, for each factor, by how much its best latent beats the next: `(latents, factors)` to `(factors,)`."""
    ordered = np.sort(scores, axis=0)
    return ordered[-1] - ordered[-2]


def modular(information: np.ndarray) -> float:
    """Return the modularity; with one factor it is 1."""
    best = information.max(axis=1)
    told = best > FAINT
    if information.shape[1] < 2 or not told.any():
        return 1.0 if told.any() else 0.0
    squares = np.square(information[told] / best[told][:, None])
    return float(np.average(1 - (squares.sum(axis=1) - 1) / (information.shape[1] - 1), weights=best[told]))


def importances(codes: np.ndarray, factors: Mapping[str, Factor], seed: int) -> tuple[np.ndarray, float]:
    """Return importances `(latents, factors)` in forests, and how well these predict held-out rows: 0 is by chance."""
    found, said = [], []
    for f in factors.values():
        z, held, y, truth = train_test_split(codes, f.values, test_size=0.25, random_state=seed)
        kind = RandomForestClassifier if f.classes else RandomForestRegressor
        forest = kind(TREES, min_samples_leaf=3, max_features=None, random_state=seed).fit(z, y)
        score = forest.score(held, truth)
        if f.classes:
            chance = np.bincount(truth).max() / len(truth)
            score = (score - chance) / max(1 - chance, FAINT)
        found.append(forest.feature_importances_)
        said.append(max(score, 0.0))
    return np.array(found).T, float(np.mean(said))


def purity(importance: np.ndarray, axis: int) -> float:
    """Return one less the normalised entropy along an axis, averaged by how much there is."""
    total = importance.sum(axis=axis)
    n = importance.shape[axis]
    if n < 2:
        return 1.0
    if not total.any():  # nothing is told of anything
        return 0.0
    share = importance / np.maximum(np.expand_dims(total, axis), FAINT)
    entropy = -(share * np.log(np.maximum(share, FAINT))).sum(axis=axis) / np.log(n)
    return float(np.average(1 - entropy, weights=total))


def separations(codes: np.ndarray, factors: Mapping[str, Factor], seed: int) -> np.ndarray:
    """Return how well each latent predicts each factor alone, `(latents, factors)`, from 0."""
    out = np.zeros((codes.shape[1], len(factors)))
    for k, f in enumerate(factors.values()):
        chance = np.bincount(f.values).max() / len(f.values) if f.classes else 0.0
        for j, z in enumerate(codes.T):
            if f.classes:
                tree = DecisionTreeClassifier(max_leaf_nodes=2 * LEVELS, min_samples_leaf=5, random_state=seed)
                found = (cross_val_score(tree, z[:, None], f.values, cv=FOLDS).mean() - chance) / max(1 - chance, FAINT)
            else:
                found = np.corrcoef(z, f.values)[0, 1] ** 2 if z.std() > FAINT else 0.0
            out[j, k] = max(found, 0.0)
    return out
