"""Linear-Gaussian worlds as models: P exact, and a guide that is the exact posterior, or off by what one says."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

import laten as lt
import oracles
from laten.data.rows.array_spec import ArraySpec
from laten.data.rows.array_view import ArrayView
from laten.data.rows.presentation import Presentation
from laten.network.model import Model, build_model


class World(NamedTuple):
    """x = Wz + b + sigma noise; the columns of W are orthogonal, so that posteriors are diagonal."""

    w: np.ndarray
    b: np.ndarray
    sigma: float
    x: np.ndarray  # (rows, columns)

    @property
    def log_p(self) -> np.ndarray:
        return oracles.linear_gaussian_log_prob(self.x, self.w, self.b, self.sigma)


def world(latents: int, columns: int, rows: int = 32, sigma: float = 0.7, seed: int = 0) -> World:
    rng = np.random.default_rng(seed)
    u, s, _ = np.linalg.svd(rng.normal(size=(columns, latents)), full_matrices=False)
    w, b = u * s, rng.normal(size=columns)
    x = rng.normal(size=(rows, latents)) @ w.T + b + sigma * rng.normal(size=(rows, columns))
    return World(w, b, sigma, x.astype(np.float32))


def with_linear(conditional, weight: np.ndarray, constants: np.ndarray):
    """The conditional of a linear net with these weights `(out, in)`."""
    net = eqx.tree_at(lambda m: m.layers[0].weight, conditional.net, jnp.asarray(weight.T, jnp.float32))
    return eqx.tree_at(lambda c: (c.net, c.constants), conditional, (net, jnp.asarray(constants, jnp.float32)))


def model_of(given: World, slope: float = 1.0, shift: float = 0.0, log_sd: float = 0.0) -> Model:
    """The world as a model; the guide: `slope` times the posterior mean plus `shift`, `log_sd` more log-scale."""
    w, b, sigma = given.w, given.b, given.sigma
    d, k = w.shape
    p = lt.Network(z=lt.Normal(k), x=lt.Normal(d, scale=sigma).given("z"))
    model = build_model(p, lt.guide_for(p), jax.random.key(0))
    model = eqx.tree_at(lambda m: m.p["x"], model, with_linear(model.p["x"], w, b))
    mean, covariance = oracles.linear_gaussian_posterior(np.zeros((1, d)), w, b, sigma)
    slopes = (oracles.linear_gaussian_posterior(np.eye(d), w, b, sigma)[0] - mean).T
    raw = 7 * np.arctanh((0.5 * np.log(np.diag(covariance)) + log_sd) / 7)
    weight = np.concatenate([slope * slopes, np.zeros((k, d))])
    return eqx.tree_at(
        lambda m: m.q["z"], model, with_linear(model.q["z"], weight, np.concatenate([slope * mean[0] + shift, raw]))
    )


def vae_of(model: Model, **arrays: np.ndarray) -> lt.VAE:
    """The model behind the face that users meet, as if it had been fitted to these arrays by node."""
    families = model.network.families
    specs = {n: ArraySpec(families[n].shape, "values") for n in model.network.stochastic}
    vae = lt.VAE(model.network)
    vae._remember(model, ArrayView(specs).fitted(arrays)[0], Presentation(), "plan", pd.DataFrame())
    return vae
