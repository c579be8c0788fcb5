"""How like a real table a synthetic one is: shapes of columns, trends of pairs, use for learning, distance to records.

Shapes and trends follow sdmetrics 0.11.1 (the version of the published figures); `synthetic --check` compares the two.
Errors are 1 - its scores:

    column shape   numbers: largest difference of the distribution functions (Kolmogorov-Smirnov); classes: ½ Σ |p - q|
    pair trend     two numbers: ½ |difference of Pearson's correlations|; else ½ Σ |p - q| over the cells of the joint
                   table, a number cut into ten bins of equal width

That version cuts the real and the synthetic column each between its own least and largest value, so that one outlier
moves all bins; `shared=True` cuts both at the real column's edges, as was meant.
"""

from itertools import combinations

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

BINS = 10


def is_number(column: pd.Series) -> bool:
    """A number; everything else is a class."""
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def shape_errors(real: pd.DataFrame, synthetic: pd.DataFrame) -> pd.Series:
    """Error of each column."""
    return pd.Series({c: _shape_error(real[c].dropna(), synthetic[c].dropna()) for c in real})


def _shape_error(real: pd.Series, synthetic: pd.Series) -> float:
    if not is_number(real):
        return _variation(real.astype(str), synthetic.astype(str))
    a, b = np.sort(real.to_numpy(float)), np.sort(synthetic.to_numpy(float))
    at = np.concatenate([a, b])
    steps = [np.searchsorted(x, at, side="right") / len(x) for x in (a, b)]
    return float(np.abs(steps[0] - steps[1]).max())


def _variation(real: pd.Series, synthetic: pd.Series) -> float:
    p, q = real.value_counts(normalize=True), synthetic.value_counts(normalize=True)
    return float(p.sub(q, fill_value=0).abs().sum() / 2)


def pair_errors(real: pd.DataFrame, synthetic: pd.DataFrame, shared: bool = False) -> pd.Series:
    """Error of each pair of columns.

    Args:
        real, synthetic: Tables of the same columns.
        shared: Cut both at the real column's edges, not each at its own.
    """
    codes = [_codes(real, real), _codes(synthetic, real if shared else synthetic)]
    return pd.Series({(a, b): _pair_error(a, b, (real, synthetic), codes) for a, b in combinations(real, 2)})


def _codes(table: pd.DataFrame, cut: pd.DataFrame) -> pd.DataFrame:
    """Classes as text, numbers as the bin between the edges of `cut`."""
    out = {}
    for c in table:
        if is_number(cut[c]):
            edges = np.histogram_bin_edges(cut[c].dropna().to_numpy(float), BINS)
            out[c] = np.digitize(table[c].to_numpy(float), edges).astype(str)
        else:
            out[c] = table[c].astype(str).to_numpy()
    return pd.DataFrame(out)


def _pair_error(a: str, b: str, tables: tuple[pd.DataFrame, pd.DataFrame], codes: list[pd.DataFrame]) -> float:
    if is_number(tables[0][a]) and is_number(tables[0][b]):
        r, s = (t[[a, b]].dropna().astype(float).corr().iloc[0, 1] for t in tables)
        return float(abs(r - s) / 2)  # NaN where one is constant: sdmetrics leaves such a pair out
    joint = [t[a] + "\x1f" + t[b] for t in codes]
    return _variation(joint[0], joint[1])


def utility(train: pd.DataFrame, test: pd.DataFrame, target: str, seed: int = 0) -> float:
    """AUROC on real test rows of boosted trees learned from `train`.

    More than two classes: the mean over one against the rest. A number: is it above the median of the test rows?
    """
    X, y = train.drop(columns=target), train[target]
    if is_number(test[target]):
        middle = test[target].median()
        y, truth = y > middle, test[target] > middle
    else:
        truth = test[target]
    classes = [c for c in X if not is_number(test[c])]
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, encoded_missing_value=np.nan)
    model = make_pipeline(
        make_column_transformer((encoder, classes), remainder="passthrough", verbose_feature_names_out=False),
        HistGradientBoostingClassifier(categorical_features=list(range(len(classes))), random_state=seed),
    )
    probability = model.fit(X, y).predict_proba(test.drop(columns=target))
    known = model.classes_
    if len(known) == 2:
        return float(roc_auc_score(truth == known[1], probability[:, 1]))
    return float(np.mean([roc_auc_score(truth == k, probability[:, i]) for i, k in enumerate(known)]))


def nearest(rows: pd.DataFrame, records: pd.DataFrame) -> np.ndarray:
    """Distance of each row to its nearest record: Σ |difference| / range over numbers, plus 1 for each other class."""
    ends = {c: (records[c].min(), records[c].max()) for c in records if is_number(records[c])}
    parts: list[list[np.ndarray]] = [[], []]
    for c in records:
        if c in ends:
            low, high = ends[c]
            for part, table in zip(parts, (rows, records), strict=True):
                part.append(((table[c].to_numpy(float) - low) / max(high - low, 1e-12))[:, None])
            continue
        levels = pd.unique(pd.concat([records[c], rows[c]]).astype(str))
        for part, table in zip(parts, (rows, records), strict=True):
            part.append((pd.Categorical(table[c].astype(str), levels).codes[:, None] == np.arange(len(levels))) / 2)
    asked, kept = (np.hstack(p).astype(np.float32) for p in parts)
    found = NearestNeighbors(n_neighbors=1, metric="manhattan", algorithm="brute").fit(kept)
    return found.kneighbors(asked)[0][:, 0]
