"""A codebook: what is drawn and scored, what the guide takes, the gradients that teach it, and a fit that uses it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import laten as lt
from laten.network.model import Model, build_model
from laten.training.objectives import Batch

NETWORK = lt.Network(z=lt.Quantised(2, dim=3, codes=5), x=lt.Normal(4).given("z", via=lt.MLP(8)))


@pytest.fixture(scope="module")
def model() -> Model:
    built = build_model(NETWORK, lt.guide_for(NETWORK), jax.random.key(0))
    keys = iter(jax.random.split(jax.random.key(1), 99))
    return jax.tree.map(lambda w: w + 0.3 * jax.random.normal(next(keys), w.shape), built)


def test_draws_are_codes_with_their_chances(model):
    family, raw = model.p["z"].distribution, model.p["z"].constants
    chances = jax.nn.softmax(raw.reshape(2, 5), axis=1)
    z, log_p = jax.vmap(lambda k: family.sample_and_log_prob(raw, k))(jax.random.split(jax.random.key(2), 4000))
    code = jax.vmap(lambda v: family.nearest(family.as_rows(v)))(z)
    np.testing.assert_array_equal(z, family.codebook[code])
    shares = np.stack([np.bincount(np.asarray(code)[:, s], minlength=5) / 4000 for s in range(2)])
    np.testing.assert_allclose(shares, chances, atol=0.04)
    expected = np.log(np.take_along_axis(np.asarray(chances), np.asarray(code).T, axis=1)).sum(0)
    np.testing.assert_allclose(log_p.sum((1, 2)), expected, rtol=1e-4)
    np.testing.assert_allclose(jax.vmap(lambda v: family.log_prob(raw, v))(z), log_p, rtol=1e-4)
    np.testing.assert_allclose(family.mean(raw), jnp.matmul(chances, family.codebook), rtol=1e-4)


def test_the_guide_takes_the_nearest_code(model):
    """By hand: distances of all codes; log p(x) of one row is that of this code alone."""
    x = jnp.asarray([0.3, -1.0, 0.2, 2.0])
    draw = model.draw(jax.random.key(0), {"x": x}, {})
    said = model.q["z"].raw({"x": x}, {})[:6].reshape(2, 3)
    book = model.p["z"].body
    near = np.square(np.asarray(said)[:, None] - np.asarray(book)[None]).sum(2).argmin(1)
    np.testing.assert_allclose(draw.values["z"], book[near], atol=1e-6)
    assert float(jnp.sum(draw.log_q["z"])) == 0
    log_p = float(jnp.sum(model.p["x"].distribution.log_prob(draw.raw["x"], x)) + jnp.sum(draw.log_p["z"]))
    assert float(draw.log_weight) == pytest.approx(log_p, rel=1e-5)
    elsewhere = model.draw(jax.random.key(0), {"x": x}, {}, {"z": book[(near + 1) % 5]})
    assert float(jnp.sum(elsewhere.log_q["z"])) < -1e29  # the control: all mass is on one value


def test_gradients_go_straight_through_and_teach_the_codebook(model):
    """The net's gradient is the decoder's at the code plus the commitment's; the codebook's that of its distance."""
    x = jnp.asarray([0.3, -1.0, 0.2, 2.0])
    family, guide = model.p["z"].distribution, lt.Nearest(2, dim=3, commitment=0.5)
    said = model.q["z"].raw({"x": x}, {})[:6]
    code = family.codebook[family.nearest(said.reshape(2, 3))].reshape(2, 3)
    a = jnp.arange(6.0).reshape(2, 3)

    def loss(said, book):
        bound = lt.Quantised(2, dim=3, codes=5).bound(book)
        z, log_q = guide.sample_and_log_prob(guide.finish(jnp.concatenate([said, said]), bound, jnp.zeros(10)), None)
        return jnp.sum(a * z) + jnp.sum(log_q)

    value, (by_said, by_book) = jax.value_and_grad(loss, (0, 1))(said, family.codebook)
    off = np.asarray(said.reshape(2, 3) - code)
    assert float(value) == pytest.approx(float(jnp.sum(a * code)), rel=1e-5)
    np.testing.assert_allclose(by_said, (np.asarray(a) + 2 * 0.5 * off).ravel(), rtol=1e-4, atol=1e-5)
    expected = np.zeros((5, 3))
    for place, k in enumerate(family.nearest(said.reshape(2, 3))):
        expected[int(k)] -= 2 * off[place]
    np.testing.assert_allclose(by_book, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("objective", [lt.Elbo(kl="path"), lt.Iwae(3, gradient="dreg"), lt.Cubo(2.0, 3), lt.WakeSleep(),
                                       lt.ReweightedWakeSleep(3)], ids=repr)  # fmt: skip
def test_objectives_that_need_a_density_are_refused(model, objective):
    with pytest.raises(lt.DeclarationError, match=r"the guide, whose 'z' is Nearest.*use lt\.Elbo\(\)"):
        objective(model, Batch({"x": jnp.ones((4, 4))}, {}), jax.random.key(0))


@pytest.mark.slow
@pytest.mark.trains
def test_a_codebook_is_learned():
    """Eight clusters, one place: the codes tell them apart, samples come from all, and the prior is their share."""
    rng = np.random.default_rng(0)
    group = rng.choice(8, 800, p=[0.3] + [0.1] * 7)
    x = (4 * rng.normal(size=(8, 3))[group] + 0.2 * rng.normal(size=(800, 3))).astype(np.float32)
    network = lt.templates.vq(lt.Normal(3, scale="site"), sites=1, codes=32, dim=4, width=32)
    vae = lt.VAE(network, epochs=60, batch_size=50, learning_rate=5e-3, validation=0).fit({"x": x})
    z = vae.transform({"x": x}).round(4)
    code = np.unique(z, axis=0, return_inverse=True)[1]
    agreement = sum(np.bincount(group[code == c]).max() for c in np.unique(code)) / len(x)
    assert agreement > 0.95 and len(np.unique(code)) >= 6
    drawn = vae.sample(400)["x"]
    centres = np.stack([x[group == g].mean(0) for g in range(8)])
    near = np.linalg.norm(drawn[:, None] - centres[None], axis=2)
    assert np.median(near.min(1)) < 1.0 and abs((near.argmin(1) == 0).mean() - 0.3) < 0.15
