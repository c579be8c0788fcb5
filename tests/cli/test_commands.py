"""Each command, as a user would run it: what comes out, where, and in which format."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import laten as lt
from laten.cli.data_in_out import ARRAYS, TABLES
from laten.cli.work.fit import stem
from laten.data.files import write as writing
from laten.data.rows.evidence_text import understood
from laten.estimator import prepare

pytestmark = pytest.mark.trains


def table_of(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text))


def test_fit_shows_the_schema_and_says_where_the_model_lies(table):
    assert "because" in table.log and "set by hand" in table.log  # shoe=real
    assert "Held-out bound on log p(row)" in table.log and "nats a row" in table.log
    assert f"Wrote {table.model}" in table.log


def test_fit_of_images_says_how_pixels_are_shown_and_what_it_leaves_aside(images):
    assert "30 arrays of 4 × 5, grey pixels binarised: dynamic; not used: ['label']" in images.log


def test_fit_writes_what_python_fits(table, laten):
    frame = lt.read(table.data)
    schema = lt.infer_schema(frame).with_kind("shoe", "real")
    vae = lt.VAE(epochs=2, latent=2, width=4, batch_size=16, schema=schema).fit(frame)
    vae.save("again.laten")
    with zipfile.ZipFile("again.laten") as ours, zipfile.ZipFile(table.model) as typed:
        for part in ("model.json", "weights.safetensors"):  # the command line also scores held-out rows
            assert ours.read(part) == typed.read(part)


@pytest.mark.slow
def test_fit_prepares_once_what_it_shows_and_fits(table, laten, monkeypatch):
    calls, propose = [], prepare.propose
    monkeypatch.setattr(prepare, "propose", lambda *given: calls.append(given) or propose(*given))
    ran = laten("fit", table.data, "--epochs", 1, "--latent", 1, "--width", 3, "--batch-size", 16, "-o", "once.laten")
    assert ran.code == 0 and "Network: p(z)" in ran.err and len(calls) == 1


def test_help_shows_brackets(laten):
    assert "laten[lab]" in laten("audit", "--help").out


def test_fit_quietly_with_every_option(table, laten):
    ran = laten(
        "fit", table.data, "-q", "--objective", "iwae", "--draws", 3, "--epochs", 1, "--latent", 1, "--width", 3,
        "--no-hide", "--validation", 0, "--patience", 0, "--learning-rate", 0.01, "--seed", 3, "--batch-size", 8,
        "--kind", "city=ordinal:Medan,Jakarta,Bandung", "--kind", "born=text",
    )  # fmt: skip
    assert ran == (0, "", "")
    vae = lt.load("people.laten")
    assert (vae.objective, vae.latent, vae.width, vae.hide, vae.seed) == (lt.Iwae(3), 1, 3, False, 3)
    assert vae.schema_["city"].levels == ("Medan", "Jakarta", "Bandung")
    assert "born" in {c.name for c in vae.schema_.set_aside}
    assert "valid_bound" not in vae.history_


@pytest.mark.slow
def test_an_empty_column_stops_no_command(laten):
    """It is set aside with a word of it, whatever else is said of it; what marks missing cells is no level."""
    marks = ["-", ".", "x", ""]
    rows = [f"{i * 7 % 11}.25,,{marks[i // 9 % 4] if i % 9 == 0 else i}" for i in range(108)]
    Path("gaps.csv").write_text("a,remarks,b\n" + "\n".join(rows) + "\n")
    for more in ([], ["--kind", "remarks=text"]):
        ran = laten("fit", "gaps.csv", "-o", "gaps.laten", "--epochs", "1", "--width", "4", *more)
        assert ran.code == 0 and ("set by hand" if more else "no value at all") in ran.err
    filled = table_of(laten("impute", "gaps.laten", "gaps.csv").out)
    assert filled["remarks"].isna().all() and pd.api.types.is_numeric_dtype(filled["b"])
    assert laten("schema", "gaps.csv").code == 0 and "remarks" not in laten("sample", "gaps.laten", "-n", "2").out


@pytest.mark.slow
def test_fit_that_leaves_odd_rows_out(table, laten):
    short = ("fit", table.data, "--trim", 0.25, "--epochs", 1, "--latent", 1, "--width", 3, "--batch-size", 16)
    assert laten(*short, "-q", "-o", "robust.laten").code == 0
    vae = lt.load("robust.laten")
    assert vae.trim == 0.25 and not vae.presentation_.hide
    ran = laten(*short, "--objective", "iwae")
    assert ran.code == 2 and "leave out --trim or --objective" in ran.err
    assert "trim" in laten("fit", table.data, "--trim", 1).err


@pytest.mark.parametrize("data", ["a/b/adult.csv", "adult.csv.gz", "adult"])
def test_a_model_is_called_as_its_data(data):
    assert stem(data) == "adult"


def test_sample_holds_what_is_given(table, laten):
    ran = laten("sample", table.model, "-n", 7, "--given", "income=>50K", "--given", "born=1985-03-04")
    rows = table_of(ran.out)
    assert ran.code == 0 and list(rows) == ["height", "income", "city", "shoe", "born", "country"]
    assert len(rows) == 7 and set(rows["income"]) == {">50K"} and set(rows["born"]) == {"1985-03-04"}
    assert set(rows["country"]) == {"Indonesia"} and set(rows["city"]) <= {"Bandung", "Jakarta", "Medan"}


@pytest.mark.slow
def test_sample_inside_ranges_and_any_of_several(table, laten):
    ranges = ("--given", "height=170..180", "--given", "born=1985-03-04..")
    rows = table_of(laten("sample", table.model, "-n", 40, *ranges).out)
    assert rows["height"].between(170, 180).all() and (pd.to_datetime(rows["born"]) >= "1985-03-04").all()
    cities = ("--given", "city=Bandung", "--given", "city=medan")
    rows = table_of(laten("sample", table.model, "-n", 40, *cities).out)
    assert set(rows["city"]) == {"Bandung", "Medan"}
    free = table_of(laten("sample", table.model, "-n", 40).out)  # control
    assert not free["height"].between(170, 180).all() and len(set(free["city"])) == 3


def test_sample_follows_the_seed(table, laten):
    first, again, other = (laten("sample", table.model, "--seed", s).out for s in (1, 1, 2))
    assert first == again != other


def test_output_follows_the_extension(table, laten):
    text = laten("sample", table.model).out
    for name, reader in (
        ("rows.csv", pd.read_csv),
        ("rows.parquet", pd.read_parquet),
        ("rows.feather", pd.read_feather),
    ):
        ran = laten("sample", table.model, "-o", name)
        assert ran == (0, "", ""), name
        np.testing.assert_allclose(reader(name)["height"], table_of(text)["height"])
    assert Path("rows.csv").read_text() == text


def test_score_is_log_p_of_each_row(table, laten):
    ran = laten("score", table.model, table.data, "--draws", 20)
    rows = table_of(ran.out)
    expected = lt.load(table.model).log_likelihood(lt.read(table.data), 20)
    np.testing.assert_array_equal(rows["row"], np.arange(40))
    assert (abs(rows["log_p"] - expected.per_row) < 0.2 * expected.errors).all()  # as many digits as the error allows
    assert rows["log_p"].astype(str).str.len().max() <= 7
    assert f"40 rows: {expected}" in ran.err and "above independent columns" in ran.err.replace("below", "above")
    assert laten("score", table.model, table.data, "--draws", 20, "-o", "s.parquet").code == 0
    np.testing.assert_allclose(pd.read_parquet("s.parquet")["log_p"], expected.per_row, rtol=1e-6)


def test_score_by_column_adds_up(table, laten):
    rows = table_of(laten("score", table.model, table.data, "--by-column", "--draws", 20).out)
    whole = table_of(laten("score", table.model, table.data, "--draws", 20).out)
    assert list(rows) == ["row", "height", "income", "city", "shoe", "born", "z"]
    total = rows.drop(columns="row").sum(axis=1)
    assert (abs(total + whole["log_p"]) < 0.2 * whole["error"] + 1e-3).all()


def test_impute_fills_holes_and_nothing_else(table, laten):
    ran = laten("impute", table.model, table.data)
    before, after = (pd.read_csv(at, dtype=str) for at in (table.data, io.StringIO(ran.out)))
    assert "Filled 3 of 200 cells" in ran.err
    assert not after.isna().any().any() and list(after) == list(before)
    assert ((after == before) | before.isna()).all().all()  # to the letter
    assert after["shoe"].str.fullmatch(r"\d+\.0").all()  # filled as the column is written: 41.0


def test_impute_several_times_stacks_numbered_copies(table, laten):
    rows = table_of(laten("impute", table.model, table.data, "--samples", 3).out)
    assert list(rows)[:2] == ["sample", "height"] and len(rows) == 120
    np.testing.assert_array_equal(rows["sample"], np.repeat([0, 1, 2], 40))
    assert rows["height"].iloc[[3, 43, 83]].nunique() > 1 and rows["height"].iloc[[0, 40, 80]].nunique() == 1


def test_embed_and_reconstruct(table, laten):
    latents = table_of(laten("embed", table.model, table.data).out)
    assert list(latents) == ["row", "z0", "z1"] and len(latents) == 40
    again = table_of(laten("reconstruct", table.model, table.data).out)
    assert len(again) == 40 and not again.isna().any().any()


def test_images_go_in_and_out_as_arrays(images, laten):
    assert laten("sample", images.model, "-n", 3, "-o", "s.npy").code == 0
    assert np.load("s.npy").shape == (3, 4, 5)
    for command in ("reconstruct", "impute"):
        assert laten(command, images.model, images.data, "-o", f"{command}.npz").code == 0
        with np.load(f"{command}.npz") as found:
            assert found.files == ["x"] and found["x"].shape == (30, 4, 5) and found["x"].dtype == np.uint8
    assert laten("impute", images.model, images.data, "--samples", 2, "-o", "two.npy").code == 0
    assert np.load("two.npy").shape == (2, 30, 4, 5)
    ran = laten("score", images.model, images.data, "--draws", 5)
    assert list(table_of(ran.out)) == ["row", "log_p", "error"] and "binarised anew" in ran.err
    assert list(table_of(laten("embed", images.model, images.data).out)) == ["row", "z0", "z1"]


def test_an_array_keeps_the_name_it_had(images, laten):
    with np.load(images.data) as file:
        np.savez("other.npz", pictures=file["x"])
    assert laten("reconstruct", images.model, "other.npz", "-o", "again.npz").code == 0
    with np.load("again.npz") as found:
        assert found.files == ["pictures"]


def test_info_tells_the_model(table, images, laten):
    ran = laten("info", table.model, "--svg", "p.svg")
    assert ran.code == 0 and ran.err == "Wrote p.svg.\n"
    for words in (
        "p(z) p(binary | z)",
        "q(z | ",
        "because",
        "2 epochs",
        "held-out bound",
        "weights",
        "lower bound, seed 0",
    ):
        assert words in ran.out, words
    assert Path("p.svg").read_text().startswith("<svg")
    assert "4 × 5 binary, grey pixels binarised anew" in laten("info", images.model).out


@pytest.mark.parametrize("what", ["history", "samples", "reconstructions", "latents", "manifold"])
def test_plot_writes_a_picture(what, images, laten):
    data = [images.data] if what in ("reconstructions", "latents") else []
    ran = laten("plot", images.model, *data, "--what", what, "-o", "p.png")
    assert ran == (0, "", "Wrote p.png.\n")
    assert Path("p.png").read_bytes().startswith(b"\x89PNG")


def test_plot_of_a_table_takes_a_column_as_colour(table, laten):
    assert laten("plot", table.model, table.data, "--what", "latents", "--colour", "city", "-o", "p.svg").code == 0
    assert "Bandung" in Path("p.svg").read_text()


def test_extensions_refused_early_are_those_that_cannot_be_written():
    assert {"." + name.split(".")[1] for name in (*TABLES, *ARRAYS)} == set(writing._WRITERS)


@pytest.mark.parametrize(
    ("levels", "text", "value"),
    [((False, True), "true", True), ((1, 2), "2.0", 2), (("yes", "no"), "YES", "yes"), (("a", "A"), "A", "A")],
)
def test_a_level_is_found_by_its_text(levels, text, value):
    column = lt.infer_schema(pd.DataFrame({"c": [levels[i % len(levels)] for i in range(30)]}))["c"]
    found = understood(column, text)
    assert found == value and type(found) is type(value)


def test_a_warning_is_one_line_without_code(table, laten, monkeypatch):
    monkeypatch.setattr("laten.inference.diagnostics.UNRELIABLE", -1.0)
    ran = laten("score", table.model, table.data, "--draws", 30, "-o", "s.csv")
    first, second = ran.err.splitlines()
    assert first.startswith("laten: warning: log-likelihood: Pareto k is above") and "40 rows" in second


def test_options_of_reading(laten, tmp_path):
    """Each command that reads data takes them, says what was assumed, and names options as they are typed."""
    odd = tmp_path / "odd.csv"
    odd.write_text("n;x\n" + "".join(f"{i};{i % 7},{i % 10}5\n" for i in range(40)) + "40;-999\n41;-999\n")
    shown = laten("schema", str(odd), "--missing=-999", "--id", "n")
    assert (
        shown.code == 0
        and "';' between cells [--sep]" in shown.err
        and "'x' has the decimal mark ',' [--decimal]" in shown.err
    )
    assert 'kind = "identifier"' in shown.out and "missing = 0.04762" in shown.out
    assert laten("schema", str(odd), "--quiet").err == ""
    odd.write_text("a,b\n1.5,1\n2.5,1\n3.5O,2\n4.5,2\n")
    refused = laten("schema", str(odd))
    assert refused.code == 2 and "line 4, column 'a'" in refused.err and "--missing 3.5O" in refused.err
    assert laten("schema", str(odd), "--missing", "3.5O").code == 0
    assert "--sep ab is not possible" in laten("schema", str(odd), "--sep", "ab").err
