"""What scikit-learn asks of a transformer that answers in the library of its input: `set_output`, names of columns."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator

from laten.data.containers.containers import taken, taken_table
from laten.data.containers.dictionaries import is_columns


def as_asked(estimator: BaseEstimator, X: Any) -> Any:
    """Return X; as pandas or NumPy where `set_output` names another library, whose tables scikit-learn makes of those.

    Args:
        estimator: On which `set_output(transform=...)` may have been called.
        X: Rows, in any container.
    """
    wanted = getattr(estimator, "_sklearn_output_config", {}).get("transform", get_config()["transform_output"])
    if wanted == "default" or type(X).__module__.partition(".")[0] == wanted:
        return X
    return as_rows(X)


def as_rows(X: Any) -> Any:
    """Return rows in any container as a frame or an array; arrays by node stay a dictionary."""
    found = taken(X).data
    return taken_table(X).data if isinstance(found, Mapping) and is_columns(found) else found


def names_in(estimator: BaseEstimator, input_features: Any = None) -> np.ndarray | None:
    """Return the names of the fitted columns, None where there are none; refuse others, in scikit-learn's words.

    Raises:
        ValueError: other names than those of the fit, or another number of them.
    """
    fitted, count = getattr(estimator, "feature_names_in_", None), getattr(estimator, "n_features_in_", None)
    if input_features is None:
        return fitted
    names = np.asarray(input_features, dtype=object)
    if fitted is not None and not np.array_equal(fitted, names):
        raise ValueError("input_features is not equal to feature_names_in_")
    if count is not None and len(names) != count:
        raise ValueError(f"input_features should have length equal to number of features ({count}), got {len(names)}")
    return names
