"""Latents that are not used are noticed, by unit and node, and what the sentence says helps; those that are pass."""

import numpy as np
import pytest

import laten as lt
from laten.training.collapse import unused

pytestmark = pytest.mark.trains


@pytest.fixture(scope="module")
def rows() -> dict[str, np.ndarray]:
    """Eight columns that all follow one number, loosely: a KL that counts from the start is dearer than it is worth."""
    rng = np.random.default_rng(0)
    return {"x": (rng.normal(size=(300, 1)) + 1.2 * rng.normal(size=(300, 8))).astype(np.float32)}


def fitted(rows, objective, progress: str = "quiet") -> lt.VAE:
    network = lt.Network(z=lt.Normal(3), x=lt.Normal(8, scale=1.2).given("z", via=lt.MLP(8)))
    return lt.VAE(network, objective=objective, epochs=15, batch_size=30, learning_rate=1e-2, progress=progress).fit(
        rows
    )


def test_a_collapse_is_said(rows, capsys):
    """Constructed: with a KL that counts 30 times none of it is worth its cost."""
    vae = fitted(rows, lt.Elbo(beta=30.0), progress="plain")
    use = vae.latent_use(rows)
    assert use.nodes.loc["z", "active"] == 0 and use.nodes.loc["z", "kl"] < 0.05
    assert len(use.sentences) == 1 and "'z' has collapsed: none of its 3 units" in str(use)
    assert use.sentences[0].split(":")[0] in capsys.readouterr().err
    last = vae.history_.iloc[-1]
    assert last["kl_z"] == pytest.approx(last["kl"], abs=1e-3) and last["active_z"] == 0


@pytest.mark.parametrize(
    "remedy", [lt.Elbo(), pytest.param(lt.Elbo(beta=30.0, free_bits=2.0), marks=pytest.mark.slow)], ids=repr
)
def test_a_latent_that_is_used_passes(rows, remedy, capsys):
    """The control: a healthy fit, and one that a remedy has mended."""
    vae = fitted(rows, remedy, progress="plain")
    use = vae.latent_use(rows)
    assert use.nodes.loc["z", "active"] >= 1 and not use.sentences
    assert "collapsed" not in capsys.readouterr().err
    assert use.units["kl"].sum() == pytest.approx(use.nodes.loc["z", "kl"], rel=1e-5)
    assert list(use.units.index) == ["z0", "z1", "z2"]


def test_a_warm_up_mends_it(rows):
    """The remedy that the sentence names, where it was the start that was bad: a deep decoder."""
    assert unused({"kl_z": 0.001, "active_z": 0}, {"z": 1})[0].count("lt.Elbo(") == 2
    assert unused({"kl_z": 0.001, "active_z": 1}, {"z": 1}) == unused({"kl_z": 3.0, "active_z": 0}, {"z": 1}) == []
    assert unused({}, {"z": 1}) == []


@pytest.mark.slow
def test_units_of_a_joint_prior_have_no_cost_of_their_own(rows):
    network = lt.Network(z=lt.NormalMixture(2, 3), x=lt.Normal(8).given("z"))
    vae = lt.VAE(network, epochs=2, batch_size=30).fit(rows)
    use = vae.latent_use(rows)
    assert use.units["kl"].isna().all() and np.isfinite(use.nodes.loc["z", "kl"])
    with pytest.raises(lt.LatenError, match="at least two"):
        vae.latent_use({"x": rows["x"][:1]})
