"""One step of training: a function of state and batch, with its guard."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import laten as lt
from laten.network.model import build_model
from laten.training import step as steps
from laten.training.objectives import Batch
from laten.training.optimizer import adam
from laten.training.settings import Settings
from laten.training.step import StepParts, init, loss_of, side_by_side
from laten.training.weight_packing import WeightPacking

NETWORK = lt.Network(z=lt.Normal(2), x=lt.Normal(3).given("z"))
ROWS = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)
KEYS = jax.random.split(jax.random.key(1), 8)
SETTINGS = Settings(learning_rate=1e-2, warmup=0.0)


def made(seed: int = 0):
    """Parts and the arrays of a model."""
    model = build_model(NETWORK, lt.guide_for(NETWORK), jax.random.key(seed))
    weights, static = eqx.partition(model, eqx.is_inexact_array)
    return StepParts(loss_of(lt.Elbo(), static, False), adam(), WeightPacking(weights), SETTINGS, 100), weights


def test_a_step_is_the_objective_s_gradient_and_adam():
    parts, weights = made()
    state, info = steps.step(parts, init(parts, weights), Batch({"x": ROWS}, {}), KEYS)
    (_, estimate), gradient = jax.value_and_grad(parts.loss, has_aux=True)(
        weights, Batch({"x": ROWS}, {}), KEYS, jnp.zeros(())
    )
    first = jax.tree.map(lambda w, g: w - 1e-2 * g / (jnp.abs(g) + 1e-8), weights, gradient)  # Adam's first step
    expected = jax.tree.leaves(first)
    found = jax.tree.leaves(parts.packing.unpack(state.weights))
    assert all(np.allclose(a, b, rtol=1e-5, atol=1e-7) for a, b in zip(found, expected, strict=True))
    assert info.good and info.estimate.bound == estimate.bound and state.step == 1


def test_a_step_that_is_not_finite_changes_no_weight():
    parts, weights = made()
    begun = init(parts, weights)
    good, _ = steps.step(parts, begun, Batch({"x": ROWS}, {}), KEYS)
    bad = ROWS.copy()
    bad[3, 1] = np.inf
    state, info = steps.step(parts, good, Batch({"x": bad}, {}), KEYS)
    assert not info.good and state.bad_run == 1 and state.step == 2
    kept = jax.tree.leaves((state.weights, state.optimizer)), jax.tree.leaves((good.weights, good.optimizer))
    assert all(map(np.array_equal, *kept))
    again, info = steps.step(parts, state, Batch({"x": ROWS}, {}), KEYS)
    assert info.good and again.bad_run == 0


def test_copies_step_alone():
    """The first copy steps as it would by itself; the second has other draws."""
    parts, weights = made()
    alone, _ = steps.step(parts, init(parts, weights), Batch({"x": ROWS}, {}), KEYS)
    both, info = side_by_side(parts, init(parts, weights, weights), Batch({"x": ROWS}, {}), KEYS, 2)
    assert np.allclose(both.weights.small[0], alone.weights.small, atol=1e-6)
    assert not np.allclose(both.weights.small[0], both.weights.small[1], atol=1e-6)
    assert info.good.shape == (2,)
