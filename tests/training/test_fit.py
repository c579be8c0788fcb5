"""The loop and what stands round it: the exact optimum, no retraces, skipped steps, roll-backs, Ctrl-C, determinism."""

import os
import signal
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import laten as lt
import oracles
from laten.data.rows.presentation import Presentation, Store, binarised
from laten.inference.importance import log_weights
from laten.network.model import Model, build_model
from laten.training.epochs import train
from laten.training.loop import Loop
from laten.training.objectives import Batch, Estimate, Objective
from laten.training.optimizer import adam
from laten.training.settings import Settings
from laten.training.task import Outcome, Task

pytestmark = pytest.mark.trains

RNG = np.random.default_rng(0)
W = RNG.normal(size=(6, 2))
X = (RNG.normal(size=(1000, 2)) @ W.T + 0.5 * RNG.normal(size=(1000, 6))).astype(np.float32)
NETWORK = lt.Network(z=lt.Normal(2), x=lt.Normal(6, scale="site").given("z"))


def task(x: np.ndarray = X, objective=None, labels: dict | None = None, valid: bool = False) -> Task:
    model = build_model(NETWORK, lt.guide_for(NETWORK), jax.random.key(0))
    held, store = np.arange(100, dtype=np.int32) if valid else None, Store({"x": jnp.asarray(x)}, {})
    return Task(model, objective or lt.Elbo(), store, Presentation(), 0.0, labels or {}, valid=held)


def run(steps: int = 40, report=lambda record: None, **options) -> Outcome:
    settings = {"epochs": steps // 10, "batch_size": 100, "learning_rate": 1e-2, "warmup": 0.0} | options
    made = task(**{k: settings.pop(k) for k in ("x", "objective", "labels", "valid") if k in settings})
    return train(made, Settings(**settings), report)


def test_rows_held_out_are_judged_and_never_learned_from():
    """They lie in the same store: here far away, so that one of them in a step would be seen."""
    x, held, rest = X.copy(), np.arange(100, dtype=np.int32), np.arange(100, 1000, dtype=np.int32)
    x[held] += 1000
    parts = task(x)._replace(train=rest, valid=held)
    assert parts.rows == 900 and set(parts.order(0, 0, 90, 2).ravel()) == set(rest)
    last = train(parts, Settings(epochs=4, batch_size=100, learning_rate=1e-2)).history[-1]
    assert last["bound"] > -50 and last["valid_bound"] < -1e4
    learned = train(parts._replace(train=None), Settings(epochs=4, batch_size=100, learning_rate=1e-2)).history[-1]
    assert learned["bound"] < -1e3  # control: with them in the steps


def test_reaches_the_maximum_of_probabilistic_pca():
    """The closed form shares one noise; the data have one, so that noise by site can only be a little better."""
    best = oracles.ppca_maximum(X, 2)
    outcome = run(steps=4000, learning_rate=2e-2, final_rate=0.0)
    x = jnp.asarray(X)
    keys = jax.random.split(jax.random.key(5), len(x))
    log_w = jax.jit(jax.vmap(lambda k, v: weights_of(outcome.model, k, v)))(keys, x)
    found = float(jax.nn.logsumexp(log_w, axis=1).mean() - np.log(log_w.shape[1]))
    assert abs(found - best) < 0.02
    start = float(run(steps=10).history[0]["bound"])
    assert abs(start - best) > 0.5  # control: an untrained model is far away


def weights_of(model: Model, key: jax.Array, x: jax.Array) -> jax.Array:
    return log_weights(model, key, {"x": x}, {}, 200)


def test_adam_is_adam():
    ours, theirs = adam(), optax.adam(0.01)
    weights = {"a": jnp.array([1.0, -2.0]), "b": jnp.array([[0.5]])}
    state, reference, expected = ours.init(weights), theirs.init(weights), weights
    for i in range(5):
        gradient = jax.tree.map(lambda w, i=i: jnp.sin(w + i), expected)
        weights, state = ours.update(gradient, state, weights, jnp.array(True), 1.0, jnp.array(0.01))
        step, reference = theirs.update(gradient, reference)
        expected = optax.apply_updates(expected, step)
        assert all(np.allclose(weights[n], expected[n], rtol=1e-5) for n in weights)
    kept, same = ours.update(
        jax.tree.map(lambda w: w * jnp.nan, weights), state, weights, jnp.array(False), 1.0, jnp.array(0.01)
    )
    assert all(np.array_equal(kept[n], weights[n]) and np.array_equal(same.mean[n], state.mean[n]) for n in weights)


def test_an_optimiser_of_the_users_keeps_its_own_schedule():
    flat = run(final_rate=1.0, clip=None).model
    theirs = run(optimizer=optax.adam(1e-2), learning_rate=1.0, clip=None).model
    fallen = run(clip=None).model  # control: with the library's own schedule
    far = [np.abs(a - b).max() for a, b in zip(jax.tree.leaves(flat.q), jax.tree.leaves(theirs.q), strict=True)]
    assert max(far) < 1e-4
    assert (
        max(np.abs(a - b).max() for a, b in zip(jax.tree.leaves(flat.q), jax.tree.leaves(fallen.q), strict=True)) > 1e-3
    )


def test_more_rows_than_can_be_numbered_are_refused():
    assert Settings(epochs=1).planned(2**31 - 1).steps > 1
    with pytest.raises(lt.LatenError, match="at most 2147483647 rows"):
        Settings(epochs=1).planned(2**31)


def test_products_are_rounded_where_asked():
    weights, static = eqx.partition(task().model, eqx.is_inexact_array)
    texts = {}
    for precision in ("float32", "auto"):
        settings = Settings(batch_size=100, precision=precision)
        loop = Loop(weights, static, lt.Elbo(), Presentation(), settings, 10, False)
        store = Store({"x": jnp.asarray(X)}, {})
        order, key = np.zeros((10, 100), np.int32), jax.random.key(0)
        arguments = loop.init(weights), loop.empty_sums(store, 100), store, order, key, *map(np.int32, (0, 0, 10))
        texts[precision] = loop.run.lower(*arguments).as_text()
    assert "bf16" in texts["auto"]
    assert "bf16" not in texts["float32"]


def test_an_epoch_is_traced_once():
    outcome = run(steps=100, valid=True)
    assert len(outcome.history) == 10
    assert outcome.retraces == 0


def test_the_same_seed_gives_the_same_weights():
    first, second, other = run().model, run().model, run(seed=1).model
    same = jax.tree.map(np.array_equal, jax.tree.leaves(first.p), jax.tree.leaves(second.p))
    assert all(same)
    assert not all(jax.tree.map(np.array_equal, jax.tree.leaves(first.p), jax.tree.leaves(other.p)))  # control


def test_where_an_epoch_is_cut_changes_nothing():
    """Calls are cut by the clock, so that the cuts differ from run to run; results must not."""
    settings, calls = Settings(epochs=3, batch_size=50, learning_rate=1e-2, warmup=0.0), []
    whole = train(task(), settings)
    cut = train(task(), settings, on_call=lambda loop, arguments: calls.append(arguments), call_seconds=1e-5)
    assert len(calls) > 3  # a step a call, after the first
    assert all(jax.tree.map(np.array_equal, jax.tree.leaves(whole.model.p), jax.tree.leaves(cut.model.p)))
    for one, other in zip(whole.history, cut.history, strict=True):
        assert one | {"seconds": 0} == other | {"seconds": 0}


def several(copies: int, **options) -> Outcome:
    """Starts from seeds 0, 1, ... side by side."""
    models = [build_model(NETWORK, lt.guide_for(NETWORK), jax.random.key(i)) for i in range(copies)]
    made = task(valid=True)._replace(model=models[0], others=tuple(models[1:]))
    settings = {"epochs": 6, "batch_size": 100, "learning_rate": 1e-2, "warmup": 0.0, "patience": 0} | options
    return train(made, Settings(**settings))


def test_starts_side_by_side_are_those_one_by_one():
    """The first copy draws what it would draw alone; the best of all is kept."""
    together, alone = several(3), several(1)
    first, rest = together.starts[0], together.starts[1:]
    assert first["valid_bound"] == pytest.approx(alone.starts[0]["valid_bound"], abs=1e-4)
    assert all(abs(r["valid_bound"] - first["valid_bound"]) > 1e-3 for r in rest)  # control: others start elsewhere
    best = max(r["valid_bound"] for r in together.history)
    assert best >= max(r["valid_bound"] for r in together.starts)
    assert together.retraces == 0
    assert [r["kept"] for r in together.history].count(True) == 1


def test_a_start_that_is_lost_leaves_the_others_alone():
    models = [build_model(NETWORK, lt.guide_for(NETWORK), jax.random.key(i)) for i in range(2)]
    lost = jax.tree.map(lambda x: x * jnp.nan if eqx.is_inexact_array(x) else x, models[1])
    settings = Settings(epochs=4, batch_size=100, learning_rate=1e-2, warmup=0.0, patience=0)
    for order in ((models[0], lost), (lost, models[0])):
        outcome = train(task(valid=True)._replace(model=order[0], others=order[1:]), settings)
        assert np.isfinite([r["valid_bound"] for r in outcome.history]).all()
        assert outcome.history[-1]["rollbacks"] == 0
        assert all(np.isfinite(w).all() for w in jax.tree.leaves(outcome.model.p))


@dataclass(frozen=True)
class Faulty(Objective):
    """The ELBO, but not a number from a share of the plan on."""

    start: float
    stop: float

    def __call__(self, model: Model, batch: Batch, key, progress=1.0, dropout: bool = False) -> Estimate:
        estimate = lt.Elbo()(model, batch, key, progress)
        bad = (progress >= self.start) & (progress < self.stop)
        return estimate._replace(loss=jnp.where(bad, jnp.nan, estimate.loss))


def test_a_step_that_is_not_finite_is_skipped_and_counted():
    outcome = run(steps=100, objective=Faulty(0.5, 0.52))
    assert sum(r["skipped"] for r in outcome.history) == 2
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(outcome.model.p))
    assert outcome.history[-1]["rollbacks"] == 0


def test_giving_up_names_node_and_column():
    x = X.copy()
    x[:, 3] *= 1e25  # its square overflows float32
    with pytest.raises(lt.TrainingDiverged) as caught:
        run(x=x, labels={"x": tuple("abcdef")}, clip=None)
    for word in ("'x'", "column 'd'", "learning_rate", "roll-back"):
        assert word in str(caught.value)


def test_early_stopping_keeps_the_best_weights():
    outcome = run(steps=2000, learning_rate=0.5, valid=True, patience=3)
    assert outcome.stopped == "early"
    best = max(outcome.history, key=lambda r: r["valid_bound"])
    assert outcome.best_epoch == best["epoch"] < outcome.history[-1]["epoch"]


def test_ctrl_c_ends_training_and_keeps_the_model():
    def press(record: dict) -> None:
        if record["epoch"] == 2:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)  # ignored where the tests run in the background of a script
    outcome = run(steps=1000, report=press)
    assert outcome.stopped == "interrupted"
    assert outcome.history[-1]["epoch"] <= 4
    assert signal.getsignal(signal.SIGINT) is before


def test_binarising_anew_keeps_the_intensity():
    levels = jnp.asarray([0, 1, 64, 128, 200, 255], jnp.uint8)
    draws = np.asarray(jax.vmap(lambda k: binarised(k, levels))(jax.random.split(jax.random.key(0), 20000)))
    assert draws[:, 0].max() == 0
    assert draws[:, 5].min() == 1
    expected = np.asarray(levels) / 255
    error = np.sqrt(expected * (1 - expected) / 20000) + 1 / 512
    assert (np.abs(draws.mean(0) - expected) <= 4 * error).all()
    assert not (np.abs(draws.mean(0) - expected[::-1]) <= 4 * error).all()  # control


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"epochs": 0}, "epochs"),
        ({"batch_size": 2.5}, "batch_size"),
        ({"learning_rate": -1}, "learning_rate"),
        ({"validation": 1}, "validation"),
        ({"clip": 0}, "clip"),
        ({"warmup": 3}, "warmup"),
    ],
)
def test_options_out_of_range(option, words):
    with pytest.raises(lt.LatenError, match=words):
        Settings(**option)
