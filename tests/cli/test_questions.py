"""predict, outliers, compare, drift; flags and intervals of impute; ids carried through; what waits is shown."""

import io
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.progress import Progress

import laten as lt
from laten.cli import waiting as waits
from laten.cli.waiting import together, waiting
from laten.cli.work.predict import agreement, as_fitted
from laten.inference.asking import WATCHED

pytestmark = [pytest.mark.trains, pytest.mark.filterwarnings("ignore:log-likelihood")]


def table_of(text: str, **options: object) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text), **options)


def named(tmp: Path) -> str:
    """The people, with a column that names them."""
    frame = pd.read_csv("people.csv")
    frame.insert(0, "who", [f"p{i:03d}" for i in range(len(frame))])
    frame.to_csv(tmp / "named.csv", index=False)
    return str(tmp / "named.csv")


def test_predict_gives_values_probabilities_and_intervals(table, laten, tmp_path):
    ran = laten("predict", table.model, table.data, "--column", "city", "--proba")
    rows = table_of(ran.out)
    assert list(rows) == ["row", "city", "p(Bandung)", "p(Jakarta)", "p(Medan)"] and len(rows) == 40
    np.testing.assert_allclose(rows.filter(like="p(").sum(axis=1), 1, atol=1e-5)
    expected = lt.load(table.model).predict(lt.read(table.data), "city")
    assert list(rows["city"]) == list(expected) and "Right in" in ran.err
    ran = laten("predict", table.model, named(tmp_path), "--column", "height", "--interval", "--id", "who",
                "--given", "city=Medan", "--given", "shoe=38..41")  # fmt: skip
    rows = table_of(ran.out)
    assert list(rows) == ["who", "height", "height_low", "height_high"] and rows["who"].iloc[7] == "p007"
    assert (rows["height_low"] <= rows["height_high"]).all() and "Mean absolute error" in ran.err
    assert "--proba gives" in laten("predict", table.model, table.data, "--column", "city", "--interval").err
    assert "did you mean 'city'" in laten("predict", table.model, table.data, "--column", "sity").err


def test_ids_are_carried_through(table, laten, tmp_path):
    data = named(tmp_path)
    for command in ("score", "embed"):
        rows = table_of(laten(command, table.model, data, "--id", "who").out)
        assert next(iter(rows)) == "who" and list(rows["who"])[:2] == ["p000", "p001"]
    rows = table_of(laten("outliers", table.model, data, "--id", "who", "--join", "--top", 4).out)
    assert list(rows)[:4] == ["who", "log_p", "error", "why"] and "city" in rows and "who_" not in rows
    assert rows["log_p"].is_monotonic_increasing and len(rows) == 4


@pytest.mark.slow
def test_outliers_of_data_are_those_of_a_model_fitted_to_them(laten, monkeypatch):
    small = lt.Detector(vae=lt.VAE(latent=1, width=4, epochs=1))
    monkeypatch.setattr("laten.cli.work.faces.Detector", lambda: small)
    ran = laten("outliers", "people.csv", "--top", 3, "--by-column")
    rows = table_of(ran.out)
    assert (
        len(rows) == 3
        and {"row", "score", "log_p", "error", "height", "city"} <= set(rows)
        and rows["score"].is_monotonic_increasing
        and "fitted to people.csv" in ran.err
    )


@pytest.mark.slow
def test_impute_and_sample_fit_to_data_where_no_model_is_given(laten, monkeypatch):
    small = lt.VAE(latent=1, width=4, epochs=1)
    monkeypatch.setattr("laten.cli.work.faces.Imputer", lambda: lt.Imputer(small))
    monkeypatch.setattr("laten.cli.work.faces.Synthesizer", lambda: lt.Synthesizer(small))
    before = pd.read_csv("people.csv", dtype=str)
    before.to_csv("semi.txt", sep=";", index=False)
    ran = laten("impute", "semi.txt", "--sep", ";", "--save", "kept.laten", "--samples", 1)
    after = table_of(ran.out, dtype=str).drop(columns="sample")
    assert "No model is given" in ran.err and "kept.laten keeps it" in ran.err and not after.isna().any(axis=None)
    pd.testing.assert_frame_equal(after.where(before.notna()), before)  # to the letter
    assert laten("impute", "kept.laten", "semi.txt", "--samples", 1).out == ran.out
    ran = laten("sample", "people.csv", "-n", 3, "--given", "city=Medan")
    rows = table_of(ran.out)
    assert list(rows["city"]) == ["Medan"] * 3 and "--save people.laten keeps it" in ran.err
    assert "is a model; say which rows" in laten("impute", "kept.laten").err
    assert "leave it out" in laten("impute", "kept.laten", "semi.txt", "--save", "other.laten").err
    assert "leave it out" in laten("sample", "kept.laten", "--sep", ";").err
    Path("kept.laten").rename("kept")
    assert len(table_of(laten("sample", "kept", "-n", 2).out)) == 2
    np.save("images.npy", np.zeros((9, 4, 4), np.uint8))
    assert "-o FILE.npy" in laten("impute", "images.npy").err


def test_impute_flags_what_it_filled_and_says_how_sure(table, laten):
    before = pd.read_csv(table.data, dtype=str)
    after = table_of(laten("impute", table.model, table.data, "--flag", "--interval").out, dtype=str)
    assert list(after)[: len(before.columns)] == list(before)
    for name in ("height", "city", "shoe"):
        assert (after[f"{name}_filled"] == before[name].isna().astype(int).astype(str)).all()
    assert "born_filled" not in after and "city_low" not in after
    low, value, high = (after[n].astype(float) for n in ("height_low", "height", "height_high"))
    assert low[3] < value[3] < high[3] and (low.drop(3) == value.drop(3)).all()
    told = table_of(laten("impute", table.model, table.data, "--given", "city=Medan").out, dtype=str)
    assert told["city"][5] == "Medan" and (told["city"].drop(5) == before["city"].drop(5)).all()
    assert "one value a column" in laten("impute", table.model, table.data, "--given", "shoe=38..40").err


@pytest.mark.slow
def test_compare_says_which_is_better_and_writes_rows(table, laten, tmp_path):
    short = ("--epochs", 1, "--latent", 1, "--width", 3, "--kind", "shoe=real", "-q")
    assert laten("fit", table.data, "-o", "other.laten", *short).code == 0
    ran = laten("compare", table.model, "other.laten", named(tmp_path), "-o", "d.csv", "--id", "who", "--draws", 20)
    rows = pd.read_csv("d.csv")
    assert ran.code == 0 and "nats" in ran.out and "bits" in ran.out and "40 rows" in ran.out
    assert list(rows) == ["who", "log_p_a", "log_p_b", "difference"]
    np.testing.assert_allclose(rows["log_p_a"] - rows["log_p_b"], rows["difference"])
    assert laten("fit", table.data, "-o", "less.laten", "--kind", "city=text", *short).code == 0
    assert "different columns" in laten("compare", table.model, "less.laten", table.data).err


def test_drift_and_fit_know_the_held_out_rows(table, laten):
    assert "Held-out rows (4): log p" in table.log and "a tree of pairs" in table.log
    assert (
        "held-out log p" in laten("info", table.model).out and "independent columns" in laten("info", table.model).out
    )
    calm = laten("drift", table.model, table.data)
    assert calm.code == 0 and "No drift" in calm.out and "As wholes" in calm.out
    frame = pd.read_csv(table.data)
    frame["height"] += 40
    frame.loc[:25, "city"] = "Bogor"
    frame.to_csv("new.csv", index=False)
    ran = laten("drift", table.model, "new.csv", "-o", "moved.csv")
    assert "median" in ran.out and "'Bogor'" in ran.out and len(pd.read_csv("moved.csv")) == 5


def test_what_waits_is_shown_late_on_a_terminal_and_never_elsewhere(monkeypatch, capsys):
    with waiting("scoring rows") as state:
        assert WATCHED.get() == state.update and [len(p) for p in state.parts(np.zeros(10), 4)] == [4, 4, 2]
    assert WATCHED.get() is None and capsys.readouterr() == ("", "")
    made: list[Progress] = []
    bar = waits.bar
    monkeypatch.setattr(waits, "bar", lambda: made.append(bar()) or made[-1])
    monkeypatch.setattr(waits, "PATIENCE", 0.05)
    monkeypatch.setattr("sys.stderr", type("Terminal", (io.StringIO,), {"isatty": lambda self: True})())
    with waiting("scoring rows") as state:
        parts = []
        for part in state.parts({"x": np.arange(100)}, 50):
            time.sleep(0.1)
            state.update(1, 2)
            parts.append({"x": part["x"] * 2})
            assert made[0].tasks[0].completed == 25 + 50 * (len(parts) - 1) and made[0].tasks[0].total == 100
    assert not made[0].live.is_started
    np.testing.assert_array_equal(together(parts)["x"], np.arange(100) * 2)
    with waiting("nothing much"):
        pass
    assert len(made) == 1  # control: what is quick is not shown


@pytest.mark.slow
def test_rows_in_parts_are_answered_as_one(table, laten, monkeypatch):
    commands = [("impute", table.model, table.data), ("embed", table.model, table.data),
                ("predict", table.model, table.data, "--column", "height")]  # fmt: skip
    whole = [laten(*c).out for c in commands]
    parts = waits.Waiting.parts
    monkeypatch.setattr(waits.Waiting, "parts", lambda self, data, size=7: parts(self, data, min(size, 7)))
    assert [laten(*c).out for c in commands] == whole


def test_predictions_are_compared_in_the_way_of_their_kind():
    frame = pd.DataFrame({"won": [0, 1] * 6, "on": pd.date_range("2020-01-01", periods=12), "x": np.arange(12) / 8})
    schema = lt.infer_schema(frame)
    missed = frame.assign(won=[0] * 12, on=frame["on"] + pd.Timedelta(days=2))
    said = {name: agreement(missed[name], frame[name], schema[name]) for name in ("won", "on")}
    assert said["won"].startswith("Right in 50.0% of the 12 rows")
    assert said["on"].startswith("Mean absolute error 2 days in")


def test_predictions_are_written_as_the_fitted_file_was(tmp_path):
    (tmp_path / "de.csv").write_text("kg;ja\n" + "".join(f"{i},{i % 7}5;{i % 2}\n" for i in range(40)))
    schema = lt.infer_schema(lt.read(tmp_path / "de.csv"))
    found = as_fitted(pd.DataFrame({"kg": [3.456], "kg_low": [1.0], "kg_high": [9.5]}), schema["kg"])
    assert found.iloc[0].tolist() == ["3,46", "1,00", "9,50"]
