"""`python -m benchmarks.densities`: how far log-densities in float32 are from float64, family by family.

Raw parameters of growing size and values from the middle to the far tails of the support are put to each family twice:
in float32, as laten computes, and in float64. That the formula is right is tested against SciPy
(`tests/families/test_contract.py`); here it is whether float32 keeps its digits. The error is relative to the
log-density, and to 1 nat where that is smaller: log p passes through zero.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import laten.families as lf

MOST = 1e-5
SCALES = (0.3, 1.0, 3.0, 10.0)  # of raw parameters
PER_SCALE = 6
FAMILIES: tuple[Any, ...] = (
    lf.Normal(2), lf.StudentT(2), lf.LogNormal(2), lf.LogitNormal(2), lf.NormalMixture(2, 3), lf.Bernoulli(2),
    lf.Categorical((2, 5)), lf.Ordinal(5), lf.Poisson(2), lf.NegativeBinomial(2),
    lf.ZeroInflated(lf.NegativeBinomial(2)), lf.DiscretizedLogistic(2),
    lf.Mixture(lf.Normal(2), 3), lf.Mixture(lf.DiscretizedLogistic(2), 2), lf.Mixture(lf.LogNormal(2), 2),
)  # fmt: skip
REAL = np.concatenate([[0.0], *(s * 10.0 ** np.arange(-6, 4) for s in (1.0, -1.0, 3.7))])
VALUES = {
    "real": REAL,
    "positive": 10.0 ** np.linspace(-30, 30, 41),
    "fraction": np.concatenate([10.0 ** np.linspace(-30, -1, 20), [0.3, 0.5, 0.9, 0.999, 1 - 2.0**-24]]),
    "counts": np.unique(np.concatenate([np.arange(12), np.round(10 ** np.linspace(1, 7, 30))])),
}


def values_of(family: Any) -> np.ndarray:
    """Return values `(n, *shape)`, of the family's type, from the middle to the ends of its support."""
    kind, ends = family.support
    if kind == "classes":
        some = np.stack([np.arange(max(ends)) % n for n in ends], axis=1)
    else:
        levels = np.arange(ends[0], ends[1] + 1) if kind == "levels" else np.arange(2)
        column = VALUES.get("fraction" if kind not in VALUES and kind not in ("levels", "binary") else kind, levels)
        some = np.repeat(column[:, None], family.n_sites, axis=1)
    return some.reshape(-1, *family.shape).astype(family.dtype)


def log_probs(family: Any, raws: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return log p `(raws, values, sites)` in the type of `raws`."""
    each = jax.jit(jax.vmap(jax.vmap(family.log_prob, (None, 0)), (0, None)))
    found = np.asarray(each(jnp.asarray(raws), jnp.asarray(values)), np.float64)
    return found.reshape(len(raws), len(values), -1)


def sweep(families: tuple[Any, ...] = FAMILIES) -> list[tuple[Any, float, float, np.ndarray]]:
    """Return for each family the worst relative error, and log p, value and raw parameters there."""
    cases = []
    for family in families:
        rng = np.random.default_rng(family.n_raw)
        raws = np.concatenate([s * rng.normal(size=(PER_SCALE, family.n_raw)) for s in SCALES]).astype(np.float32)
        values = values_of(family)
        cases.append((family, raws, values, log_probs(family, raws, values)))
    was = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    try:
        exact = [
            log_probs(f, raws.astype(np.float64), v if v.dtype.kind in "iu" else v.astype(np.float64))
            for f, raws, v, _ in cases
        ]
    finally:
        jax.config.update("jax_enable_x64", was)
    worst = []
    for (family, _, values, found), right in zip(cases, exact, strict=True):
        with np.errstate(invalid="ignore"):
            error = np.abs(found - right) / np.maximum(np.abs(right), 1)
        fits = np.abs(right) < 1e37  # larger is no float32
        error = np.where(fits, np.where(np.isnan(error), np.inf, error), 0)
        at = np.unravel_index(error.argmax(), error.shape)
        worst.append((family, float(error[at]), float(right[at]), np.ravel(values[at[1]])))
    return worst


def main() -> None:
    """Print the table."""
    print(f"{'family':44} {'worst error':>12} {'log p there':>14}  value there")
    for family, error, right, value in sweep():
        mark = "" if error <= MOST else "  > 1e-5"
        print(f"{family!r:44.44} {error:12.1e} {right:14.6g}  {value[0]:.6g}{mark}")


if __name__ == "__main__":
    main()
