"""The registries behind the contract tests. A new family adds one line and is put through all of them.

A family's line names the family, the values a site is tried at, and what SciPy says of it: a function from raw
parameters (float64) to one frozen distribution a site, in the sites' order.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np
import scipy.stats as st
from scipy.special import expit, ive, log_softmax, logsumexp, softmax
from scipy.special import logit as logit_of

import laten.families as lf
from laten.families.flows import Autoregressive


@contextmanager
def float64() -> Iterator[None]:
    """JAX with 64 bits, in the oldest version too, which has no `jax.enable_x64`."""
    jax.config.update("jax_enable_x64", True)
    try:
        yield
    finally:
        jax.config.update("jax_enable_x64", False)


def squash(x: np.ndarray, limit: float) -> np.ndarray:
    return limit * np.tanh(x / limit)


def scales(raw: np.ndarray) -> np.ndarray:
    return np.exp(squash(raw, 7.0))


class MixtureReference:
    """A mixture of frozen SciPy distributions."""

    def __init__(self, log_w: np.ndarray, parts: list[Any]) -> None:
        self.log_w, self.parts = log_w, parts
        setattr(self, "logpmf" if discrete(parts[0]) else "logpdf", self._log_prob)

    def _log_prob(self, x: np.ndarray) -> np.ndarray:
        return logsumexp([w + log_prob(p, x) for w, p in zip(self.log_w, self.parts, strict=True)], axis=0)

    def _average(self, parts: list[Any]) -> Any:
        return sum(np.exp(w) * p for w, p in zip(self.log_w, parts, strict=True))

    def cdf(self, x: np.ndarray) -> Any:
        return self._average([p.cdf(x) for p in self.parts])

    def mean(self) -> Any:
        return self._average([p.mean() for p in self.parts])


def discrete(reference: Any) -> bool:
    """Whether a reference is a mass, not a density. A frozen SciPy distribution has both methods; its kind decides."""
    kind = getattr(reference, "dist", reference)
    return isinstance(kind, st.rv_discrete) or not (isinstance(kind, st.rv_continuous) or hasattr(kind, "logpdf"))


def log_prob(reference: Any, x: np.ndarray) -> np.ndarray:
    return reference.logpmf(x) if discrete(reference) else reference.logpdf(x)


def table(values: np.ndarray, p: np.ndarray) -> Any:
    return st.rv_discrete(values=(values, p / p.sum()))


def normal(raw: np.ndarray) -> list[Any]:
    loc, spread = np.split(raw, 2)
    return [st.norm(m, s) for m, s in zip(loc, scales(spread), strict=True)]


def normal_fixed(raw: np.ndarray) -> list[Any]:
    return [st.norm(m, 0.7) for m in raw]


def normal_shared(raw: np.ndarray) -> list[Any]:
    return [st.norm(m, scales(raw[-1])) for m in raw[:-1]]


def full_normal(n: int) -> Callable[[np.ndarray], list[Any]]:
    """Each coordinate alone of a normal vector with a triangular factor."""

    def reference(raw: np.ndarray) -> list[Any]:
        factor = np.eye(n)
        factor[np.tril_indices(n, -1)] = squash(raw[2 * n :], 30.0)
        factor *= scales(raw[n : 2 * n])[:, None]
        return [st.norm(m, s) for m, s in zip(raw[:n], np.sqrt((factor**2).sum(1)), strict=True)]

    return reference


def student(raw: np.ndarray) -> list[Any]:
    return [st.t(2.1 + 97.9 * expit(r - 2.5), m, s) for m, s, r in zip(raw[:2], scales(raw[2:4]), raw[4:], strict=True)]


def lognormal(raw: np.ndarray) -> list[Any]:
    return [st.lognorm(s, scale=np.exp(m)) for m, s in zip(raw[:2], scales(raw[2:]), strict=True)]


def laplace(raw: np.ndarray) -> list[Any]:
    return [st.laplace(m, s) for m, s in zip(raw[:2], scales(raw[2:]), strict=True)]


def sphere(d: int) -> Callable[[np.ndarray], list[Any]]:
    """Each coordinate alone of a von Mises–Fisher vector: what is asked of it here is its expected value."""

    def reference(raw: np.ndarray) -> list[Any]:
        mu, kappa = raw[:d] + 0.1 * np.eye(d)[0], (d - 1) * scales(raw[d])
        length = ive(d / 2, kappa) / ive(d / 2 - 1, kappa)
        return [st.norm(m) for m in length * mu / np.linalg.norm(mu)]

    return reference


class LogitNormalReference:
    """A fraction whose logit is a frozen SciPy normal."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def logpdf(self, x: np.ndarray) -> np.ndarray:
        return self.inner.logpdf(logit_of(x)) - np.log(x) - np.log1p(-x)

    def cdf(self, x: np.ndarray) -> Any:
        return self.inner.cdf(logit_of(x))

    def mean(self) -> Any:
        return self.inner.expect(expit)


def logit_normal(raw: np.ndarray) -> list[Any]:
    return [LogitNormalReference(st.norm(m, s)) for m, s in zip(raw[:5], scales(raw[5:]), strict=True)]


def bernoulli(raw: np.ndarray) -> list[Any]:
    return [st.bernoulli(expit(r)) for r in raw]


def categorical(*sizes: int) -> Callable[[np.ndarray], list[Any]]:
    def reference(raw: np.ndarray) -> list[Any]:
        pieces = np.split(squash(raw, 30.0), np.cumsum(sizes)[:-1])
        return [table(np.arange(n), softmax(piece)) for n, piece in zip(sizes, pieces, strict=True)]

    return reference


def binned(points: tuple, rank: int) -> Callable[[np.ndarray], list[Any]]:
    """Columns of bins: `rank` coefficients of smooth functions of the normal score over constants."""

    def reference(raw: np.ndarray) -> list[Any]:
        ranks = [min(len(column), rank) for column in points]
        nets, constants = np.split(raw, [sum(ranks)])
        found = []
        for column, r in zip(points, ranks, strict=True):
            (a, nets), (c, constants) = np.split(nets, [r]), np.split(constants, [len(column)])
            t = np.ravel(column)
            waves = [np.sqrt(2) * np.cos(np.pi * k * st.norm.cdf(t)) for k in range(1, r - 1)]
            tilt = a if r == len(t) else a @ np.stack([t, (t**2 - 1) / np.sqrt(2), *waves])
            found.append(table(np.arange(len(t)), softmax(squash(tilt + c, 30.0))))
        return found

    return reference


def informative(*sizes: int) -> Callable[[np.ndarray], list[Any]]:
    """One more code a column, missing, whose chance depends on the class."""

    def reference(raw: np.ndarray) -> list[Any]:
        n, ends = sum(sizes), np.cumsum(sizes)[:-1]
        logits, shift, slopes = np.split(raw, [n, n + len(sizes)])
        found = []
        for logit, h, a in zip(np.split(logits, ends), shift, np.split(slopes, ends), strict=True):
            p, missing = softmax(squash(logit, 30.0)), expit(h + a)
            found.append(table(np.arange(len(p) + 1), np.append(p * (1 - missing), p @ missing)))
        return found

    return reference


def ordinal(*sizes: int, scale: bool = False) -> Callable[[np.ndarray], list[Any]]:
    def reference(raw: np.ndarray) -> list[Any]:
        m, found = len(sizes), []
        s = scales(raw[m : 2 * m]) if scale else np.ones(m)
        rest = raw[2 * m if scale else m :]
        for c, n in enumerate(sizes):
            r, rest = rest[: n - 1], rest[n - 1 :]
            uniform = np.log(np.arange(1, n) / np.arange(n - 1, 0, -1))
            step = np.diff(uniform) * (1e-3 + (1 - 1e-3) * np.logaddexp(0, r[1:]) / np.log(2))
            cut = np.cumsum([uniform[0] + r[0], *step])
            cdf = np.concatenate([[0], expit((cut - raw[c]) / s[c]), [1]])
            found.append(table(np.arange(n), np.diff(cdf)))
        return found

    return reference


def poisson(raw: np.ndarray) -> list[Any]:
    return [st.poisson(np.exp(squash(r, 20.0))) for r in raw]


def negative_binomial(raw: np.ndarray) -> list[Any]:
    n = len(raw) // 2
    means, r = np.exp(squash(raw[:n], 20.0)), scales(raw[n:])
    return [st.nbinom(a, a / (a + m)) for m, a in zip(means, r, strict=True)]


def of_total(raw: np.ndarray) -> np.ndarray:
    """Raw parameters of counts by themselves, from those of shares of a total: of each site, and the total last."""
    n = len(raw) // 2
    log_means = raw[-1] + log_softmax(squash(raw[:n], 15.0))
    return np.concatenate([20 * np.arctanh(log_means / 20), raw[n:-1]])


def poisson_of_total(raw: np.ndarray) -> list[Any]:
    return poisson(20 * np.arctanh((raw[-1] + log_softmax(squash(raw[:-1], 15.0))) / 20))


class ZeroInflatedReference:
    """A frozen SciPy distribution of counts with more zeros."""

    def __init__(self, share: float, inner: Any) -> None:
        self.share, self.inner = share, inner

    def logpmf(self, x: np.ndarray) -> np.ndarray:
        log_p = np.log1p(-self.share) + self.inner.logpmf(x)
        return np.where(np.asarray(x) == 0, np.logaddexp(np.log(self.share), log_p), log_p)

    def cdf(self, x: np.ndarray) -> Any:
        return np.where(np.asarray(x) < 0, 0.0, self.share + (1 - self.share) * self.inner.cdf(x))

    def mean(self) -> Any:
        return (1 - self.share) * self.inner.mean()


def zero_inflated(inner: Callable, n: int, n_net: int) -> Callable[[np.ndarray], list[Any]]:
    """`n` sites of a family that takes `n_net` raw numbers from the net and the rest as constants."""

    def reference(raw: np.ndarray) -> list[Any]:
        net, gates, rest = np.split(raw, [n_net, n_net + n])
        parts = inner(np.concatenate([net, rest]))
        return [ZeroInflatedReference(expit(squash(g, 30.0)), p) for g, p in zip(gates, parts, strict=True)]

    return reference


def discretized(levels: int, low: int) -> Callable[[np.ndarray], list[Any]]:
    def reference(raw: np.ndarray) -> list[Any]:
        n, values = len(raw) // 2, low + np.arange(levels)
        edges = np.concatenate([[-np.inf], np.arange(1, levels) * 2 / levels - 1, [np.inf]])
        return [
            table(values, np.diff(st.logistic(m, 0.3 * s).cdf(edges)))
            for m, s in zip(raw[:n], scales(raw[n:]), strict=True)
        ]

    return reference


def mixture(component: Callable, k: int, n: int, n_net: int) -> Callable[[np.ndarray], list[Any]]:
    """`n` sites of `k` components that take `n_net` raw numbers from the net and the rest as constants."""

    def reference(raw: np.ndarray) -> list[Any]:
        log_w = log_softmax(raw[: k * n].reshape(k, n), axis=0)
        nets = raw[k * n : k * (n + n_net)].reshape(k, n_net)
        constants = raw[k * (n + n_net) :].reshape(k, -1)
        parts = [component(np.concatenate([a, b])) for a, b in zip(nets, constants, strict=True)]
        return [MixtureReference(log_w[:, s], [p[s] for p in parts]) for s in range(n)]

    return reference


def together(component: Callable, k: int, n: int, n_net: int) -> Callable[[np.ndarray], list[Any]]:
    """Each site alone of a `mixture` whose `n` sites choose one component: their logits are averaged."""

    def reference(raw: np.ndarray) -> list[Any]:
        logits = raw[: k * n].reshape(k, n).mean(axis=1, keepdims=True)
        return mixture(component, k, n, n_net)(np.concatenate([np.repeat(logits, n), raw[k * n :]]))

    return reference


def normal_mixture(k: int, n: int) -> Callable[[np.ndarray], list[Any]]:
    """Each coordinate alone of a mixture of `k` diagonal normals over `n` sites."""

    def reference(raw: np.ndarray) -> list[Any]:
        log_w, (means, spread) = log_softmax(raw[:k]), raw[k:].reshape(2, k, n)
        parts = [
            [st.norm(m, s) for m, s in zip(*both, strict=True)]
            for both in zip(means.T, np.exp(squash(spread, 3.0)).T, strict=True)
        ]
        return [MixtureReference(log_w, p) for p in parts]

    return reference


def vamp(k: int, n: int) -> Callable[[np.ndarray], list[Any]]:
    """Each coordinate alone of the mean of `k` diagonal normals over `n` sites, one after the other."""

    def reference(raw: np.ndarray) -> list[Any]:
        means, spread = np.split(raw.reshape(k, 2 * n), 2, axis=1)
        parts = [
            [st.norm(m, s) for m, s in zip(*both, strict=True)] for both in zip(means.T, scales(spread).T, strict=True)
        ]
        return [MixtureReference(np.full(k, -np.log(k)), p) for p in parts]

    return reference


def finished(raw: np.ndarray) -> list[Any]:
    """Normals whose log standard deviations are as they are: `finish` has bounded them."""
    return [st.norm(m, np.exp(s)) for m, s in zip(*np.split(raw, 2), strict=True)]


def fixed(raw: np.ndarray) -> list[Any]:
    return [table(np.array([r]), np.ones(1)) for r in raw]


def through_flow(n: int) -> lf.Family:
    """A normal through an autoregressive flow of one layer, its weights drawn large."""
    family = lf.Transformed(lf.Normal(n), Autoregressive(1, 4))
    weights, rng = family.body(jax.random.key(0)), np.random.default_rng(0)
    return family.bound(jax.tree.map(lambda x: x + rng.normal(size=x.shape).astype(np.float32) / 4, weights))


def quantised() -> lf.Family:
    """A codebook of four vectors at two places."""
    family = lf.Quantised(2, dim=3, codes=4)
    return family.bound(family.body(jax.random.key(0)))


def flowed(raw: np.ndarray) -> list[Any]:
    """What a site without others before it becomes: scaled and shifted by constants, so still a normal."""
    net = through_flow(1).weights.nets[0]
    s, m = np.asarray(jax.nn.relu(net.offset) @ net.outer + net.start, np.float64)
    s = np.exp(squash(s, 3.0))
    return [st.norm(s * raw[0] + m, s * scales(raw[1]))]


@dataclass(frozen=True)
class FamilyCase:
    """One line of the registry.

    Args:
        values: Points in the support of a site: all states of a discrete one (or all but a negligible tail), a fine
            grid for the trapezoidal rule of a continuous one. A column with fewer classes uses the first ones.
        reference: Raw parameters -> one SciPy distribution a site.
        cannot: Tests of the contract, without `test_`, that do not apply -> why.
        slow: Another line shows much the same: `make test` leaves this one to `make test-slow`.
    """

    family: lf.Family
    values: np.ndarray
    reference: Callable[[np.ndarray], list[Any]]
    cannot: dict[str, str] = field(default_factory=dict)
    slow: bool = False


REALS = np.sinh(np.linspace(-11, 11, 4001))
POSITIVES = np.exp(np.linspace(-50, 50, 4001))
FRACTIONS = np.unique(expit(np.linspace(-16, 16, 4001)).astype(np.float32)).astype(float)  # as float32 has them
COUNTS = np.arange(4000.0)
CODES = np.arange(6)
SCORES = tuple(tuple((float(t),) for t in np.linspace(-1.5, 1.5, n)) for n in (6, 2))

NO_DENSITY = dict.fromkeys(
    ("integrates_to_one", "agrees_with_scipy", "gradients_match_differences", "draws_follow_log_prob"),
    "it has no density",
) | {"fit_raw_recovers_the_data": "it has no parameters of its own"}
INPUT = dict.fromkeys(
    ("integrates_to_one", "agrees_with_scipy", "gradients_match_differences", "draws_follow_log_prob",
     "mean_mode_and_point", "extreme_raw_parameters_stay_finite", "kl_is_the_mean_log_ratio",
     "fit_raw_recovers_the_data", "fit_raw_survives_poor_data", "features"),
    "nothing draws it and it has no density; see test_inputs.py",
)  # fmt: skip
WHOLE_DRAWS = dict.fromkeys(
    ("draws_follow_log_prob", "mean_mode_and_point", "fit_raw_recovers_the_data"),
    "draws and means are of the complete value, never missing; see test_answers.py",
)
FAR = {"extreme_raw_parameters_stay_finite": "squared distances of 1e9 and more: float32 rounds them by whole nats"}
BODY = {
    "declaration": "it is what a model makes of the declaration; see families/test_flows.py",
    "gradients_match_differences": "its weights are float32",
    "mean_mode_and_point": "its mean is of draws",
    "fit_raw_recovers_the_data": "it starts where its base does",
}
ROWS = {"fit_raw_recovers_the_data": "the guide says what it is; see test_shared.py"}
GUIDES = {
    "extreme_raw_parameters_stay_finite": "`finish` bounds them; see test_shared.py",
    "fit_raw_recovers_the_data": "it is for guides, which see no columns",
    "fit_raw_survives_poor_data": "it is for guides, which see no columns",
}
JOINT = dict.fromkeys(("integrates_to_one", "agrees_with_scipy"), "its sites are joint; see test_tables.py")

SPHERE = JOINT | {
    "draws_follow_log_prob": "its values are unit vectors; see families/test_sphere.py",
    "mean_mode_and_point": "the point of a mean is its direction",
}
UNIFORM = SPHERE | dict.fromkeys(
    ("gradients_match_differences", "kl_is_the_mean_log_ratio", "fit_raw_recovers_the_data"), "it has no parameters"
)
CODEBOOK = dict.fromkeys(
    ("integrates_to_one", "agrees_with_scipy", "gradients_match_differences", "draws_follow_log_prob",
     "mean_mode_and_point", "extreme_raw_parameters_stay_finite", "kl_is_the_mean_log_ratio",
     "fit_raw_recovers_the_data", "fit_raw_survives_poor_data", "features", "declaration"),
    "its values are vectors of a codebook; see families/test_quantised.py",
)  # fmt: skip

FAMILY_CASES = [
    FamilyCase(lf.Normal(3), REALS, normal),
    FamilyCase(lf.Normal(3, scale="site"), REALS, normal, slow=True),
    FamilyCase(lf.Normal((3, 1), scale=0.7), REALS, normal_fixed, slow=True),
    FamilyCase(
        lf.Normal(3, scale="shared"), REALS, normal_shared, {"fit_raw_recovers_the_data": "one scale fits no site"}
    ),
    FamilyCase(lf.FullNormal(1), REALS, full_normal(1)),
    FamilyCase(lf.FullNormal(3), REALS, full_normal(3), JOINT),
    FamilyCase(lf.StudentT(2), REALS, student),
    FamilyCase(lf.Laplace(2), REALS, laplace),
    FamilyCase(lf.LogNormal(2, scale="site"), POSITIVES, lognormal),
    FamilyCase(lf.LogitNormal(5), FRACTIONS, logit_normal),
    FamilyCase(lf.Bernoulli((2, 2)), CODES[:2] * 1.0, bernoulli),
    FamilyCase(lf.Categorical(4), CODES, categorical(4), slow=True),
    FamilyCase(lf.Categorical((3, 2, 6)), CODES, categorical(3, 2, 6)),
    FamilyCase(
        lf.Binned((3, 2, 6), tuple(tuple((float(i),) for i in range(n)) for n in (3, 2, 6))),
        CODES,
        categorical(3, 2, 6),
        slow=True,
    ),
    FamilyCase(lf.Binned((6, 2), SCORES, rank=3), CODES, binned(SCORES, 3)),
    FamilyCase(lf.Informative(lf.Categorical((3, 2, 5))), CODES, informative(3, 2, 5), WHOLE_DRAWS),
    FamilyCase(lf.Ordinal(5), CODES, ordinal(5), slow=True),
    FamilyCase(lf.Ordinal((3, 2, 6), scale="net"), CODES, ordinal(3, 2, 6, scale=True)),
    FamilyCase(lf.Poisson(3), COUNTS, poisson),
    FamilyCase(lf.NegativeBinomial(3), COUNTS, negative_binomial),
    FamilyCase(lf.Poisson(3, total="size"), COUNTS, poisson_of_total, slow=True),
    FamilyCase(lf.NegativeBinomial(3, total="size"), COUNTS, lambda raw: negative_binomial(of_total(raw)), slow=True),
    FamilyCase(lf.ZeroInflated(lf.Poisson(2)), COUNTS, zero_inflated(poisson, 2, 2), slow=True),
    FamilyCase(
        lf.ZeroInflated(lf.NegativeBinomial(3, "site", total="size")),
        COUNTS,
        zero_inflated(lambda raw: negative_binomial(of_total(raw)), 3, 3),
    ),
    FamilyCase(lf.DiscretizedLogistic(2, levels=7, low=-3), np.arange(-3.0, 4), discretized(7, -3)),
    FamilyCase(lf.DiscretizedLogistic(2, scale="site"), np.arange(256.0), discretized(256, 0), slow=True),
    FamilyCase(lf.Mixture(lf.Normal(2), 3), REALS, mixture(normal, 3, 2, 4)),
    FamilyCase(lf.Mixture(lf.StudentT(2, scale="site"), 2), REALS, mixture(student, 2, 2, 2), slow=True),
    FamilyCase(lf.Mixture(lf.LogNormal(2), 2), POSITIVES, mixture(lognormal, 2, 2, 4), slow=True),
    FamilyCase(
        lf.Mixture(lf.DiscretizedLogistic(2, levels=7), 2),
        np.arange(7.0),
        mixture(discretized(7, 0), 2, 2, 4),
        slow=True,
    ),
    FamilyCase(lf.Mixture(lf.Poisson(2), 2), COUNTS, mixture(poisson, 2, 2, 2)),
    FamilyCase(lf.Mixture(lf.Normal((2, 1)), 3, together=True), REALS, mixture(normal, 3, 2, 4), slow=True),
    FamilyCase(lf.Mixture(lf.Normal(2), 3, together=True), REALS, together(normal, 3, 2, 4), JOINT),
    FamilyCase(lf.NormalMixture(1, k=30), REALS, normal_mixture(30, 1), FAR),
    FamilyCase(lf.NormalMixture(2, k=30), REALS, normal_mixture(30, 2), JOINT, slow=True),
    FamilyCase(lf.Vamp(1, k=5), REALS, vamp(5, 1), ROWS | FAR),
    FamilyCase(lf.Vamp(2, k=5), REALS, vamp(5, 2), ROWS | JOINT, slow=True),
    FamilyCase(lf.Relative(2), REALS, finished, GUIDES),
    FamilyCase(lf.Combined(2), REALS, finished, GUIDES),
    FamilyCase(lf.Committed(2), REALS, finished, GUIDES),
    FamilyCase(lf.VonMisesFisher(3), REALS, sphere(3), SPHERE),
    FamilyCase(lf.Sphere(3), REALS, fixed, UNIFORM),
    FamilyCase(quantised(), REALS, fixed, CODEBOOK),
    FamilyCase(lf.Nearest(2, dim=3), REALS, fixed, CODEBOOK),
    FamilyCase(through_flow(1), REALS, flowed, BODY | FAR),
    FamilyCase(lf.Deterministic((3, 1)), REALS, fixed, NO_DENSITY),
    FamilyCase(lf.Given((2, 2)), REALS, fixed, INPUT),
    FamilyCase(lf.Given(lf.Categorical((3, 2))), CODES, fixed, INPUT),
]
