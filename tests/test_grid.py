"""Every prior with every guide: trained for some steps, saved, loaded and asked; a pair that does not fit is refused.

A new prior or guide is one line below.
"""

import io
import itertools

import numpy as np
import pytest

import laten as lt

PRIORS = {
    "standard": lt.Normal(2),
    "learned": lt.Normal(2).learned(),
    "laplace": lt.Laplace(2),
    "mixture": lt.NormalMixture(2, 3),
    "flow": lt.Transformed(lt.Normal(2), lt.Spline(2, 8)),
    "vamp": lt.Vamp(2, 5),
    "sphere": lt.Sphere(2),
    "codebook": lt.Quantised((), dim=2, codes=4),
}
GUIDES = {
    "diagonal": lt.Normal(2),
    "relative": lt.Relative(2),
    "combined": lt.Combined(2),
    "committed": lt.Committed(2, rate=0.2),
    "full": lt.FullNormal(2),
    "autoregressive": lt.Transformed(lt.Normal(2), lt.Autoregressive(2, 8), context=3),
    "spline": lt.Transformed(lt.FullNormal(2), lt.Spline(2, 8), context=3),
    "directions": lt.VonMisesFisher(2),
    "nearest": lt.Nearest((), dim=2),
}
LEAVES = {
    "normal": (lt.Normal(3, scale="shared"), np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)),
    "classes": (lt.Categorical((3, 2, 4)), np.random.default_rng(0).integers(0, 2, (40, 3))),
    "flow": (lt.Transformed(lt.Normal(3), lt.Autoregressive(1, 8, fast="density"), context=2),
             np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)),
}  # fmt: skip
OBJECTIVES = [lt.Elbo(), lt.Elbo(kl="path"), lt.Iwae(3), lt.Iwae(3, gradient="dreg"), lt.Renyi(0.5, 3), lt.Cubo(2.0, 3),
              lt.WakeSleep(), lt.ReweightedWakeSleep(2), lt.Elbo(beta=2.0, capacity=1.0), lt.Elbo(free_bits=0.5),
              lt.Cyclical(lt.Elbo(warmup=0.5), 2), lt.TotalCorrelation(lt.Elbo()), lt.Dip(lt.Iwae(3)),
              lt.Mmd(lt.Elbo(beta=0.0)), lt.FactorVae(lt.Renyi(0.5, 3), width=4)]  # fmt: skip
REALS, OTHERS = (
    ("standard", "learned", "laplace", "mixture", "flow", "vamp"),
    {"sphere": "directions", "codebook": "nearest"},
)
MOVED = ("relative", "combined", "committed")
NORMALS = ("diagonal", *MOVED)
STARTS = r"starts from a Normal of P, but P's is .*use lt\.Normal\(2\)"
SUPPORT = r"whose values are not those of P's .*use lt\."
REFUSED = {
    **dict.fromkeys(itertools.product(("laplace", "mixture", "flow", "vamp"), MOVED), STARTS),
    **dict.fromkeys(
        itertools.product(["vamp"], ("full", "autoregressive", "spline")),
        r"is Vamp\(2, k=5\), but the guide's node is .*use lt\.Normal\(2\)",
    ),
    **dict.fromkeys(itertools.product(REALS, OTHERS.values()), SUPPORT),
    **dict.fromkeys((pair for pair in itertools.product(OTHERS, GUIDES) if OTHERS[pair[0]] != pair[1]), SUPPORT),
}
PAIRS = [pair for pair in itertools.product(PRIORS, GUIDES) if pair not in REFUSED]
DENSITY = [lt.Elbo(kl="path"), lt.Iwae(3, gradient="dreg"), lt.Cubo(2.0, 3), lt.WakeSleep(), lt.ReweightedWakeSleep(2)]


def refused(guide: str, objective: object) -> str:
    """Why a guide cannot be learned by an objective; empty where it can."""
    if isinstance(objective, lt.TotalCorrelation | lt.Dip) and guide not in NORMALS:
        return (
            r"needs sites that are normal and independent given the row, but the guide's 'z' is .*use lt\.Normal\(2\)"
        )
    return r"all mass on one value; use lt\.Elbo\(\)" if guide == "nearest" and objective in DENSITY else ""


def vae(prior: str, guide: str, leaf: str, objective: object) -> lt.VAE:
    network = lt.Network(z=PRIORS[prior], x=LEAVES[leaf][0].given("z", via=lt.MLP(6)))
    q = lt.Network(z=GUIDES[guide].given("x", via=lt.MLP(6)))
    return lt.VAE(network, guide=q, objective=objective, epochs=1, batch_size=10, validation=0)


def tried(prior: str, guide: str, leaf: str, objective: object) -> None:
    x = LEAVES[leaf][1]
    fitted = vae(prior, guide, leaf, objective).fit({"x": x})
    assert np.isfinite(fitted.history_["bound"]).all()
    file = io.BytesIO()
    fitted.save(file)
    again = lt.load(file)
    assert again.network_ == fitted.network_ and again.guide_ == fitted.guide_
    scores = fitted.score_samples({"x": x[:5]}, draws=20)
    np.testing.assert_array_equal(again.score_samples({"x": x[:5]}, draws=20), scores)
    assert np.isfinite(scores).all() and again.sample(3)["x"].shape == (3, 3)


QUICK = [("flow", "spline", "classes", lt.Elbo())]
ILLEGAL = [(guide, o) for guide, o in itertools.product(GUIDES, OBJECTIVES) if refused(guide, o)]


@pytest.mark.trains
@pytest.mark.filterwarnings("ignore::laten.LatenWarning")
@pytest.mark.parametrize("combined", QUICK, ids=lambda c: "-".join(map(str, c[:3])))
def test_some_combinations(combined):
    tried(*combined)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::laten.LatenWarning")
@pytest.mark.parametrize("leaf", LEAVES)
@pytest.mark.parametrize("prior, guide", PAIRS)
def test_every_pair(prior, guide, leaf):
    place = PAIRS.index((prior, guide)) + list(LEAVES).index(leaf)
    able = [objective for objective in OBJECTIVES if not refused(guide, objective)]
    tried(prior, guide, leaf, able[place % len(able)])


@pytest.mark.parametrize("pair", REFUSED, ids="-".join)
def test_pairs_that_do_not_fit(pair):
    with pytest.raises(lt.DeclarationError, match=REFUSED[pair]):
        vae(*pair, "normal", None).fit({"x": LEAVES["normal"][1]})


@pytest.mark.parametrize("guide, objective", ILLEGAL, ids=map(repr, ILLEGAL))
def test_objectives_that_do_not_fit(guide, objective):
    prior = {name: prior for prior, name in OTHERS.items()}.get(guide, "standard")
    with pytest.raises(lt.DeclarationError, match=refused(guide, objective)):
        vae(prior, guide, "normal", objective).fit({"x": LEAVES["normal"][1]})


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::laten.LatenWarning")
@pytest.mark.parametrize("objective", OBJECTIVES, ids=repr)
@pytest.mark.parametrize("prior, guide", [("learned", "diagonal"), ("sphere", "directions"), ("codebook", "nearest")])
def test_every_objective(prior, guide, objective):
    if not refused(guide, objective):
        tried(prior, guide, "normal", objective)
