"""`VAE`: the face that users meet, which is also an estimator and transformer of scikit-learn."""

import os
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any, BinaryIO

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from laten.answers.fitted import Fitted
from laten.common.errors import LatenError
from laten.data.rows.views import TableView
from laten.data.schema.schema import Schema
from laten.estimator.plain_vae import PlainVAE, restored
from laten.estimator.set_output import as_asked, names_in
from laten.network.network import Network

# what each parameter may be by itself; ranges, and what goes together, are checked in `parameters.py`
CONSTRAINTS: dict[str, Any] = {
    "network": [Network, None],
    "guide": [Network, None],
    "objective": "no_validation",
    "schema": [Schema, None],
    "constraints": "no_validation",
    "optimizer": "no_validation",
    "hide": ["boolean", None],
    **{name: [Integral] for name in ("latent", "draws", "restarts", "seed")},
    **{name: [Integral, None] for name in ("width", "epochs", "batch_size", "patience", "random_state")},
    **{name: [Real] for name in ("dropout", "warmup", "validation", "trim")},
    **{name: [Real, None] for name in ("learning_rate", "clip")},
    **{name: [str] for name in ("numbers", "missing", "weights", "precision", "binarise", "keep", "progress")},
}


def asks_by_name(vae: PlainVAE) -> bool:
    """Say that columns can be asked for.

    Raises:
        AttributeError: the model is of a matrix, which has no names of columns: scikit-learn then finds no `predict`.
    """
    view = vae._fitted().view
    if isinstance(view, TableView) and view.matrix:
        raise AttributeError("predict asks for a column by name; fit a DataFrame, not a matrix")
    return True


class VAE(PlainVAE, TransformerMixin, BaseEstimator):
    """A variational autoencoder: any network of nodes, learned with its guide by maximising a bound on log p(x).

    Args:
        network: P, e.g. `lt.Network(z=lt.Normal(20), x=lt.Bernoulli((28, 28)).given("z", via=lt.MLP(500)))`. None
            proposes one from the data.
        guide: Q. None derives it (`lt.guide_for`).
        objective: `lt.Elbo(...)` or `lt.Iwae(draws)`. None: the plain ELBO; for a proposed network of a table its KL
            warms up over half of the planned epochs, since otherwise the latents stay unused.

    Other Args:
        schema: What each column of a frame is (`lt.infer_schema(df)`, edited); None infers it.
        constraints: What all rows keep, and samples and filled cells as well, beside what is found in the data: texts
            such as "start <= end", "total = a + b", "city -> state", or objects of `lt.constraints`.
        latent: Latent dimensions of a proposed network.
        width: Hidden units of a proposed network; None: 256 for a table of at least 2500 rows, else 128.
        numbers: How a proposed network models numbers: `"cells"`, histograms whose probabilities the net gives, for
            any shape; `"normal"`, normals with one spread a column, smooth and linear in the tails (for anomalies).
        dropout: Share of hidden units left out while training a proposed network of a table. Without it samples of
            large tables are closer to the data, but answers given little evidence are far too certain.
        missing: `"ignorable"`: cells of a table are missing at random; `"informative"`: because of what they are, by a
            mechanism that is learned (`lt.Informative`).
        weights: `"point"`: weights of P that maximise the objective; `"map"`: the same with a prior N(0, 1) on each
            weight; `"bayes"`: a normal distribution of each weight is learned, and answers average over draws of it.
        epochs: Passes over the rows; None plans about 20 000 steps.
        batch_size: Rows in each step; None: 128.
        learning_rate: Peak rate of Adam; None: 0.003 for a proposed network of a table, else 0.001.
        warmup: Share of the planned steps over which the rate rises.
        clip: Largest gradient norm; None: no clipping.
        patience: Epochs without a better held-out bound after which training stops; None plans it, 0 never.
        validation: Share of rows held out for early stopping.
        optimizer: An optax transformation in place of Adam; set `learning_rate=1`: its own rate and schedule count.
        precision: Of products while training: `"float32"`, or `"auto"`: operands rounded to bfloat16, sums in float32,
            where the machine is faster at it (graphics processors; a CPU computes in float32).
        hide: Hide further sites at random while training, so that any subset can be evidence. None: for tables yes, for
            arrays and for `trim` no.
        trim: Fraction of each batch that is ignored: the rows the model fits worst. Use it when the training data
            contain outliers (`docs/en/tables.md`). It also ignores rows that are rare but not odd.
        binarise: How uint8 intensities given to a Bernoulli node become 0/1: redrawn at each visit (`"dynamic"`), once
            (`"fixed"`), or not (`"none"`).
        draws: Draws from the guide for each row, when a question does not say.
        restarts: Models trained side by side in one compiled program, from different initial weights (those of `seed`,
            `seed + 1`, ...) on the same batches; the best on held-out rows is kept (if none are, on training rows).
        keep: Of several restarts the `"best"`; or `"all"`: each is trained by itself, and the model is their average.
            Scores, samples, filled cells and conditionals are averages over the members, each as much as it explains
            the row; `vae.member(i)` is one of them.
        seed: Seed of everything random.
        progress: `"quiet"`, `"auto"`, `"rich"` or `"plain"`.
        random_state: scikit-learn's name for `seed`: a whole number.

    After `fit`: `model_`, `network_`, `guide_`, `schema_` (tables), `history_` (a frame, an epoch a row; the
    weights of the row that is `kept` are the model's), `restarts_` (a frame, the last record of each), `stopped_`
        ("plan", "early", "interrupted" or "terminated").

    >>> import laten as lt
    >>> wine = lt.read("wine")
    >>> vae = lt.VAE(latent=2, width=8, epochs=2).fit(wine)
    >>> vae.score_samples(wine.head(3)).shape
    (3,)
    """

    _speaks_python = True
    _parameter_constraints: dict[str, Any] = CONSTRAINTS

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    predict = available_if(asks_by_name)(PlainVAE.predict)
    predict_proba = available_if(asks_by_name)(PlainVAE.predict_proba)

    def transform(self, X: Any) -> Any:
        return super().transform(as_asked(self, X))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return names of the columns of `transform`, `(latents,)`: z0, z1, ....

        Args:
            input_features: None, or the names of the fitted columns.
        Raises:
            ValueError: other names.
        """
        names = super().get_feature_names_out()
        names_in(self, input_features)
        return names

    def _check_parameters(self) -> None:
        try:
            self._validate_params()
        except ValueError as error:
            raise LatenError(str(error)) from None

    def _fitted(self) -> Fitted:
        check_is_fitted(self, "model_")
        return super()._fitted()


def load(
    path: str | os.PathLike | BinaryIO,
    *,
    parts: Mapping[str, Any] | None = None,
) -> VAE:
    """Read a model file that `VAE.save` wrote.

    Files hold no code: what is your own in the model has to be handed over, by its name.

    Args:
        parts: Name -> your own net (the function or class), family or objective (its class).
    Raises:
        ModelFileError: not a model file, truncated, of a newer version, or with parts of your own that are not given.
    """
    return restored(VAE, path, parts or {})
