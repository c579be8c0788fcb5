"""Directions: densities beside SciPy's, draws beside their moments, and gradients through draws beside exact ones."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats as st
from scipy.integrate import quad
from scipy.special import gammaln, ive

import laten as lt
from laten.families.sphere import START, angle_of, drawn_angle, slope
from laten.network.model import build_model

SIZES = [(20, 25.0), (2, 0.3), (3, 2.0), (3, 900.0), (8, 0.01), (100, 5.0), (100, 9e4)]


def some(cases: list, quick: int = 2) -> list:
    """The first ones in each run, all of them in the slow one."""
    return cases[:quick] + [pytest.param(*case, marks=pytest.mark.slow) for case in cases[quick:]]


def raw_of(mu: np.ndarray, kappa: float) -> np.ndarray:
    direction, d = mu.copy(), len(mu)
    direction[0] -= START
    return np.append(direction, 7 * np.arctanh(np.log(kappa / (d - 1)) / 7)).astype(np.float32)


def direction(d: int, seed: int = 0) -> np.ndarray:
    mu = np.random.default_rng(seed).normal(size=d)
    return mu / np.linalg.norm(mu)


def log_density(x: np.ndarray, mu: np.ndarray, kappa: float) -> np.ndarray:
    d = len(mu)
    bessel = np.log(ive(d / 2 - 1, kappa)) + kappa if kappa < 1e4 else None
    if bessel is None:
        return st.vonmises_fisher(mu, kappa).logpdf(x)
    return kappa * x @ mu + (d / 2 - 1) * np.log(kappa) - d / 2 * np.log(2 * np.pi) - bessel


@pytest.mark.parametrize("d, kappa", some([c for c in SIZES if c[1] < 1e4]))
def test_density_and_draws(d, kappa):
    mu, family = direction(d), lt.VonMisesFisher(d)
    raw = raw_of(mu, kappa)
    x, log_p = jax.jit(jax.vmap(lambda k: family.sample_and_log_prob(raw, k)))(
        jax.random.split(jax.random.key(0), 4000)
    )
    x, log_p = np.asarray(x, np.float64), np.asarray(log_p, np.float64).sum(1)
    np.testing.assert_allclose(np.linalg.norm(x, axis=1), 1, atol=1e-5)
    again = np.asarray(jax.jit(jax.vmap(lambda v: family.log_prob(raw, v)))(x.astype(np.float32))).sum(1)
    expected = log_density(x, mu, kappa)
    scale = 1e-4 + 2e-5 * np.abs(expected)
    assert (np.abs(log_p - expected) < scale).all() and (np.abs(again - expected) < scale + 2e-6 * kappa).all()
    length = ive(d / 2, kappa) / ive(d / 2 - 1, kappa)  # E[mu . x]
    along = x @ mu
    assert along.mean() == pytest.approx(length, abs=4.5 * along.std() / np.sqrt(len(x)) + 1e-6)
    assert abs(along.mean() - 0.9 * length) > 4.5 * along.std() / np.sqrt(len(x)) or length < 0.2  # control
    np.testing.assert_allclose(family.mean(raw), length * mu, atol=2e-4 * max(length, 0.05))
    across = x - along[:, None] * mu  # no direction across the mean is preferred
    assert np.abs(across.mean(0)).max() < 5 * across.std() / np.sqrt(len(x))


@pytest.mark.parametrize("d, kappa", some(SIZES))
def test_divergence_from_uniform_is_exact(d, kappa):
    """KL = kappa A + log C + log area, by quadrature in float64."""
    family, raw = lt.VonMisesFisher(d), raw_of(direction(d), kappa)
    m = d - 2
    c = (np.sqrt(m**2 + 4 * kappa**2) - m) / (2 * kappa)
    mode = np.arccos(c)
    height = m * np.log(np.sin(mode)) - 2 * kappa * np.sin(mode / 2) ** 2 if m else 0.0
    log_f = lambda t: (m * np.log(np.sin(t)) if m else 0.0) - 2 * kappa * np.sin(t / 2) ** 2 - height  # noqa: E731
    near = [t for t in mode + np.array([-5, 0, 5]) / np.sqrt(kappa + d) if 0 < t < np.pi]
    whole = lambda f: quad(f, 0, np.pi, points=near, limit=400, epsabs=0, epsrel=1e-11)[0]  # noqa: E731
    z = whole(lambda t: np.exp(log_f(t)))
    loss = whole(lambda t: 2 * np.sin(t / 2) ** 2 * np.exp(log_f(t))) / z
    area = lambda n: np.log(2) + n / 2 * np.log(np.pi) - gammaln(n / 2)  # noqa: E731
    expected = -kappa * loss - np.log(z) - height - area(d - 1) + area(d)
    found = float(family.kl(raw, lt.Sphere(d), jnp.zeros(0)).sum())
    assert found == pytest.approx(expected, abs=3e-5 * max(1, abs(expected)))
    assert float(family.kl(raw, family, raw).sum()) == pytest.approx(0, abs=1e-3)
    assert family.kl(raw, lt.Normal(d), jnp.zeros(2 * d)) is None


@pytest.mark.parametrize("d, kappa", some([(10, 30.0), (2, 0.5), (3, 4.0), (50, 10.0)], 1))
def test_the_gradient_of_an_angle_is_implicit(d, kappa):
    """Draws that move with kappa keep their rank: dF(theta(kappa), kappa) / dkappa = 0, by differences in float64."""
    about = angle_of(jnp.float32(kappa), d)
    draw, move = lambda k: drawn_angle(k, jnp.float32(kappa), d), lambda t: slope(t, jnp.float32(kappa), d, about)
    angles = jax.jit(jax.vmap(draw))(jax.random.split(jax.random.key(1), 6))
    found = jax.jit(jax.vmap(move))(angles)

    def cdf(t: float, k: float) -> float:
        f = lambda s: np.sin(s) ** (d - 2) * np.exp(-2 * k * np.sin(s / 2) ** 2)  # noqa: E731
        return quad(f, 0, t, epsabs=0, epsrel=1e-12)[0] / quad(f, 0, np.pi, epsabs=0, epsrel=1e-12, limit=200)[0]

    h = 1e-4
    for t, moved in zip(np.asarray(angles, np.float64), np.asarray(found), strict=True):
        by_kappa = (cdf(t, kappa + h) - cdf(t, kappa - h)) / (2 * h)
        density = (cdf(t + h, kappa) - cdf(t - h, kappa)) / (2 * h)
        assert moved == pytest.approx(-by_kappa / density, rel=2e-3, abs=1e-5)


@pytest.mark.slow
def test_gradients_through_draws_are_unbiased():
    """E[a . x] = A(kappa) a . mu: its gradient in all raw numbers, from draws and exactly."""
    d, rng = 5, np.random.default_rng(0)
    family, raw, a = lt.VonMisesFisher(d), raw_of(direction(d), 6.0), rng.normal(size=d).astype(np.float32)
    keys = jax.random.split(jax.random.key(0), 20_000)
    through = jax.jit(jax.vmap(jax.grad(lambda r, k: a @ family.sample(r, k)), (None, 0)))(raw, keys)
    exact = jax.grad(lambda r: a @ family.mean(r))(raw)
    error = np.asarray(through).std(0) / np.sqrt(len(keys))
    assert (np.abs(np.asarray(through).mean(0) - exact) < 4.5 * error + 1e-4).all()
    assert (np.abs(np.asarray(through).mean(0) - 0.8 * np.asarray(exact)) > 4.5 * error + 1e-4).any()  # control


@pytest.mark.slow
@pytest.mark.trains
def test_a_latent_on_a_circle_is_learned():
    """Rows on a circle: the prior is uniform, and the angle of the row is the angle of its latent."""
    angle = np.random.default_rng(0).uniform(0, 2 * np.pi, 400)
    x = np.stack([np.cos(angle), np.sin(angle)], 1) * 2 + 0.1 * np.random.default_rng(1).normal(size=(400, 2))
    network = lt.Network(z=lt.Sphere(2), x=lt.Normal(2, scale="site").given("z"))
    vae = lt.VAE(network, lt.guide_for(network), lt.Elbo(warmup=0.3), epochs=60, batch_size=50, learning_rate=2e-2)
    vae.fit({"x": x.astype(np.float32)})
    z = vae.transform({"x": x.astype(np.float32)})
    turned = np.unwrap(np.arctan2(z[:, 1], z[:, 0])[np.argsort(angle)])
    assert abs(abs(turned[-1] - turned[0]) - 2 * np.pi) < 0.3  # once round
    assert np.linalg.norm(vae.sample(50)["x"], axis=1) == pytest.approx(2, abs=0.6)
    with pytest.raises(lt.LatenError, match=r"no real numbers to walk over; 'bounds' fits"):
        vae.audit({"x": x[:4].astype(np.float32)}, ["ais"])
    assert "bounds" in str(vae.audit({"x": x[:4].astype(np.float32)}, rows=4, draws=50)).lower()


def test_a_guide_of_another_support_is_refused():
    network = lt.Network(z=lt.Sphere(3), x=lt.Normal(2).given("z"))
    with pytest.raises(lt.DeclarationError, match=r"guide node 'z' is Normal\(3\).* use lt\.VonMisesFisher\(3\)"):
        build_model(network, lt.Network(z=lt.Normal(3).given("x")), jax.random.key(0))
