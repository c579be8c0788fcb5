"""The classifiers and regressions behind detection and utility, and how they see a `CodedTable`.

Boosted trees take holes and classes as they come; past the 254 most frequent, levels are one. The logistic regression
sees numbers filled by their median and standardised, classes one-hot. Both run on one thread: where other work keeps
the processor busy, the threads of scikit-learn's trees wait for one another and take forty times as long.
"""

import warnings
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from laten.synthetic.coded_tables import CodedTable

TREES = 100
MOST_LEVELS = 254  # of the trees; scikit-learn's limit is 255
MOST_ONE_HOT = 60


def features(table: CodedTable) -> np.ndarray:
    """Return `(rows, numbers + classes)` float64: numbers, then codes, NaN where missing."""
    codes = np.where(table.classes < 0, np.nan, np.minimum(table.classes, MOST_LEVELS))
    return np.concatenate([table.numbers, codes], axis=1)


def _is_class(table: CodedTable) -> np.ndarray:
    return np.arange(table.numbers.shape[1] + table.classes.shape[1]) >= table.numbers.shape[1]


def trees(like: CodedTable, seed: int, *, regression: bool = False) -> Any:
    """Make boosted trees that give probabilities, or the mean of a number."""
    kind = HistGradientBoostingRegressor if regression else HistGradientBoostingClassifier
    return kind(max_iter=TREES, categorical_features=_is_class(like), early_stopping=False, random_state=seed)


def linear_classifier(like: CodedTable) -> Any:
    """Make a logistic regression."""
    classes = _is_class(like)
    fill = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    one_hot = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=MOST_ONE_HOT)
    seen = make_column_transformer(
        (make_pipeline(fill, StandardScaler()), np.flatnonzero(~classes)), (one_hot, np.flatnonzero(classes))
    )
    return make_pipeline(seen, LogisticRegression(max_iter=300))


def answers(learner: Any, train: np.ndarray, y: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Fit a learner to `train` and return what it says of `test`; a regression that did not quite converge will do.

    Returns:
        `(rows, classes)` probabilities of a classifier, classes as in `np.unique(y)`; `(rows,)` means of a regression.
    """
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = learner.fit(train, y)
        return fitted.predict_proba(test) if is_classifier(fitted) else fitted.predict(test)


def auc(score: np.ndarray, positive: np.ndarray) -> float:
    """Return the chance that a positive row has a higher score than another one; ties count half."""
    return float(roc_auc_score(positive, score))
