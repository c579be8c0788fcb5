"""scikit-learn's IterativeImputer (MICE with Bayesian ridge regression, one imputation), categories as indicators.

Run by `benchmarks.tables.imputation` under laten's own interpreter. `encoding.py` says how the table becomes a matrix.
"""

import warnings

from encoding import Encoding
from exchange import Arrays, Clock, serve
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer


def work(arrays: Arrays, arguments: dict, clock: Clock) -> Arrays:
    """Fills the holes of X."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    X = arrays["X"]
    encoding = Encoding(X, arguments["kinds"])
    imputer = IterativeImputer(max_iter=arguments["rounds"], random_state=arguments["seed"])
    with clock("fit"):
        imputer.fit(encoding.forward(X))
    with clock("fill"):
        filled = encoding.back(imputer.transform(encoding.forward(X)))
    arguments["notes"]["rounds"] = int(imputer.n_iter_)
    return {"X": filled}


if __name__ == "__main__":
    serve(work, ("scikit-learn", "numpy"))
