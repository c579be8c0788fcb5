"""`VAE` as a user meets it: every question on tables and arrays, files, determinism, errors in the user's words."""

import dataclasses
import functools
import inspect
import json
import warnings
import zipfile

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

import laten as lt
from laten.data.datasets.simulated_clinic import Clinic, clinic
from laten.estimator.parameters import KEPT, Parameters
from laten.estimator.prepare import prepare

pytestmark = [pytest.mark.trains, pytest.mark.filterwarnings("ignore::laten.common.errors.LatenWarning")]

RNG = np.random.default_rng(5)
TABLE = clinic(300, seed=3).assign(number=[f"P{i}" for i in range(300)], site="A")
SMALL = {"latent": 3, "width": 16, "epochs": 6, "draws": 20}


@pytest.fixture(scope="module")
def table() -> lt.VAE:
    return lt.VAE(**SMALL).fit(TABLE)


@pytest.fixture(scope="module")
def images() -> dict[str, np.ndarray]:
    digits = lt.read("digits")
    return {"x": digits["x"][:200], "y": np.where(np.arange(200) % 2, digits["label"][:200].astype(float), np.nan)}


@pytest.fixture(scope="module")
def labelled(images) -> lt.VAE:
    network = lt.Network(y=lt.Categorical(10), z=lt.Normal(3), x=lt.Bernoulli((8, 8)).given("y", "z", via=lt.MLP(16)))
    return lt.VAE(network, epochs=400, learning_rate=3e-3, draws=20).fit(images)


def same_kind(frame: pd.DataFrame, columns=None) -> None:
    for name in columns or frame.columns:
        assert frame[name].dtype == TABLE[name].dtype, name


def test_schema_sets_aside_what_cannot_be_modelled(table):
    kinds = {c.name: c.kind for c in table.schema_.columns}
    assert kinds["number"] == "identifier"
    assert kinds["site"] == "constant"


def test_scores_add_up_column_by_column(table):
    surprise = table.surprise(TABLE)
    assert list(surprise.columns[:-1]) == [n for n in TABLE.columns if n not in ("number", "site")]
    assert np.allclose(surprise.sum(axis=1), -table.score_samples(TABLE), atol=1e-9)
    assert not np.allclose(surprise.iloc[:, :-1].sum(axis=1), -table.score_samples(TABLE), atol=0.1)  # control


def test_a_hidden_cell_costs_nothing(table):
    row = TABLE.dropna().head(1)
    holed = row.astype({"age": float}).assign(age=np.nan)
    assert table.surprise(holed)["age"].iloc[0] == 0
    assert table.surprise(row)["age"].iloc[0] != 0


def test_a_score_does_not_depend_on_the_batch(table):
    whole = table.score_samples(TABLE)
    assert np.array_equal(whole[7:8], table.score_samples(TABLE.iloc[[7]]))
    order = np.random.default_rng(0).permutation(300)
    assert np.array_equal(whole[order], table.score_samples(TABLE.iloc[order]))
    assert len(np.unique(whole)) > 250  # control: rows do differ


def test_scores_are_in_the_datas_own_scale(table):
    """The same data in other units: log p falls by log 1000 for each observed cell of the column."""
    scaled = TABLE.assign(cost=TABLE["cost"] * 1000)
    other = lt.VAE(**SMALL).fit(scaled)
    shift = table.score_samples(TABLE) - other.score_samples(scaled)
    assert np.allclose(shift, np.where(TABLE["cost"].notna(), np.log(1000), 0), atol=2e-2)


def test_imputation_touches_hidden_cells_only(table):
    filled = table.impute(TABLE)
    same_kind(filled)
    modelled = [n for n in TABLE if n not in ("number", "site")]
    assert filled[modelled].notna().all(axis=None)
    for name in TABLE:
        seen = TABLE[name].notna()
        pd.testing.assert_series_equal(filled[name][seen], TABLE[name][seen], check_exact=True)
    first, second = table.impute(TABLE, samples=2)
    assert not first.equals(second)
    same_kind(first)


def test_what_was_prepared_is_what_is_fitted(table):
    again = clone(table)
    prepared = prepare(TABLE, again)
    assert prepared.view.schema == table.schema_ and prepared.network.factors() == table.network_.factors()
    again.fit_prepared(prepared)
    assert np.array_equal(again.score_samples(TABLE), table.score_samples(TABLE))


def test_parameters_stand_in_one_table():
    names = [f.name for f in dataclasses.fields(Parameters)]
    assert names == list(inspect.signature(lt.VAE).parameters)
    kept_elsewhere = {"network", "guide", "objective", "schema", "constraints", "optimizer", "progress"}
    assert set(names) - set(KEPT) == kept_elsewhere
    assert set(lt.VAE().get_params()) == set(names)


def test_samples_look_like_the_table(table):
    rows = table.sample(50)
    same_kind(rows)
    assert rows["ward"].isin(TABLE["ward"].dropna().unique()).all()
    assert (rows["site"] == "A").all()
    assert "number" not in rows
    assert rows.equals(table.sample(50))
    assert not rows.equals(table.sample(50, seed=1))


@pytest.mark.slow
def test_given_is_held_and_moves_the_rest():
    vae = lt.VAE(latent=4, width=32, epochs=60).fit(clinic(1000, seed=1).drop(columns="admitted"))
    bed, free = (vae.sample(400, given={"mobility": m}) for m in ("bed", "free"))
    assert (bed["mobility"] == "bed").all()
    world = Clinic()
    truth = {m: world.conditional(pd.DataFrame({"mobility": [m]}), "nights").mean[0] for m in ("bed", "free")}
    assert np.sign(bed["nights"].mean() - free["nights"].mean()) == np.sign(truth["bed"] - truth["free"])
    assert abs(bed["nights"].mean() - free["nights"].mean()) > 0.3 * abs(truth["bed"] - truth["free"])


def test_latents_there_and_back(table):
    latents = table.transform(TABLE)
    assert list(latents.columns) == ["z0", "z1", "z2"]
    assert latents.index.equals(TABLE.index)
    back = table.inverse_transform(latents)
    again = table.reconstruct(TABLE)
    pd.testing.assert_frame_equal(
        back.drop(columns="site"), again[back.columns].drop(columns="site"), check_exact=False
    )


def test_log_likelihood_says_how_far_to_trust_it(table):
    found = table.log_likelihood(TABLE, draws=50)
    assert found.value == pytest.approx(found.per_row.mean())
    assert 1 <= found.effective_sample_size <= 50
    assert found.standard_error > 0
    assert "nats a row" in str(found)
    more = table.log_likelihood(TABLE, draws=1000)
    assert more.standard_error < found.standard_error
    assert abs(more.value - found.value) < 5 * found.standard_error + 0.05


def test_a_file_gives_the_same_answers_and_the_same_fit_the_same_file(table, tmp_path):
    table.save(tmp_path / "a.laten")
    again = lt.load(tmp_path / "a.laten")
    assert np.array_equal(again.score_samples(TABLE), table.score_samples(TABLE))
    assert again.sample(20).equals(table.sample(20))
    assert again.network_ == table.network_
    assert list(again.history_["epoch"]) == list(table.history_["epoch"])
    lt.VAE(**SMALL).fit(TABLE).save(tmp_path / "b.laten")
    assert (tmp_path / "a.laten").read_bytes() == (tmp_path / "b.laten").read_bytes()
    lt.VAE(**SMALL, seed=1).fit(TABLE).save(tmp_path / "c.laten")
    assert (tmp_path / "a.laten").read_bytes() != (tmp_path / "c.laten").read_bytes()  # control


@pytest.mark.slow
def test_labels_observed_in_some_rows(labelled, images):
    filled = labelled.impute(images)
    seen = ~np.isnan(images["y"])
    assert np.array_equal(filled["y"][seen], images["y"][seen])
    truth = lt.read("digits")["label"][:200]
    assert (filled["y"][~seen] == truth[~seen]).mean() > 0.4  # chance: 0.1
    assert (labelled.sample(5, given={"y": 3})["y"] == 3).all()


@pytest.mark.slow
def test_images_come_back_as_levels(labelled, images):
    again = labelled.reconstruct(images)
    assert again["x"].dtype == np.uint8
    assert again["x"].shape == images["x"].shape
    error = np.abs(again["x"].astype(float) - images["x"]).mean()
    assert error < 0.9 * np.abs(images["x"].mean(0) - images["x"]).mean()


@pytest.mark.slow
def test_a_whole_image_of_zeros_and_ones_is_still_levels(labelled, images):
    dark = {"x": np.zeros((2, 8, 8), np.uint8), "y": np.full(2, np.nan)}
    dark["x"][1] = 1
    with_neighbours = {"x": np.concatenate([dark["x"], images["x"][:3]]), "y": np.full(5, np.nan)}
    assert np.array_equal(labelled.score_samples(dark), labelled.score_samples(with_neighbours)[:2])


def test_fit_leaves_nothing_behind_when_it_fails(table):
    before = table.model_
    with pytest.raises(lt.LatenError):
        table.fit(TABLE.iloc[:0])
    assert table.model_ is before


FRAME = pd.DataFrame({"a": np.arange(40.0) ** 1.1, "b": list("xy") * 20})
NETWORK = lt.Network(z=lt.Normal(2), x=lt.Bernoulli(4).given("z"))
BAD_FITS = [
    (FRAME.iloc[:0], {}, ["0 rows"]),
    (FRAME.iloc[:1], {}, ["row"]),
    (pd.DataFrame({"c": [np.nan] * 5}), {}, ["'c'", "drop"]),
    (FRAME.assign(a=np.inf), {}, ["'a'", "inf"]),
    (pd.concat([FRAME, FRAME], axis=1), {}, ["'a'", "name"]),
    (FRAME[["b"]].assign(b="x"), {}, ["'b'", "constant"]),
    ("text", {}, []),
    (np.zeros((3, 2, 2), complex), {}, ["complex"]),
    ({"x": np.zeros((5, 3))}, {"network": NETWORK}, ["'x'", "(n, 4)", "(5, 3)"]),
    ({"w": np.zeros((5, 4))}, {"network": NETWORK}, ["'w'", "'x'"]),
    ({"x": np.full((5, 4), 7.0)}, {"network": NETWORK}, ["'x'", "binary"]),
    ({"x": np.full((5, 4), np.inf)}, {"network": NETWORK}, ["'x'", "infinit"]),
    (FRAME, {"network": NETWORK}, ["no column", "'x'"]),
    (FRAME, {"network": lt.Network(z=lt.Normal(2), a=lt.Normal(1).given("z"))}, ["'a'", "(1,)", "by itself is ()"]),
    (FRAME, {"latent": 0}, ["latent"]),
    (FRAME, {"epochs": 1.5}, ["epochs"]),
    (FRAME, {"progress": "loud"}, ["progress", "quiet"]),
    ({"x": np.zeros((5, 4))}, {"network": NETWORK, "binarise": "often"}, ["binarise", "dynamic"]),
]


@pytest.mark.parametrize(("data", "options", "words"), BAD_FITS, ids=range(len(BAD_FITS)))
def test_fits_that_cannot_be(data, options, words):
    with pytest.raises(lt.LatenError) as caught:
        lt.VAE(**{"epochs": 1} | options).fit(data)
    for word in words:
        assert word in str(caught.value)


BAD_QUESTIONS = [
    (lambda v: v.sample(0), ["n must be"]),
    (lambda v: v.sample(3, given={"ages": 3}), ["'ages'", "'age'"]),
    (lambda v: v.sample(3, given={"ward": "moon"}), ["'ward'", "'moon'", "surgical"]),
    (lambda v: v.sample(3, given={"number": "P1"}), ["'number'", "identifier"]),
    (lambda v: v.sample(3, given={"age": "old"}), ["'age'", "'old'"]),
    (lambda v: v.sample(3, given={"age": np.nan}), ["'age'", "no value"]),
    (lambda v: v.score_samples(TABLE.drop(columns="age")), ["'age'"]),
    (lambda v: v.score_samples(TABLE.assign(age="x")), ["'age'", "'x'"]),
    (lambda v: v.score_samples(TABLE.iloc[:0]), ["row"]),
    (lambda v: v.score_samples(np.zeros((3, 4))), ["DataFrame"]),
    (lambda v: v.impute(TABLE, 0), ["samples"]),
    (lambda v: v.impute(TABLE, draws=5), ["samples=5"]),
    (lambda v: v.log_likelihood(TABLE, draws=2.5), ["draws"]),
    (lambda v: v.inverse_transform(np.zeros((3, 4))), ["(rows, 3)", "(3, 4)"]),
    (lambda v: v.save("/nowhere/at/all.laten"), ["/nowhere/at/all.laten"]),
    (lambda v: lt.load("nothere.laten"), ["nothere.laten"]),
]


@pytest.mark.parametrize(("ask", "words"), BAD_QUESTIONS, ids=range(len(BAD_QUESTIONS)))
def test_questions_that_cannot_be(table, ask, words):
    with pytest.raises(lt.LatenError) as caught:
        ask(table)
    for word in words:
        assert word in str(caught.value)


def tampered(path, change) -> None:
    """Rewrites a model file's JSON."""
    with zipfile.ZipFile(path) as archive:
        head, weights = json.loads(archive.read("model.json")), archive.read("weights.safetensors")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.json", json.dumps(change(head)))
        archive.writestr("weights.safetensors", weights)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda h: h | {"format": 99}, ["99", "upgrade"]),
        (lambda h: [], ["not a model file"]),
        (lambda h: {k: v for k, v in h.items() if k != "guide"}, ["damaged"]),
        (lambda h: h | {"network": {"type": "os.system"}}, ["os.system"]),
        (lambda h: h | {"about": {}}, ["damaged"]),
        (lambda h: h | {"hidden": [1]}, ["damaged", "model.json.hidden[0]: Expected `str`, got `int`"]),
        (lambda h: h | {"about": h["about"] | {"stopped": 1}}, ["about.stopped: Expected `str`, got `int`"]),
        (lambda h: h | {"about": h["about"] | {"view": {"kind": "table"}}}, ["view: Object missing required field"]),
        (lambda h: h | {"hidden": []}, ["weight"]),
    ],
)
def test_files_that_lie_are_refused(table, tmp_path, change, words):
    path = tmp_path / "m.laten"
    table.save(path)
    tampered(path, change)
    with pytest.raises(lt.ModelFileError) as caught:
        lt.load(path)
    for word in ["m.laten", *words]:
        assert word in str(caught.value)


def test_a_truncated_file_and_a_net_of_ones_own(tmp_path):
    def mine(n_in: int, n_out: int, key):
        return lt.MLP(5)(n_in, n_out, key)

    network = lt.Network(z=lt.Normal(2), x=lt.Bernoulli(4).given("z", via=mine))
    x = np.random.default_rng(0).integers(0, 2, (30, 4))
    vae = lt.VAE(network, epochs=2).fit(x)
    vae.save(tmp_path / "m.laten")
    with pytest.raises(lt.ModelFileError, match="mine"):
        lt.load(tmp_path / "m.laten")
    again = lt.load(tmp_path / "m.laten", parts={"mine": mine})
    assert np.array_equal(again.score_samples(x), vae.score_samples(x))
    half = (tmp_path / "m.laten").read_bytes()[:900]
    (tmp_path / "half.laten").write_bytes(half)
    with pytest.raises(lt.ModelFileError, match="truncated"):
        lt.load(tmp_path / "half.laten")


def test_warns_where_draws_are_too_few():
    vae = lt.VAE(lt.Network(z=lt.Normal(20), x=lt.Normal(40, scale=0.05).given("z")), epochs=1)
    x = np.random.default_rng(0).normal(size=(60, 40))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        vae.fit({"x": x}).log_likelihood({"x": x}, draws=50)
    assert any("Pareto k" in str(w.message) for w in caught)


PLAIN = lt.VAE(latent=2, width=8, epochs=2, draws=5)
TELLING = (
    "cloneable", "tags_renamed", "valid_tag_types", "repr", "no_attributes_set_in_init", "estimators_unfitted",
    "do_not_raise_errors_in_init_or_set_params", "mixin_order", "complex_data", "estimators_empty_data_messages",
    "parameters_default_constructible", "get_params_invariance", "set_params", "fit1d", "n_features_in",
    "transformers_unfitted", "transformer_general", "dict_unchanged", "fit_idempotent", "estimators_pickle",
)  # fmt: skip


def name_of(check: functools.partial) -> str:
    return check.func.__name__.removeprefix("check_").removeprefix("estimator_")


@pytest.mark.parametrize(
    "check", [c for _, c in estimator_checks_generator(PLAIN) if name_of(c) in TELLING and not c.keywords], ids=name_of
)
def test_the_telling_ones_of_scikit_learns_checks(check):
    check(clone(PLAIN))


@pytest.mark.slow
@parametrize_with_checks(
    [PLAIN],
    expected_failed_checks=lambda estimator: dict.fromkeys(
        ("check_sample_weight_equivalence_on_dense_data", "check_sample_weight_equivalence_on_sparse_data"),
        "rows are visited in an order of chance: weights are as repeated rows in the loss, not in each draw",
    ),
)
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


@pytest.mark.slow
def test_a_column_named_like_the_latent_keeps_its_surprise():
    frame = pd.DataFrame({"z": RNG.normal(size=60), "c": list("ab") * 30})
    vae = lt.VAE(latent=2, width=8, epochs=2, draws=5).fit(frame)
    surprise = vae.surprise(frame)
    assert list(surprise) == ["z", "c", "z (latent)"]
    assert np.allclose(surprise.sum(axis=1), -vae.score_samples(frame))


@pytest.mark.slow
def test_latents_that_are_observed_are_known(labelled, images):
    """Whatever labels a batch lacks, `transform` has the same columns, and a label that is given is certain."""
    truth = lt.read("digits")["label"][:200]
    whole = labelled.transform({"x": images["x"], "y": truth})
    assert whole.shape == (200, 13)
    assert np.array_equal(whole[:, :10], np.eye(10)[truth])
    none = labelled.transform({"x": images["x"]})
    assert np.array_equal(none, labelled.transform({"x": images["x"], "y": np.full(200, np.nan)}))
    assert not np.array_equal(none[:, :10], whole[:, :10])  # control
    mixed = labelled.transform(images)
    assert np.array_equal(mixed[1::2], whole[1::2])
    assert np.array_equal(mixed[::2], none[::2])


def test_equal_rows_share_their_error(table):
    four = TABLE.head(4)
    once = table.log_likelihood(four, draws=50)
    often = table.log_likelihood(pd.concat([four] * 25, ignore_index=True), draws=50)
    assert often.standard_error == pytest.approx(once.standard_error)
    assert often.value == pytest.approx(once.value)


def test_an_observed_normal_root_is_learned():
    a = 50 + 3 * RNG.normal(size=(200, 1))
    vae = lt.VAE(lt.Network(a=lt.Normal(1)), epochs=20).fit({"a": a})
    assert vae.score(a) == pytest.approx(-0.5 * np.log(2 * np.pi * np.e * a.var()), abs=0.05)


def test_the_imputer_fills_new_rows_with_what_it_learned(table):
    imputer = lt.Imputer(lt.VAE(**SMALL)).fit(TABLE)
    assert imputer.transform(TABLE).equals(table.impute(TABLE))  # the same options and seed
    assert list(imputer.get_feature_names_out()) == list(TABLE.columns)


@pytest.mark.slow
def test_the_imputer_is_a_step_of_a_pipeline():
    x = RNG.normal(size=(80, 3))
    holed = np.where(RNG.random(x.shape) < 0.2, np.nan, x)
    imputer = lt.Imputer(lt.VAE(latent=2, width=8, epochs=2, draws=5), statistic="median")
    pipeline = make_pipeline(imputer, LinearRegression()).fit(holed, x[:, 0])
    assert np.isfinite(pipeline.predict(holed[:5])).all()
    seen = ~np.isnan(holed)
    assert np.array_equal(pipeline[0].transform(holed)[seen], holed[seen])
    with pytest.raises(NotFittedError):
        clone(imputer).transform(holed)


def test_a_column_without_any_value_is_set_aside():
    frame = FRAME.assign(nothing=np.nan)
    vae = lt.VAE(epochs=1, latent=1, width=4).fit(frame)
    assert vae.schema_["nothing"].reason == "no value at all: set aside"
    assert vae.impute(frame)["nothing"].isna().all() and "nothing" not in vae.sample(3)
    assert np.isfinite(vae.score_samples(frame)).all()


def test_rows_without_any_value_teach_nothing_and_break_nothing():
    """Half of the rows are all empty, in blocks as long as a batch: the weights and the history stay finite."""
    frame = TABLE[["age", "sex", "crp"]].copy()
    frame.iloc[:150] = np.nan
    vae = lt.VAE(latent=2, width=8, epochs=4, batch_size=16, draws=20).fit(frame)
    assert np.isfinite(vae.history_.drop(columns="kept").to_numpy(float)).all()
    scores = vae.score_samples(frame)
    assert np.isfinite(scores).all() and np.abs(scores[:150]).max() < 1 < np.abs(scores[150:]).min()
    assert not vae.impute(frame).isna().any().any()
