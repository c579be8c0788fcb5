r"""`VAE`: a network and its guide, fitted to data, answering questions. The face that users meet.

Everything here is a walk down: container → view → rows → model → numbers → view → container. No mathematics and no training logic live in this file; see
`proposal` (what is fitted), `training.fit` (how), `infer.queries` (what can be asked).
"""

import math
import os
import warnings
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from laten import proposal, saving
from laten.data.batches import Presentation
from laten.data.rows import Rows
from laten.data.views import TableView, view_from_json
from laten.errors import DataError, LatenError, LatenWarning, ModelFileError, known
from laten.infer.diagnostics import UNRELIABLE, LogLikelihood, effective_sample_size
from laten.infer.queries import Ancestral, Completions, Decoded, Embedding, Expected, LogWeights, Parts, ask
from laten.network import Network
from laten.objectives import Objective
from laten.training.fit import train
from laten.training.progress import progress as progress_display
from laten.training.settings import Settings

PARAMETERS = ("latent", "width", "epochs", "batch_size", "learning_rate", "warmup", "clip", "patience", "validation", "hide", "binarise", "draws", "seed")


class VAE(TransformerMixin, BaseEstimator):
    """A variational autoencoder: any network of nodes, learned with its guide by maximising a bound on log p(x).

    Args:
        network: P, e.g. `lt.Network(z=lt.Normal(20), x=lt.Bernoulli((28, 28)).given("z", via=lt.MLP(500)))`. None proposes one from the data.
        guide: Q. None derives it (`lt.guide_for`).
        objective: `lt.Elbo()` (None) or `lt.Iwae(draws)`.

    Other Args:
        schema: What each column of a frame is (`lt.infer_schema(df)`, edited); None infers it.
        latent: Latent dimensions of a proposed network.
        width: Hidden units of a proposed network.
        epochs: Passes over the rows; None plans about 20 000 steps.
        batch_size: Rows a step; None: 128.
        learning_rate: Peak rate of Adam.
        warmup: Share of the planned steps over which the rate rises.
        clip: Largest gradient norm; None: no clipping.
        patience: Epochs without a better held-out bound after which training stops; None plans it, 0 never.
        validation: Share of rows held out for early stopping.
        optimizer: An optax transformation in place of Adam; set `learning_rate=1`, its own rate counts.
        hide: Hide further sites at random while training, so that any subset can be evidence. None: for tables yes, for arrays no.
        binarise: `"dynamic"`, `"fixed"` or `"none"`: what becomes of uint8 intensities given to a Bernoulli node.
        draws: Draws a row with which questions are answered, unless they say otherwise.
        seed: Seed of everything random.
        progress: `"quiet"`, `"auto"`, `"rich"` or `"plain"`.

    After `fit`: `model_`, `network_`, `guide_`, `schema_` (tables), `history_` (a frame, an epoch a row), `stopped_` ("plan", "early" or "interrupted").

    >>> import laten as lt
    >>> wine = lt.read("wine")
    >>> vae = lt.VAE(latent=2, width=8, epochs=2).fit(wine)
    >>> vae.score_samples(wine.head(3)).shape
    (3,)
    """

    def __init__(
        self,
        network: Network | None = None,
        guide: Network | None = None,
        objective: Objective | None = None,
        *,
        schema=None,
        latent: int = 16,
        width: int = 128,
        epochs: int | None = None,
        batch_size: int | None = None,
        learning_rate: float = 1e-3,
        warmup: float = 0.02,
        clip: float | None = 100.0,
        patience: int | None = None,
        validation: float = 0.1,
        optimizer=None,
        hide: bool | None = None,
        binarise: str = "dynamic",
        draws: int = 100,
        seed: int = 0,
        progress: str = "quiet",
    ):
        self.network = network
        self.guide = guide
        self.objective = objective
        self.schema = schema
        self.latent = latent
        self.width = width
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.warmup = warmup
        self.clip = clip
        self.patience = patience
        self.validation = validation
        self.optimizer = optimizer
        self.hide = hide
        self.binarise = binarise
        self.draws = draws
        self.seed = seed
        self.progress = progress

    # -- learning ------------------------------------------------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any = None) -> "VAE":
        """Learns from data.

        Args:
            X: A DataFrame, a matrix, an array of images, or a dictionary of arrays by node. NaN is a hidden place.
            y: Ignored.
        Raises:
            LatenError: data, declaration or option that cannot be used; `TrainingDiverged`.
        """
        settings = self._settings()
        found = proposal.propose(X, self.network, self.schema, {"latent": self.latent, "width": self.width}, self.binarise, self.seed)
        hide = isinstance(found.view, TableView) if self.hide is None else self.hide
        how = proposal.presentation(found.rows, found.network, hide)
        model = proposal.new_model(found, self.guide, how, self.seed)
        offset = sum(float(x.sum()) for x in found.view.log_det(X).values()) / found.rows.n
        task = proposal.task_for(model, found, how, self.objective, self.validation, offset, self.seed)
        with progress_display(self.progress) as report:
            outcome = train(task, settings, report)
        self._remember(outcome.model, found.view, how, outcome.stopped, pd.DataFrame(outcome.history))
        return self

    def _settings(self) -> Settings:
        for name in ("latent", "width", "draws"):
            value = getattr(self, name)
            if not isinstance(value, int | np.integer) or value < 1:
                raise LatenError(f"{name} must be a whole number of at least 1, not {value!r}")
        size = 128 if self.batch_size is None else self.batch_size
        return Settings(self.epochs, size, self.learning_rate, self.warmup, clip=self.clip, patience=self.patience, validation=self.validation, optimizer=self.optimizer, seed=self.seed)

    def _remember(self, model, view, how: Presentation, stopped: str, history: pd.DataFrame) -> None:
        self.model_, self.view_, self.how_, self.stopped_, self.history_ = model, view, how, stopped, history
        self.network_, self.guide_ = model.network, model.guide
        if isinstance(view, TableView):
            self.schema_ = view.schema
            self.n_features_in_ = len(view.schema.names)
            if not view.matrix and all(isinstance(n, str) for n in view.schema.names):
                self.feature_names_in_ = np.array(view.schema.names, dtype=object)

    # -- asking --------------------------------------------------------------------------------------------------------------------------------

    def _ask(self, question, rows: Rows, by_position: bool = False, seed: int | None = None) -> Any:
        """Answers for rows that already went through the view."""
        grey = tuple(n for n, v in rows.visit.items() if v == "intensity")
        how = self.how_._replace(intensities=grey, hide=())
        return ask(question, self.model_, rows.values, rows.mask, how, self.seed if seed is None else seed, by_position)

    def _draws(self, draws: int | None, default: int | None = None) -> int:
        draws = (default or self.draws) if draws is None else draws
        if not isinstance(draws, int | np.integer) or draws < 1:
            raise LatenError(f"draws must be a whole number of at least 1, not {draws!r}")
        return int(draws)

    def _rows(self, X: Any, partial: bool = False) -> Rows:
        check_is_fitted(self, "model_")
        return self.view_.rows(X, partial)

    def sample(self, n: int = 1, given: Mapping[Any, Any] | None = None, *, seed: int | None = None) -> Any:
        """Draws rows from the model.

        Args:
            n: Number of rows.
            given: Column (or node) -> value to condition on. Draws then come from p(rest | given), by importance resampling from the guide.
            seed: Another seed gives other rows.
        Returns:
            `n` rows in the container and types of the fitted data.
        Raises:
            LatenError: an unknown column, or a value never seen.
        """
        check_is_fitted(self, "model_")
        if not isinstance(n, int | np.integer) or n < 1:
            raise LatenError(f"n must be a whole number of at least 1, not {n!r}")
        seed = self.seed if seed is None else seed
        if not given:
            how = self.how_._replace(hide=())
            return self.view_.restored(ask(Ancestral(), self.model_, {}, {}, how, seed, True, int(n)))
        evidence = self.view_.evidence(given)
        kept = min(int(n), 64)
        groups = math.ceil(n / kept)
        values, log_w = self._ask(Completions(max(512, self.draws), kept), evidence.take(np.zeros(groups, int)), True, seed)
        self._warn_if_scarce(log_w, kept, "sample: the evidence is nearly impossible under the model")
        rows = {name: x.reshape(groups * kept, *x.shape[2:])[:n] for name, x in values.items()}
        return self.view_.restored(rows)

    def _warn_if_scarce(self, log_w: np.ndarray, wanted: int, what: str) -> None:
        size = float(np.median(effective_sample_size(log_w)))
        if size < min(wanted, 10):
            warnings.warn(f"{what}: effective sample size {size:.1f} of {log_w.shape[1]} draws. Use more draws, or less evidence", LatenWarning, stacklevel=3)

    def impute(self, X: Any, draws: int | None = None, *, seed: int | None = None) -> Any:
        """Fills hidden cells.

        Args:
            X: Data with NaN or empty cells; columns that are lacking altogether count as hidden.
            draws: None fills each cell with its posterior mean (numbers), most probable class, or median level (ordinal). A number m returns a list of
                m completed copies drawn from p(hidden | observed): multiple imputation.
        Returns:
            The same container, or a list of `draws` of them. Observed cells come back bit for bit.
        """
        rows = self._rows(X, partial=True)
        if draws is None:
            log_w, means = self._ask(Expected(self.draws), rows)
            return self.view_.filled(X, self._points(means))
        values, log_w = self._ask(Completions(max(self.draws, 10 * self._draws(draws)), self._draws(draws)), rows, True, seed)
        return [self.view_.filled(X, {n: x[:, i] for n, x in values.items()}) for i in range(draws)]

    def _points(self, means: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Means to values, node by node."""
        families = self.network_.families
        return {n: points(families[n], x) for n, x in means.items()}

    def score_samples(self, X: Any, draws: int | None = None) -> np.ndarray:
        """log p(row) of the observed cells, `(rows,)` nats in the data's own scale, by importance sampling with `draws` draws."""
        return self.log_likelihood(X, self._draws(draws)).per_row

    def log_likelihood(self, X: Any, draws: int | None = None) -> LogLikelihood:
        """Mean log p(row), with its errors and diagnosis; warns where the draws are too few.

        Args:
            draws: Draws a row; None: 500.
        """
        rows = self._rows(X)
        log_w = self._ask(LogWeights(self._draws(draws, 500)), rows)
        shift = sum((x.reshape(rows.n, -1).sum(1) for x in self.view_.log_det(X).values()), np.zeros(rows.n))
        return LogLikelihood.of(log_w, shift)

    def score(self, X: Any, y: Any = None) -> float:
        """Mean log p(row), in nats (for model selection)."""
        return float(np.mean(self.score_samples(X)))

    def surprise(self, X: Any, draws: int | None = None) -> Any:
        """How each column, and each latent node, lowers the score: minus its share of log p(row), in nats.

        A column's share is the posterior mean of its log-density given the latents; a latent's is what it costs to say which latents those are. Row sums are
        exactly `-score_samples(X)`.
        Returns:
            A frame of columns and latent nodes for tables; a dictionary node -> `(rows, *sites)` for arrays.
        """
        rows = self._rows(X)
        log_w, parts = self._ask(Parts(self._draws(draws)), rows)
        score = LogLikelihood.of(log_w, np.zeros(rows.n), warn=False).per_row
        shares = {n: -x.astype(np.float64) for n, x in parts.items()}
        latent = -score - sum((x.reshape(rows.n, -1).sum(1) for x in shares.values()), np.zeros(rows.n))
        for name, x in self.view_.log_det(X).items():
            shares[name] = shares.get(name, 0.0) - x
        inner = [n for n in self.network_.stochastic if n not in shares]
        label = ", ".join(inner) or "rest"
        if not isinstance(self.view_, TableView):
            return {**shares, label: latent}
        columns = {site: x.reshape(rows.n, -1)[:, i] for n, x in shares.items() for i, site in enumerate(self.view_.sites[n])}
        order = [str(n) for n in self.schema_.names if str(n) in columns]
        index = X.index if isinstance(X, pd.DataFrame) else None
        return pd.DataFrame({**{n: columns[n] for n in order}, label: latent}, index=index)

    def transform(self, X: Any) -> Any:
        """Latent means, `(rows, latents)`: of q(z | row); of a discrete latent its class probabilities. A frame for a frame."""
        latent, _ = self._ask(Embedding(), self._rows(X))
        flat = [np.reshape(latent[n], (len(latent[n]), -1)) for n in self.model_.latents if n in latent]
        if not flat:
            raise LatenError("the network has no latent node to embed into")
        out = np.concatenate(flat, axis=1)
        return pd.DataFrame(out, X.index, self.get_feature_names_out()) if isinstance(X, pd.DataFrame) else out

    def get_feature_names_out(self, input_features=None) -> np.ndarray:
        """Names of the columns of `transform`: z0, z1, ...."""
        check_is_fitted(self, "model_")
        return np.array([f"{n}{i}" for n, width in self._latent_widths() for i in range(width)], dtype=object)

    def _latent_widths(self) -> list[tuple[str, int]]:
        families = self.guide_.families
        return [(n, families[n].n_sites if families[n].n_states is None else int(np.sum(families[n].sizes))) for n in self.model_.latents]

    def inverse_transform(self, Z: Any) -> Any:
        """Means of the data given latents `(rows, latents)`, in the fitted container and units."""
        check_is_fitted(self, "model_")
        array = np.asarray(Z, np.float32)
        widths = self._latent_widths()
        total = sum(w for _, w in widths)
        if array.ndim != 2 or array.shape[1] != total:
            raise DataError(f"expected latents of shape (rows, {total}), got {array.shape}")
        values, start = {}, 0
        for name, width in widths:
            part = array[:, start : start + width]
            values[name] = points(self.network_.families[name], part).reshape(len(array), *self.network_.families[name].shape)
            start += width
        missing = [n for n in self.network_.stochastic if n not in values and n not in self.network_.leaves]
        if missing:
            raise LatenError(f"inverse_transform needs values of {known(missing)}, which are not latent; use sample(given=...)")
        means = ask(Decoded(), self.model_, values, {}, self.how_._replace(hide=(), intensities=()), self.seed)
        return self.view_.restored(self._expected(means))

    def reconstruct(self, X: Any) -> Any:
        """The data's means given the latent means of each row, hidden cells included; same container and types."""
        _, means = self._ask(Embedding(), self._rows(X))
        return self.view_.restored(self._expected(means), like=X)

    def _expected(self, means: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Means as the view takes them: intensities stay fractions, all else becomes values."""
        return {n: x if n in self.how_.intensities else points(self.network_.families[n], x) for n, x in means.items()}

    # -- keeping -------------------------------------------------------------------------------------------------------------------------------

    def save(self, path: str | os.PathLike) -> None:
        """Writes a model file (`laten.saving`): JSON and arrays, no code. The same fit gives the same bytes.

        Raises:
            ModelFileError: it cannot be written.
        """
        check_is_fitted(self, "model_")
        about = {
            "parameters": {name: getattr(self, name) for name in PARAMETERS},
            "objective": saving.declared(self.objective),
            "view": self.view_.to_json(),
            "presentation": {k: list(v) for k, v in self.how_._asdict().items()},
            "stopped": self.stopped_,
            "history": self.history_.drop(columns="seconds", errors="ignore").to_dict("list"),
        }
        saving.write(path, self.model_, about)


def load(path: str | os.PathLike, *, nets: Mapping[str, Any] | None = None) -> VAE:
    """Reads a model file that `VAE.save` wrote.

    Args:
        nets: Your own nets by name, where the model has some: files hold no code.
    Raises:
        ModelFileError: not a model file, truncated, or of a newer version.
    """
    model, about = saving.read(path, nets)
    try:
        options = {name: about["parameters"][name] for name in PARAMETERS}
        vae = VAE(objective=saving.rebuilt(about["objective"], {}), **options)
        view = view_from_json(about["view"])
        how = Presentation(**{k: tuple(about["presentation"][k]) for k in Presentation._fields})
        vae._remember(model, view, how, str(about["stopped"]), pd.DataFrame(about["history"]))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ModelFileError(f"{os.fspath(path)!r} is damaged: {error}. Take another copy, or fit again") from error
    vae.network, vae.guide = model.network, model.guide
    return vae


def points(family, means: np.ndarray) -> np.ndarray:
    """`family.point` over rows."""
    return np.asarray(jax.vmap(family.point)(means))
