"""What a fitted `VAE` can become without a fit from the start: another prior, a guide that looks longer."""

import abc
from copy import copy
from typing import Any, Self

from laten.answers.fitted import Fitted
from laten.common.errors import LatenError, whole
from laten.data.rows.presentation import Presentation
from laten.estimator.parameters import Parameters
from laten.estimator.prepare import Prepared
from laten.estimator.prepare_prior import prepare_prior
from laten.families import Family, Node


class Refits(Parameters, abc.ABC):
    """The part of `VAE` that makes another fitted `VAE` of it."""

    presentation_: Presentation
    _refine: int = 0  # steps of gradient that each row gets when it is asked about
    _score_quantiles: Any = None

    @abc.abstractmethod
    def _fitted(self) -> Fitted:
        """Return the model and how rows become its values."""

    @abc.abstractmethod
    def fit_prepared(self, prepared: Prepared) -> Self:
        """Learn from what was prepared."""

    def refit_prior(self, X: Any, prior: Family | Node, *, node: str | None = None, epochs: int | None = None) -> Self:
        """Return the model with another prior, fitted to the latents of rows; all other weights stay, bit for bit.

        It is a second stage (Dai & Wipf 2019): the mean over rows of q(z | row) is not the prior that a fit had, and a
        prior that follows it raises the bound and mends samples.

        Args:
            X: Rows, such as those of the fit.
            prior: Any family that the guide allows: `lt.NormalMixture(8, 50)`, `lt.Vamp(8)`, a flow.
            node: A latent without parents; None: the only one.

        Other arguments:
            epochs: Passes over the rows; None: as planned for a fit. Where no `learning_rate` was said it is 0.01.
        Returns:
            Another fitted model.
        Raises:
            LatenError: a prior that does not fit network and guide, or rows that do not fit the model.
        """
        found = copy(self)
        found.epochs = epochs
        prepared = prepare_prior(X, found, self._fitted(), self.presentation_, prior, node)
        found.fit_prepared(prepared)
        found.epochs = self.epochs
        if found.network is not None:
            found.network = prepared.network
        return found

    def refined(self, steps: int = 20) -> Self:
        """Return the same model, asked with more care: each row gets some steps of gradient for a guide of its own.

        Where the bound of a row is higher with it, answers use it: they are nearer to the posterior, and log p(row)
        needs fewer draws (semi-amortised: Kim et al. 2018). The weights are the same; a file does not keep the steps.

        Args:
            steps: Of gradient; 0: none.
        Returns:
            Another fitted model, `vae.refined(20).score_samples(X)`.
        Raises:
            LatenError: steps that are no whole number of at least 0; when asked, a guide without constants.
        """
        found = copy(self)
        found._refine, found._score_quantiles = whole("refined: steps", steps, 0, LatenError), None
        return found
