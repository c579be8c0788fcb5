"""Detection: can a classifier tell synthetic rows from real ones?

As many rows of either table are labelled by where they come from; the AUC of rows the classifier has not seen, mean of
three folds, is 0.5 when it can but guess and 1 when every row gives itself away. The score is that of sdmetrics:
1 - mean(2 max(AUC, 1/2) - 1), so 1 is best.
"""

import numpy as np
from sklearn.model_selection import StratifiedKFold

from laten.synthetic.classifiers import answers, auc, features, linear_classifier, trees
from laten.synthetic.coded_tables import CodedTable

NAMES = ("trees", "linear")
FOLDS = 3
LEAST = 30  # rows of either table


def fold_aucs(real: CodedTable, other: CodedTable, rows: int, seed: int) -> dict[str, np.ndarray]:
    """Return the `(folds,)` AUC of each classifier, from at most `rows` rows of either table."""
    rng = np.random.default_rng([seed, 1])
    count = min(len(real), len(other), rows)
    a, b = real.some(count, rng), other.some(count, rng)
    x, y = np.concatenate([features(a), features(b)]), np.repeat([0, 1], count)
    aucs: dict[str, list[float]] = {n: [] for n in NAMES}
    for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(x, y):
        for name, learner in zip(NAMES, (trees(a, seed), linear_classifier(a)), strict=True):
            synthetic = answers(learner, x[train], y[train], x[test])[:, 1]
            aucs[name].append(auc(synthetic, y[test] == 1))
    return {name: np.array(found) for name, found in aucs.items()}


def detection(
    real: CodedTable, synthetic: CodedTable, holdout: CodedTable | None, rows: int, seed: int
) -> dict[str, tuple[float, float] | str]:
    """Measure AUC and score by trees and by logistic regression; with the hold-out in place of the synthetic table."""
    if min(len(real), len(synthetic)) < LEAST:
        measures = [f"detection{what}, {n}" for n in NAMES for what in ("", " score")]
        return dict.fromkeys(measures, f"a classifier needs at least {LEAST} rows of either table")
    found = fold_aucs(real, synthetic, rows, seed)
    least = {n: np.full(FOLDS, np.nan) for n in NAMES}
    if holdout is not None and len(holdout) >= LEAST:
        least = fold_aucs(real, holdout, rows, seed)
    out: dict[str, tuple[float, float] | str] = {}
    for n in NAMES:
        out[f"detection, {n}"] = (float(found[n].mean()), float(least[n].mean()))
        out[f"detection score, {n}"] = (score(found[n]), score(least[n]))
    return out


def score(aucs: np.ndarray) -> float:
    """Turn an AUC into a score: 1 when the classifier guesses, 0 when it is always right."""
    return float(1 - np.mean(2 * np.maximum(aucs, 0.5) - 1))
