"""The questions of an audit: each estimator, put to one example. The mathematics stands in the files beside it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from laten.answers.audit.gaps import bounds
from laten.answers.audit.simulated import read_by_model
from laten.common import random
from laten.common.numerics import log_mean_exp
from laten.common.types import Key, Masks, Values
from laten.inference.own_guide import own_guide
from laten.inference.posterior import Posterior
from laten.inference.questions import unit_means
from laten.network.model import Model


@dataclass(frozen=True)
class OfPosterior:
    """What an estimator `(posterior, key, *options) -> arrays` finds; `draws` is how much work that is."""

    estimator: Callable[..., Any]
    options: tuple[Any, ...] = ()
    draws: int = 1

    def __call__(self, model: Model, key: Key, values: Values, masks: Masks) -> Any:
        return self.estimator(Posterior(model, values, masks), key, *self.options)


@dataclass(frozen=True)
class Presented:
    """The rows as the model reads them: values, and masks of all of them."""

    draws: int = 1

    def __call__(self, model: Model, key: Key, values: Values, masks: Masks) -> Any:
        return read_by_model(Posterior(model, values, masks))


@dataclass(frozen=True)
class Bounded:
    """Guide draws: log-weights and one-draw ELBOs `(draws,)`, the ELBO by node, means `(d,)` of continuous latents."""

    draws: int

    def __call__(self, model: Model, key: Key, values: Values, masks: Masks) -> Any:
        return bounds(model, key, values, masks, self.draws), unit_means(model, key, values, masks)


@dataclass(frozen=True)
class OwnGuide:
    """`(draws,)` one-draw ELBOs, and the IWAE bound, of the guide that is best for this very row."""

    draws: int
    steps: int = 300  # of Adam
    each: int = 8  # draws a step

    def __call__(self, model: Model, key: Key, values: Values, masks: Masks) -> Any:
        fit_key, draw_key = random.split(key)
        fitted = own_guide(model, fit_key, values, masks, self.steps, self.each)
        found = bounds(fitted, draw_key, values, masks, self.draws)
        return found.elbo, log_mean_exp(found.log_w)
