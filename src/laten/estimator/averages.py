"""Models that start from other weights, each trained by itself, and their average kept."""

from collections.abc import Callable
from dataclasses import replace

from laten.common.errors import LatenError
from laten.network.model import averaged
from laten.training.settings import Settings
from laten.training.task import Outcome, Task


def train_each(task: Task, settings: Settings, train: Callable[[Task, Settings], Outcome]) -> Outcome:
    """Train the models of a task one after the other, on batches of their own, and return their average.

    Where training is ended early, the average is over the models so far.

    Args:
        train: Trains the one model of a task.
    Returns:
        The average; its history has a column `member`.
    Raises:
        LatenError: an observed node has a family with weights of its own.
    """
    for name in task.model.network.leaves:
        if task.model.p[name].body is not None:
            raise LatenError(
                f"node {name!r} is {task.model.network.nodes[name].family!r}, which has weights of its own: such "
                "models cannot be averaged; keep the best one, keep='best'"
            )
    found: list[Outcome] = []
    for number, model in enumerate((task.model, *task.others)):
        own = replace(settings, seed=settings.seed + number)
        found.append(train(task._replace(model=model, others=()), own))
        if found[-1].stopped in ("interrupted", "terminated"):
            break
    last = found[-1]
    history = [{"member": i} | record for i, outcome in enumerate(found) for record in outcome.history]
    starts = [next(r for r in outcome.history[::-1] if r["kept"]) for outcome in found]
    model = averaged([outcome.model for outcome in found]) if len(found) > 1 else last.model
    return Outcome(model, history, last.stopped, last.best_epoch, last.retraces, starts)
