r"""Every question that can be asked of a fitted `VAE`: the public methods. The work is done in `answers/`."""

import abc
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from laten.answers import impute, latents, sample_and_predict, samples, scores
from laten.answers.completion import Completion, most_probable
from laten.answers.marginals import BeforeEvidence, Marginals, before_evidence, marginals
from laten.answers.sample_and_predict import ConditionalAnswer
from laten.common.errors import LatenError, whole
from laten.estimator.explanations import POSTERIOR, Explanations
from laten.inference.diagnostics import LogLikelihood
from laten.training.row_weights import checked

MANY = 2048  # draws a question about all columns


class Answers(Explanations):
    """The asking half of `VAE`. Rows keep their order; a row's answer depends on the row (and the seed) alone."""

    _before: BeforeEvidence | None = None  # kept for `marginals`

    # -- drawing ------------------------------------------------------------

    def sample(
        self, n: int = 1, given: Mapping[Any, Any] | None = None, *, holes: bool = False, seed: int | None = None
    ) -> Any:
        """Draw rows from the model.

        Args:
            n: Number of rows.
            given: Column (or node) -> what is known of it: a value, `lt.between(30, 40)`, a list of values,
                `lt.missing`, or text such as ">30", "30..40" or, of dates, "2013". Rows then come from p(rest | given),
                by importance resampling.
            holes: Leave cells empty as in the fitted data: whole patterns of its rows, whatever a drawn row holds.
            seed: Another seed gives other rows.
        Returns:
            `n` rows in the container and types of the fitted data. Identifiers and free text are not invented.
        Raises:
            LatenError: an unknown column, or a value never seen.
        """
        return samples.sample(self._fitted(), whole("n", n), given, self.draws, self._seed(seed), holes)

    def sample_parts(
        self, n: int, given: Mapping[Any, Any] | None = None, *, holes: bool = False, seed: int | None = None
    ) -> Iterator[Any]:
        """Draw the rows of `sample` a part at a time, so that memory does not grow with `n`.

        Args:
            n, given, holes, seed: As in `sample`.
        Yields:
            At most 262 144 rows: a frame for tables, a dictionary node -> array for arrays.
        Raises:
            LatenError: as in `sample`.
        """
        yield from samples.sample_parts(self._fitted(), whole("n", n), given, self.draws, self._seed(seed), holes)

    def conditional(
        self,
        X: Any,
        targets: Any,
        given: Mapping[Any, Any] | None = None,
        *,
        samples: int = 0,
        draws: int | None = None,
        seed: int | None = None,
    ) -> ConditionalAnswer:
        """Return p(targets | other observed cells) of each row: log p of its own values, and samples.

        Args:
            X: Rows; whatever is observed in a row, except the targets, is evidence.
            targets: A column or several.
            given: More evidence, the same for all rows, as in `sample`; it replaces the rows' own cells.
            samples: How many times the targets are drawn (jointly) for each row.
            draws: Draws from the guide; None: at least 500.
        Returns:
            `log_density (rows,)` nats, `samples` (a list of frames), `effective_sample_size (rows,)`.
        Raises:
            LatenError: a column that is a target and given, or not in the model.
        """
        samples = whole("samples", samples) if samples else 0
        draws, seed = self._draws(draws, POSTERIOR), self._seed(seed)
        return sample_and_predict.conditional(self._fitted(), X, targets, given, samples, draws, seed)

    def marginals(self, given: Mapping[Any, Any] | None = None, *, draws: int | None = None) -> Marginals:
        """Return what is known of every column given some evidence: all columns at once.

        Args:
            given: Column -> what is known of it, as in `sample`; None: nothing, the distributions under the model.
            draws: Draws from the guide; None: at least 2048.
        Returns:
            `columns`: name -> its distribution beside that without evidence, and how much its value is expected to tell
            about the others, in nats; `log_evidence` (nats), `effective_sample_size`, `pareto_k`. `print` shows them.
        Raises:
            LatenError: the model is of arrays, an unknown column, or a value never seen.

        >>> import laten as lt
        >>> wine = lt.VAE(latent=2, width=8, epochs=2).fit(lt.read("wine"))
        >>> wine.marginals({"alcohol": ">13"}).columns["ash"].probability.sum().round(3)
        np.float64(1.0)
        """
        fitted = self._fitted()
        if self._before is None:
            self._before = before_evidence(fitted)
        return marginals(fitted, given or {}, self._draws(draws, MANY), self._before)

    def most_probable(
        self, given: Mapping[Any, Any] | None = None, *, candidates: int = 128, draws: int | None = None,
        seed: int | None = None,
    ) -> Completion:  # fmt: skip
        """Return a whole row that agrees with the evidence, the most probable of many that are compared.

        Numbers count by their density, so that what is most probable depends on their units, and may be unlike a usual
        row; `sample` draws usual ones.

        Args:
            given: Column -> what is known of it, as in `sample`; None: nothing.
            candidates: Rows drawn to begin with; three times as many are compared.
            draws: Draws from the guide for each row; None: at least 500.
        Returns:
            `row`, `log_p` (nats) and its `error`, `candidates`; `print` shows them.
        Raises:
            LatenError: the model is of arrays, an unknown column, or a value never seen.
        """
        draws, seed = self._draws(draws, POSTERIOR), self._seed(seed)
        return most_probable(self._fitted(), given or {}, whole("candidates", candidates), draws, seed)

    # -- filling ------------------------------------------------------------

    def impute(
        self, X: Any, samples: int | None = None, *, statistic: str = "auto", seed: int | None = None, draws: Any = None
    ) -> Any:
        """Fill empty cells, in rows of the fit or in new rows.

        Args:
            X: Data with NaN or empty cells; columns that are absent count as hidden.
            samples: None fills each cell with a point. A number m returns a list of m completed copies, drawn from
                p(hidden | observed): multiple imputation.
            statistic: The point: "mean", "median" or "mode" (of classes always the mode, of ordered ones the median);
                "auto": the mean of numbers, rounded to the digits that the column has, or their median where the mean
                lies in a wide gap in which nothing was seen. Arrays: means; most probable values of whole numbers.
            draws: The old name of `samples`; refused.
        Returns:
            The same container, or a list of m of them. Observed cells are returned bit for bit.
        Raises:
            LatenError: `draws` is given, or `samples` is not a whole number.
        """
        if draws is not None:
            raise LatenError(f"impute: draws={draws!r} is now samples={draws!r}, the number of completed copies")
        if samples is None:
            return impute.impute(self._fitted(), X, self.draws, statistic)
        samples = whole("samples", samples)
        return impute.multiply_impute(self._fitted(), X, samples, self.draws, self._seed(seed))

    def impute_interval(self, X: Any, coverage: float = 0.9) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the data twice: empty cells hold the low end of their central interval, then the high end.

        Args:
            coverage: Probability inside the interval of each cell.
        Returns:
            Two frames, low and high. Observed cells are the same in both; unordered classes stay empty.
        """
        return impute.impute_interval(self._fitted(), X, coverage, self._draws(None, POSTERIOR))

    def predict(
        self, X: Any, column: Any = None, *, statistic: str = "auto", given: Mapping[Any, Any] | None = None
    ) -> pd.Series:
        """Predict a column's value in each row, given the row's other columns: mean, mode or median as in `impute`.

        Args:
            X: Rows; the column itself may be there, and is ignored.
            column: Its name; None: the one column of the fit that X lacks.
            given: What is known of other columns for all rows, as in `sample`; it replaces the rows' own cells.
        Raises:
            LatenError: no such column, or none named while X lacks none or several.
        """
        return sample_and_predict.predict(self._fitted(), X, column, statistic, self.draws, given)

    def predict_proba(self, X: Any, column: Any = None, *, given: Mapping[Any, Any] | None = None) -> pd.DataFrame:
        """Return probabilities `(rows, levels)` of a column's classes, given the row's other columns.

        Args:
            column, given: As in `predict`.
        Raises:
            LatenError: the column has no classes.
        """
        return sample_and_predict.predict_proba(self._fitted(), X, column, self.draws, given)

    def predict_interval(
        self, X: Any, column: Any = None, coverage: float = 0.9, *, given: Mapping[Any, Any] | None = None
    ) -> Any:
        """Return the central interval of a column of numbers or ordered classes in each row, given its other columns.

        Args:
            column, given: As in `predict`.
            coverage: Probability inside.
        Returns:
            A frame with the columns `low` and `high`, in the column's units.
        Raises:
            LatenError: a column of classes without order.
        """
        draws = self._draws(None, POSTERIOR)
        return sample_and_predict.predict_interval(self._fitted(), X, column, coverage, draws, given)

    # -- scoring ------------------------------------------------------------

    def score_samples(self, X: Any, draws: int | None = None) -> np.ndarray:
        """Estimate log p(row) of the observed cells, `(rows,)` nats in the data's own scale, by importance sampling."""
        return scores.log_likelihood(self._fitted(), X, self._draws(draws)).per_row

    def log_likelihood(self, X: Any, draws: int | None = None, *, error: float | None = None) -> LogLikelihood:
        """Estimate the mean log p(row), with its errors and diagnosis; warn where the draws are too few.

        Beside it stand two references for the same rows: independent columns, and for tables a tree of pairs of columns
        (`print` shows what is gained over them; a model file of an earlier version has none).

        Args:
            draws: Draws a row; None: at least 500.
            error: In place of draws: the standard error of each row's log p that is precise enough, in nats. Rows get
                128 draws, and more where they need them.
        Raises:
            LatenError: draws and error at once, or an error that is not positive.
        """
        if draws is not None and error is not None:
            raise LatenError("log_likelihood: give draws or error, not both")
        number = self._draws(draws, POSTERIOR) if error is None else None
        return scores.judged(self._fitted(), X, number, 1.0 if error is None else error)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return the mean log p(row), in nats (for model selection); `sample_weight (rows,)` weighs the rows.

        Raises:
            DataError: rows or weights that do not fit the model.
        """
        found = self.score_samples(X)
        return float(np.average(found, weights=checked(sample_weight, len(found))))

    def surprise(self, X: Any, draws: int | None = None) -> Any:
        """Return the surprise of each column and latent node: minus its share of log p(row), in nats.

        A column's share is the posterior mean of its log-density given the latents; a latent's is what it costs to say
        which latents those are. Row sums are exactly `-score_samples(X)`.

        Returns:
            A frame of columns and latent nodes for tables; a dictionary node -> `(rows, *sites)` for arrays.
        """
        return scores.surprise(self._fitted(), X, self._draws(draws))

    def predict_outliers(
        self, X: Any, contamination: float | str = 0.1, reference: Any = None, draws: int | None = None
    ) -> np.ndarray:
        """Find odd rows: -1 for outliers, 1 for the others, `(rows,)`, as scikit-learn's detectors.

        Args:
            contamination: Share of the reference that counts as odd; "auto": what lies 1.5 quartile ranges below the
                lower quartile of its scores.
            reference: Rows whose scores set the threshold; None: rows of the fit (1000 at most), whose scores stay with
                the model. In files of earlier versions they are not: there it is X itself.
        """
        fitted, draws = self._fitted(), self._draws(draws)
        if reference is None:
            found = self._fit_scores()
        else:
            found = scores.log_likelihood(fitted, reference, draws, warn=False).per_row
        return scores.outliers(fitted, X, contamination, found, draws)

    @abc.abstractmethod
    def _fit_scores(self) -> np.ndarray | None:
        """Return quantiles of the scores of rows of the fit; None where they are not known."""

    # -- latents ------------------------------------------------------------

    def transform(self, X: Any) -> Any:
        """Return latent means, `(rows, latents)`: of q(z | row); of a discrete latent its class probabilities.

        Returns:
            A table for a table, of the same library; else an array.
        """
        fitted = self._fitted()
        came = fitted.view.taken(X)
        out = latents.transform(fitted, came.data)
        if not isinstance(came.data, pd.DataFrame):
            return out
        return came.answer(pd.DataFrame(out, came.data.index, latents.latent_names(fitted)))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return names of the columns of `transform`: z0, z1, ...."""
        return np.array(latents.latent_names(self._fitted()), dtype=object)

    def inverse_transform(self, Z: Any) -> Any:
        """Return means of the data given latents `(rows, latents)`, in the fitted container and units."""
        return latents.inverse_transform(self._fitted(), Z)

    def reconstruct(self, X: Any) -> Any:
        """Return the data's means given each row's latent means, hidden cells included; same container and types."""
        return latents.reconstruct(self._fitted(), X, self.draws)
