"""The imputer of the hyperimpute library, told the kind of each column as far as it can be told.

Run by `benchmarks.tables.imputation` under the interpreter of `$LATEN_PEERS/hyperimpute` (`setup.sh`). It knows classes
only by a threshold on the number of values, which is set just above the largest categorical column; it stops after
`seconds`, with the last whole iteration as its answer.
"""

import time

import numpy as np
import pandas as pd
from encoding import CLASSES, nearest
from exchange import Arrays, Clock, serve
from hyperimpute.plugins.imputers import Imputers


class OutOfTimeError(Exception):
    """The time given is spent; the argument is what there is."""


def work(arrays: Arrays, arguments: dict, clock: Clock) -> Arrays:
    """Fills the holes of X."""
    X, kinds, ends = arrays["X"], arguments["kinds"], time.monotonic() + arguments["seconds"]
    levels = [np.unique(c[~np.isnan(c)]) for c in X.T]
    most = max((len(v) for v, k in zip(levels, kinds, strict=True) if k == "cat"), default=0)

    def look(iteration: int, filled: pd.DataFrame) -> None:
        arguments["notes"]["iterations"] = iteration
        if iteration and time.monotonic() > ends:
            raise OutOfTimeError(filled)

    options = {"class_threshold": most + 2, "inner_loop_hook": look, "random_state": arguments["seed"]}
    with clock("fit"):
        try:
            found = Imputers().get("hyperimpute", **options).fit_transform(pd.DataFrame(X))
        except OutOfTimeError as out:
            (found,) = out.args
    filled = np.asarray(found, float)
    for i in np.flatnonzero(np.isin(kinds, CLASSES)):
        filled[:, i] = nearest(levels[i], filled[:, i])
    return {"X": filled}


if __name__ == "__main__":
    serve(work, ("hyperimpute", "torch", "pandas"))
