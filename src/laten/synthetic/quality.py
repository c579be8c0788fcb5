"""`laten.quality`: puts the measures together."""

from typing import Any

import numpy as np
import pandas as pd

from laten.common.errors import DataError
from laten.data.schema.contract import Name
from laten.data.schema.infer import infer_schema
from laten.data.schema.schema import Schema
from laten.plots.contents.columns import Marginal, marginal
from laten.synthetic.coded_tables import CodedTable, Coding, check_tables, code
from laten.synthetic.detection import detection
from laten.synthetic.pairs import pair_errors, strong_pairs
from laten.synthetic.privacy import AMONG, ASK, privacy
from laten.synthetic.rare_levels import rare
from laten.synthetic.result import MEASURES, Quality, measure
from laten.synthetic.shapes import by_column, shapes
from laten.synthetic.utility import check_target, utility

WORST = 4  # columns whose marginals are kept
ROWS = 20_000


def quality(
    real: Any,
    synthetic: Any,
    holdout: Any = None,
    *,
    target: Name | None = None,
    schema: Schema | None = None,
    seed: int = 0,
    rows: int = ROWS,
) -> Quality:
    """Say how good synthetic rows are: likeness, detection, use and privacy; `docs/en/quality.md` defines them.

    Args:
        real: The rows that the generator learned from: a table in any container that `VAE.fit` takes, as the others.
        synthetic: The rows it made, with the same columns. As many as real ones is best.
        holdout: Real rows that it has not seen. They tell what is the best one can hope for, and without them neither
            use nor most of privacy can be judged: those measures are left out, and the result says why.

    Other arguments:
        target: A column to predict: train on synthetic rows, test on the hold-out.
        schema: Which columns are numbers and which are classes; None infers it from `real`.
        seed: Of the rows chosen, the folds and the trees. The same seed gives the same figures.
        rows: Shapes, pairs, levels and copies are measured on all rows. Classifiers learn from at most this many rows
            of each table.
    Returns:
        The measures; `print` shows them, `.frame` holds them, `.plot()` draws them.
    Raises:
        DataError: no table, one without rows, with other columns or with cells of another type; no such target.

    >>> rng = np.random.default_rng(0)
    >>> frame = pd.DataFrame({"x": rng.normal(size=400), "y": rng.choice(["a", "b"], 400)})
    >>> found = quality(frame[:200], frame[200:], rows=100)
    >>> found["column shapes"] < 0.1, found.left_out["membership attack"]
    (True, 'needs a hold-out: real rows that the generator has not seen')
    """
    if isinstance(rows, bool) or not isinstance(rows, int | np.integer) or rows < 10:
        raise DataError(f"rows must be a whole number of at least 10, not {rows!r}")
    given = {"real": real, "synthetic": synthetic} | ({} if holdout is None else {"hold-out": holdout})
    frames = check_tables(given)
    coding, tables = code(frames, infer_schema(frames["real"]) if schema is None else schema)
    check_target(coding, target)
    r, s, h = tables["real"], tables["synthetic"], tables.get("hold-out")
    columns = by_column(coding, r, s, h)
    errors, strong = pair_errors(coding, r, [s] if h is None else [s, h]), strong_pairs(coding, r)
    away, near = privacy(r, s, h, seed)
    found: dict[str, tuple[float, float] | str] = {
        **shapes(coding, r, h, columns),
        "pair trends": means([e.own for e in errors]),
        "pair trends, same bins": means([e.same for e in errors]),
        "pair trends, strong pairs": means(
            [e.own[strong] for e in errors], "no two columns of the real table go together closely"
        ),
        **rare(coding, r, s, h),
        **detection(r, s, h, rows, seed),
        **utility(coding, r, s, h, target, rows, seed),
        **away,
    }
    largest = np.argsort(-columns["error"].to_numpy(), kind="stable")[:WORST]
    words = {"train on synthetic": {"target": repr(target), "score": "AUC" if target in coding.classes else "R²"}}
    return Quality(
        measures=tuple(measure(name, found[name], **words.get(name, {})) for name in MEASURES),
        columns=columns,
        pairs=square(coding, errors[0].own),
        pairs_same_bins=square(coding, errors[0].same),
        set_aside=coding.aside,
        note=note(r, s, h, rows, seed),
        marginals=tuple(compared(coding, r, s, int(i)) for i in largest),
        nearest=near,
    )


def means(errors: list[np.ndarray], none: str = "there is only one column") -> tuple[float, float] | str:
    """Average over the pairs: the synthetic table's, the hold-out's; say why where there are none."""
    if errors[0].size < 2:
        return none
    synthetic, *holdout = (float(np.nanmean(e)) for e in errors)
    return synthetic, holdout[0] if holdout else np.nan


def square(coding: Coding, errors: np.ndarray) -> pd.DataFrame:
    """Lay out errors of pairs with the names of columns at both sides."""
    return pd.DataFrame(errors, index=pd.Index(coding.names), columns=pd.Index(coding.names))


def note(real: CodedTable, synthetic: CodedTable, holdout: CodedTable | None, rows: int, seed: int) -> str:
    """Say which rows were used."""
    text = f"{len(synthetic)} synthetic rows against {len(real)} real ones"
    text += "" if holdout is None else f", reference: {len(holdout)} held-out ones"
    most = max(len(real), len(synthetic), 0 if holdout is None else len(holdout))
    if most > rows:
        text += f"; classifiers saw at most {rows} rows of each"
    if most > ASK:
        text += f"; at most {ASK} rows of each looked for their nearest record, among at most {AMONG}"
    return f"{text}; seed {seed}."


def compared(coding: Coding, real: CodedTable, synthetic: CodedTable, column: int) -> Marginal:
    """Return the marginal of a column in both tables."""
    drawn, seen = (as_series(coding, table, column) for table in (synthetic, real))
    return marginal(str(coding.names[column]), drawn, seen)


def as_series(coding: Coding, table: CodedTable, column: int) -> pd.Series:
    """Return a measured column as it is drawn: numbers, dates, or categories by how frequent they are."""
    name = coding.names[column]
    if name in coding.classes:
        k = coding.classes.index(name)
        return pd.Series(pd.Categorical.from_codes(table.classes[:, k], list(coding.levels[k])))
    x = pd.Series(table.numbers[:, coding.numbers.index(name)])
    if coding.columns[column].kind != "date":
        return x
    return pd.to_datetime((x * 86400).round(), unit="s").astype("datetime64[s]")
