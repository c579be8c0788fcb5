"""Measures on codes that were made for it: the factors themselves score 1, noise near 0, mixtures between."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import laten as lt
from laten.estimator.disentanglement import Disentanglement, gap, modular, purity

RNG = np.random.default_rng(0)
ROWS = 600
FACTORS = pd.DataFrame(
    {
        "size": RNG.uniform(size=ROWS),
        "angle": RNG.uniform(size=ROWS),
        "shape": RNG.choice(["disc", "ring", "bar"], ROWS),
    }
)
CODED = np.column_stack([FACTORS["size"], FACTORS["angle"], pd.factorize(FACTORS["shape"])[0] + 0.0])


class Codes:
    """Something with latents: what it is given."""

    def transform(self, X):
        return X


def measured(codes: np.ndarray) -> Disentanglement:
    return lt.disentanglement(Codes(), codes, FACTORS)


def test_the_factors_themselves():
    found = measured(np.column_stack([-3 * CODED[:, 1], CODED[:, 2], np.exp(CODED[:, 0]), RNG.normal(size=ROWS)]))
    assert found.mig > 0.9 and found.modularity > 0.95 and found.sap > 0.9
    assert found.disentanglement > 0.9 and found.completeness > 0.9 and found.informativeness > 0.95
    assert found.importance["angle"].idxmax() == "latent 0" and found.information["shape"].idxmax() == "latent 1"
    assert str(found).count("\n") == 5


def test_noise():
    found = measured(RNG.normal(size=(ROWS, 4)))
    assert found.mig < 0.05 and found.sap < 0.05 and found.informativeness < 0.1 and found.disentanglement < 0.3


def test_turned_factors_are_between():
    """Two factors turned by 45 degrees: latents still say all, and none stands for one."""
    z = CODED.copy()
    z[:, :2] = z[:, :2] @ np.array([[1, 1], [1, -1]])
    found = measured(z)
    assert found.informativeness > 0.8
    assert found.mig < 0.6 and found.disentanglement < 0.75 and found.modularity < 0.95


def test_measures_by_hand():
    table = np.array([[0.8, 0.1], [0.2, 0.1], [0.0, 0.6]])
    np.testing.assert_allclose(gap(table), [0.6, 0.5])
    assert modular(table) == pytest.approx(np.average([1 - (1 / 8) ** 2, 1 - (1 / 2) ** 2, 1], weights=[0.8, 0.2, 0.6]))
    entropy = lambda p: -sum(q * np.log(q) for q in p if q) / np.log(2)  # noqa: E731
    rows = [1 - entropy([8 / 9, 1 / 9]), 1 - entropy([2 / 3, 1 / 3]), 1.0]
    assert purity(table, axis=1) == pytest.approx(np.average(rows, weights=[0.9, 0.3, 0.6]))


@pytest.mark.parametrize("codes, factors, words", [
    (np.ones((60, 1)), np.arange(60.0), "two latents"),
    (RNG.normal(size=(60, 2)), np.arange(50.0), "there are 50 rows of factors and 60"),
    (np.full((60, 2), np.nan), np.arange(60.0), "some latents are not finite"),
    (CODED[:60], np.zeros((60, 2, 2)), r"not an array \(60, 2, 2\)"),
    (CODED[:60], {"a": [f"row {i}" for i in range(60)]}, "factor 'a' has hardly a value twice"),
    (CODED[:60], {"a": np.append(np.arange(59.0), np.inf)}, "factor 'a' holds infinities"),
    (RNG.normal(size=(60, 2)), {"a": np.ones(60)}, "factor 'a' is the same in all rows"),
    (RNG.normal(size=(60, 2)), {"a": np.append(np.arange(59.0), np.nan)}, "factor 'a' has holes"),
])  # fmt: skip
def test_what_cannot_be_measured(codes, factors, words):
    with pytest.raises(lt.DataError, match=words):
        lt.disentanglement(Codes(), codes, factors)


def test_latents_that_stay_the_same_say_nothing():
    found = measured(np.zeros((ROWS, 3)))
    assert found[:6] == (0, 0, 0, 0, 0, 0)


@pytest.mark.slow
@pytest.mark.trains
def test_a_traversal_is_a_picture(tmp_path):
    """Bright and dark squares: brightness is the latent that varies most, and moving it changes the image."""
    from laten.plots import plot_traversal
    from laten.plots.contents.traversal import traversal

    images = (RNG.uniform(size=(200, 1, 1)) * np.ones((1, 8, 8)) + 0.02 * RNG.normal(size=(200, 8, 8))).astype(
        np.float32
    )
    network = lt.Network(z=lt.Normal(2), x=lt.Normal((8, 8), scale="site").given("z"))
    vae = lt.VAE(network, epochs=30, batch_size=40, learning_rate=1e-2, validation=0).fit({"x": images})
    found = traversal(vae, {"x": images}, row=3, latents=1, steps=5)
    bright = found.images[0].mean(axis=(1, 2))
    assert found.images.shape == (1, 5, 8, 8) and len(found.names) == 1
    assert (np.diff(bright) > 0).all() or (np.diff(bright) < 0).all()
    assert abs(bright[-1] - bright[0]) > 0.4
    fig = plot_traversal(vae, {"x": images}, path=tmp_path / "t.png")
    assert (tmp_path / "t.png").stat().st_size > 1000 and len(fig.axes[0].get_yticks()) == 2
    plt.close(fig)
    with pytest.raises(lt.LatenError, match="there is no row 200"):
        traversal(vae, {"x": images}, row=200)
