"""Objectives around another one: what they do not change, they ask of it."""

from dataclasses import dataclass
from typing import Any

from laten.common.errors import DeclarationError, number
from laten.common.types import Key
from laten.network.model import Model
from laten.training.objectives.objective import Objective


@dataclass(frozen=True)
class Around(Objective):
    """An objective that adds something to another one; heirs say what.

    Args:
        of_rows: Such as `lt.Elbo()`, or another one of these.
    Raises:
        DeclarationError: an objective that is none.
    """

    of_rows: Objective

    def __post_init__(self) -> None:
        if not isinstance(self.of_rows, Objective):
            name = type(self).__name__
            raise DeclarationError(f"{name}: of_rows must be an objective such as lt.Elbo(), not {self.of_rows!r}")

    @property
    def warmup(self) -> float:
        return self.of_rows.warmup

    @property
    def judge(self) -> Objective:
        return self.of_rows.judge

    def extra(self, model: Model, key: Key) -> Any:
        return self.of_rows.extra(model, key)


@dataclass(frozen=True)
class Weighted(Around):
    """An objective, and a term of a weight.

    Args:
        of_rows: Such as `lt.Elbo()`, or another one of these.
        weight: Of the term.
    Raises:
        DeclarationError: an objective that is none, or a weight that is no number of at least 0.
    """

    weight: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (number(self.weight) and self.weight >= 0):
            raise DeclarationError(f"{type(self).__name__}: weight must be finite and at least 0, not {self.weight!r}")
