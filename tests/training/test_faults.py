"""Bad data and injected faults: each ends in a model of finite weights, or in a `LatenError` that names the culprit."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pandas as pd
import pytest

import laten as lt
from laten.data.rows.presentation import Presentation, Store
from laten.network.model import build_model
from laten.training.epochs import train
from laten.training.objectives import Objective
from laten.training.settings import Settings
from laten.training.task import Outcome, Task

pytestmark = pytest.mark.trains

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 4)).astype(np.float32)
NETWORK = lt.Network(z=lt.Normal(2), x=lt.Normal(4).given("z"))
HOLES = frozenset({"x"})
LABELS = {"x": tuple("abcd")}


def fitted(
    x: np.ndarray = X, objective: Objective | None = None, weight: float | None = None, seen: np.ndarray | None = None,
    **options: Any,
) -> Outcome:  # fmt: skip
    """Train on rows as they are, past all checks of data; all cases are one compiled program as far as can be."""
    model = build_model(NETWORK, lt.guide_for(NETWORK, ["z"], HOLES), jax.random.key(0), HOLES)
    if weight is not None:
        arrays, static = eqx.partition(model, eqx.is_inexact_array)
        leaves, structure = jax.tree.flatten(arrays)
        leaves[0] = leaves[0].at[(0,) * leaves[0].ndim].set(weight)
        model = eqx.combine(jax.tree.unflatten(structure, leaves), static)
    masks = {"x": jnp.asarray(np.ones(x.shape, bool) if seen is None else seen)}
    made = Task(model, objective or lt.Elbo(), Store({"x": jnp.asarray(x)}, masks), Presentation(), 0.0, LABELS)
    return train(made, Settings(**{"epochs": 4, "batch_size": 50, "warmup": 0.0} | options))


def changed(row: Any, column: Any, value: float) -> np.ndarray:
    x = X.copy()
    x[row, column] = value
    return x


@dataclass(frozen=True)
class Steep(Objective):
    """The ELBO, whose gradient is infinite from a share of the plan on, though its value is finite."""

    start: float

    def __call__(self, model, batch, key, progress=1.0, dropout: bool = False):
        estimate = lt.Elbo()(model, batch, key, progress)
        zero = estimate.loss - jax.lax.stop_gradient(estimate.loss)
        root = jnp.sqrt(jnp.where(progress >= self.start, zero, 1.0))
        return estimate._replace(loss=estimate.loss + root)


def poisoned(start: int) -> optax.GradientTransformation:
    """Steps that are not finite from a step on: the loss is, until it sees the weights."""

    def update(gradient: Any, state: Any, weights: Any = None) -> tuple[Any, Any]:
        return jax.tree.map(lambda g: jnp.where(state >= start, jnp.nan, -1e-3 * g), gradient), state + 1

    return optax.GradientTransformation(lambda weights: jnp.zeros((), jnp.int32), update)


CULPRIT = r"'x', column '[abcd]'.*learning_rate"
INJECTED: dict[str, tuple[Callable[[], Outcome], str | None]] = {
    "nothing": (fitted, None),
    "a weight that is not a number": (lambda: fitted(weight=np.nan), CULPRIT),
    "an infinite weight": (lambda: fitted(weight=np.inf), CULPRIT),
    "a huge weight": (lambda: fitted(weight=1e30), CULPRIT),
    "a learning rate a thousand times too high": (lambda: fitted(learning_rate=1.0), None),
    "a learning rate at the end of float32": (lambda: fitted(learning_rate=3e38), CULPRIT),
    "an outlier of 1e30": (lambda: fitted(changed(3, 1, 1e30)), None),
    "an outlier in each batch": (lambda: fitted(changed(slice(0, None, 3), 1, 1e30)), r"column 'b'"),
    "a column of 1e38": (lambda: fitted(changed(slice(None), 2, 1e38)), r"column 'c'"),
    "a column of 1e-38": (lambda: fitted(changed(slice(None), 2, 1e-38)), None),
    "constant columns": (lambda: fitted(np.zeros_like(X)), None),
    "an infinite cell": (lambda: fitted(changed(3, 1, np.inf)), None),
    "a column that is not a number": (lambda: fitted(changed(slice(None), 3, np.nan)), r"column 'd'"),
    "no cell is seen": (lambda: fitted(seen=np.zeros(X.shape, bool)), None),
    "infinite gradients from the start": (lambda: fitted(objective=Steep(0.0)), CULPRIT),
    "infinite gradients at the end": (lambda: fitted(objective=Steep(0.9)), None),
    "a plan of one step, not finite": (
        lambda: fitted(changed(slice(None), 2, 1e38), epochs=1, batch_size=200), r"no step of the plan.*column 'c'"
    ),
    "weights that are not finite, from the start": (lambda: fitted(optimizer=poisoned(0)), CULPRIT),
    "weights that are not finite, after the last step": (lambda: fitted(optimizer=poisoned(15)), CULPRIT),
}  # fmt: skip

FRAME = pd.DataFrame({"a": RNG.normal(size=60), "b": RNG.choice(list("xy"), 60)})
COUNTS = lt.Network(z=lt.Normal(2), n=lt.Poisson(2).given("z"))
SIZES = lt.Network(z=lt.Normal(2), n=lt.LogNormal(2).given("z"))
IMAGES = RNG.integers(0, 2, (40, 3, 3)).astype(np.uint8)
N = np.ones((40, 2))


def vae(network: lt.Network | None = None, **options: Any) -> lt.VAE:
    return lt.VAE(network, **{"latent": 2, "width": 4, "epochs": 1, "batch_size": 20, **options})


def cell(value: Any, like: np.ndarray = N) -> dict[str, np.ndarray]:
    array = np.array(like, np.float64)
    array[3, 1] = value
    return {"n": array}


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "counts below 0": (lambda: vae(COUNTS).fit(cell(-1)), r"'n'.*-1"),
    "counts with a fraction": (lambda: vae(COUNTS).fit(cell(0.5)), r"'n'.*0\.5"),
    "counts of 1e30": (lambda: vae(COUNTS).fit(cell(1e30)), r"'n'.*1e\+30"),
    "infinite counts": (lambda: vae(COUNTS).fit(cell(np.inf)), r"'n'.*infinit"),
    "zeros of a log-normal": (lambda: vae(SIZES).fit(cell(0.0)), r"'n'.*above 0, got 0\.0"),
    "all zeros of a log-normal": (lambda: vae(SIZES).fit({"n": N * 0}), r"'n'.*above 0, got 0\.0"),
    "nothing is there": (lambda: vae(COUNTS).fit({"n": N * np.nan}), r"'n'.*hidden"),
    "numbers past float32": (lambda: vae(SIZES).fit(cell(1e300)), r"'n'.*1e\+300.*float32"),
    "grey levels of 300": (lambda: vae().fit(IMAGES.astype(int) * 300), r"'x'.*300"),
    "pixels below 0": (lambda: vae().fit(IMAGES - 1.5), r"'x'.*-1\.5"),
    "infinite pixels": (lambda: vae().fit(np.where(IMAGES > 0, np.inf, 0.0)), r"'x'.*infinit"),
    "images of text": (lambda: vae().fit(IMAGES.astype(str)), r"text|numbers|array"),
    "an infinite number in a table": (lambda: vae().fit(FRAME.assign(a=np.inf)), r"'a'"),
    "a constant table": (lambda: vae().fit(FRAME.assign(a=1.0, b="x")), r"no column is left"),
    "an empty table": (lambda: vae().fit(FRAME.assign(a=np.nan, b=None)), r"no value.*'a'"),
    "one row": (lambda: vae().fit(FRAME.head(1)), r"1 row"),
    "no rows": (lambda: vae().fit(FRAME.head(0)), r"no rows|0 row"),
    "words among numbers": (lambda: vae().fit(FRAME.assign(a=[*FRAME["a"][:-1], "many"])), r"'a'.*'many'"),
    "weights of rows that are not numbers": (lambda: vae().fit(FRAME, sample_weight=[np.nan] * 60), r"sample_weight"),
    "weights of rows below 0": (lambda: vae().fit(FRAME, sample_weight=-np.ones(60)), r"sample_weight"),
    **{
        f"{name}={value}": (lambda name=name, value=value: vae(**{name: value}).fit(FRAME), name)
        for name in ("learning_rate", "warmup", "clip", "validation", "trim", "dropout")
        for value in (np.inf, np.nan, -1.0, 1e39)
    },
    **{
        f"Elbo({name}={value})": (lambda name=name, value=value: lt.Elbo(**{name: value}), name)
        for name in ("beta", "free_bits", "warmup", "trim")
        for value in (np.inf, np.nan, -1.0)
    },
    "Renyi(alpha=nan)": (lambda: lt.Renyi(alpha=np.nan), "alpha"),
    "Cubo(order=inf)": (lambda: lt.Cubo(order=np.inf), "order"),
}  # fmt: skip


def sound(outcome: Outcome) -> bool:
    return all(np.isfinite(w).all() for w in jax.tree.leaves(eqx.filter(outcome.model, eqx.is_inexact_array)))


@pytest.mark.parametrize("name", INJECTED)
def test_a_fault_in_training(name):
    work, words = INJECTED[name]
    if words is None:
        assert sound(work())
        return
    with pytest.raises(lt.TrainingDiverged, match=words):
        work()


@pytest.mark.parametrize("name", REFUSED)
def test_bad_data_are_refused_by_name(name):
    work, words = REFUSED[name]
    with pytest.raises(lt.LatenError, match=words):
        work()


def test_a_model_that_is_not_finite_is_seen():
    """The control of `sound`."""
    outcome = fitted(epochs=1)
    outcome.model = jax.tree.map(lambda x: x * jnp.nan if eqx.is_inexact_array(x) else x, outcome.model)
    assert not sound(outcome)
