"""`laten schema` proposes a contract, `fit --schema` enforces it, `schema --check` compares rows with it."""

import tomllib
from pathlib import Path

import pandas as pd
import pytest

import laten as lt
from laten.cli.evidence import evidence
from laten.data.rows.evidence_text import understood

pytestmark = pytest.mark.trains

TINY = ["--epochs", "1", "--latent", "2", "--width", "4", "--batch-size", "16", "--quiet"]


def write(name="new.csv", **columns):
    frame = pd.read_csv("people.csv")
    for column, (rows, value) in columns.items():
        frame[column] = frame[column].astype(object) if column in frame else None
        frame.loc[rows, column] = value
    frame.to_csv(name, index=False)
    return name


def edit(old, new):
    text = Path("people.toml").read_text()
    assert text.count(old) == 1
    Path("people.toml").write_text(text.replace(old, new))


@pytest.fixture
def agreed(laten):
    assert laten("schema", "people.csv", "-o", "people.toml").code == 0
    return laten


def test_a_proposal_goes_to_standard_output_or_a_file(laten):
    shown = laten("schema", "people.csv")
    assert (shown.code, shown.err) == (0, "")
    kinds = {n: t["kind"] for n, t in tomllib.loads(shown.out)["columns"].items()}
    assert kinds == {"height": "real", "income": "binary", "city": "categorical", "shoe": "real", "born": "date",
                     "country": "constant"}  # fmt: skip
    written = laten("schema", "people.csv", "-o", "people.toml")
    assert (written.code, written.out) == (0, "") and "Wrote people.toml" in written.err
    assert Path("people.toml").read_text() == shown.out
    assert lt.read_schema("people.toml", lt.read("people.csv")) == lt.infer_schema(lt.read("people.csv"))
    edited = laten("schema", "people.csv", "--kind", "shoe=ordinal", "--kind", "city=ordinal:Medan,Jakarta,Bandung")
    columns = tomllib.loads(edited.out)["columns"]
    assert columns["city"]["levels"] == ["Medan", "Jakarta", "Bandung"] and columns["shoe"]["kind"] == "ordinal"


def test_fit_enforces_an_edited_file(agreed):
    edit('"Medan"]\nunseen = "error"', '"Medan"]\nunseen = "other"')
    edit('[columns.shoe]\nkind = "real"', '[columns.shoe]\nkind = "ordinal"')
    data = write(city=(2, "Bogor"))
    assert agreed("fit", data, "--schema", "people.toml", "-o", "m.laten", *TINY) == (0, "", "")
    vae = lt.load("m.laten")
    assert vae.schema_["shoe"].kind == "ordinal" and vae.schema_["city"].classes[-1] == "(other)"
    assert vae.schema_["city"].folded == ("Bogor",)
    unseen = pd.read_csv(write(city=(3, "Kyiv")))  # a town that nobody saw
    assert vae.view_.rows(unseen).values["categorical"].ravel()[3] == 3
    assert evidence(vae, ["city=Kyiv", "shoe=40"]) == {"city": "Kyiv", "shoe": 40}
    assert agreed("schema", write(city=(3, "Kyiv")), "--check", "m.laten").code == 0


def test_rows_that_keep_a_contract_exit_with_0_and_others_with_1(agreed, table):
    for contract in ("people.toml", table.model):
        assert agreed("schema", "people.csv", "--check", contract) == (0, "40 rows, 6 columns: as agreed\n", "")
        broken = agreed("schema", write(city=(3, "Bogor"), height=(4, 999)), "--check", contract)
        assert (broken.code, broken.err) == (1, "")
        assert "'Bogor' (1)" in broken.out and "far outside" in broken.out and "1 broken, 1 to note" in broken.out
        noted = agreed("schema", write(height=(4, 999), more=(1, 2)), "--check", contract)
        assert noted.code == 0 and "0 broken, 2 to note" in noted.out
    edit('extra = "ignore"', 'extra = "error"')
    assert agreed("schema", write(more=(1, 2)), "--check", "people.toml").code == 1


def test_findings_as_a_table(agreed):
    ran = agreed("schema", write(city=(3, "Bogor")), "--check", "people.toml", "-o", "found.csv")
    assert (ran.code, ran.out) == (1, "")
    found = pd.read_csv("found.csv")
    assert found.to_dict("list") == {"column": ["city"], "what": ["level"], "broken": [True], "rows": [1],
                                     "detail": ["never seen: 'Bogor' (1)"]}  # fmt: skip


def test_words_among_numbers_are_named_and_can_be_overruled(laten):
    data = write(height=([4, 7], "tall"))
    ran = laten("schema", data)
    assert ran.code == 2 and "lines 6, 9, column 'height': 'tall' where the other cells are numbers" in ran.err
    assert ran.err.count("\n") == 1
    ran = laten("schema", data, "--kind", "height=text")
    assert ran.code == 0 and tomllib.loads(ran.out)["columns"]["height"]["kind"] == "text"
    ran = laten("schema", data, "--kind", "height=real")
    assert ran.code == 2 and "lines 6, 9" in ran.err


REFUSED = [
    (["schema", "nothere.csv"], ["nothere.csv", "no such file"]),
    (["schema", "digits"], ["digits", "holds arrays"]),
    (["schema", "people.csv", "-o", "s.csv"], ["s.csv", "'.toml'"]),
    (["schema", "people.csv", "-o", "no/s.toml"], ["no folder 'no'"]),
    (["schema", "people.csv", "--kind", "hight=real"], ["no column 'hight'", "did you mean 'height'"]),
    (["schema", "people.csv", "--check", "nothere.toml"], ["nothere.toml", "no such file", "laten schema DATA"]),
    (["schema", "digits", "--check", "people.toml"], ["digits", "holds arrays"]),
    (["schema", "people.csv", "--check", "people.csv"], ["people.csv", "is no TOML", "line 1"]),
    (["schema", "people.csv", "--check", "people.toml", "--kind", "shoe=real"], ["--kind", "edit the file"]),
    (["schema", "people.csv", "--check", "people.toml", "-o", "s.toml"], ["s.toml", "do not know how to write"]),
    (["fit", "people.csv", "--schema", "nothere.toml"], ["nothere.toml", "no such file"]),
    (["fit", "digits", "--schema", "people.toml"], ["--schema", "arrays have no columns"]),
    (["fit", "short.csv", "--schema", "people.toml"], ["people.toml, line ", "lacks the column ['city']"]),
    (["fit", "new.csv", "--schema", "people.toml"], ["people.toml, line ", "'city'", "'Bogor' (row 3)", "'other'"]),
    (["fit", "people.csv", "--schema", "bad.toml"], ["bad.toml, line 2", "unknown key 'kund'", "did you mean 'kind'"]),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "words"), REFUSED, ids=[" ".join(a)[:60] for a, _ in REFUSED])
def test_what_is_refused(agreed, arguments, words):
    write(city=(3, "Bogor"))
    pd.read_csv("people.csv").drop(columns="city").to_csv("short.csv", index=False)
    Path("bad.toml").write_text("[columns.height]\nkund = 'real'\n")
    before = set(Path().iterdir())
    ran = agreed(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("laten: ") and ran.err.count("\n") == 1
    assert [w for w in words if w not in ran.err] == [], ran.err
    assert set(Path().iterdir()) == before


def test_a_model_of_arrays_has_no_schema(laten, images):
    ran = laten("schema", "people.csv", "--check", images.model)
    assert ran.code == 2 and "was fitted to arrays" in ran.err


def test_durations_are_given_as_people_write_them():
    column = lt.infer_schema(pd.DataFrame({"wait": pd.to_timedelta(range(20), unit="h")}))["wait"]
    assert understood(column, "90min") == pd.Timedelta(hours=1.5)
    assert understood(column, "2 days 03:30:00") == pd.Timedelta(hours=51.5)
    for text in ("soon", "90", "nan"):
        with pytest.raises(lt.DataError, match=f"'wait': '{text}' is no duration"):
            understood(column, text)
