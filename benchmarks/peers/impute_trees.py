"""Imputation column by column with trees: boosted ones, once or in rounds, and missForest (Stekhoven & Buhlmann 2012).

Run by `benchmarks.tables.imputation` under laten's own interpreter: scikit-learn is all it needs.

Boosted trees take holes as they are: in the first pass every column is learned from the others with their holes (cells
filled by a model that saw the target would tell it to the next one). More rounds see the filled cells. The forest
starts from mean and mode. Rounds go on, columns with few holes first, until the change between two rounds grows
(missForest's rule; the round before is the answer) or the given number is reached. Numbers are predicted by their mean,
classes by the most probable, ordinals by the median of the predicted classes: each is best under the error it is
measured by. Categories are told to the boosted trees as such, to the forest as codes.
"""

import numpy as np
from exchange import Arrays, Clock, serve
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)


def boosted(kind: str, categorical: np.ndarray, seed: int):
    """Boosted trees for one column; stronger penalties for classes, whose boosting is unstable when some are rare."""
    common = {"categorical_features": categorical, "early_stopping": True, "random_state": seed, "learning_rate": 0.05}
    if kind in ("cat", "ordinal"):
        return HistGradientBoostingClassifier(max_iter=300, max_leaf_nodes=15, l2_regularization=10.0, **common)
    return HistGradientBoostingRegressor(max_iter=500, **common)


def forest(kind: str, categorical: np.ndarray, seed: int):
    """A forest for one column, as in the R package: 100 trees, square root of the columns at a split."""
    common = {"n_estimators": 100, "max_features": "sqrt", "n_jobs": -1, "random_state": seed}
    if kind in ("cat", "ordinal"):
        return RandomForestClassifier(**common)
    return RandomForestRegressor(min_samples_leaf=5, **common)


MODELS = {"boosted": boosted, "forest": forest}


def predict(model, kind: str, X: np.ndarray) -> np.ndarray:
    """The value with the least expected error for this kind of column."""
    if kind == "ordinal":
        probability = model.predict_proba(X)
        return model.classes_[np.minimum((probability.cumsum(1) < 0.5).sum(1), len(model.classes_) - 1)]
    return model.predict(X)


def one_round(X: np.ndarray, start: np.ndarray, kinds: list[str], make, seed: int) -> np.ndarray:
    """Fits and fills each column: in turn, or, while `start` has holes, each from the others as they are."""
    hidden, filled = np.isnan(X), start.copy()
    seen = start if np.isnan(start).any() else filled
    for i in np.argsort(hidden.sum(0)):
        rows = hidden[:, i]
        if not rows.any():
            continue
        others = np.delete(seen, i, axis=1)
        categorical = np.delete(np.array(kinds) == "cat", i)
        model = make(kinds[i], categorical, seed)
        learned = ~rows
        if kinds[i] in ("cat", "ordinal"):  # early stopping holds rows of every class out: it needs two of each
            levels, counts = np.unique(X[~rows, i], return_counts=True)
            learned &= np.isin(X[:, i], levels[counts > 2])
        model.fit(others[learned], X[learned, i])
        filled[rows, i] = predict(model, kinds[i], others[rows])
    return filled


def change(new: np.ndarray, old: np.ndarray, hidden: np.ndarray, kinds: list[str]) -> np.ndarray:
    """missForest's two measures: relative squared change of numbers, share of changed classes."""
    classes = np.isin(kinds, ("cat", "ordinal"))
    numbers, cells = hidden & ~classes, hidden & classes
    scale = np.nanstd(new, axis=0) + 1e-12
    squares = lambda x: float(((x / scale) ** 2)[numbers].sum()) if numbers.any() else 0.0  # noqa: E731
    share = float((new != old)[cells].mean()) if cells.any() else 0.0
    return np.array([squares(new - old) / max(squares(new), 1e-12), share])


def mean_mode(X: np.ndarray, kinds: list[str]) -> np.ndarray:
    """Holes by the mean of a number, the mode of a class."""
    out = X.copy()
    for i, kind in enumerate(kinds):
        seen = X[~np.isnan(X[:, i]), i]
        levels, counts = np.unique(seen, return_counts=True)
        fill = levels[counts.argmax()] if kind in ("cat", "ordinal") else seen.mean()
        out[np.isnan(X[:, i]), i] = fill
    return out


def work(arrays: Arrays, arguments: dict, clock: Clock) -> Arrays:
    """Fills the holes of X."""
    X, kinds, seed = arrays["X"], arguments["kinds"], arguments["seed"]
    make, hidden = MODELS[arguments["model"]], np.isnan(X)
    with clock("fit"):
        filled = X if arguments["model"] == "boosted" else mean_mode(X, kinds)
        last, rounds = np.full(2, np.inf), 0
        while rounds < arguments["rounds"]:
            new = one_round(X, filled, kinds, make, seed + rounds)
            rounds += 1
            if rounds > 1 or arguments["model"] == "forest":
                moved = change(new, filled, hidden, kinds)
                if rounds > 2 and (moved >= last).all():
                    break  # the change grows: the round before is the answer
                last = moved
            filled = new
    arguments["notes"]["rounds"] = rounds
    return {"X": filled}


if __name__ == "__main__":
    serve(work, ("scikit-learn", "numpy"))
