r"""What cells express: shares of their counts, without their depth and, if wanted, their batch; and between groups.

The shares $\rho$ of a row come from its latents (`Family.shares`). Between two groups of rows, pairs are drawn, one row
of each, and for each row one posterior draw of $\rho$; of the fold changes

$$\beta_g = \log_2\frac{\rho^{(1)}_g + \epsilon}{\rho^{(2)}_g + \epsilon}$$

the mean, the spread and $P(|\beta_g| > \delta)$ are estimated (Boyeau et al. 2019).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas as pd

from laten.answers.fitted import Fitted
from laten.answers.sample_and_predict import evidence_of
from laten.common.errors import DataError, LatenError, known
from laten.common.types import Values
from laten.data.rows.presentation import wide
from laten.inference.asking import Keys, classes_of
from laten.inference.shares import DrawnShares, MeanShares

LEAST_SHARE = 1e-6  # added to both sides of a fold change: a count in a million
PAIRS_AT_ONCE = 256

Given = Mapping[Any, Any] | None


def expression(fitted: Fitted, data: Any, given: Given, total: float, draws: int) -> np.ndarray:
    """Return posterior means of shares times a total, `(rows, *sites)` float32."""
    question = MeanShares(draws, counts_of(fitted), inputs_of(fitted, given))
    found = fitted.ask(question, fitted.rows(data), kept=lambda found: found[0])
    return np.asarray(np.float32(total) * found)


def between_groups(
    fitted: Fitted, first: Any, second: Any, given: Given, change: float, pairs: int, names: Sequence[Any] | None,
    draws: int, seed: int,
) -> pd.DataFrame:  # fmt: skip
    """Return what is known of each site's fold change from the second group of rows to the first."""
    question = DrawnShares(draws, counts_of(fitted), inputs_of(fitted, given))
    groups, rng = [fitted.rows(data) for data in (first, second)], np.random.default_rng(seed)
    chosen = [rng.integers(rows.n, size=pairs) for rows in groups]
    sums, squares, far = np.zeros(3), np.zeros(1), np.zeros(1)
    for start in range(0, pairs, PAIRS_AT_ONCE):
        own = np.arange(start, min(start + PAIRS_AT_ONCE, pairs))
        a, b = (
            fitted.ask(question, rows.take(index[own]), Keys(seed + i, own)).reshape(len(own), -1).astype(np.float64)
            for i, (rows, index) in enumerate(zip(groups, chosen, strict=True))
        )
        fold = np.log2((a + LEAST_SHARE) / (b + LEAST_SHARE))
        sums = sums.reshape(3, -1) + np.stack([fold.sum(0), a.sum(0), b.sum(0)])
        squares, far = squares + np.square(fold).sum(0), far + (np.abs(fold) > change).sum(0)
    mean, of_first, of_second = sums / pairs
    sites = range(len(mean)) if names is None else names
    if len(sites) != len(mean):
        raise DataError(f"names: {len(sites)} names for {len(mean)} sites")
    columns = {
        "probability": far / pairs,
        "log2_fold_change": mean,
        "sd": np.sqrt(np.maximum(squares / pairs - np.square(mean), 0)),
        "share_first": of_first,
        "share_second": of_second,
    }
    return pd.DataFrame(columns, index=pd.Index(list(sites), name="site"))


def counts_of(fitted: Fitted) -> str:
    """Return the leaf of counts that are shares of a total.

    Raises:
        LatenError: the network has none, or several.
    """
    network = fitted.model.network
    found = [n for n in network.leaves if network.nodes[n].family.beside is not None]
    if len(found) != 1:
        raise LatenError(
            f"expression is asked of counts that are shares of a total; this network has {known(found)}. "
            "lt.templates.counts declares one: lt.NegativeBinomial(..., total='library')"
        )
    return found[0]


def inputs_of(fitted: Fitted, given: Given) -> Values:
    """Return inputs that take the place of the rows' own, of one row.

    Raises:
        DataError: a node that is no input.
    """
    network = fitted.model.network
    rows = evidence_of(fitted, given, 1)[0] if given else None
    values = {} if rows is None else rows.values
    for name in values:
        if not network.nodes[name].family.is_input:
            inputs = [n for n, family in network.families.items() if family.is_input]
            raise DataError(f"given: {name!r} is no input of the network; inputs: {known(inputs)}")
    return {n: wide(jnp.asarray(x[0]), n in classes_of(network)) for n, x in values.items()}
