r"""Bias, variance and time of every gradient estimator, in worlds whose gradients are known.

    python -m benchmarks.gradients [--draws 10000] [--rows 100]

A world of classes: $s$ of four states, $x$ of five. Whatever K draws give, the expectation over them is a sum over
$4^K$ cases, exact by automatic differentiation. A world of numbers: one latent and two columns, linear and Gaussian;
expectations over K = 2 draws are Gauss-Hermite sums over a square.

Each estimator's gradient is drawn `--draws` times for one row and compared with the exact gradient of its own bound.
"bias" is the length of mean minus truth over that of the truth; "off", "noise" and "ms" (of `--rows` rows, alternating
between estimators, medians over turns): docs/en/objectives.md.
"""

import itertools
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

import laten as lt
from benchmarks.runner import footer, in_turns, options_of, seconds_of, show
from laten.network.model import Model, build_model
from laten.training.objectives import Batch

DRAWS, K = 20_000, 2
CLASSES = lt.Network(s=lt.Categorical(4).learned(), x=lt.Categorical(5).given("s"))
NUMBERS = lt.Network(z=lt.Normal(1).learned(), x=lt.Normal(2).given("z"))
WORLDS = {
    "classes": (CLASSES, Batch({"x": jnp.array([2])}, {})),
    "numbers": (NUMBERS, Batch({"x": jnp.array([[0.8, -0.5]])}, {})),
}
SHAKEN = {"classes": 1.0, "numbers": 0.3}  # how far from where weights start


def shaken(network: lt.Network, size: float = 0.3) -> Model:
    """A model whose weights are all different from where they start."""
    model = build_model(network, lt.guide_for(network), jax.random.key(0))
    keys = iter(jax.random.split(jax.random.key(1), 99))
    return jax.tree.map(lambda w: w + size * jax.random.normal(next(keys), w.shape), model)


def cases(model: Model, kind: str) -> tuple[jax.Array, jax.Array]:
    """log w of every value that a draw can take, as a function of the weights, and log of its probability."""
    row, name = {"x": WORLDS[kind][1].values["x"][0]}, "s" if kind == "classes" else "z"
    if kind == "classes":
        values = jnp.arange(4, dtype=jnp.int32)
    else:
        nodes, weights = np.polynomial.hermite_e.hermegauss(40)
        centre, scale = normal_of(model, row)
        values = (centre + scale * jnp.asarray(nodes, jnp.float32))[:, None]
    found = jax.vmap(lambda v: model.draw(jax.random.key(0), row, {}, {name: v}))(values)
    log_w = jax.vmap(lambda d: d.log_weight)(found)
    if kind == "classes":
        return log_w, found.log_q[name].reshape(len(values))
    return log_w, jnp.log(jnp.asarray(weights / weights.sum(), jnp.float32))


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


BIASED = {
    "classes": {"relaxed (biased)": (lt.Elbo(kl="sampled", discrete="relaxed"), "elbo")},
    "numbers": {"reweighted wake-sleep (guide: another aim)": (lt.ReweightedWakeSleep(K), "iwae")},
}


def gradients(objective, model: Model, batch: Batch, seed: int = 0, draws: int = DRAWS) -> dict[str, np.ndarray]:
    """`(draws, weights)` of the network ("p") and the guide ("q"), of minus the loss."""

    @jax.jit
    @jax.vmap
    def each(key: jax.Array) -> dict[str, jax.Array]:
        g = jax.grad(lambda m: -objective(m, batch, key).loss)(model)
        return {"p": flat(g.p), "q": flat(g.q)}

    found = each(jax.random.split(jax.random.key(seed), draws))
    return {side: np.asarray(g, np.float64) for side, g in found.items()}


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


def accuracy(kind: str, draws: int) -> dict[str, dict[str, float]]:
    """Return a line for each estimator in a world."""
    network, batch = WORLDS[kind]
    model, lines = shaken(network, SHAKEN[kind]), {}
    for name, (objective, bound) in {**UNBIASED[kind], **BIASED[kind]}.items():
        truth = exact(model, lambda m, b=bound: expected(m, kind, BOUNDS[b]))
        found, line = gradients(objective, model, batch, draws=draws), {}
        for side, label in (("p", "network"), ("q", "guide")):
            length = np.linalg.norm(truth[side])
            line[f"{label}: off"] = worst(found[side], truth[side])
            line[f"{label}: bias"] = np.linalg.norm(found[side].mean(0) - truth[side]) / length
            line[f"{label}: noise"] = np.sqrt(found[side].var(0).sum()) / length
        lines[name] = line
    return lines


def clocked(kind: str, rows: int, repeats: int) -> dict[str, float]:
    """Return milliseconds of a gradient of each estimator, medians over turns."""
    latent = lt.Bernoulli(20).learned() if kind == "classes" else lt.Normal(20)
    p = lt.Network(z=latent, x=lt.Bernoulli(784).given("z", via=lt.MLP(200, activation="tanh")))
    model = build_model(p, lt.guide_for(p), jax.random.key(0))
    pixels = np.random.default_rng(0).random((rows, 784)) < 0.2
    batch, sides = Batch({"x": jnp.asarray(pixels, jnp.float32)}, {}), {}
    for name, (objective, _) in {**UNBIASED[kind], **BIASED[kind]}.items():
        if name == "enumerated":
            continue  # a million states
        run = jax.jit(jax.grad(lambda m, key, objective=objective: objective(m, batch, key).loss))
        jax.block_until_ready(run(model, jax.random.key(0)))

        def few(turn: int, run: Callable = run) -> list:
            return jax.block_until_ready([run(model, jax.random.key(turn)) for _ in range(5)])

        sides[name] = lambda turn, few=few: seconds_of(lambda: few(turn)) / 5e-3
    return {name: float(np.median(t)) for name, t in in_turns(sides, repeats)[0].items()}


def main() -> None:
    """Print a table for each world."""
    options = options_of(__doc__, draws=10_000, rows=100, repeats=9).parse_args()
    for kind in WORLDS:
        table = pd.DataFrame.from_dict(accuracy(kind, options.draws), orient="index")
        table["ms"] = pd.Series(clocked(kind, options.rows, options.repeats))
        show(f"{kind}, {options.draws} gradients of one row", table, 3)
    print(footer())


if __name__ == "__main__":
    main()
