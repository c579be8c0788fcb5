"""An auxiliary latent: declared below the others in P, drawn first by the guide (Maaløe et al. 2016)."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import laten as lt
from laten.inference.importance import log_weights
from laten.network.model import build_model

PLAIN = lt.Network(z=lt.Normal(2), x=lt.Bernoulli(5).given("z", via=lt.MLP(6)))
NETWORK = lt.Network(**PLAIN.nodes, a=lt.Normal(2).given("z", via=lt.MLP(4)))
GUIDE = lt.Network(a=lt.Normal(2).given("x", via=lt.MLP(4)), z=lt.Normal(2).given("a", "x", via=lt.MLP(6)))


@pytest.mark.slow
def test_it_leaves_log_p_as_it_is():
    """log p(x) of the network without it, by many draws of either guide."""
    keys = iter(jax.random.split(jax.random.key(1), 99))
    model = build_model(NETWORK, GUIDE, jax.random.key(0))
    model = jax.tree.map(lambda w: w + 0.2 * jax.random.normal(next(keys), w.shape), model)
    plain = build_model(PLAIN, lt.guide_for(PLAIN), jax.random.key(0))
    plain = replace(plain, p={n: model.p[n] for n in plain.p})
    x = {"x": jnp.asarray([1.0, 0, 1, 1, 0])}
    found = [jax.jit(lambda m=m: log_weights(m, jax.random.key(2), x, {}, 20_000))() for m in (plain, model)]
    estimate = [float(jax.nn.logsumexp(w) - jnp.log(len(w))) for w in found]
    error = [float(jnp.std(jnp.exp(w - w.max())) / jnp.mean(jnp.exp(w - w.max())) / len(w) ** 0.5) for w in found]
    assert estimate[1] == pytest.approx(estimate[0], abs=4.5 * np.hypot(*error))
    assert max(error) < 0.05
    draw = model.draw(jax.random.key(3), x, {})
    assert set(draw.log_q) == {"a", "z"} and float(jnp.abs(draw.log_p["a"]).sum()) > 0  # both sides count it


@pytest.mark.slow
@pytest.mark.trains
@pytest.mark.filterwarnings("ignore::laten.LatenWarning")
def test_it_is_fitted_and_asked():
    x = (np.random.default_rng(0).uniform(size=(100, 5)) < 0.5).astype(np.float32)
    vae = lt.VAE(NETWORK, GUIDE, epochs=2, batch_size=20).fit({"x": x})
    assert np.isfinite(vae.score_samples({"x": x[:3]})).all() and vae.sample(2)["x"].shape == (2, 5)
