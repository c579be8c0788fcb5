"""What a fitted `VAE` says of itself: its audit, how columns and latents depend on one another, what counts express."""

import abc
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from laten.answers import dependence, expression
from laten.answers.audit.audit import audit as run_audit
from laten.answers.audit.result import Audit
from laten.answers.audit.study import options as audit_options
from laten.answers.compare import Comparison
from laten.answers.compare import compare as run_compare
from laten.answers.drift import Drift
from laten.answers.drift import drift as run_drift
from laten.answers.fitted import Fitted
from laten.answers.latent_use import LatentUse
from laten.answers.latent_use import latent_use as run_latent_use
from laten.answers.outliers import outliers as run_outliers
from laten.common.errors import LatenError, whole

PRECISE = 0.2  # nats, standard error of a row's log p
POSTERIOR = 500  # draws a row where a distribution is wanted


class Explanations(abc.ABC):
    """The part of `VAE` that looks at the model itself."""

    draws: int

    @property
    @abc.abstractmethod
    def one_seed(self) -> int:
        """The seed, by either of its names."""

    @abc.abstractmethod
    def _fitted(self) -> Fitted:
        """Return the model and how rows become its values."""

    def _draws(self, draws: int | None, least: int = 0) -> int:
        return max(least, self.draws) if draws is None else whole("draws", draws)

    def _seed(self, seed: int | None) -> int:
        return self.one_seed if seed is None else seed

    # -- judging ------------------------------------------------------------

    def audit(
        self, X: Any, only: Sequence[str] = (), *, rows: int = 100, draws: int = 5000, bridges: int = 200,
        chains: int = 8, start: str = "guide", sampler: str = "hmc", seed: int | None = None,
        say: Callable[[str], None] = lambda text: None,
    ) -> Audit:  # fmt: skip
        """Measure how good the posterior and log p(row) are, by estimators that check one another (`docs/en/audit.md`).

        Args:
            X: Rows, best held-out ones.
            only: Estimators: bounds, exact, quadrature, ais, hmc, gap, latents, bdmc, sbc. None named: all that can.

        Other arguments:
            rows: At most this many rows, evenly spread over X, are used, and as many simulated.
            draws: Guide draws a row.
            bridges: Distributions that annealing passes: the more, the closer to log p(row).
            chains: Annealing chains a row.
            start: Annealing begins at the "guide" or the "prior".
            sampler: Of posterior samples: "hmc", or "nuts" (`laten[lab]`).
            say: Called with a line of text for each step.
        Returns:
            Figures; `print` shows them, `.table` and `.rows` hold them, `.plot()` draws them.
        Raises:
            LatenError: an estimator asked for by name does not fit the network.
        """
        options = audit_options(only, rows, draws, bridges, chains, start, sampler, self._seed(seed))
        return run_audit(self._fitted(), X, options, say)

    def compare(
        self, other: "Explanations", X: Any, *, draws: int | None = None, error: float = PRECISE,
        names: tuple[str, str] = ("the first model", "the second"),
    ) -> Comparison:  # fmt: skip
        """Find out which of two models explains the same rows better: the paired difference of log p, with its error.

        Args:
            other: A model of the same columns, or a face with one; how each models them may differ.
            X: Rows that neither has learned from.

        Other arguments:
            draws: Draws a row; None: as many as `error` needs.
            error: Standard error of each row's log p that is precise enough, in nats.
            names: Of the two models, for the words.
        Returns:
            `difference` and `standard_error` in nats a row, `better`, `wins`, `frame`; `print` says it.
        Raises:
            LatenError: models of different columns, or of fewer than two rows.
        """
        model = getattr(other, "vae_", other)
        if not isinstance(model, Explanations):
            raise LatenError(f"compare: expected a fitted model of laten, not {type(other).__name__}")
        return run_compare(self._fitted(), model._fitted(), X, draws, error, names)

    def drift(self, X: Any, reference: Any = None, *, error: float = PRECISE) -> Drift:
        """Test whether new rows are like the rows of the fit: column by column, and as a whole by log p.

        Args:
            X: New rows of a table.
            reference: Rows to compare with; None: what the model keeps of its training rows. (log p of held-out rows is
                kept by `laten fit`; without it, rows as wholes are compared only with a reference.)

        Other arguments:
            error: Standard error of each row's log p that is precise enough, in nats.
        Returns:
            `drifted`, `columns` (a frame: p-values, adjusted for their number, sizes, and what moved), `p_value`;
            `print` says it.
        Raises:
            LatenError: the model is of arrays, or has nothing to compare with.
        """
        return run_drift(self._fitted(), X, reference, error)

    def outliers(
        self, X: Any, top: int | None = 20, *, by_column: bool = False, draws: int | None = None,
        error: float = PRECISE, usual: Any = None,
    ) -> pd.DataFrame:  # fmt: skip
        """Return the oddest rows, the least probable first, and the columns that make them odd.

        Args:
            X: Rows.
            top: How many; None: all of them.
            by_column: Give for each column by how many nats it costs more than usual, in place of words.

        Other arguments:
            draws, error: As in `log_likelihood`.
            usual: `(rows,)` what rows are ordered by in place of log p, such as `lt.Detector.score_samples`.
        Returns:
            A frame: `row` (its place in X), `log_p` (nats), `error`, and for tables `why`, or a column for each column.
        """
        return run_outliers(self._fitted(), X, top, by_column, draws, error, usual)

    def report(self, X: Any = None, *, title: str = "Report of a model", seed: int | None = None) -> Any:
        """Put all that is known of the model on one page: findings in sentences, figures, pictures.

        Args:
            X: Rows, best some that the model has not learned from; None: what the model knows by itself. Of many rows
                2000 are scored, of which 400 have each column hidden and asked for.

        Other arguments:
            title: Of the page.
        Returns:
            `findings` (the worrying first), `figures` (plain types of JSON), `html`; `save("report.html")`.
        Raises:
            LatenError: rows that do not fit the model.
        """
        # A report stands on a lower floor, but takes long to import, and few ask for it.
        from laten.report.report import report

        fitted = self._fitted()
        data = X if X is None else fitted.view.taken(X).data
        return report(self, fitted, data, title, self._seed(seed))  # type: ignore[arg-type]

    # -- explaining ------------------------------------------------------------

    def mutual_information(
        self, draws: int = 4096, *, normalised: bool = False, seed: int | None = None
    ) -> pd.DataFrame:
        """Measure how much two columns tell about each other under the model: I(x_i; x_j) in nats, from 0.

        Numbers count by their bins (at most 64, fewer in tables of more than 128 columns), so that a column's entropy
        on the diagonal is that of its bins. The bias of order 1 / `draws` is subtracted; what is left is chance, about
        0.005 nats at 4096 draws for columns that depend much on one another, 0.0002 for those that hardly do.

        Args:
            draws: Draws of the latents from the network.
            normalised: Divide by the smaller of the two entropies: 0 for independent columns, 1 where one settles the
                other.
        Returns:
            A symmetric frame `(columns, columns)`.
        Raises:
            LatenError: the model is of arrays.
        """
        return dependence.mutual_information(self._fitted(), whole("draws", draws), normalised, self._seed(seed))

    def latent_use(self, X: Any, *, draws: int = 32) -> LatentUse:
        """Measure how much each latent unit and node is used; say in a sentence what has collapsed, and what helps.

        Args:
            X: Rows, at least two; best held-out ones.
            draws: Draws from the guide for each row.
        Returns:
            `units` and `nodes`: frames of KL (nats a row) and active units; `sentences`. `print` shows them.
        Raises:
            LatenError: the model has no latents that are numbers, or X shows them.
        """
        return run_latent_use(self._fitted(), X, whole("draws", draws))

    def latent_effects(self, X: Any = None, *, draws: int = 2048, seed: int | None = None) -> pd.DataFrame:
        """Measure which columns a latent moves: the share of a column's variance that it causes.

        With Z_i drawn from its own distribution, independent of the other latents z_(i), an effect is
        E Var(E[x_c | Z_i, z_(i)] | z_(i)) / Var(x_c), in [0, 1]: numbers in their own units, of classes the variance of
        all indicators (Gini impurity). What a latent does through other latents does not count.

        Args:
            X: Rows whose posterior means (modes, of classes) are what latents vary over; None: the prior.
            draws: Pairs of latents compared; at most this many rows are used.
        Returns:
            A frame `(latents, columns)`; a latent that moves nothing has zeros.
        Raises:
            LatenError: the model is of arrays or has no latents, or X is one row.
        """
        return dependence.latent_effects(self._fitted(), X, whole("draws", draws), self._seed(seed))

    def dependence(
        self, of: Any, on: Any, X: Any = None, points: int = 32, *, draws: int | None = None, seed: int | None = None
    ) -> pd.DataFrame:
        """Show how a column depends on another.

        Without X it is p(of | on = v): what the model expects where v is seen, with all that usually comes with v.
        With X it is partial dependence: the mean over rows of what the model expects where v is put in place of the
        row's own value and all other columns stay, so that what they explain is not counted for `on`.

        Args:
            of: Column that is described.
            on: Column whose values are iterated over: its levels, or `points` values from groups of its bins of about
                equal probability.
            X: Rows (500 of them at most, by `seed`).
            draws: With X: draws a row; None: at least 500.
        Returns:
            A frame with a row for each value of `on`. Of numbers: `mean`, `5%`, `50%`, `95%`; of classes the
            probability of each level. And `mass`, the probability of the bins of `on` that the row stands for.
        Raises:
            LatenError: the model is of arrays, there is no such column, or it is the same twice.
        """
        points, draws = whole("points", points), self._draws(draws, POSTERIOR)
        return dependence.dependence(self._fitted(), of, on, X, points, draws, self._seed(seed))

    # -- counts of a total -------------------------------------------------------

    def expression(
        self, X: Any, given: Mapping[Any, Any] | None = None, *, total: float = 10_000.0, draws: int = 25
    ) -> np.ndarray:
        """Return the normalised expression of counts: the shares that a row's latents say, without its depth.

        Args:
            X: Rows.
            given: Inputs in place of the rows' own, such as `{"batch": 0}`: all rows as that batch would show them.
            total: What the shares of a row add up to.
            draws: Draws from the guide for each row, over which shares are averaged.
        Returns:
            Array `(rows, *sites)`, float32.
        Raises:
            LatenError: the network has no counts of a total (`lt.templates.counts` has), or `given` names no input.
        """
        return expression.expression(self._fitted(), X, given, total, whole("draws", draws))

    def differential_expression(
        self, first: Any, second: Any, given: Mapping[Any, Any] | None = None, *, change: float = 1.0,
        names: Sequence[Any] | None = None, pairs: int = 2000, draws: int = 25, seed: int | None = None,
    ) -> pd.DataFrame:  # fmt: skip
        """Find which counts differ between two groups of rows, each with its posterior probability.

        Args:
            first, second: Rows of the two groups.
            given: As in `expression`: both groups under the same batch, for one.
            change: Fold change that counts, as log2: 1 is twice or half.

        Other arguments:
            names: Of the sites, such as genes; None: their numbers.
            pairs: Pairs of rows that are compared, one of each group, each with a draw from its posterior.
            draws: Draws from the guide, of which a posterior draw is one.
        Returns:
            A frame, a row a site: `probability` that |log2 fold change| > `change`; `log2_fold_change`, of `first` over
            `second`, and its `sd`; mean shares `share_first` and `share_second`.
        Raises:
            LatenError: as in `expression`; names that are not as many as the sites.
        """
        pairs, draws, seed = whole("pairs", pairs), whole("draws", draws), self._seed(seed)
        return expression.between_groups(self._fitted(), first, second, given, change, pairs, names, draws, seed)
