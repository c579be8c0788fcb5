"""One page that holds all: nothing is loaded from elsewhere, everything is escaped, figures and page say the same."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

import laten as lt
from laten.answers.references import INDEPENDENT
from laten.cli.main import main
from laten.report.by_column import alone_of, by_column, reliability, tails

pytestmark = [pytest.mark.trains, pytest.mark.filterwarnings("ignore:log-likelihood")]

NASTY = "<script>alert(1)</script>"


def patients(rows: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    age = rng.normal(50, 12, rows).round(0)
    frame = pd.DataFrame(
        {
            "age": age,
            "old & wise": np.where(age > 50, "yes", NASTY),
            "cost": np.exp(rng.normal(5, 1, rows)).round(2),
            "note": [f"free text {i}" for i in range(rows)],
        }
    )
    frame.loc[::7, ["cost", "old & wise"]] = np.nan
    return frame


@pytest.fixture(scope="module")
def vae() -> lt.VAE:
    return lt.VAE(latent=2, width=8, epochs=3, batch_size=32).fit(patients())


@pytest.fixture(scope="module")
def found(vae):
    return vae.report(patients(), title=f"Patients {NASTY}")


class Page(HTMLParser):
    """What a page loads, its tags that are not closed, its ids and the links to them."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded, self.open, self.ids, self.links, self.tags = [], [], set(), set(), set()

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.add(tag)
        self.loaded += [found[n] for n in ("src", "href") if n in found]
        self.ids |= {found["id"]} if "id" in found else set()
        self.links |= {found["href"][1:]} if found.get("href", "").startswith("#") else set()
        if tag not in ("meta", "img", "br", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def read(html: str) -> Page:
    page = Page()
    page.feed(html)
    return page


def alone(html: str) -> Page:
    """A page that is whole, loads nothing from elsewhere, runs nothing and escapes everything."""
    page = read(html)
    assert page.open == [] and page.links <= page.ids
    assert all(link.startswith(("#", "data:image/")) for link in page.loaded) and "script" not in page.tags
    assert not re.search(r"url\(|@import|https?://", re.sub(r'src="data:[^"]*"', "", html))
    assert NASTY not in html and "&lt;script&gt;" in html and len(html) < 5 * 2**20
    return page


@pytest.mark.slow
def test_the_page_needs_no_other_file_and_runs_nothing(found):
    assert {"data", "columns", "odd", "holes"} <= alone(found.html).ids


@pytest.mark.slow
def test_figures_are_plain_and_are_those_of_the_page(found, tmp_path):
    found.save(tmp_path / "report.json")
    figures = json.loads((tmp_path / "report.json").read_text())
    json.dumps(figures, allow_nan=False)
    assert figures == found.figures and figures["rows"] == 300
    shown = re.sub(r"<[^>]+>", " ", found.html).replace("−", "-")
    assert f"{figures['odd']['share']:.1%}" in shown
    for column in figures["columns"]:
        assert f"{column['gain']:.2f}".removeprefix("-0.00") in shown
    for finding in figures["findings"]:
        assert finding["text"].replace("−", "-") in shown.replace("&lt;", "<").replace("&gt;", ">").replace(
            "&amp;", "&"
        )
    levels = [f["level"] for f in figures["findings"]]
    assert levels == sorted(levels, key=["worry", "note", "good"].index)
    with pytest.raises(lt.LatenError, match=r"report is written as \.html"):
        found.save(tmp_path / "report.pdf")


@pytest.mark.slow
def test_columns_that_are_empty_together_are_named(found):
    assert any("empty in the same rows" in f.text for f in found.findings)
    assert found.figures["empty_together"][0]["correlation"] == pytest.approx(1)


def test_independent_columns_add_up(vae):
    fitted = vae._fitted()
    rows, log_det = fitted.scored(patients())
    whole = fitted.references.log_prob(vae.network_, rows)[INDEPENDENT]
    whole = whole + sum(x.reshape(rows.n, -1).sum(1) for x in log_det.values())
    alone = alone_of(fitted, fitted.view, patients())
    assert set(alone) == {"age", "old & wise", "cost"}
    np.testing.assert_allclose(sum(alone.values()), whole, rtol=1e-5)


def test_a_column_that_follows_from_another_is_told_by_it(vae):
    one = {c.name: c for c in by_column(vae._fitted(), patients()).columns}
    assert one["old & wise"].rows == 257 and 0 < one["old & wise"].base < 1
    assert set(one["age"].inside) == {0.5, 0.8, 0.9, 0.95}
    values = list(one["age"].inside.values())
    assert values == sorted(values) and 0 < values[0] <= values[-1] <= 1


def test_probabilities_are_grouped_with_what_came():
    pairs = np.array([[0.05, 0], [0.02, 1], [0.95, 1], [1.0, 1], [0.5, 0]])
    stated, came, count = reliability(pairs)
    np.testing.assert_allclose(stated, [0.035, 0.5, 0.975])
    np.testing.assert_allclose(came, [0.5, 0, 1])
    assert list(count) == [2, 1, 2]


def test_tails_are_the_outermost_rows():
    x = np.arange(1000.0)
    gains = np.where(x >= 990, -3.0, 1.0)
    found, ends = tails(x, gains, np.ones(1000, bool), pd.Series(x))
    assert found == (1.0, -3.0) and ends == (9.0, 990.0)
    assert np.isnan(tails(x[:20], gains[:20], np.ones(20, bool), pd.Series(x[:20]))[0]).all()


def test_without_rows_the_report_says_what_the_model_knows(vae):
    found = vae.report(title=f"Patients {NASTY}")
    page = alone(found.html)
    assert {"network", "training", "dependence", "map"} <= page.ids and not {"odd", "columns"} & page.ids
    assert found.figures["log_p"] is None and found.figures["rows"] is None


@pytest.mark.slow
def test_images_leave_out_what_does_not_apply():
    x = np.random.default_rng(0).integers(0, 2, (60, 8, 8)).astype(np.uint8) * 255
    found = lt.VAE(latent=2, width=8, epochs=2).fit(x).report(x)
    page = read(found.html)
    assert {"training", "synthetic", "map", "odd"} <= page.ids and not {
        "columns",
        "data",
        "dependence",
        "holes",
    } & page.ids


@pytest.mark.slow
def test_the_command_writes_page_and_figures(vae, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    patients().to_csv("patients.csv", index=False)
    vae.save("patients.laten")
    assert main(["report", "patients.laten", "patients.csv", "-o", "page.html", "--json", "page.json", "-q"]) == 0
    said = capsys.readouterr()
    assert "Report of patients" in said.out and "Wrote page.html" in said.err and "<" not in said.out.replace(NASTY, "")
    assert json.loads((tmp_path / "page.json").read_text())["rows"] == 300
    assert main(["report", "patients.laten", "-o", "page.pdf"]) == 2
