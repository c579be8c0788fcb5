"""What `laten.quality` says of generators that are perfect, or wrong in one known way."""

import numpy as np
import pandas as pd
import pytest

import laten as lt
from laten.common.errors import DataError
from laten.synthetic.quality import quality
from laten.synthetic.result import MEASURES

LEAKS = ["nearest record, median", "nearest record, 5th percentile", "closer to training", "membership attack"]


def test_rows_of_the_same_world_pass(world):
    q = world.found
    assert not q.left_out and list(q.frame["measure"]) == list(MEASURES)
    assert q["column shapes"] < 0.06 and q["pair trends, same bins"] < 0.09 and q["missing cells"] < 0.02
    assert q["rare levels present"] == 1 and 0.5 < q["rare levels' frequency"] < 2
    for name in ("detection, trees", "detection, linear"):
        assert abs(q[name] - 0.5) < 0.06
    assert q["exact copies"] == 0
    assert abs(q["nearest record, median"] - 1) < 0.1 and abs(q["membership attack"] - 0.5) < 0.05
    assert abs(q["closer to training"] - 0.5) < 0.06
    gap = q.frame.set_index("measure").loc["train on synthetic"]
    assert abs(gap["value"] - gap["reference"]) < 0.05 and gap["value"] > 0.8


def test_columns_shuffled_apart_fail_pairs_detection_and_use(world):
    rng = np.random.default_rng(0)
    apart = pd.DataFrame({c: rng.permutation(world.real[c].to_numpy(copy=True)) for c in world.real})
    q = quality(world.real, apart, world.holdout, target="income")
    assert q["column shapes"] == 0 and q["missing cells"] == 0  # each column by itself is perfect
    assert q["pair trends"] > 0.2 and q["pair trends, same bins"] > 3 * world.found["pair trends, same bins"]
    assert q["detection, trees"] > 0.9 and q["detection score, trees"] < 0.2
    assert abs(q["train on synthetic"] - 0.5) < 0.15
    pair = q.worst_pairs(1)
    assert set(pair.index[0]) <= {"age", "wage", "income", "born"} and pair.iloc[0] > 0.3


@pytest.mark.parametrize("noise", [0.0, pytest.param(0.01, marks=pytest.mark.slow)])
def test_the_training_rows_handed_out_again_fail_privacy(world, noise):
    rng = np.random.default_rng(0)
    copy = world.real.sample(frac=1, random_state=0)
    copy["age"] += noise * rng.normal(size=len(copy))
    q = quality(world.real, copy, world.holdout)
    assert q["column shapes"] < 0.01
    assert q["exact copies"] == (1 if noise == 0 else 0)
    assert q["nearest record, median"] < 0.1 and q["closer to training"] > 0.95 and q["membership attack"] > 0.95


def test_noise_is_detected(world):
    rng = np.random.default_rng(0)
    noisy = world.real.assign(age=world.real["age"] + rng.normal(0, 12, len(world.real)))
    q = quality(world.real, noisy)
    assert q["detection, trees"] > 0.8 and q.columns["error"].idxmax() == "age"
    assert "age" in q.worst_pairs(1).index[0]


def test_lost_levels_and_holes_are_seen(world):
    poor = world.real.assign(
        city=world.real["city"].where(~world.real["city"].isin(["Ende", "Kupang", "Ternate"]), "Medan"),
        wage=world.real["wage"].fillna(3000.0),
    )
    q = quality(world.real, poor)
    assert q["rare levels' frequency"] < 0.7 and q["rare levels present"] < 1
    assert q["missing cells"] == pytest.approx(world.real["wage"].isna().mean() / 5)
    assert q.columns.loc["wage", "missing_synthetic"] == 0 and q.columns.loc["wage", "error"] > 0.03


def test_a_hold_out_smaller_than_the_training_rows_moves_chance(world):
    q = quality(world.real, world.synthetic, world.holdout[:200])
    assert q.frame.set_index("measure").loc["closer to training", "reference"] == 0.75
    assert abs(q["closer to training"] - 0.75) < 0.06


@pytest.mark.parametrize(
    ("target", "least"), [("age", 0.9), ("city", 0.6), pytest.param("born", 0.9, marks=pytest.mark.slow)]
)
def test_use_by_any_sort_of_target(world, target, least):
    q = quality(world.real, world.synthetic, world.holdout, target=target)
    row = q.frame.set_index("measure").loc["train on synthetic"]
    assert least < row["value"] < row["reference"] + 0.05
    assert ("AUC" if target == "city" else "R²") in row["meaning"]


def test_figures_follow_the_seed_and_rows_cap_what_is_seen(world):
    tables = (world.real, world.synthetic, world.holdout)
    a, b, c = (quality(*tables, rows=100, seed=s) for s in (3, 3, 4))
    pd.testing.assert_frame_equal(a.frame, b.frame)
    assert a["detection, trees"] != c["detection, trees"] and a["pair trends"] == c["pair trends"]
    assert "at most 100 rows" in str(a) and "at most" not in world.found.note


def test_the_schema_decides_and_the_rest_is_set_aside(world):
    assert set(world.found.set_aside) == {"number", "land"}
    assert "identifier" in world.found.set_aside["number"] and "constant" in world.found.set_aside["land"]
    assert list(world.found.columns.index) == list(world.found.pairs) == ["age", "wage", "income", "city", "born"]
    schema = lt.infer_schema(world.real[["age", "city", "income"]]).with_kind("age", "text")
    q = quality(world.real, world.synthetic, schema=schema)
    assert list(q.columns.index) == ["city", "income"] and q.set_aside["born"] == "not in the schema"


def test_without_hold_out_or_target_measures_are_left_out_with_a_reason(world):
    q = quality(world.real, world.synthetic, target="income")
    assert set(q.left_out) == {*LEAKS, "train on synthetic"}
    assert all("hold-out" in why for why in q.left_out.values())
    assert q.frame["reference"].isna().all()
    with pytest.raises(DataError, match="'membership attack' was left out: needs a hold-out"):
        q["membership attack"]
    assert "name a column" in quality(world.real, world.synthetic, world.holdout).left_out["train on synthetic"]


@pytest.mark.parametrize(
    ("frames", "left_out"),
    [
        (lambda w: (w.real, w.synthetic[:10], w.holdout), "detection, trees"),
        (lambda w: (w.real[["age"]], w.synthetic[["age"]]), "pair trends"),
        (lambda w: (w.real[["age", "born"]], w.synthetic[["age", "born"]]), "rare levels present"),
        (lambda w: (w.real[["income"]], w.synthetic[["income"]], w.holdout[["income"]]), "nearest record, median"),
        (lambda w: (w.real, w.synthetic, w.holdout.assign(income=">50K")), "train on synthetic"),
        (lambda w: (w.real, w.synthetic.assign(income=None), w.holdout), "train on synthetic"),
    ],
    ids=["few rows", "one column", "no classes", "only copies", "one class", "no target"],
)
def test_small_and_odd_tables_are_judged_as_far_as_can_be(world, frames, left_out):
    tables = frames(world)
    target = "income" if "income" in tables[0] and len(tables[0].columns) > 1 else None
    q = quality(*tables, target=target)
    assert left_out in q.left_out and np.isfinite(q["column shapes"]) and q.left_out[left_out] in str(q)


def test_a_generator_that_collapsed_is_as_bad_as_can_be(world):
    q = quality(world.real, world.real.assign(age=45.0, city="Medan", wage=np.nan, income=">50K"), world.holdout,
                target="income")  # fmt: skip
    assert q.columns.loc["wage", "error"] == 1 and q["train on synthetic"] == 0.5
    assert q["pair trends"] > 0.3 and q["detection, trees"] > 0.99


BAD = [
    (lambda w: {"synthetic": w.synthetic.drop(columns="age")}, "synthetic: .*lacks .'age'"),
    (lambda w: {"synthetic": w.synthetic.assign(extra=1)}, "synthetic: .*has .'extra'. besides"),
    (lambda w: {"holdout": w.holdout.rename(columns={"age": "Age"})}, "hold-out: .*lacks .'age'. and has .'Age'"),
    (lambda w: {"synthetic": w.synthetic[:0]}, "synthetic: the frame has 0 rows"),
    (lambda w: {"real": w.real[:0]}, "real: the frame has 0 rows"),
    (lambda w: {"synthetic": w.synthetic.to_numpy()}, "synthetic: .*lacks .'number', 'age'.* and has .0"),
    (lambda w: {"synthetic": 3}, "synthetic: expected a table with two dimensions"),
    (lambda w: {"synthetic": w.synthetic.assign(age="old")}, "synthetic: column 'age': expected numbers.*'old'"),
    (lambda w: {"holdout": w.holdout.assign(wage=np.inf)}, "hold-out: column 'wage': .*infinity"),
    (lambda w: {"synthetic": w.synthetic.assign(born="soon")}, "synthetic: column 'born': expected dates"),
    (lambda w: {"synthetic": w.synthetic.assign(income="rich")}, "column 'income': the tables share no level"),
    (lambda w: {"target": "incom"}, "no target column 'incom'; did you mean 'income'"),
    (lambda w: {"target": "land"}, "target 'land' is set aside .constant"),
    (lambda w: {"rows": 3}, "rows must be a whole number of at least 10, not 3"),
    (lambda w: {"real": w.real[["land"]], "synthetic": w.real[["land"]]}, "no column can be compared"),
    (lambda w: {"schema": lt.infer_schema(w.real.assign(more=w.real["age"]))}, "the schema knows columns .'more'"),
]


@pytest.mark.parametrize(("change", "words"), BAD)
def test_bad_input_is_refused_in_words(world, change, words):
    given = {"real": world.real, "synthetic": world.synthetic} | change(world)
    with pytest.raises(DataError, match=words):
        quality(given.pop("real"), given.pop("synthetic"), given.pop("holdout", None), **given)


def test_any_dtypes_and_names(world):
    def odd(frame):
        made = frame.drop(columns=["number", "land"]).assign(
            city=frame["city"].astype("category"), rich=(frame["income"] == ">50K").astype("boolean"),
            years=frame["age"].round().astype("Int64"),
        )  # fmt: skip
        return made.set_axis(range(len(made.columns)), axis=1)

    q = quality(odd(world.real), odd(world.synthetic)[[6, 5, 4, 3, 2, 1, 0]], odd(world.holdout), target=2)
    assert q["detection, trees"] < 0.58 and q["exact copies"] == 0
    assert q["pair trends"] == pytest.approx(quality(odd(world.real), odd(world.synthetic))["pair trends"])


def test_it_is_called_by_its_public_name_whatever_was_imported(world):
    assert lt.quality is quality
    assert repr(world.found).startswith("Quality(column shapes ")
    assert "Worst pairs: " in str(world.found) and "Set aside: number: identifier" in str(world.found)
    with pytest.raises(DataError, match="did you mean 'pair trends'"):
        world.found["pair trend"]


def test_rows_without_holes_beside_a_table_with_many_are_told(world):
    real = world.real.assign(age=world.real["age"].mask(np.arange(len(world.real)) % 3 == 0))
    said = "Synthetic rows have no empty cells, the real table has 33"
    assert said in str(quality(real, world.synthetic.dropna())) and said not in str(quality(real, real))
