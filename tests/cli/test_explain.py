"""`laten explain`: pictures and tables of what a model has learned, and what it says of bad input."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import laten as lt

pytestmark = pytest.mark.trains


def table_of(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text))


def test_explain_writes_numbers_where_nothing_else_is_asked_for(table, laten):
    ran = laten("explain", table.model)
    found, vae = table_of(ran.out), lt.load(table.model)
    assert ran.code == 0 and found.columns[0] == "column" and list(found["column"]) == list(found)[1:]
    np.testing.assert_allclose(
        found.drop(columns="column"), vae.mutual_information(), atol=6e-7
    )  # six decimals are written
    shares = table_of(laten("explain", table.model, "--normalised", "--seed", 1).out)
    np.testing.assert_allclose(np.diag(shares.drop(columns="column")), 1)


def test_explain_draws_and_keeps_the_numbers_of_latents(table, laten):
    ran = laten("explain", table.model, table.data, "--what", "latents", "-o", "z.png", "--table", "z.csv")
    assert ran == (0, "", "Wrote z.png.\nWrote z.csv.\n")
    found = pd.read_csv("z.csv")
    assert list(found["latent"]) == ["z0", "z1"] and Path("z.png").stat().st_size > 5000
    expected = lt.load(table.model).latent_effects(lt.read(table.data))
    np.testing.assert_allclose(found.drop(columns="latent"), expected, rtol=1e-4, atol=1e-7)


def test_explain_draws_one_column_against_another(table, laten):
    ran = laten("explain", table.model, "--of", "income", "--on", "shoe", "--points", 4, "-o", "a.svg")
    assert ran == (0, "", "Wrote a.svg.\n") and Path("a.svg").read_text().startswith("<?xml")
    rows = table_of(laten("explain", table.model, table.data, "--of", "shoe", "--on", "born", "--points", 3).out)
    assert list(rows) == ["born", "mean", "5%", "50%", "95%", "mass"] and len(rows) <= 3
    assert rows["born"].str.match(r"\d{4}-\d\d-\d\d").all()


def test_explain_says_what_is_wrong(table, images, laten):
    for arguments, words in (
        (("--of", "income"), "--of and --on go together"),
        (("--of", "incme", "--on", "shoe"), "there is no column 'incme'; did you mean 'income'?"),
        (("--of", "shoe", "--on", "shoe"), "dependence of column 'shoe' on itself"),
        (("--of", "country", "--on", "shoe"), "'country' was not modelled"),
        (("-o", "a.gif"), "do not know how to write .gif"),
        ((table.data,), "DATA goes with --what latents"),
    ):
        ran = laten("explain", table.model, *arguments)
        assert ran.code == 2 and words in ran.err and ran.err.count("\n") == 1, arguments
    ran = laten("explain", images.model, "--of", "a", "--on", "b")
    assert ran.code == 2 and "asks about columns of a table" in ran.err
