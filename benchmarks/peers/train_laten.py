"""Epochs of laten beside its peers: each case declared with the layers, latents, dropout and likelihood of theirs.

Run by `benchmarks.training` and `benchmarks.reach` in a process of its own, like them. The bound is not the library's
own figure: means and logits of its nets go through the formula of `bounds.py`. `options` of `lt.VAE` come on top of a
case's.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import scipy.stats
import sklearn.decomposition
from benchmarks.peers import bounds
from benchmarks.peers.exchange import Arrays, Clock, serve
from benchmarks.runner import laten_options

import laten as lt
from laten.inference.linear_gaussian import joint_normal
from laten.network.model import Model


class Declared(NamedTuple):
    """What is trained, and how rows, as the workers get them, become arrays by node."""

    network: lt.Network
    guide: lt.Network
    data_of: Callable[[np.ndarray], dict[str, np.ndarray]] = lambda rows: {"x": rows}


def pixels(arrays: Arrays, sizes: dict) -> Declared:
    """Bernoulli pixels."""
    net = lt.MLP(tuple(sizes["layers"]), activation=sizes.get("activation", "relu"))
    network = lt.Network(z=lt.Normal(sizes["latent"]), x=lt.Bernoulli(arrays["train"].shape[1]).given("z", via=net))
    return Declared(network, lt.guide_for(network))


def numbers(arrays: Arrays, sizes: dict) -> Declared:
    """Numbers with the one fixed spread that PyOD's loss means."""
    layers, n, dropout = tuple(sizes["layers"]), arrays["train"].shape[1], sizes["dropout"]
    x = lt.Normal(n, scale=float(np.sqrt(n / 2))).given("z", via=lt.MLP(layers[::-1], dropout=dropout))
    guide = lt.Network(z=lt.Normal(sizes["latent"]).given("x", via=lt.MLP(layers, dropout=dropout)))
    return Declared(lt.Network(z=lt.Normal(sizes["latent"]), x=x), guide)


def table(arrays: Arrays, sizes: dict) -> Declared:
    """TVAE's matrix: indicators of classes and modes are categorical columns, the rest normal, one trunk under both."""
    layout, layers = arrays["layout"], tuple(sizes["layers"])
    ends = np.cumsum(layout[:, 0])
    pieces = [(int(e - width), int(e), bool(classes)) for (width, classes), e in zip(layout, ends, strict=True)]

    def data_of(matrix: np.ndarray) -> dict[str, np.ndarray]:
        real = [matrix[:, a:b] for a, b, classes in pieces if not classes]
        codes = [matrix[:, a:b].argmax(1) for a, b, classes in pieces if classes]
        return {"x": np.hstack(real).astype(np.float32), "classes": np.stack(codes, 1).astype(np.int32)}

    families = {
        "x": lt.Normal(sum(b - a for a, b, classes in pieces if not classes), scale="site"),
        "classes": lt.Categorical(tuple(b - a for a, b, classes in pieces if classes)),
    }
    *inner, last = layers[::-1]
    trunk = lt.Deterministic(last).given("z", via=lt.MLP(tuple(inner), activate_output=True))
    leaves = {n: f.given("hidden", via=lt.Linear()) for n, f in families.items()}
    network = lt.Network(z=lt.Normal(sizes["latent"]), hidden=trunk, **leaves)
    guide = lt.Network(z=lt.Normal(sizes["latent"]).given(*families, via=lt.MLP(layers)))
    return Declared(network, guide, data_of)


def counts(arrays: Arrays, sizes: dict) -> Declared:
    """Negative binomials with a mean and a dispersion from the net: two outputs a gene, as theirs (mean and zeros).

    The log of a cell's total is a parent, known as it is to them.
    """
    total = np.log(arrays["train"].sum(1))
    mean, sd = total.mean(), total.std()

    def data_of(rows: np.ndarray) -> dict[str, np.ndarray]:
        library = (np.log(rows.sum(1, keepdims=True)) - mean) / sd
        return {"library": library.astype(np.float32), "x": rows.astype(np.float32)}

    layers = tuple(sizes["layers"])
    x = lt.NegativeBinomial(arrays["train"].shape[1]).given("z", "library", via=lt.MLP(layers))
    network = lt.Network(library=lt.Normal(1), z=lt.Normal(sizes["latent"]), x=x)
    guide = lt.Network(z=lt.Normal(sizes["latent"]).given("x", via=lt.MLP(layers, dropout=sizes["dropout"])))
    return Declared(network, guide, data_of)


def factors(arrays: Arrays, sizes: dict) -> Declared:
    """Factor analysis: a linear-Gaussian network, learned by steps."""
    network = lt.Network(z=lt.Normal(sizes["latent"]), x=lt.Normal(arrays["train"].shape[1], scale="site").given("z"))
    return Declared(network, lt.guide_for(network))


def q_of(model: Model, values: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of q of each row, `(rows, latents)`."""
    family = model.guide.nodes["z"].family
    mean, log_sd = jax.jit(jax.vmap(lambda v: family.parameters(model.q["z"].raw(v, {}))))(values)
    return np.asarray(mean), np.exp(log_sd)


def parts(model: Model, test: np.ndarray) -> Arrays:
    """q of each test row; weight `(out, in)` and bias of each layer of the decoder."""
    factor, (mean, sd) = model.p["x"], q_of(model, {"x": test.astype(np.float32)})
    found, layers = {"mean": mean, "sd": sd}, factor.net.layers
    for i, layer in enumerate(layers):
        found |= {f"weight{i}": layer.weight.T, f"bias{i}": layer.bias if layer is not layers[-1] else factor.constants}
    return {name: np.asarray(value) for name, value in found.items()}


CASES = {f.__name__: f for f in (pixels, numbers, table, counts, factors)}


def held_out_bound(model: Model, values: dict[str, np.ndarray]) -> float:
    """The bound of rows by `bounds.bound`, nats a row; nodes that the network leaves without parents are known."""
    given, nodes = {n: jnp.asarray(v) for n, v in values.items()}, model.network.nodes

    def raws(z, v):
        known, out = {**v, "z": z}, {}
        for name in [n for n in nodes if nodes[n].parents]:
            out[name] = model.p[name].raw(known, {})
            known.setdefault(name, out[name])  # what is no data is a hidden layer
        return out

    def log_prob(z: np.ndarray) -> np.ndarray:
        found = jax.jit(jax.vmap(raws))(z, given)
        return sum(by_row(nodes[n].family, found[n], values[n]) for n in found if n in values)

    return bounds.bound(*q_of(model, given), log_prob)


def by_row(family: Any, raw: jax.Array, value: np.ndarray) -> np.ndarray:
    """log p of rows in float64, from the raw parameters of each."""
    if isinstance(family, lt.Bernoulli):
        return bounds.bernoulli(value, raw)
    if isinstance(family, lt.Categorical):
        parts = np.split(np.asarray(jax.vmap(family.logits)(raw)), np.cumsum(family.sizes)[:-1], axis=1)
        return sum(bounds.classes(value[:, i], part) for i, part in enumerate(parts))
    first, second = (np.asarray(x, np.float64) for x in jax.vmap(family.parameters)(raw))
    if isinstance(family, lt.NegativeBinomial):
        mean, size = np.exp(first), np.exp(second)
        return scipy.stats.nbinom.logpmf(value, size, size / (size + mean)).sum(1)
    return bounds.normal(value, first, np.exp(second))


def work(arrays: Arrays, arguments: dict, clock: Clock) -> Arrays:
    """Trains and measures; with `kind`, scikit-learn's FactorAnalysis or PCA: the same network in closed form."""
    train, test, notes = arrays["train"], arrays["test"], arguments["notes"]
    if kind := arguments.get("kind"):
        closed = getattr(sklearn.decomposition, kind)(n_components=arguments["latent"], random_state=arguments["seed"])
        with clock("fit"):
            closed.fit(train)
        notes["bound"] = float(closed.score(test))
        return {}
    declared, case = CASES[arguments["declared"]](arrays, arguments), arguments["declared"]
    options = {"validation": 0, "hide": False, "epochs": arguments["epochs"], "batch_size": arguments["batch"]}
    options |= {"seed": arguments["seed"]} | ({"learning_rate": arguments["rate"]} if "rate" in arguments else {})
    vae = lt.VAE(declared.network, declared.guide, **{**options, **laten_options(arguments["options"])})
    with clock("fit"):
        vae.fit(declared.data_of(train))
    model, rows = vae.model_, declared.data_of(test)
    log_p = (
        joint_normal(model.network, model.p).log_prob(rows, {}).mean()
        if case == "factors"
        else held_out_bound(model, rows)
    )
    notes["bound"] = float(log_p)
    looks = parts(model, test) if case == "pixels" else {}
    history = {name: vae.history_[name].to_numpy(np.float64) for name in ("seconds", "rows")}
    return {**history, **{f"{len(vae.history_)}_{name}": value for name, value in looks.items()}}


if __name__ == "__main__":
    serve(work, ("laten", "jax", "numpy", "scikit-learn"))
