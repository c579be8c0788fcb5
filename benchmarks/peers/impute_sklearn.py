"""Imputation by scikit-learn: its IterativeImputer (MICE with Bayesian ridge regression), or boosted trees by column.

Run by `benchmarks.tables.imputation` under laten's own interpreter, side "linear" or "boosted". The first sees the
matrix of `encoding.py`, once.

Boosted trees take holes and categories as they are: in the first pass every column is learned from the others with
their holes (cells filled by a model that saw the target would tell it to the next one). More rounds see the filled
cells. Rounds go on, columns with few holes first, until the change between two rounds grows (missForest's rule; the
round before is the answer) or the given number is reached. Numbers are predicted by their mean, classes by the most
probable, ordinals by the median of the predicted classes: each is best under the error it is measured by.
"""

import warnings

import numpy as np
from encoding import CLASSES, Encoding
from exchange import Arrays, Clock, serve
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer


def linear(X: np.ndarray, kinds: list[str], arguments: dict, clock: Clock) -> np.ndarray:
    """The table filled by IterativeImputer."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    encoding = Encoding(X, kinds)
    imputer = IterativeImputer(max_iter=arguments["rounds"], random_state=arguments["seed"])
    with clock("fit"):
        imputer.fit(encoding.forward(X))
    arguments["notes"]["rounds"] = int(imputer.n_iter_)
    with clock("fill"):
        return encoding.back(imputer.transform(encoding.forward(X)))


def model_of(kind: str, categorical: np.ndarray, seed: int):
    """Boosted trees for one column; stronger penalties for classes, whose boosting is unstable when some are rare."""
    common = {"categorical_features": categorical, "early_stopping": True, "random_state": seed, "learning_rate": 0.05}
    if kind in CLASSES:
        return HistGradientBoostingClassifier(max_iter=300, max_leaf_nodes=15, l2_regularization=10.0, **common)
    return HistGradientBoostingRegressor(max_iter=500, **common)


def one_round(X: np.ndarray, start: np.ndarray, kinds: list[str], seed: int) -> np.ndarray:
    """Fits and fills each column: in turn, or, while `start` has holes, each from the others as they are."""
    hidden, filled = np.isnan(X), start.copy()
    seen = start if np.isnan(start).any() else filled
    for i in np.argsort(hidden.sum(0)):
        rows, learned = hidden[:, i], ~hidden[:, i]
        if not rows.any():
            continue
        others = np.delete(seen, i, axis=1)
        model = model_of(kinds[i], np.delete(np.array(kinds) == "cat", i), seed)
        if kinds[i] in CLASSES:  # early stopping holds rows of every class out: it needs two of each
            levels, counts = np.unique(X[~rows, i], return_counts=True)
            learned &= np.isin(X[:, i], levels[counts > 2])
        model.fit(others[learned], X[learned, i])
        if kinds[i] == "ordinal":
            below = model.predict_proba(others[rows]).cumsum(1) < 0.5
            filled[rows, i] = model.classes_[np.minimum(below.sum(1), len(model.classes_) - 1)]
        else:
            filled[rows, i] = model.predict(others[rows])
    return filled


def boosted(X: np.ndarray, kinds: list[str], arguments: dict, clock: Clock) -> np.ndarray:
    """The table filled column by column."""
    classes, filled, last = np.isin(kinds, CLASSES), X, np.full(2, np.inf)
    numbers, cells = np.isnan(X) & ~classes, np.isnan(X) & classes
    for turn in range(arguments["rounds"]):
        with clock("fit"):
            new = one_round(X, filled, kinds, arguments["seed"] + turn)
        if turn:  # the relative squared change of numbers, the share of changed classes
            scale = np.nanstd(new, axis=0) + 1e-12
            squares = (((new - filled) / scale) ** 2)[numbers].sum() / max(((new / scale) ** 2)[numbers].sum(), 1e-12)
            moved = np.array([squares, (new != filled)[cells].sum() / max(cells.sum(), 1)])
            if turn > 1 and (moved >= last).all():
                break
            last = moved
        filled, arguments["notes"]["rounds"] = new, turn + 1
    return filled


def work(arrays: Arrays, arguments: dict, clock: Clock) -> Arrays:
    """Fills the holes of X."""
    side = {"linear": linear, "boosted": boosted}[arguments["side"]]
    return {"X": side(arrays["X"], arguments["kinds"], arguments, clock)}


if __name__ == "__main__":
    serve(work, ("scikit-learn", "numpy"))
