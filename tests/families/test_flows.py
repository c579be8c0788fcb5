"""Flows are invertible, their log-slopes are those of the Jacobian, and a family through one is a density."""

import dataclasses
from itertools import pairwise

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats as st

import laten.families as lf
from laten.common.errors import DeclarationError, LatenError
from laten.families.flows import Autoregressive, Spline
from laten.network.nets.layers import MLP

FLOWS = [Spline(3, 8, 5), Autoregressive(2, 8), Autoregressive(2, 8, fast="density")]
every_flow = pytest.mark.parametrize("flow", FLOWS, ids=repr)


def stirred(tree, size: float = 0.6):
    """The same weights, moved far from the identity."""
    leaves, structure = jax.tree.flatten(tree)
    rng = np.random.default_rng(0)
    return jax.tree.unflatten(structure, [x + jnp.asarray(rng.normal(size=x.shape) * size, x.dtype) for x in leaves])


@every_flow
@pytest.mark.parametrize("n", [pytest.param(1, marks=pytest.mark.slow), 2, pytest.param(5, marks=pytest.mark.slow)])
def test_a_flow_is_invertible_and_counts_its_slope(flow, n):
    module = stirred(flow(n, 2, jax.random.key(0)), 0.15)
    rng = np.random.default_rng(1)
    context = jnp.asarray(rng.normal(size=2), jnp.float32)
    points = jnp.asarray(rng.normal(size=(7, n)) * 3, jnp.float32)

    @jax.jit
    def both(u):
        x, slope = module(u, context)
        again, same = module.inverse(x, context)
        return x, slope, again, same, jnp.linalg.slogdet(jax.jacobian(lambda v: module(v, context)[0])(u))[1]

    x, slope, again, same, expected = jax.vmap(both)(points)
    np.testing.assert_allclose(again, points, atol=2e-3)
    np.testing.assert_allclose(slope, expected, atol=2e-3)
    np.testing.assert_allclose(same, slope, atol=2e-3)
    assert np.abs(np.asarray(x - points)).max() > 0.1


@every_flow
def test_a_flow_starts_near_the_identity(flow):
    u = jnp.asarray([0.3, -2.0, 1.0])
    x, slope = eqx.filter_jit(flow(3, 1, jax.random.key(0)))(u, jnp.ones(1))
    assert np.abs(x - u).max() < 0.2 and abs(slope) < 0.2


@pytest.mark.parametrize("flow", [*FLOWS[:2], pytest.param(FLOWS[2], marks=pytest.mark.slow)], ids=repr)
def test_draws_have_the_density_which_integrates_to_one(flow):
    family = lf.Transformed(lf.Normal(2), flow, context=1)
    family = family.bound(stirred(family.body(jax.random.key(0)), 0.2))
    raw = jnp.asarray(np.random.default_rng(2).normal(size=family.n_raw) * 0.5, jnp.float32)
    side = np.linspace(-16, 16, 481, dtype=np.float32)
    grid = np.stack(np.meshgrid(side, side, indexing="ij"), -1).reshape(-1, 2)
    log_p = np.asarray(jax.jit(jax.vmap(lambda v: family.log_prob(raw, v).sum()))(grid), np.float64).reshape(481, 481)
    mass = np.exp(log_p) * (side[1] - side[0]) ** 2
    assert abs(mass.sum() - 1) < 0.02
    draws, scored = jax.jit(jax.vmap(lambda k: family.sample_and_log_prob(raw, k)))(
        jax.random.split(jax.random.key(1), 4000)
    )
    again = jax.jit(jax.vmap(lambda v: family.log_prob(raw, v)))(draws)
    np.testing.assert_allclose(scored, again, atol=5e-3)
    edges = np.quantile(draws[:, 0], np.linspace(0, 1, 6))[1:-1]
    counts = np.histogram2d(*np.asarray(draws).T, bins=[edges, edges])[0]
    inside = [(side > a) & (side <= b) for a, b in pairwise(edges)]
    cell = [[mass[np.ix_(i, j)].sum() for j in inside] for i in inside]
    assert np.abs(counts / 4000 - cell).max() < 0.05
    np.testing.assert_allclose(family.mean(raw), np.asarray(draws).mean(0), atol=0.35)


def test_one_site_of_an_autoregressive_flow_is_a_normal():
    """Scale and shift of a site without others before it are constants: SciPy has that density."""
    family = lf.Transformed(lf.Normal(1), Autoregressive(1, 4))
    body = stirred(family.body(jax.random.key(0)))
    bound, raw = family.bound(body), jnp.asarray([0.3, -0.2])
    net = body.nets[0]
    s, m = np.asarray(jax.nn.relu(net.offset) @ net.outer + net.start, np.float64)
    s = 3 * np.tanh(s / 3)
    loc, sd = np.exp(s) * 0.3 + m, np.exp(s + 7 * np.tanh(-0.2 / 7))
    x = np.linspace(-4, 4, 9, dtype=np.float32)[:, None]
    found = jax.jit(jax.vmap(lambda v: bound.log_prob(raw, v)))(x)
    np.testing.assert_allclose(found, st.norm(loc, sd).logpdf(x), rtol=1e-4, atol=1e-4)


def test_the_weights_are_of_the_body_and_get_a_gradient():
    family = lf.Transformed(lf.Normal(3, scale="site"), Spline(2, 8), context=4)
    assert (family.n_net, family.n_raw) == (7, 10)
    body = family.body(jax.random.key(0))
    raw = jnp.asarray(np.random.default_rng(0).normal(size=10), jnp.float32)
    base, context = family.split(raw)
    np.testing.assert_array_equal(base, np.concatenate([raw[:3], raw[7:]]))
    np.testing.assert_array_equal(context, raw[3:7])
    slope = jax.jit(jax.grad(lambda b: family.bound(b).log_prob(raw, jnp.ones(3)).sum()))(body)
    assert all(np.abs(np.asarray(g)).max() > 0 for g in jax.tree.leaves(slope))
    with pytest.raises(LatenError, match=r"has weights; ask the node of a model"):
        family.log_prob(raw, jnp.ones(3))


@dataclasses.dataclass(frozen=True)
class Crooked:
    """A recipe whose module returns no slope for the vector."""

    def __call__(self, n, n_context, key):
        class Module(eqx.Module):
            def __call__(self, u, context):
                return u, u

            inverse = __call__

        return Module()


WRONG = [
    (lambda: lf.Transformed(lf.Bernoulli(3), Spline()), r"base must be a family of real numbers .* not Bernoulli\(3\)"),
    (lambda: lf.Transformed(lf.Normal(3), "spline"), r"flow must be one such as lt\.Spline\(4, 64\), not 'spline'"),
    (lambda: lf.Transformed(lf.Transformed(lf.Normal(3), Spline()), Spline()), r"base must be without weights of its"),
    (
        lambda: lf.Transformed(lf.Normal(3), MLP(4)).body(jax.random.key(0)),
        r"use a flow such as lt\.Spline\(4, 64\)",
    ),
    (lambda: lf.Transformed(lf.Normal(3), Spline(), -1), r"context must be a whole number of at least 0"),
    (lambda: lf.Transformed(lf.Normal(3), Crooked()).body(jax.random.key(0)), r"one log-slope"),
    (lambda: Spline(0), r"Spline: layers must be a whole number"),
    (lambda: Spline(2, bins=1), r"Spline: bins must be a whole number of at least 2"),
    (lambda: Autoregressive(fast="both"), r"fast must be 'draws' or 'density', not 'both'"),
]


@pytest.mark.parametrize("declare, words", WRONG, ids=[words[:30] for _, words in WRONG])
def test_what_is_no_flow_is_refused(declare, words):
    with pytest.raises(DeclarationError, match=words):
        declare()
