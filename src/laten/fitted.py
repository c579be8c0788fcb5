r"""A fitted model and the view of its data: every question, from the user's container and back into it.

    container → view → rows → infer.queries → numbers → view → container

No mathematics here: what is asked stands in `infer.queries`, what the numbers mean in `infer.diagnostics`.
"""

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from laten.data.batches import Presentation
from laten.data.rows import Rows
from laten.data.views import TableView, View
from laten.errors import DataError, LatenError, LatenWarning, known
from laten.infer.diagnostics import LogLikelihood, effective_sample_size
from laten.infer.queries import Ancestral, Completions, Decoded, Embedding, Expected, LogWeights, Parts, Question, ask
from laten.model import Model

KEPT = 64  # rows drawn from one set of importance weights


@dataclass(frozen=True)
class Fitted:
    """What `VAE` asks.

    Args:
        model: Network, guide and weights.
        view: Between the user's container and rows.
        how: How rows were presented in training.
        seed: Seed of the answers.
    """

    model: Model
    view: View
    how: Presentation
    seed: int

    def ask(self, question: Question, rows: Rows, by_position: bool = False, seed: int | None = None) -> Any:
        """Answers for rows that went through the view.

        Masks of nodes with holes are always there, so that what is compiled does not depend on the batch.
        """
        grey = tuple(n for n, v in rows.visit.items() if v == "intensity")
        hidden = {p.name for c in self.model.q.values() for p in c.parents if p.hidden} | set(self.model.latents)
        whole = {n: np.ones(v.shape, bool) for n, v in rows.values.items() if n in hidden and n not in rows.mask}
        families = self.model.network.families
        lacking = {n: families[n] for n in self.view.sometimes(self.model.latents) if n not in rows.values}
        blank: dict[str, np.ndarray] = {n: np.full((rows.n, *f.shape), f.neutral, f.dtype) for n, f in lacking.items()}
        none = {n: np.zeros(x.shape, bool) for n, x in blank.items()}
        how = self.how._replace(intensities=grey, hide=())
        seed = self.seed if seed is None else seed
        masks = {**rows.mask, **whole, **none}
        return ask(question, self.model, {**rows.values, **blank}, masks, how, seed, by_position)

    def rows(self, data: Any) -> Rows:
        """Rows of the data; a node that the guide infers may be lacking."""
        return self.view.rows(data, optional=self.model.latents)

    def sample(self, n: int, given: Mapping[Any, Any] | None, draws: int, seed: int | None) -> Any:
        """`n` rows, from the network or, given something, from the posterior."""
        seed = self.seed if seed is None else seed
        if not given:
            how = self.how._replace(hide=(), intensities=())
            return self.view.restored(ask(Ancestral(), self.model, {}, {}, how, seed, True, n))
        groups = math.ceil(n / KEPT)
        evidence = self.view.evidence(given).take(np.zeros(groups, int))
        values, log_w = self.ask(Completions(max(8 * KEPT, draws), KEPT), evidence, True, seed)
        size = float(np.median(effective_sample_size(log_w)))
        if size < min(n, 10):
            warnings.warn(
                f"sample: nearly impossible evidence under the model: effective sample size {size:.1f} of "
                f"{log_w.shape[1]} draws, so the rows are few different ones. Give less evidence, or more draws",
                LatenWarning,
                stacklevel=3,
            )
        return self.view.restored({name: x.reshape(-1, *x.shape[2:])[:n] for name, x in values.items()})

    def impute(self, data: Any, draws: int, copies: int | None, seed: int | None) -> Any:
        """The data with hidden cells filled once by a point, or `copies` times by draws."""
        rows = self.view.rows(data, partial=True)
        if copies is None:
            _, values = self.ask(Expected(draws, self.how.intensities), rows)
            return self.view.filled(data, values)
        values, _ = self.ask(Completions(max(draws, 10 * copies), copies), rows, True, seed)
        return [self.view.filled(data, {n: x[:, i] for n, x in values.items()}) for i in range(copies)]

    def log_likelihood(self, data: Any, draws: int, warn: bool = True) -> LogLikelihood:
        """log p of each row's observed cells, in the data's own scale."""
        rows = self.rows(data)
        log_w = self.ask(LogWeights(draws), rows)
        return LogLikelihood.of(log_w, by_row(self.view.log_det(data), rows.n), warn)

    def surprise(self, data: Any, draws: int) -> Any:
        """Minus each column's and each latent's share of log p(row)."""
        rows = self.rows(data)
        log_w, parts = self.ask(Parts(draws), rows)
        score = LogLikelihood.of(log_w, np.zeros(rows.n), warn=False).per_row
        shares = {n: -x.astype(np.float64) for n, x in parts.items()}
        latent = -score - by_row(shares, rows.n)
        shares |= {n: shares[n] - x for n, x in self.view.log_det(data).items() if n in shares}
        label = ", ".join(n for n in self.model.network.stochastic if n not in shares) or "rest"
        if isinstance(self.view, TableView) and label in map(str, self.view.schema.names):
            label += " (latent)"
        if not isinstance(self.view, TableView):
            return {**shares, label: latent}
        columns = {
            site: x.reshape(rows.n, -1)[:, i] for n, x in shares.items() for i, site in enumerate(self.view.sites[n])
        }
        order = {str(n): columns[str(n)] for n in self.view.schema.names if str(n) in columns}
        index = data.index if isinstance(data, pd.DataFrame) else None
        return pd.DataFrame({**order, label: latent}, index=index)

    def transform(self, data: Any) -> np.ndarray:
        """Latent means `(rows, latents)`."""
        latent, _ = self.ask(Embedding(), self.rows(data))
        flat = [np.reshape(latent[n], (len(latent[n]), -1)) for n in self.model.latents if n in latent]
        if not flat:
            raise LatenError("the network has no latent node to embed into")
        return np.concatenate(flat, axis=1)

    def reconstruct(self, data: Any) -> Any:
        """Means of the data given each row's latent means."""
        _, values = self.ask(Embedding(self.how.intensities), self.rows(data))
        return self.view.restored(values, like=data)

    def latent_widths(self) -> list[tuple[str, int]]:
        """Latent node and how many columns of `transform` are its."""
        families = self.model.guide.families
        return [
            (n, int(np.size(jax.eval_shape(families[n].mean, jax.ShapeDtypeStruct((families[n].n_raw,), np.float32)))))
            for n in self.model.latents
        ]

    def inverse_transform(self, latents: Any) -> Any:
        """Means of the data given latents `(rows, latents)`."""
        array = np.asarray(latents, np.float32)
        widths = self.latent_widths()
        total = sum(w for _, w in widths)
        if array.ndim != 2 or array.shape[1] != total:
            raise DataError(f"expected latents of shape (rows, {total}), got {array.shape}")
        families = self.model.network.families
        lacking = [
            n
            for n in families
            if n in self.model.network.stochastic and n not in self.model.network.leaves and n not in dict(widths)
        ]
        if lacking:
            raise LatenError(
                f"inverse_transform needs values of {known(lacking)}, which are not latent; use sample(given=...)"
            )
        values, start = {}, 0
        for name, width in widths:
            point = jax.vmap(families[name].point)(jnp.asarray(array[:, start : start + width]))
            values[name] = np.asarray(point).reshape(len(array), *families[name].shape)
            start += width
        how = self.how._replace(hide=(), intensities=())
        return self.view.restored(ask(Decoded(self.how.intensities), self.model, values, {}, how, self.seed))


def by_row(shares: Mapping[str, np.ndarray], rows: int) -> np.ndarray:
    """Sums over nodes and sites, `(rows,)`."""
    return sum((x.reshape(rows, -1).sum(1) for x in shares.values()), np.zeros(rows))
