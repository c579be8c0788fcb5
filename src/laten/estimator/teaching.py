"""What a fit does by itself for nodes of classes: labels of some rows, and classes that no row shows."""

import sys

import numpy as np

from laten.data.rows.rows import Rows
from laten.estimator.parameters import Parameters
from laten.estimator.some_rows import some_rows_of
from laten.network.model import Model
from laten.training.cluster import first
from laten.training.objectives import Objective, WithLabels
from laten.training.objectives.from_groups import FromGroups, can_start, groups_of_nodes
from laten.training.objectives.with_labels import labels_of

GROUPED_ROWS, GROUPED_CELLS = 2**16, 2**26  # whose neighbours say where classes start
LABELLED = 0.2  # share of the visits that rows with a label get, where they are fewer
MOST_OFTEN = 20.0  # visits of such a row for one of another


def of_classes(
    objective: Objective, parameters: Parameters, model: Model, rows: Rows, train: np.ndarray | None,
    weights: np.ndarray | None,
) -> tuple[Objective, np.ndarray | None]:  # fmt: skip
    """Let the guide learn from classes (`taught`), and visit rows with a label often enough.

    Returns:
        The objective, and weights of the training rows by which they are visited.
    """
    objective, labels = taught(objective, parameters, model, rows, train)
    if not labels:
        return objective, weights
    seen = np.any([rows.mask[n].reshape(rows.n, -1).any(axis=1) for n in labels], axis=0)
    seen = seen if train is None else seen[train]
    own = np.ones(len(seen)) if weights is None else weights
    more = labelled_weight(own[seen].sum() / own.sum())
    return objective, np.where(seen, more * own, own) if more > 1 else weights


def taught(
    objective: Objective, parameters: Parameters, model: Model, rows: Rows, train: np.ndarray | None = None
) -> tuple[Objective, tuple[str, ...]]:
    """Let the guide learn from labels that some rows have, and start latent classes from groups of rows.

    An objective of the user's stays as it is: they may say `lt.WithLabels(...)` themselves.

    Args:
        rows: All of them, or some.
        train: Those of them that are learned from; None: all. The others' labels are not told.
    Returns:
        The objective, and the nodes whose labels teach the guide.
    """
    if parameters.objective is not None:
        return objective, ()
    labels = labels_of(model, list(rows.mask))
    few = [n for n in labels if 0 < rows.mask[n].mean() < LABELLED]
    names = can_start(model, list(rows.values), few)
    some = some_rows_of(rows, GROUPED_ROWS, GROUPED_CELLS, train, few) if names else ({}, {})
    if names and parameters.progress != "quiet" and first():  # minutes, where rows are many
        print(f"{', '.join(names)}: rows are sorted by their nearest neighbours", file=sys.stderr)
    if groups := groups_of_nodes(model, names, *some, parameters.one_seed):
        objective = FromGroups(objective, groups, tuple(n for n in groups if n in few))
    return WithLabels(objective) if labels else objective, labels


def labelled_weight(share: float) -> float:
    """Return how much more often a row with a label is visited, where such rows are this share of all."""
    if not 0 < share < LABELLED:
        return 1.0
    return min(LABELLED / (1 - LABELLED) * (1 - share) / share, MOST_OFTEN)
