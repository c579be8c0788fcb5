"""`laten query` and `laten explain --given`: exact answers of a network in a file, and what is said of bad input."""

import gzip
import io
from pathlib import Path

import pandas as pd
import pytest

import laten as lt

pytestmark = pytest.mark.trains


@pytest.fixture
def asia(pytestconfig):
    return str(pytestconfig.rootpath / "docs" / "asia.bif")


def test_query_prints_the_exact_table(laten, asia):
    ran = laten("query", asia, "P(lung | smoke=yes, dysp=yes)")
    assert ran.code == 0 and ran.err == "Exact. log p(evidence) = -1.285892 nats.\n"
    assert ran.out == "lung,p\nyes,0.148333598645\nno,0.851666401355\n"
    joint = pd.read_csv(io.StringIO(laten("query", asia, "P(lung, bronc=yes | dysp=yes)").out))
    assert list(joint) == ["lung", "bronc", "p"] and len(joint) == 2
    assert laten("query", asia, "P(lung)", "-o", "p.csv").out == "" and len(pd.read_csv("p.csv")) == 2


def test_a_packed_network_is_asked_like_any_other(laten, asia, tmp_path):
    packed = tmp_path / "asia.bif.gz"
    packed.write_bytes(gzip.compress(Path(asia).read_bytes()))
    question = "P(lung | smoke=yes, dysp=yes)"
    assert laten("query", str(packed), question).out == laten("query", asia, question).out
    assert "--given VARIABLE=STATE" in laten("explain", str(packed)).err


def test_query_asks_the_guide_of_a_fitted_model(laten, table):
    ran = laten("query", table.model, "P(city | income='>50K', shoe=40)".replace("'", '"'))
    found = pd.read_csv(io.StringIO(ran.out))
    assert ran.code == 0 and "an estimate" in ran.err and list(found["city"]) == ["Bandung", "Jakarta", "Medan"]
    frame = pd.DataFrame({"income": [">50K"], "shoe": [40.0]})
    expected = lt.load(table.model).predict_proba(frame, "city").iloc[0]
    assert found["p"].to_numpy() == pytest.approx(expected.to_numpy(), abs=1e-6)
    ran = laten("query", table.model, "P(city, income)")
    assert ran.code == 2 and "laten sample" in ran.err


def test_explain_given_prints_and_draws(laten, asia):
    ran = laten("explain", asia, "--given", "dysp=yes", "--latent", "lung", "-o", "steps.png", "--table", "steps.csv")
    assert ran.code == 0 and "10.28 %" in ran.out and ran.err == "Wrote steps.png.\nWrote steps.csv.\n"
    assert Path("steps.png").stat().st_size > 5000
    assert list(pd.read_csv("steps.csv"))[:3] == ["lung", "prior", "likelihood"]


def test_bad_input_is_one_line(laten, asia, table):
    Path("bad.bif").write_text("network x {\n}\nvariable a {")
    for arguments, words in (
        (("query", asia, "P(lugn)"), "did you mean 'lung'?"),
        (("query", asia, "P(lung | smoke=maybe)"), "known: ['yes', 'no']"),
        (("query", asia, "lung"), "a question is written P("),
        (("query", "bad.bif", "P(a)"), "bad.bif, line 3: the file ends"),
        (("query", "none.bif", "P(a)"), "no such file"),
        (("query", table.model, "P(cty)"), "did you mean"),
        (("explain", asia), "name the evidence"),
        (("explain", asia, "--given", "dysp"), "expected VARIABLE=STATE"),
        (("explain", asia, "--given", "dysp=yes", "--of", "x"), "--of does not go with --given"),
        (("explain", asia, "--given", "dysp=yes", "-o", "a.jpg"), "do not know how to write .jpg"),
        (("explain", table.model, "--given", "city=Medan"), "has no exact posterior"),
    ):
        ran = laten(*arguments)
        assert ran.code == 2 and words in ran.err and ran.err.count("\n") == 1, (arguments, ran.err)
