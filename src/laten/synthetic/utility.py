"""Utility: train on synthetic rows, test on real ones.

Boosted trees learn the target column from synthetic rows and, apart, from as many real ones; both predict the same
held-out rows. Classes: AUC, for more than two the mean of one against the rest, weighted by how frequent each is.
Numbers: R^2.
"""

import numpy as np
import pandas as pd
from sklearn.metrics import r2_score

from laten.common.errors import DataError
from laten.data.messages import unknown
from laten.data.schema.contract import Name
from laten.synthetic.classifiers import answers, auc, features, trees
from laten.synthetic.coded_tables import CodedTable, Coding

NAME = "train on synthetic"
MOST_CLASSES = 30  # of a target; rarer ones are one
LEAST = 20  # rows with a target, in each table


def check_target(coding: Coding, target: Name | None) -> None:
    """Refuse a target that is no measured column.

    Raises:
        DataError: there is no such column, or it is set aside.
    """
    if target is None or target in coding.names:
        return
    if target in coding.aside:
        raise DataError(f"target {target!r} is set aside ({coding.aside[target]}) and cannot be predicted")
    raise unknown("target column", target, coding.names)


def utility(
    coding: Coding,
    real: CodedTable,
    synthetic: CodedTable,
    holdout: CodedTable | None,
    target: Name | None,
    rows: int,
    seed: int,
) -> dict[str, tuple[float, float] | str]:
    """Say how well the target of the hold-out is predicted from synthetic rows; as reference, from real ones."""
    if target is None:
        return {NAME: "name a column to predict: target='...'"}
    if holdout is None:
        return {NAME: "needs a hold-out: real rows that the generator has not seen"}
    if len(coding.names) < 2:
        return {NAME: f"there is no column to predict {target!r} from"}
    is_class = target in coding.classes
    there = (lambda y: y >= 0) if is_class else pd.notna
    tables = [t.take(np.flatnonzero(there(goal(coding, t, target)))) for t in (real, synthetic, holdout)]
    if min(map(len, tables)) < LEAST:
        return {NAME: f"each table needs at least {LEAST} rows with a value of {target!r}"}
    rng = np.random.default_rng([seed, 2])
    count = min(len(tables[0]), len(tables[1]), rows)
    a, b, test = (t.some(n, rng) for t, n in zip(tables, (count, count, rows), strict=True))
    y = [goal(coding, t, target) for t in (a, b, test)]
    if len(np.unique(y[2])) < 2:
        return {NAME: f"the hold-out has one value of {target!r} only"}
    a, b, test = (t.without(target, coding) for t in (a, b, test))
    judge = class_score if is_class else number_score
    return {NAME: (judge(b, y[1], test, y[2], seed), judge(a, y[0], test, y[2], seed))}


def goal(coding: Coding, table: CodedTable, target: Name) -> np.ndarray:
    """Return `(rows,)` values that are to be predicted: numbers, NaN where missing, or codes, -1 where missing."""
    if target in coding.classes:
        return np.minimum(table.classes[:, coding.classes.index(target)], MOST_CLASSES - 1)
    return table.numbers[:, coding.numbers.index(target)]


def class_score(train: CodedTable, y: np.ndarray, test: CodedTable, truth: np.ndarray, seed: int) -> float:
    """Return the AUC of the held-out classes; one half where the training rows have one class only."""
    if len(np.unique(y)) < 2:
        return 0.5
    p = np.zeros((len(truth), MOST_CLASSES))
    p[:, np.unique(y)] = answers(trees(train, seed), features(train), y, features(test))
    there, counts = np.unique(truth, return_counts=True)
    if len(there) == 2:
        return auc(p[:, there[1]] - p[:, there[0]], truth == there[1])
    return float(np.average([auc(p[:, k], truth == k) for k in there], weights=counts))


def number_score(train: CodedTable, y: np.ndarray, test: CodedTable, truth: np.ndarray, seed: int) -> float:
    """Return R^2 of the held-out numbers: 1 is perfect, 0 as good as their mean."""
    return float(r2_score(truth, answers(trees(train, seed, regression=True), features(train), y, features(test))))
