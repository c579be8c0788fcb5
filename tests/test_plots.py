from statistics import NormalDist
from typing import NamedTuple

import jax
import numpy as np
import pandas as pd
import pytest
import scipy.stats
from matplotlib import image as mpl_image
from matplotlib import rcParams
from scipy import sparse

import laten as lt
from laten import plots
from laten.common.errors import DataError, LatenError
from laten.data.rows.presentation import Presentation
from laten.data.rows.table_view import TableView
from laten.data.schema.infer import infer_schema
from laten.network.model import build_model
from laten.plots.canvas import CLASSES, HIDDEN, brief, decades, distinct, mosaic, palette, panels_of, signed
from laten.plots.contents import model as contents
from laten.plots.contents.columns import bins, colours, marginal
from laten.plots.contents.containers import as_frame, as_images, as_numbers, as_table, n_rows, take, unit
from laten.plots.contents.densities import SHARES, SIDE, density, width
from laten.plots.panels import apart, draw_marginal

EPOCHS = 40


class Fake:
    """An estimator that was never fitted: its answers are simple functions that a test can repeat."""

    presentation_ = Presentation()
    view_ = None

    def __init__(self, network, decode, history=None):
        self.network_, self.guide_ = network, lt.guide_for(network)
        self.model_ = build_model(network, self.guide_, jax.random.key(0))
        self.decode, self.history_ = decode, history_frame() if history is None else history
        self.asked = []

    def sample(self, n, given=None, *, seed=None):
        return self.decode(np.random.default_rng(seed).normal(size=(n, len(self.get_feature_names_out()))))

    def inverse_transform(self, z):
        self.asked.append(np.asarray(z))
        return self.decode(np.asarray(z, float))

    def reconstruct(self, data):
        return data

    def transform(self, data):
        self.asked.append(data)
        rows = len(next(iter(data.values()))) if isinstance(data, dict) else len(data)
        scale = np.arange(1, len(self.get_feature_names_out()) + 1)
        return np.random.default_rng(rows).normal(size=(rows, len(scale))) * scale

    def get_feature_names_out(self):
        families = self.guide_.families
        return np.array([f"{n}{i}" for n in self.model_.latents for i in range(families[n].n_features)], dtype=object)


def history_frame(held_out=True):
    epoch = np.arange(1, EPOCHS + 1)
    frame = pd.DataFrame({"epoch": epoch, "step": 10 * epoch, "bound": -100 - 900 * np.exp(-epoch / 2.0)})
    frame["term_x"], frame["term_z"] = frame["bound"] + 20, -20.0
    if held_out:
        frame["valid_bound"] = -101 - 900 * np.exp(-epoch / 2.0) - (epoch - 30.0) ** 2 / 100
        frame["kl"], frame["active_units"] = 20.0, 7
    judged = frame["valid_bound" if held_out else "epoch"]
    return frame.assign(kept=judged == judged.max())


def image_of(z):
    """uint8 images whose brightness rises with the first latent, whose upper half also with the second."""
    images = np.zeros((len(z), 6, 5))
    images += 0.5 + 0.1 * z[:, :1, None]
    if z.shape[1] > 1:
        images[:, :3] += 0.1 * z[:, 1:2, None]
    return np.round(255 * np.clip(images, 0, 1)).astype(np.uint8)


def table_of(z):
    """A frame of every sort of column; names that could trip a typesetter."""
    height = 170 + 10 * z[:, 0]
    return pd.DataFrame(
        {
            "height $cm$": height,
            "_visits": np.round(np.abs(3 * z[:, 1])).astype(int),
            "group": pd.Categorical(np.where(z[:, 0] > 0, "b", "a"), categories=["b", "a"]),
            "smokes": z[:, 1] > 1,
            "born": pd.Timestamp("1990-01-01") + pd.to_timedelta(np.round(1000 * z[:, 0]), unit="D"),
        }
    )


class Case(NamedTuple):
    vae: Fake
    data: object


def images(latents=2):
    network = lt.Network(z=lt.Normal(latents), x=lt.Bernoulli((6, 5)).given("z"))
    return Case(Fake(network, image_of), image_of(np.random.default_rng(1).normal(size=(30, latents))))


def table(latents=3):
    network = lt.Network(z=lt.Normal(latents), x=lt.Normal(5).given("z"))
    return Case(Fake(network, table_of), table_of(np.random.default_rng(1).normal(size=(300, latents))))


# What the arrays are


def test_history_finds_the_best_epoch_and_keeps_terms():
    h = contents.history(images().vae)
    assert list(h.bounds) == ["training", "held-out"]
    assert h.best_epoch == 1 + np.argmax(h.bounds["held-out"])
    assert set(h.terms) == {"x", "z"}
    np.testing.assert_array_equal(h.terms["z"], -20)
    alone = contents.history(Fake(images().vae.network_, image_of, history_frame(held_out=False)))
    assert alone.best_epoch == EPOCHS
    assert len(alone.kl) == len(alone.active_units) == 0


def test_samples_of_images_are_means_given_latents_from_the_prior():
    vae = images().vae
    s = contents.samples(vae, 50, seed=3)
    (z,) = vae.asked
    assert z.shape == (50, 2)
    assert abs(z.mean()) < 0.4
    assert 0.7 < z.std() < 1.3
    np.testing.assert_allclose(s.images, image_of(z) / np.float32(255), rtol=1e-6)
    assert not np.array_equal(s.images, contents.samples(vae, 50, seed=4).images)
    np.testing.assert_array_equal(s.images, contents.samples(vae, 50, seed=3).images)


def test_samples_of_images_pixel_by_pixel_are_what_the_model_draws():
    vae = images().vae
    s = contents.samples(vae, 9, seed=3, means=False)
    np.testing.assert_allclose(s.images, vae.sample(9, seed=3) / np.float32(255), rtol=1e-6)
    assert "pixel" in s.note


def test_marginals_are_shares_of_rows():
    vae, data = table()
    marginals = {m.column: m for m in contents.samples(vae, data=data).marginals}
    assert list(marginals) == list(data.columns)
    group = marginals["group"]
    assert group.labels == ("b", "a")
    np.testing.assert_allclose(group.data, [(data["group"] == label).mean() for label in "ba"])
    assert group.model.sum() == pytest.approx(1)
    height = marginals["height $cm$"]
    inside = (data["height $cm$"] >= height.edges[0]) & (data["height $cm$"] <= height.edges[-1])
    assert height.data.sum() == pytest.approx(inside.mean())
    assert inside.mean() > 0.98
    assert marginals["born"].date and 10 * 365 < marginals["born"].edges.mean() < 30 * 365  # days since 1970


def test_marginals_without_data_and_with_a_class_never_drawn():
    vae, data = table()
    assert all(m.data is None for m in contents.samples(vae).marginals)
    rare = data.assign(group=["c"] * 10 + list(data["group"][10:]))
    group = {m.column: m for m in contents.samples(vae, data=rare).marginals}["group"]
    assert set(group.labels) == {"a", "b", "c"}
    assert group.model[group.labels.index("c")] == 0
    assert group.data[group.labels.index("c")] == pytest.approx(10 / 300)


def test_reconstructions_are_pairs_of_images_in_one_scale():
    vae, data = images()
    r = contents.reconstructions(vae, {"x": data, "label": np.arange(30)}, 7)
    assert r.original.shape == (7, 6, 5)
    np.testing.assert_allclose(r.original[[0, -1]], data[[0, -1]] / np.float32(255), rtol=1e-6)
    np.testing.assert_array_equal(r.original, r.again)
    assert len(contents.reconstructions(vae, data[:3], 7).original) == 3


def test_agreement_of_columns():
    vae, data = table()
    data.loc[:9, "height $cm$"] = np.nan
    vae.reconstruct = lambda rows: table_of(np.zeros((len(rows), 2))).assign(**{"height $cm$": -rows["height $cm$"]})
    columns = {c.column: c for c in contents.reconstructions(vae, data).columns}
    assert columns["height $cm$"].figure == pytest.approx(-1)
    assert columns["group"].figure == pytest.approx((data["group"] == "a").mean())
    np.testing.assert_allclose(columns["group"].shares[:, columns["group"].labels.index("a")], 1)
    assert np.isnan(columns["_visits"].figure)


def test_latent_map_of_two_latents_is_those():
    vae, data = images()
    m = contents.latent_map(vae, data)
    np.testing.assert_array_equal(m.points, vae.transform(data))
    assert m.axes == ("z0", "z1")


def test_latent_map_of_more_is_by_main_directions_or_the_two_that_vary_most():
    vae, data = table()
    z = vae.transform(data)
    m = contents.latent_map(vae, data)
    assert "PCA" in m.note
    values = np.sort(np.linalg.eigvalsh(np.cov(z.T)))[::-1]
    np.testing.assert_allclose(np.cov(m.points.T), np.diag(values[:2]), atol=1e-8)
    assert m.axes[0] == f"main direction 1 ({values[0] / values.sum():.0%} of variance)"
    axes = contents.latent_map(vae, data, method="axes")
    np.testing.assert_array_equal(axes.points, z[:, [2, 1]])
    assert axes.axes == ("z2", "z1")
    with pytest.raises(LatenError, match="method must be"):
        contents.latent_map(vae, data, method="tsne")


def test_latent_map_of_one_latent_and_of_many_rows():
    vae, _ = images(1)
    many = image_of(np.zeros((contents.ROWS + 10, 1)))
    m = contents.latent_map(vae, many, np.arange(len(many)) * 0.5)
    assert len(m.points) == len(m.colour.values) == contents.ROWS
    assert "of 5010 rows" in m.note
    assert "heights are random" in m.note


@pytest.mark.parametrize(
    ("colour", "labels", "first"),
    [
        ("group", ("b", "a"), None),
        ("smokes", None, None),
        ("born", None, 7305.0),
        (np.array(["u", None] * 150, dtype=object), ("u",), 0),
        (np.arange(300) % 10, tuple("0123456789"), 0),
        (np.arange(300) % 11, None, 0.0),
        (pd.Series(np.where(np.arange(300) % 2, np.nan, 2.0), name="twos"), ("2",), 0),
    ],
)
def test_colours_are_classes_or_numbers(colour, labels, first):
    vae, data = table()
    data.loc[0, "born"] = pd.Timestamp("1990-01-01")
    found = contents.latent_map(vae, data, colour).colour
    assert len(found.values) == 300
    if labels is not None:
        assert found.labels == labels
    if first is not None:
        assert found.values[0] == pytest.approx(first)
    if isinstance(colour, pd.Series):
        assert found.name == "twos"
        assert found.values[1] == -1


def test_colour_that_is_not_there_or_of_another_length():
    vae, data = table()
    with pytest.raises(LatenError, match=r"no column 'grup'; known: \['height"):
        contents.latent_map(vae, data, "grup")
    with pytest.raises(LatenError, match="7 values for 300 rows"):
        contents.latent_map(vae, data, np.zeros(7))


def test_a_label_beside_the_images_colours_but_is_not_embedded():
    vae, data = images()
    m = contents.latent_map(vae, {"x": data, "label": np.arange(30) % 3}, "label")
    assert list(vae.asked[-1]) == ["x"]
    np.testing.assert_array_equal(m.colour.values, np.arange(30) % 3)


def test_manifold_walks_the_prior_quantiles():
    vae, _ = images()
    m = contents.manifold(vae, 5)
    quantiles = [NormalDist().inv_cdf(p) for p in (0.1, 0.3, 0.5, 0.7, 0.9)]
    np.testing.assert_allclose(m.across, quantiles)
    assert m.images.shape == (5, 5, 6, 5)
    want = image_of(np.array([[quantiles[4], quantiles[1]]]))[0] / np.float32(255)
    np.testing.assert_allclose(m.images[1, 4], want, atol=1e-6)


@pytest.mark.parametrize(("given", "chosen"), [(True, [3, 4]), (False, [0, 1])])
def test_manifold_of_many_latents_holds_the_least_active_at_zero(given, chosen):
    vae, data = images(5)
    m = contents.manifold(vae, 4, data if given else None)
    z = vae.asked[-1]
    assert np.flatnonzero(z.any(0)).tolist() == chosen
    assert m.axes == (f"z{chosen[0]}", f"z{chosen[1]}")
    assert "the two most active of 5 latents, the others at 0" in m.note


def test_manifold_of_a_table_and_of_one_latent():
    m = contents.manifold(table(2).vae, 6)
    assert set(m.columns) == {"height $cm$", "_visits", "born", "group", "smokes"} and m.columns["born"].date
    np.testing.assert_allclose(m.columns["height $cm$"].values, np.tile(170 + 10 * m.across, (6, 1)))
    assert set(m.columns["group"].labels) == {"a", "b"} and set(np.unique(m.columns["group"].values)) == {0, 1}
    m = contents.manifold(images(1).vae, 6)
    assert m.images.shape == (1, 6, 6, 5)


def test_manifold_needs_a_continuous_latent():
    network = lt.Network(y=lt.Categorical(3), x=lt.Bernoulli((6, 5)).given("y"))
    with pytest.raises(LatenError, match="continuous latent"):
        contents.manifold(Fake(network, image_of))


def test_what_counts_as_images():
    assert as_images({"y": np.zeros(4), "x": np.zeros((4, 8, 8, 1))}).shape == (4, 8, 8)
    assert as_images(np.zeros((4, 8, 9, 3))).shape == (4, 8, 9, 3)
    assert as_images(np.zeros((4, 784), np.uint8)).shape == (4, 28, 28)
    assert as_images(np.zeros((4, 784))) is None
    assert as_images(pd.DataFrame({"a": [1]})) is None


def test_containers_as_frames_and_units():
    frame = as_frame({"a": np.arange(2), "b": np.ones((2, 2))})
    assert list(frame.columns) == ["a", "b[0]", "b[1]"]
    assert list(as_frame(np.ones((2, 2))).columns) == ["0", "1"]
    np.testing.assert_allclose(unit(np.array([[[0, 128]]], np.uint8)), [[[0, 128 / 255]]], rtol=1e-6)
    np.testing.assert_allclose(unit(np.array([[[0, 1]]], np.uint8)), [[[0, 1]]])
    np.testing.assert_allclose(unit(np.array([[[-1.0, np.nan, 3.0]]])), [[[0, np.nan, 1]]])
    days = as_numbers(pd.Series(pd.to_datetime(["1970-01-01 00:00", None, "1970-07-01 12:00"])))
    np.testing.assert_allclose(days, [0, np.nan, 181.5])
    assert np.all(np.diff(bins(np.arange(200.0))) == 7)
    assert np.all(np.isfinite(bins(np.zeros(0))))


# What is drawn


def hidden_pixels():
    return np.where(np.arange(5) == 2, np.nan, images().data / 255.0)


def with_gaps():
    rows = table().data
    gaps = rows.astype({"group": object}).mask(np.random.default_rng(0).random(rows.shape) < 0.1)
    return gaps.astype({"height $cm$": float, "_visits": float}).assign(born=rows["born"])


def many_classes():
    return np.array([f"class {i}" for i in range(300)], dtype=object)


def untrained():
    return Fake(images().vae.network_, image_of, history_frame(held_out=False)[:1])


def line():
    network = lt.Network(z=lt.Normal(1), x=lt.Normal(1).given("z"))
    return Fake(network, lambda z: pd.DataFrame({"x": z[:, 0]}))


# Every picture of every sort of model.
PICTURES = {
    "history": lambda p: plots.plot_history(images().vae, p),
    "history_short": lambda p: plots.plot_history(untrained(), p),
    "samples": lambda p: plots.plot_samples(images().vae, 20, path=p),
    "samples_table": lambda p: plots.plot_samples(table().vae, data=table().data, path=p),
    "samples_table_alone": lambda p: plots.plot_samples(table().vae, path=p),
    "reconstructions": lambda p: plots.plot_reconstructions(images().vae, images().data, path=p),
    "reconstructions_hidden": lambda p: plots.plot_reconstructions(images().vae, hidden_pixels(), 13, p),
    "reconstructions_table": lambda p: plots.plot_reconstructions(table().vae, with_gaps(), path=p),
    "latents": lambda p: plots.plot_latents(table().vae, table().data, path=p),
    "latents_class": lambda p: plots.plot_latents(table().vae, with_gaps(), "group", p),
    "latents_number": lambda p: plots.plot_latents(table().vae, with_gaps(), "height $cm$", p),
    "latents_many": lambda p: plots.plot_latents(table().vae, table().data, many_classes(), p, method="axes"),
    "latents_one": lambda p: plots.plot_latents(images(1).vae, images(1).data, np.arange(30) % 4, p),
    "manifold": lambda p: plots.plot_manifold(images().vae, 6, path=p),
    "manifold_one": lambda p: plots.plot_manifold(images(1).vae, 6, path=p),
    "manifold_table": lambda p: plots.plot_manifold(table().vae, 6, table().data, p),
    "manifold_table_one": lambda p: plots.plot_manifold(line(), 6, path=p),
}


MORE = {
    "history_short", "samples_table_alone", "reconstructions_hidden", "latents_class", "latents_one", "manifold_one",
    "manifold_table_one",
}  # fmt: skip


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] if n in MORE else []) for n in PICTURES])
def test_every_picture_is_drawn_without_a_warning_and_changes_nothing_global(name, tmp_path):
    before = dict(rcParams)
    figure = PICTURES[name](tmp_path / f"{name}.png")
    pixels = mpl_image.imread(tmp_path / f"{name}.png")
    assert [p.name for p in tmp_path.iterdir()] == [f"{name}.png"]
    assert 200 < pixels.shape[0] < 3000
    assert pixels[..., :3].std() > 0.02
    assert figure.get_suptitle()
    assert dict(rcParams) == before


def test_pictures_draw_the_arrays_of_the_report():
    vae, data = images()
    shown = plots.plot_latents(vae, data).axes[0].collections[0].get_offsets()
    np.testing.assert_allclose(shown, contents.latent_map(vae, data).points)
    axes = plots.plot_history(vae).axes
    assert [ax.get_title(loc="left") for ax in axes] == [
        "Bound (nats a row)",
        "Terms of the bound (nats a row)",
        "KL (nats a row)",
        "Active units",
    ]
    np.testing.assert_allclose(axes[0].lines[1].get_ydata(), vae.history_["valid_bound"])
    low, high = axes[0].get_ylim()
    assert low > -250, "the first epochs must not flatten the rest"
    assert high > vae.history_["bound"].max()


def test_missing_colours_are_grey_and_named():
    vae, data = table()
    figure = plots.plot_latents(vae, data, np.array(["u", None, "v"] * 100, dtype=object))
    grey, rest = figure.axes[0].collections
    assert len(grey.get_offsets()) == 100
    assert len(rest.get_offsets()) == 200
    assert [text.get_text().strip() for text in figure.legends[0].get_texts()] == ["u", "v", "missing"]


def test_mosaic_puts_images_in_place_with_gaps_and_shows_hidden_pixels():
    tiles = np.zeros((3, 56, 56))
    tiles[1, 0, 0] = np.nan
    whole = mosaic(tiles, 2)
    assert whole.shape == (56 * 2 + 2, 56 * 2 + 2, 3)
    assert np.all(whole[56:58] == 1)
    assert np.all(whole[58:, 58:] == 1), "an empty place is white"
    np.testing.assert_allclose(whole[0, 58], HIDDEN)
    assert mosaic(np.zeros((1, 8, 8)), 1).shape == (56, 56, 3)
    np.testing.assert_array_equal(mosaic(np.zeros((1, 56, 56, 3)), 2, np.array([1]))[:, 58:], 0)


def test_classes_have_colours_of_their_own():
    assert palette(10) == list(CLASSES)
    assert len(set(palette(25))) == 25


def test_names_at_the_ends_of_curves_do_not_overlap():
    moved = apart(np.array([0.5, 0.5, 0.52, 0.9]), 0.08)
    assert np.diff(np.sort(moved)).min() > 0.079
    assert moved[3] == 0.9
    assert list(np.argsort(moved, kind="stable")) == [0, 1, 2, 3]


def test_numbers_have_a_proper_minus():
    assert (signed(-1.25), signed(-0.01), signed(2.0, 0)) == ("−1.2", "0.0", "2")


def test_pictures_are_written_whole_or_refused(tmp_path):
    vae, data = images()
    for suffix in (".svg", ".pdf", ".PNG"):
        plots.plot_latents(vae, data, path=tmp_path / f"latents{suffix}")
    assert (tmp_path / "latents.svg").read_text().startswith("<?xml")
    with pytest.raises(LatenError, match=r"written as \['.png', '.svg', '.pdf'\], not '.bmp'"):
        plots.plot_latents(vae, data, path=tmp_path / "latents.bmp")
    with pytest.raises(DataError, match="does the folder exist"):
        plots.plot_latents(vae, data, path=tmp_path / "none" / "latents.png")
    assert len(list(tmp_path.iterdir())) == 3


def test_text_that_the_model_reads_as_dates_is_dates():
    """Dates as text stand on an axis of dates, wherever a table is drawn; without a view they are classes."""
    frame = pd.DataFrame({"day": pd.date_range("2012-01-01", periods=300).strftime("%Y-%m-%d"), "x": np.arange(300.0)})
    view = TableView(infer_schema(frame))
    assert as_table(frame, view)["day"].dtype.kind == "M" and as_table(frame, None)["day"].dtype.kind != "M"
    holes = as_table(frame.assign(day=frame["day"].where(frame["x"] > 0)), view)["day"]
    assert holes.isna().sum() == 1 and holes[1] == pd.Timestamp("2012-01-02")
    m = marginal("day", as_table(frame, view)["day"], None)
    assert m.date and m.edges[0] < 15_400 < m.edges[-1]
    colour = colours(frame, "day", np.arange(3), view)
    assert colour.date and colour.values[0] == 15_340
    fig = panels_of(1, "Samples", 2.4, 1.75)[0]
    draw_marginal(fig.axes[0], m)
    fig.canvas.draw()
    assert "2012" in " ".join(label.get_text() for label in fig.axes[0].get_xticklabels())


def test_few_large_numbers_beside_many_zeros_stand_on_a_bent_axis():
    rng = np.random.default_rng(0)
    gains = np.where(rng.random(2000) < 0.9, 0, rng.lognormal(8, 1.5, 2000))
    m = marginal("gain", pd.Series(gains), pd.Series(gains))
    zero = np.searchsorted(m.edges, 0) - 1
    assert (
        m.linear is not None and m.edges[zero] < 0 < m.edges[zero + 1] and m.data[zero] == pytest.approx(0.9, abs=0.02)
    )
    assert np.sum(m.data > 0) > 8
    ax = panels_of(1, "Samples", 2.4, 1.75)[1][0]
    draw_marginal(ax, m)
    assert ax.get_xscale() == "symlog" and ax.get_ylim()[1] < 0.9 and ax.texts  # the bar is cut, its height written
    assert marginal("age", pd.Series(rng.normal(40, 9, 500)), None).linear is None
    assert marginal("n", pd.Series(rng.poisson(1.0, 5000) * 17.0), None).linear is None


def test_cut_names_never_look_the_same():
    genes = [f"expression_of_gene_{i:03d}_in_tissue_A" for i in range(300)]
    for texts in (genes, ["Self-emp-inc", "Self-emp-not-inc", "Private"], ["a" * 30 + "x", "a" * 30 + "y", "b"]):
        found = distinct(texts, 12)
        assert len(set(found)) == len(texts) and max(map(len, found)) <= 12
    assert distinct(["one and the same name"] * 2, 12) == ["one and the same name"] * 2
    assert distinct(["dear $ name", "short"], 20) == [r"dear \$ name", "short"]


def test_numbers_on_an_axis_are_brief():
    assert [brief(x) for x in (25_000, 1500, -0.02, 1.5e6, 0)] == ["25k", "1500", "−0.02", "1.5M", "0"]
    assert decades(0, 9e4, 100, 4) == [0, 100, 1000, 1e4] and decades(-1e4, 1e4, 1, 4) == [-1e4, -100, 0, 100, 1e4]


def test_a_density_is_a_mean_of_normals_and_its_lines_hold_their_share():
    """Against the sum over all points at the middle of each bin."""
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(size=(400, 2)), rng.normal((6, 2), (0.5, 2), (200, 2))])
    found = density(points)
    (low, high), (bottom, top) = found.x, found.y
    step = (high - low) / SIDE, (top - bottom) / SIDE
    assert found.values.sum() * step[0] * step[1] == pytest.approx(1)
    x, y = low + (np.arange(SIDE) + 0.5) * step[0], bottom + (np.arange(SIDE) + 0.5) * step[1]
    near = [scipy.stats.norm.pdf(a[:, None], p, width(p)) for a, p in zip((x, y), points.T, strict=True)]
    right = near[1] @ near[0].T / len(points)
    assert np.abs(found.values - right).max() < 0.1 * right.max()
    place = ((points - (low, bottom)) / step).astype(int)
    at = found.values[place[:, 1], place[:, 0]]
    for share, height in zip(SHARES, found.heights, strict=True):
        assert (at >= height).mean() == pytest.approx(share, abs=0.01)
    assert density(np.ones((9, 2))).values.sum() > 0  # points that are one point


def test_sparse_rows_are_counted_and_taken():
    x = sparse.csr_matrix(np.arange(12).reshape(4, 3))
    for rows in (x, x.tocoo(), {"x": x, "batch": np.arange(4)}):
        assert n_rows(rows) == 4
        kept = take(rows, np.array([2, 0]))
        kept = kept["x"] if isinstance(rows, dict) else kept
        assert kept.toarray().tolist() == [[6, 7, 8], [0, 1, 2]]
