"""What scikit-learn's `set_output` needs of a transformer that answers in the library of its input."""

from collections.abc import Mapping
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.utils._set_output import _get_output_config

from laten.data.containers.containers import taken, taken_columns
from laten.data.containers.dictionaries import is_columns


def as_asked(estimator: BaseEstimator, X: Any) -> Any:
    """Return X; as pandas or NumPy where `set_output` names another library, whose tables scikit-learn makes of those.

    Args:
        estimator: On which `set_output(transform=...)` may have been called.
        X: Rows, in any container.
    """
    wanted = _get_output_config("transform", estimator)["dense"]
    if wanted == "default" or type(X).__module__.partition(".")[0] == wanted:
        return X
    if isinstance(X, Mapping):
        return taken_columns(X).data if is_columns(X) else X
    return taken(X).data
