"""Every family of the registry keeps the contract: normalised, as SciPy has it, smooth, drawn as it is scored, bounded.

Each statistical check is also shown a wrong distribution, which it must refuse.
"""

import functools
import json
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats as st

import laten.families as lf
from cases import FAMILY_CASES, FamilyCase, discrete, float64, log_prob
from laten.common.errors import DeclarationError


@pytest.fixture(autouse=True)
def applies(request: pytest.FixtureRequest) -> None:
    """Skips what cannot apply to a family, by the reason that the registry gives."""
    name = request.function.__name__.removeprefix("test_")
    if hasattr(request.node, "callspec") and name in request.node.callspec.params["case"].cannot:
        pytest.skip(request.node.callspec.params["case"].cannot[name])


every_case = pytest.mark.parametrize(
    "case", [pytest.param(c, id=repr(c.family), marks=[pytest.mark.slow] if c.slow else []) for c in FAMILY_CASES]
)
DRAWS = 4001  # as many as the longest list of values: each member is compiled for one shape


def raws(family: lf.Family, n: int = 4) -> np.ndarray:
    """`(n, n_raw)` float32 raw parameters of order one, the first of them zero."""
    found = np.random.default_rng(family.n_raw).normal(size=(n, family.n_raw)).astype(np.float32) * 0.8
    found[0] = 0
    return found


def sizes(family: lf.Family) -> list[int | None]:
    """Number of codes of each site, None for numbers."""
    kind, found = family.support
    return list(found) if kind == "classes" else [None] * family.n_sites


def grid(case: FamilyCase, values: np.ndarray | None = None) -> np.ndarray:
    """Values put at all sites at once, `(n, *shape)`; columns with fewer classes repeat their last one."""
    values = case.values if values is None else values
    columns = [np.minimum(values, n - 1) if n else values for n in sizes(case.family)]
    return np.stack(columns, axis=1).reshape(-1, *case.family.shape).astype(case.family.dtype)


@functools.cache
def compiled(family: lf.Family) -> SimpleNamespace:
    """The members of a family, each compiled once and mapped over values, keys or raw parameters."""
    total = jax.value_and_grad(lambda raw, value: jnp.sum(family.log_prob(raw, value)))

    def points(raw: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        mean = family.mean(raw)
        return mean, family.mode(raw), family.point(mean)

    return SimpleNamespace(
        log_prob=jax.jit(jax.vmap(family.log_prob, (None, 0))),
        draw=jax.jit(jax.vmap(family.sample_and_log_prob, (None, 0))),
        slope=jax.jit(jax.vmap(jax.vmap(total, (None, 0)), (0, None))),
        points=jax.jit(jax.vmap(points)),
        features=jax.jit(jax.vmap(family.features)),
    )


def scored(family: lf.Family, raw: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Log-probabilities of values `(n, *shape)`, float64; padded, so that nothing is compiled twice."""
    padded = np.resize(values, (DRAWS, *family.shape))
    return np.asarray(compiled(family).log_prob(raw, padded)[: len(values)], np.float64)


def sloped(family: lf.Family, raw: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums over sites and their gradients for up to 10 raw vectors and 40 values, padded."""
    return compiled(family).slope(np.resize(raw, (10, family.n_raw)), np.resize(values, (40, *family.shape)))


@functools.cache
def drawn(family: lf.Family, which: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Draws and their log-probabilities at one of the raw parameters, `(DRAWS, *shape)` each."""
    keys = jax.random.split(jax.random.key(7), DRAWS)
    values, log_p = compiled(family).draw(raws(family)[which], keys)
    return np.asarray(values), np.asarray(log_p)


def at(case: FamilyCase, raw: np.ndarray) -> np.ndarray:
    """Log-probabilities at the case's values, `(n, n_sites)` float64; values past a column's classes are -inf."""
    found = scored(case.family, raw, grid(case)).reshape(len(case.values), -1)
    for site, n in enumerate(sizes(case.family)):
        found[n if n else len(found) :, site] = -np.inf
    return found


@every_case
def test_integrates_to_one(case: FamilyCase) -> None:
    for raw in raws(case.family):
        p = np.exp(at(case, raw))
        is_mass = discrete(case.reference(raw.astype(np.float64))[0])
        total = p.sum(axis=0) if is_mass else np.trapezoid(p, case.values, axis=0)
        np.testing.assert_allclose(total, 1, atol=2e-4)


@every_case
def test_agrees_with_scipy(case: FamilyCase) -> None:
    for raw in raws(case.family):
        found = at(case, raw)[:: max(1, len(case.values) // 300)]
        values = case.values[:: max(1, len(case.values) // 300)]
        for site, reference in enumerate(case.reference(raw.astype(np.float64))):
            inside = np.isfinite(found[:, site])
            with np.errstate(divide="ignore"):
                expected = log_prob(reference, values[inside])
            clear = expected > -600  # further out SciPy itself loses its digits
            np.testing.assert_allclose(found[inside, site][clear], expected[clear], rtol=3e-5, atol=3e-5)


@every_case
def test_gradients_match_differences(case: FamilyCase) -> None:
    family = case.family

    def both(raw: jax.Array, direction: jax.Array, value: jax.Array) -> tuple[jax.Array, jax.Array]:
        f = lambda r: jnp.sum(family.log_prob(r, value))  # noqa: E731
        step = 1e-5
        difference = (f(raw + step * direction) - f(raw - step * direction)) / (2 * step)
        return jnp.dot(jax.grad(f)(raw), direction), difference

    with float64():
        values = drawn(family)[0][:8]
        values = values if family.dtype is np.int32 else values.astype(np.float64)
        directions = np.random.default_rng(3).normal(size=(8, family.n_raw))
        raw = np.asarray(raws(family)[1], np.float64)
        slope, difference = jax.jit(jax.vmap(both, (None, 0, 0)))(raw, directions, values)
        assert slope.dtype == np.float64
        np.testing.assert_allclose(slope, difference, rtol=1e-5, atol=1e-6)
        assert np.abs(slope).max() > 1e-3


def uniformity(values: np.ndarray, references: list[Any]) -> float:
    """Least p-value over sites of the test that `values` come from `references`, by their (randomised) ranks."""
    p_values = []
    for column, reference in zip(values.reshape(len(values), -1).T.astype(np.float64), references, strict=True):
        rank = reference.cdf(column)
        if discrete(reference):
            with np.errstate(divide="ignore"):
                mass = np.exp(log_prob(reference, column))
            rank = rank - mass * np.random.default_rng(11).uniform(size=len(column))
        counts = np.histogram(np.clip(rank, 0, 1), 20, (0, 1))[0]
        p_values.append(st.chisquare(counts).pvalue)
    return min(p_values)


@every_case
def test_draws_follow_log_prob(case: FamilyCase) -> None:
    family, raw = case.family, raws(case.family)[1]
    values, log_p = drawn(family)
    assert values.shape == (DRAWS, *family.shape)
    assert values.dtype == family.dtype
    np.testing.assert_allclose(log_p, scored(family, raw, values), rtol=1e-4, atol=1e-4)
    assert uniformity(values, case.reference(raw.astype(np.float64))) > 1e-4
    wrong = raws(family)[2].astype(np.float64)  # the control
    assert uniformity(values, case.reference(wrong)) < 1e-6


@every_case
def test_mean_mode_and_point(case: FamilyCase) -> None:
    family = case.family
    means, modes, points = compiled(family).points(raws(family))
    for raw, mean, mode, point in zip(raws(family), means, modes, points, strict=True):
        references = case.reference(raw.astype(np.float64))
        if family.dtype is np.int32:
            expected = np.concatenate(
                [np.exp(r.logpmf(np.arange(n))) for r, n in zip(references, sizes(family), strict=True)]
            )
        else:
            expected = np.reshape([r.mean() for r in references], family.shape)
        np.testing.assert_allclose(mean, expected, rtol=1e-4, atol=1e-5)
        assert mode.shape == point.shape == family.shape
        assert mode.dtype == point.dtype == family.dtype
        if not isinstance(family, lf.Mixture | lf.NormalMixture | lf.Vamp):
            best = np.max(at(case, raw), axis=0)
            reached = scored(family, raw, mode[None]).ravel()
            assert (reached >= best - 1e-4).all()


@every_case
def test_quantile_inverts_cdf(case: FamilyCase) -> None:
    family, p = case.family, np.float32([0.01, 0.2, 0.5, 0.77, 0.99])
    if type(family).quantile is lf.Family.quantile:
        with pytest.raises(DeclarationError, match="no quantile"):
            family.quantile(jnp.zeros(family.n_raw), p[0])
        return
    raw = raws(family)[1]

    def both(q: jax.Array) -> tuple[jax.Array, jax.Array]:
        x = family.quantile(raw, q)
        return x, family.cdf(raw, x)

    x, cdf = (np.asarray(a).reshape(len(p), -1) for a in jax.jit(jax.vmap(both))(p))
    for site, reference in enumerate(case.reference(raw.astype(np.float64))):
        expected = reference.cdf(x[:, site].astype(np.float64))
        np.testing.assert_allclose(cdf[:, site], expected, atol=2e-5)
        if discrete(reference):
            assert (expected >= p - 1e-4).all()
            assert (reference.cdf(x[:, site] - 1) < p + 1e-4).all()
        else:
            np.testing.assert_allclose(expected, p, atol=1e-4)


@every_case
def test_extreme_raw_parameters_stay_finite(case: FamilyCase) -> None:
    family = case.family
    signs = np.random.default_rng(5).choice([-1.0, 1.0], size=(8, family.n_raw))
    ends = np.concatenate([signs * 1e3, [np.full(family.n_raw, 1e3), np.full(family.n_raw, -1e3)]]).astype(np.float32)
    sane = case.values[(np.abs(case.values) < 1e4) & ((np.abs(case.values) > 1e-4) | (case.values == 0))]
    log_p, slope = sloped(family, ends, grid(case, sane[:: len(sane) // 40 + 1]))
    assert np.isfinite(log_p).all()
    assert np.isfinite(slope).all()
    keys = jax.random.split(jax.random.key(0), DRAWS)
    for raw in ends[-3:]:
        values, draw_log_p = compiled(family).draw(raw, keys)
        assert np.isfinite(values).all()
        assert np.isfinite(draw_log_p).all()
    for point in compiled(family).points(ends[-4:]):
        assert np.isfinite(point).all()


@every_case
def test_kl_is_the_mean_log_ratio(case: FamilyCase) -> None:
    family, (_, raw, other, _) = case.family, raws(case.family)
    between = jax.jit(lambda a, b: family.kl(a, family, b))
    kl = between(raw, other)
    assert family.kl(jnp.zeros(family.n_raw), lf.Deterministic(family.n_sites), jnp.zeros(family.n_sites)) is None
    if kl is None:
        return
    values, log_p = drawn(family)
    log_ratio = log_p - scored(family, other, values)
    error = log_ratio.std(axis=0) / np.sqrt(DRAWS)
    assert (np.abs(log_ratio.mean(axis=0) - kl) < 4.5 * error + 1e-5).all()
    assert (np.abs(log_ratio.mean(axis=0) - 1.5 * kl - 0.1) > 4.5 * error + 1e-5).any()  # the control
    np.testing.assert_allclose(between(raw, raw), 0, atol=1e-5)
    assert kl.shape == family.shape


@every_case
def test_fit_raw_recovers_the_data(case: FamilyCase) -> None:
    family = case.family
    values = drawn(family)[0]
    hidden = np.random.default_rng(0).uniform(size=values.shape) < 0.3
    dirty = np.where(hidden, np.nan if family.dtype is np.float32 else 1, values)
    raw = family.fit_raw(dirty, ~hidden)
    assert raw.shape == (family.n_raw,)
    assert raw.dtype == np.float32
    again = compiled(family).draw(raw, jax.random.split(jax.random.key(1), DRAWS))[0]
    had, has = (np.asarray(compiled(family).features(v), np.float64) for v in (values, again))
    spread = had.std(axis=0)
    slack = 2 if isinstance(family, lf.DiscretizedLogistic) else 1  # it starts without its folded tails
    assert (np.abs(had.mean(axis=0) - has.mean(axis=0)) < slack * (0.12 * spread + 0.01)).all()
    assert (np.abs(has.std(axis=0) / spread - 1) < slack * 0.25).all()


@every_case
def test_fit_raw_survives_poor_data(case: FamilyCase) -> None:
    family = case.family
    constant = np.full((5, *family.shape), family.neutral, family.dtype)
    nothing = np.zeros(constant.shape, bool)
    holes = np.full(constant.shape, np.nan, np.float32)
    poor = [(constant, None), (constant, nothing), (constant[:1], None), (constant[:0], None), (holes, None)]
    found = np.stack([family.fit_raw(values, mask) for values, mask in poor])
    assert np.isfinite(found).all()
    values = constant[:1]
    log_p, slope = sloped(family, found, values)
    assert np.isfinite(log_p).all()
    assert np.isfinite(slope).all()


@every_case
def test_features(case: FamilyCase) -> None:
    family = case.family
    values = drawn(family)[0]
    features = np.asarray(compiled(family).features(values))
    assert features.shape == (DRAWS, family.n_features)
    assert features.dtype == np.float32
    sites = np.arange(family.n_sites) if family.feature_sites is None else family.feature_sites
    assert sites.shape == (family.n_features,)
    ends = grid(case, case.values[[0, -1]]).reshape(2, -1)
    for site in range(family.n_sites):  # changing one site changes its features alone
        changed = values.reshape(DRAWS, -1).copy()
        changed[:, site] = np.resize(ends[:, site], DRAWS)
        moved = features != np.asarray(compiled(family).features(changed.reshape(values.shape)))
        assert moved[:, sites == site].any(axis=0).all()
        assert not moved[:, sites != site].any()


@every_case
def test_declaration(case: FamilyCase) -> None:
    family = case.family
    shown = repr(family)
    if isinstance(family, lf.Binned):  # hundreds of points are not shown
        shown = shown.replace(f"{family.sizes}", f"{family.sizes}, {family.points}")
    again = eval(shown, dict(lf.FAMILIES))
    assert again == family
    assert hash(again) == hash(family)
    assert repr(again) == repr(family)
    assert from_json(json.loads(json.dumps(to_json(family)))) == family
    assert 0 <= family.n_net <= family.n_raw
    assert np.isfinite(scored(family, raws(family)[0], grid(case, np.array([family.neutral])))).all()
    assert family.guide().shape == family.shape
    assert family.learned().learn
    assert family.standard().learn is False


def to_json(family: lf.Family) -> dict[str, Any]:
    """What saving does: the class's name and its fields."""
    fields = {k: to_json(v) if isinstance(v, lf.Family) else v for k, v in vars(family).items()}
    return {"family": type(family).__name__, **fields}


def from_json(declared: dict[str, Any]) -> lf.Family:
    fields = {k: from_json(v) if isinstance(v, dict) else v for k, v in declared.items() if k != "family"}
    return lf.FAMILIES[declared["family"]](**fields)


def test_every_family_is_in_the_registry() -> None:
    cases = {kind for case in FAMILY_CASES for kind in (type(case.family), type(case.family).__base__)}
    assert cases & set(lf.FAMILIES.values()) == set(lf.FAMILIES.values())


@every_case
def test_states_are_all_values(case: FamilyCase) -> None:
    family, raw = case.family, raws(case.family)[1]
    if family.n_states is None:
        with pytest.raises(DeclarationError, match="no finite list of states"):
            family.states()
        return
    states = family.states()
    assert states.shape == (family.n_states, *family.shape)
    assert states.dtype == family.dtype
    assert len(np.unique(states.reshape(len(states), -1), axis=0)) == len(states)
    log_p = scored(family, raw, states).reshape(len(states), -1).sum(axis=1)
    np.testing.assert_allclose(np.exp(log_p).sum(), 1, rtol=1e-5)
