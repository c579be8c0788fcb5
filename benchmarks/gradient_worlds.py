r"""Worlds in which the gradient of every bound is known, and the gradients that objectives estimate.

A world of classes: $s$ of four states, $x$ of five. Whatever K draws give, the expectation over them is a sum over
$4^K$ cases, exact by automatic differentiation. A world of numbers: one latent and two columns, linear and Gaussian;
expectations over K = 2 draws are Gauss-Hermite sums over a square.
"""

import itertools
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import laten as lt
from laten.network.model import Model, build_model
from laten.training.objectives import Batch

DRAWS, K = 20_000, 2
CLASSES = lt.Network(s=lt.Categorical(4).learned(), x=lt.Categorical(5).given("s"))
NUMBERS = lt.Network(z=lt.Normal(1).learned(), x=lt.Normal(2).given("z"))


def shaken(network: lt.Network, size: float = 0.3) -> Model:
    """A model whose weights are all different from where they start."""
    model = build_model(network, lt.guide_for(network), jax.random.key(0))
    keys = iter(jax.random.split(jax.random.key(1), 99))
    return jax.tree.map(lambda w: w + size * jax.random.normal(next(keys), w.shape), model)


def cases(model: Model, kind: str) -> tuple[jax.Array, jax.Array]:
    """log w of every value that a draw can take, as a function of the weights, and log of its probability."""
    if kind == "classes":
        values = jnp.arange(4, dtype=jnp.int32)
        row = {"x": jnp.array(2)}
    else:
        nodes, weights = np.polynomial.hermite_e.hermegauss(40)
        row = {"x": jnp.array([0.8, -0.5])}
        centre, scale = normal_of(model, row)
        values = (centre + scale * jnp.asarray(nodes, jnp.float32))[:, None]
    name = "s" if kind == "classes" else "z"
    found = jax.vmap(lambda v: model.draw(jax.random.key(0), row, {}, {name: v}))(values)
    log_q = found.log_q[name].reshape(len(values))
    log_w = jax.vmap(lambda d: d.log_weight)(found)
    return log_w, log_q if kind == "classes" else jnp.log(jnp.asarray(weights / weights.sum(), jnp.float32))


def normal_of(model: Model, row: dict) -> tuple[jax.Array, jax.Array]:
    """Mean and standard deviation of the guide's normal, as functions of its weights."""
    raw, family = model.draw(jax.random.key(0), row, {}).q_raw["z"], model.guide.nodes["z"].family
    low, middle = (family.quantile(raw, jnp.array([p])) for p in (0.15865525, 0.5))  # a standard deviation apart
    return middle, middle - low


def expected(model: Model, kind: str, bound: Callable) -> jax.Array:
    """E[bound(log w of K draws)], exactly."""
    log_w, log_p = cases(model, kind)
    index = jnp.asarray(list(itertools.product(range(len(log_w)), repeat=K)))
    chance = jnp.exp(log_p[index].sum(1))
    return jnp.sum(chance * jax.vmap(bound)(log_w[index]))


def power(gamma: float) -> Callable:
    """log of the power mean of K weights."""
    return lambda log_w: (jax.nn.logsumexp(gamma * log_w) - jnp.log(1.0 * K)) / gamma


BOUNDS = {"elbo": jnp.mean, "iwae": power(1.0), "renyi": power(0.5), "cubo": power(2.0)}
UNBIASED = {
    "classes": {
        "enumerated": (lt.Elbo(), "elbo"),
        "leave one out": (lt.Elbo(draws=K, discrete="sampled"), "elbo"),
        "leave one out, sampled KL": (lt.Elbo(kl="sampled", draws=K, discrete="sampled"), "elbo"),
        "vimco": (lt.Iwae(K, discrete="sampled"), "iwae"),
        "renyi": (lt.Renyi(0.5, K, discrete="sampled"), "renyi"),
    },
    "numbers": {
        "A": (lt.Elbo(kl="sampled"), "elbo"),
        "B": (lt.Elbo(), "elbo"),
        "path": (lt.Elbo(kl="path"), "elbo"),
        "iwae": (lt.Iwae(K), "iwae"),
        "dreg": (lt.Iwae(K, gradient="dreg"), "iwae"),
        "renyi": (lt.Renyi(0.5, K), "renyi"),
    },
}


def gradients(objective, model: Model, batch: Batch, seed: int = 0, draws: int = DRAWS) -> dict[str, np.ndarray]:
    """`(draws, weights)` of the network ("p") and the guide ("q"), of minus the loss."""

    @jax.jit
    def every(model: Model) -> tuple[jax.Array, jax.Array]:
        def one(key):
            g = jax.grad(lambda m: -objective(m, batch, key).loss)(model)
            return flat(g.p), flat(g.q)

        return jax.vmap(one)(jax.random.split(jax.random.key(seed), draws))

    p, q = every(model)
    return {"p": np.asarray(p, np.float64), "q": np.asarray(q, np.float64)}


def flat(tree) -> jax.Array:
    """All weights of a tree, one after the other."""
    return jnp.concatenate([jnp.ravel(x) for x in jax.tree.leaves(eqx.filter(tree, eqx.is_inexact_array))])


def exact(model: Model, value: Callable[[Model], jax.Array]) -> dict[str, np.ndarray]:
    """The gradient of a function of the model, by side."""
    g = jax.jit(jax.grad(value))(model)
    return {"p": np.asarray(flat(g.p)), "q": np.asarray(flat(g.q))}


def worst(found: np.ndarray, truth: np.ndarray) -> float:
    """Largest distance of the mean from the truth, in standard errors; rounding counts as one."""
    error = found.std(axis=0) / np.sqrt(len(found))
    return float((np.abs(found.mean(axis=0) - truth) / (error + 1e-5 * (1 + np.abs(truth)))).max())
