"""Rows into latent space and out of it."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from laten.answers.fitted import Fitted
from laten.common.errors import DataError, LatenError, known
from laten.data.containers.containers import taken
from laten.data.rows.rows import Rows
from laten.inference.asking import Keys, ask
from laten.inference.questions import Decoded, Embedding, Expected


def members(fitted: Fitted) -> list[Fitted]:
    """Return the models of an average, each by itself."""
    return [replace(fitted, model=fitted.model.member(i)) for i in range(fitted.model.members)]


def transform(fitted: Fitted, data: Any) -> np.ndarray:
    """Return latent means `(rows, latents)`; of an average those of its members, side by side."""
    if fitted.model.members:
        return np.concatenate([transform(one, data) for one in members(fitted)], axis=1)
    latent, _ = fitted.ask(Embedding(), fitted.rows(data))
    flat = [np.reshape(latent[n], (len(latent[n]), -1)) for n in fitted.model.latents if n in latent]
    if not flat:
        raise LatenError("the network has no latent node to embed into")
    return np.concatenate(flat, axis=1)


def reconstruct(fitted: Fitted, data: Any, draws: int) -> Any:
    """Return means of the data given each row's latent means; of an average, posterior means of so many draws."""
    came = fitted.view.taken(data)
    rows = fitted.rows(came.data)
    if fitted.model.members:
        values, _ = fitted.ask_well(Expected(draws, fitted.means), rows)
    else:
        _, values = fitted.ask(Embedding(fitted.means), rows)
    return came.rows(fitted.view.pointed(values, like=came.data))


def latent_widths(fitted: Fitted) -> list[tuple[str, int]]:
    """Return each latent node and its number of columns in `transform`."""
    families = fitted.model.guide.families
    return [
        (n, int(np.size(jax.eval_shape(families[n].mean, jax.ShapeDtypeStruct((families[n].n_raw,), np.float32)))))
        for n in fitted.model.latents
    ]


def latent_names(fitted: Fitted) -> list[str]:
    """Return names of the columns of `transform`: z0, z1, ...."""
    names = [f"{n}{i}" for n, width in latent_widths(fitted) for i in range(width)]
    return [f"{member}.{name}" for member in range(fitted.model.members) for name in names] or names


def inverse_transform(fitted: Fitted, latents: Any) -> Any:
    """Return means of the data given latents `(rows, latents)`."""
    array, model = np.asarray(taken(latents).data, np.float32), fitted.model
    model.refuse_average()
    widths = latent_widths(fitted)
    total = sum(w for _, w in widths)
    if array.ndim != 2 or array.shape[1] != total:
        raise DataError(f"expected latents of shape (rows, {total}), got {array.shape}")
    families = model.network.families
    inner = [n for n in model.network.stochastic if n not in model.network.leaves]
    lacking = [n for n in inner if n not in dict(widths)]
    if lacking:
        raise LatenError(
            f"inverse_transform needs values of {known(lacking)}, which are not latent; use sample(given=...)"
        )
    values, start = {}, 0
    for name, width in widths:
        point = jax.vmap(families[name].point)(jnp.asarray(array[:, start : start + width]))
        values[name] = np.asarray(point).reshape(len(array), *families[name].shape)
        start += width
    found = ask(Decoded(fitted.means), model, Rows(values, len(array)), Keys(fitted.seed))
    return fitted.view.returned(fitted.view.pointed(found))
