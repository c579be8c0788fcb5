"""Log-densities in float32 keep their digits, from the middle to the far tails, at raw numbers of any size."""

import jax.numpy as jnp
import pytest
from benchmarks.densities import MOST, sweep

import laten.families as lf

# Not within 1e-5: a scale of 1e-3 divides the rounding of log x; exp(raw) is rounded before it meets a count of 10^6.
KNOWN = {"LogNormal": 3e-4, "Poisson": 1e-4}
SOME = (lf.Normal(2), lf.StudentT(2), lf.LogNormal(2), lf.Poisson(2), lf.NegativeBinomial(2), lf.Ordinal(5))


class Careless(lf.Normal):
    """The square taken apart, as a control: its terms cancel."""

    def log_prob(self, raw, value):
        loc, scale = jnp.split(raw, 2)
        s = jnp.exp(-2 * 7 * jnp.tanh(scale / 7))
        return -0.5 * s * (value**2 - 2 * value * loc + loc**2) - 7 * jnp.tanh(scale / 7) - 0.9189385332


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_float32_keeps_the_digits():
    for family, error, *_ in sweep(SOME):
        assert error <= KNOWN.get(type(family).__name__, MOST), family
    ((_, error, *_),) = sweep((Careless(2),))
    assert error > 4 * MOST
