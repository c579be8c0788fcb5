"""Log-densities in float32 keep their digits, from the middle to the far tails, at raw numbers of any size."""

import jax.numpy as jnp
import numpy as np
import pytest
from benchmarks.densities import MOST, sweep

import laten.families as lf

# Not within 1e-5, since large terms cancel: z^2 / 2 and log x; a log-rate of 14, rounded, meets a count of 10^6.
KNOWN = {"LogNormal": 4e-5, "Poisson": 1e-4}
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


def test_bases_in_blocks_give_the_same_logits(monkeypatch):
    rng = np.random.default_rng(0)
    sizes = tuple(int(n) for n in rng.integers(2, 9, 20))
    family = lf.Binned(sizes, tuple(tuple((float(x),) for x in np.linspace(-2, 2, n)) for n in sizes), rank=4)
    raw = jnp.asarray(rng.normal(size=family.n_raw), jnp.float32)
    dense = family.logits(raw)
    monkeypatch.setattr("laten.families.binned.MOST_DENSE", 0)
    assert np.allclose(family.logits(raw), dense, atol=1e-5)
    assert not np.allclose(family.logits(raw.at[0].add(1)), dense, atol=1e-2)


def test_thousands_of_columns_have_small_bases():
    column = tuple((float(x),) for x in np.linspace(-2, 2, 12))
    family = lf.Binned((12,) * 3000, (column,) * 3000, rank=4)
    assert sum(part.nbytes for part in family.blocks()) < 2**20 < family.n_net * family.packing.total * 4
