"""Labels that some rows have teach the guide; classes that none shows start from groups of rows."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import laten as lt
from laten.estimator.prepare import prepare
from laten.network.model import build_model
from laten.training.objectives import Batch, Estimate, WithLabels
from laten.training.objectives.from_groups import FromGroups, can_start, groups_of_nodes, smoothing
from laten.training.objectives.groups import Groups, groups_of
from laten.training.objectives.with_labels import labels_of

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 3)).astype(np.float32)


def network() -> lt.Network:
    return lt.templates.semi_supervised(lt.Normal(3, scale="site"), classes=4, latent=2, width=5)


@pytest.fixture(scope="module")
def model():
    return build_model(network(), lt.guide_for(network(), ["y", "z"]), jax.random.key(0), ["y"])


def compiled(objective) -> Callable[[lt.Model, Batch, float], Estimate]:
    run = eqx.filter_jit(lambda model, batch, progress: objective(model, batch, jax.random.key(1), progress))
    return lambda model, batch, progress=1.0: run(model, batch, jnp.float32(progress))


def said(model: lt.Model) -> np.ndarray:
    """log q(y | x) of each row and class, `(6, 4)`."""
    raws = jax.vmap(lambda x: model.q["y"].raw({"x": x}, {}))(jnp.asarray(X))
    return np.asarray(jax.vmap(lt.Categorical(4).log_probs)(raws), np.float64)


def test_the_loss_holds_log_q_of_the_labels_that_are_seen(model):
    y, seen = jnp.array([0, 1, 2, 3, 0, 1]), jnp.array([True, False, True, False, False, True])
    batch = Batch({"x": jnp.asarray(X), "y": y}, {"y": seen})
    elbo, with_labels = compiled(lt.Elbo()), compiled(WithLabels(lt.Elbo(), 7.0))
    plain, taught = elbo(model, batch), with_labels(model, batch)
    own = said(model)[[0, 2, 5], [0, 2, 1]].mean()
    np.testing.assert_allclose(taught.loss - plain.loss, -7 * own, rtol=1e-4)
    np.testing.assert_array_equal(taught.bound, plain.bound)
    hidden = Batch(batch.values, {"y": jnp.zeros(6, bool)})
    assert with_labels(model, hidden).loss == elbo(model, hidden).loss
    assert labels_of(model, ["y"]) == ("y",) and labels_of(model, ["z"]) == ()


def groups_around(centres: np.ndarray) -> Groups:
    """Groups of one centre each, in the space of the features."""
    n = centres.shape[1]
    return Groups(
        np.zeros(n, np.float32), np.eye(n, dtype=np.float32), centres, np.arange(len(centres), dtype=np.int32)
    )


def test_groups_teach_at_the_start_alone(model):
    batch = Batch({"x": jnp.asarray(X)}, {})
    centres = X[[5, 0, 3, 1]]
    groups = ((X[:, None] - centres) ** 2).sum(2).argmin(1)
    start = FromGroups(lt.Elbo(), {"y": groups_around(centres)})
    plain, grouping = compiled(lt.Elbo())(model, batch).loss, compiled(start)
    own = said(model)[np.arange(6), groups].mean()
    for progress, weight in ((0.0, 10.0), (0.45, 5.0), (0.9, 0.0), (1.0, 0.0)):
        found = grouping(model, batch, progress).loss
        np.testing.assert_allclose(found - plain, -weight * own, rtol=1e-4, atol=1e-5)
    assert start.warmup == 0.9 and start.judge == lt.Elbo()


def test_groups_of_labels_teach_rows_without_one_to_the_end(model):
    shown = np.array([True, False, False, True, False, False])
    batch = Batch({"x": jnp.asarray(X), "y": jnp.zeros(6, jnp.int32)}, {"y": jnp.asarray(shown)})
    centres = X[[5, 0, 3, 1]]
    groups = ((X[:, None] - centres) ** 2).sum(2).argmin(1)
    lasting = FromGroups(lt.Elbo(), {"y": groups_around(centres)}, ("y",))
    plain = lt.Elbo()(model, batch, jax.random.key(1)).loss
    own = np.where(shown, 0, said(model)[np.arange(6), groups]).mean()
    for progress in (0.0, 1.0):
        found = lasting(model, batch, jax.random.key(1), progress).loss
        np.testing.assert_allclose(found - plain, -10 * own, rtol=1e-4, atol=1e-5)
    assert lasting.warmup == 0


def moons(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Two half circles that reach into one another, with some noise, and which one each row is of."""
    rng = np.random.default_rng(1)
    which, turn = np.arange(rows) % 2, rng.uniform(0, np.pi, rows)
    x = np.stack([np.cos(turn) + which, np.sin(turn) * (1 - 2 * which) + which / 2], axis=1)
    return x + 0.05 * rng.normal(size=(rows, 2)), which


def of_rows(groups: Groups, x: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The group of each row."""
    return np.asarray(jax.vmap(groups.of)(jnp.asarray(x, jnp.float32), jnp.asarray(seen, jnp.float32)))


def test_groups_follow_the_neighbours_and_holes_tell_nothing():
    x, which = moons(400)
    seen = np.ones_like(x)
    found = of_rows(groups_of(x, seen, 2, np.random.default_rng(0)), x, seen)
    assert max(np.mean(found == which), np.mean(found != which)) > 0.98  # k-means: 0.75
    centres = np.array([[0, 0, 0], [9, 0, 0], [0, 9, 9]], np.float64)
    x, which = np.repeat(centres, 20, 0) + RNG.normal(size=(60, 3)), np.repeat(np.arange(3), 20)
    seen = (RNG.random((60, 3)) > 0.05).astype(float)
    found = of_rows(groups_of(np.where(seen > 0, x, 1e9), seen, 3, np.random.default_rng(0)), x, seen)
    assert sum(np.bincount(which[found == c]).max() for c in np.unique(found)) >= 54
    alike = groups_of(np.zeros((40, 2)), np.ones((40, 2)), 3, np.random.default_rng(0))
    assert of_rows(alike, np.zeros((1, 2)), np.ones((1, 2))) < 3


def test_more_rows_than_centres_are_told_apart_too():
    x, which = moons(2600)
    found = of_rows(groups_of(x, np.ones_like(x), 2, np.random.default_rng(0)), x, np.ones_like(x))
    assert max(np.mean(found == which), np.mean(found != which)) > 0.98


def test_labels_spread_where_neighbours_have_them_and_only_there():
    x, which = moons(400)
    shown = np.where(np.arange(400) < 12, which, -1)
    groups = groups_of(x, np.ones_like(x), 2, np.random.default_rng(0), shown)
    assert np.mean(of_rows(groups, x, np.ones_like(x)) == which) > 0.98
    wide = RNG.normal(size=(400, 12))
    straight = (wide[:, 0] > 0).astype(int)  # neighbours in twelve columns know little of one of them
    shown = np.where(np.arange(400) < 60, straight, -1)
    assert groups_of(wide, np.ones_like(wide), 2, np.random.default_rng(0), shown) is None
    few = np.where(np.arange(400) < 4, which, -1)
    assert groups_of(x, np.ones_like(x), 2, np.random.default_rng(0), few) is None


def test_only_classes_that_see_evidence_alone_start_from_groups():
    mixture = lt.templates.mixture(lt.Normal(3), 4, latent=2, width=5)
    model = build_model(mixture, lt.guide_for(mixture), jax.random.key(0))
    assert can_start(model, {"x": X}) == ("c",) and can_start(model, {"x": X, "c": X}) == ()
    assert can_start(model, {"x": X, "c": X}, ("c",)) == ("c",)
    assert set(groups_of_nodes(model, ("c",), {"x": X}, {}, 0)["c"].group) <= set(range(4))
    upper = lt.Network(a=lt.Categorical(3), b=lt.Categorical(2).given("a"), x=lt.Normal(3).given("b"))
    assert can_start(build_model(upper, lt.guide_for(upper), jax.random.key(0)), {"x": X}) == ("b",)


def test_images_are_compared_smoothed():
    network = lt.Network(y=lt.Categorical(2), x=lt.Bernoulli((28, 28)).given("y"), w=lt.Normal(3).given("y"))
    model = build_model(network, lt.guide_for(network), jax.random.key(0))
    first = tuple(model.guide.stochastic_parents("y")) == ("x", "w")
    smooth = smoothing(model, "y")
    image, w = RNG.normal(size=(2, 28, 28)), RNG.normal(size=(2, 3))
    parts = [image.reshape(2, -1), w] if first else [w, image.reshape(2, -1)]
    found = smooth(np.concatenate(parts, axis=1))
    at = np.arange(28)  # the normal curve of one pixel, written out
    side = np.exp(-0.5 * np.subtract.outer(at, at) ** 2) * (np.abs(np.subtract.outer(at, at)) <= 4)
    side /= np.exp(-0.5 * np.arange(-4, 5) ** 2).sum()
    dots = np.einsum("ai,bj->abij", side, side)
    expected = np.einsum("abij,nij->nab", dots, image).reshape(2, -1)
    np.testing.assert_allclose(found[:, :784] if first else found[:, 3:], expected, atol=1e-10)
    np.testing.assert_array_equal(found[:, 784:] if first else found[:, :3], w)


def test_groups_are_told_by_smoothed_features():
    bar = (np.arange(400) % 2)[:, None] * 14 + RNG.integers(0, 12, (400, 1)) == np.arange(28)  # a dot, left or right
    x, which = bar.astype(float), np.arange(400) % 2
    blur = np.exp(-0.5 * np.subtract.outer(np.arange(28), np.arange(28)) ** 2 / 4)
    found = [
        of_rows(groups_of(x, np.ones_like(x), 2, np.random.default_rng(0), None, s), x, np.ones_like(x))
        for s in (lambda v: v @ blur, lambda v: v)
    ]
    right = [max(np.mean(f == which), np.mean(f != which)) for f in found]
    assert right[0] > 0.95 > right[1]  # dots that do not touch are all as far from each other


def test_sorting_is_announced(capsys):
    for progress, said in (("quiet", ""), ("plain", "c: rows are sorted by their nearest neighbours\n")):
        prepare(X, lt.VAE(lt.templates.mixture(lt.Normal(3), 4, latent=2, width=5), validation=0, progress=progress))
        assert capsys.readouterr().err == said


def test_by_default_and_only_then():
    y = np.where(np.arange(60) < 4, np.arange(60) % 4, np.nan)
    data = {"x": RNG.normal(size=(60, 3)).astype(np.float32), "y": y}
    vae = lt.VAE(network(), epochs=1, validation=0)
    task = prepare(data, vae).task
    assert task.objective == WithLabels(lt.Elbo())
    visits = np.bincount(task.order(0, 0, 20, 10).ravel(), minlength=60)
    assert 0.15 < visits[:4].sum() / visits.sum() < 0.25  # four of sixty have a label
    own = prepare(data, vae.set_params(objective=lt.Elbo())).task
    assert own.objective == lt.Elbo() and own.row_weights is None
    plain = prepare({"x": data["x"], "y": np.arange(60) % 4}, lt.VAE(network(), validation=0)).task
    assert plain.objective == lt.Elbo() and plain.row_weights is None  # nothing is hidden: nothing is inferred
    clusters = prepare(data["x"][:, :, None], lt.VAE(lt.templates.mixture(lt.Normal((3, 1)), 4), validation=0)).task
    assert isinstance(clusters.objective, FromGroups)


@pytest.mark.parametrize("weight, of_rows, words", [(-1, lt.Elbo(), "weight must be"), (1, "elbo", "of_rows must be")])
def test_options_that_cannot_be(weight, of_rows, words):
    with pytest.raises(lt.DeclarationError, match=words):
        WithLabels(of_rows, weight)


@pytest.mark.trains
def test_all_questions_about_a_label_agree():
    which = np.arange(300) % 3
    rng = np.random.default_rng(2)
    names = np.array(["low", "mid", "top"])[which]
    frame = pd.DataFrame({"a": rng.normal(size=300) + 2 * which, "b": rng.normal(size=300) - which})
    frame["y"] = np.where(np.arange(300) < 30, names, None)
    leaf = lt.Normal(()).given("y", "z", via=lt.MLP(8))
    network = lt.Network(y=lt.Categorical(3), z=lt.Normal(2), a=leaf, b=leaf)
    vae = lt.VAE(network, epochs=10, batch_size=50, learning_rate=0.01, validation=0).fit(frame)
    row = frame[["a", "b"]].iloc[[4]]
    chances = vae.predict_proba(row, "y").to_numpy()[0]
    np.testing.assert_allclose(np.asarray(vae.transform(row.assign(y=None)))[0, :3], chances, atol=1e-5)
    found = vae.marginals(row.iloc[0].to_dict()).columns["y"]  # asks with soft evidence, here none
    np.testing.assert_allclose(found.probability, chances, atol=1e-4)
    drawn = vae.sample(4000, given=row.iloc[0].to_dict())["y"].value_counts(normalize=True)
    np.testing.assert_allclose(drawn.reindex(["low", "mid", "top"]).fillna(0), chances, atol=0.05)
    plain = vae.set_params(objective=lt.Elbo()).predict_proba(row, "y").to_numpy()[0]  # control: the network's own
    assert np.abs(plain - chances).max() > 1e-3


@pytest.mark.trains
def test_clusters_are_found():
    centres = np.array([[4.0, 0], [0, 4], [-4, 0], [0, -4]])
    truth = RNG.integers(0, 4, 240)
    x = (centres[truth] + RNG.normal(size=(240, 2))).astype(np.float32)
    network = lt.templates.mixture(lt.Normal(2, scale="site"), 4, latent=2, width=16)
    clusters = lt.VAE(network, epochs=30, batch_size=24, learning_rate=0.005, validation=0)
    found = clusters.fit({"x": x}).transform({"x": x})[:, :4].argmax(1)
    assert sum(np.bincount(truth[found == c]).max() for c in np.unique(found)) / 240 > 0.9
    assert len(np.unique(found)) == 4


@pytest.mark.trains
def test_a_label_is_answered_by_the_classifier_that_labels_taught():
    x, which = moons(300)
    data = {"x": x.astype(np.float32), "y": np.where(np.arange(300) < 20, which, np.nan)}
    network = lt.templates.semi_supervised(lt.Normal(2, scale="site"), classes=2, latent=2, width=16)
    vae = lt.VAE(network, epochs=40, batch_size=50, learning_rate=0.01, validation=0).fit(data)
    classified = vae.transform({"x": data["x"]})[:, :2]
    filled = vae.impute({"x": data["x"]})["y"]
    np.testing.assert_array_equal(filled, classified.argmax(1))
    assert np.mean(filled == which) > 0.95
    shown = vae.impute(data)["y"]
    np.testing.assert_array_equal(shown[:20], which[:20])  # what is shown stays
    task = prepare(data, vae.set_params(validation=0.5)).task
    assert not set(x[task.train][:, 0].astype(np.float32)) & set(x[task.valid][:, 0].astype(np.float32))
    assert len(task.objective.of_rows.groups["y"].centres) == len(task.train)  # held-out labels are not told
    plain = vae.set_params(objective=lt.Elbo())  # an objective that does not teach: the posterior has the last word
    assert plain._fitted().labels == () and vae.set_params(objective=None)._fitted().labels == ("y",)
