"""`laten audit`: the table, the picture, and what it says of bad input."""

import io
from pathlib import Path

import pandas as pd
import pytest

pytestmark = pytest.mark.trains


def test_audit_writes_figures_and_a_picture(table, laten):
    ran = laten(
        "audit",
        table.model,
        table.data,
        "--only",
        "bounds",
        "--draws",
        50,
        "--rows",
        16,
        "--plot",
        "a.png",
        "-o",
        "a.csv",
    )
    assert ran.code == 0 and ran.out == "" and ran.err.endswith("Wrote a.csv.\nWrote a.png.\n"), ran.err
    found = pd.read_csv("a.csv")
    assert list(found) == ["group", "name", "value", "error", "kind", "meaning"]
    value = found.set_index("name")["value"]
    assert value["ELBO"] <= value["IWAE 50"] and Path("a.png").stat().st_size > 5000
    score = laten("score", table.model, table.data, "--draws", 50)
    mean = pd.read_csv(io.StringIO(score.out))["log_p"].mean()  # the same scale: codecs counted in
    assert abs(value["IWAE 50"] - mean) < 3


def test_audit_shows_figures_where_no_file_is_asked_for(table, laten):
    ran = laten("audit", table.model, table.data, "--only", "bounds", "--draws", 50, "--rows", 16)
    assert ran.code == 0 and ran.out.startswith("figure") and "16 of 40 rows, 50 guide draws" in ran.out
    assert ran.err == "bounds: ELBO and IWAE bounds from guide draws\n"


def test_audit_says_what_is_wrong(table, laten):
    for arguments, words in (
        ((table.model, table.data, "--only", "exact"), "'exact' does not fit this model"),
        ((table.model, table.data, "--only", "all"), "no estimator 'all'; known names"),
        ((table.model, table.data, "--plot", "a.gif"), "do not know how to write .gif"),
        ((table.model, "nowhere.csv"), "nowhere.csv"),
    ):
        ran = laten("audit", *arguments)
        assert ran.code == 2 and words in ran.err and ran.err.count("\n") == 1, (arguments, ran.err)
