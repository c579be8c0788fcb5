"""What the server says is said in Indonesian on an Indonesian page, by a table that knows what a visitor meets."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

import laten as lt
from laten.data.schema.infer import infer_schema
from laten.report import findings
from laten.report.figures import Figures
from laten.synthetic.result import MEASURES

TABLE = json.loads((Path(lt.__file__).parent / "studio" / "static" / "said.json").read_text())
HOLE = r"\{(\w+)\}"


def rule(english):
    parts = re.split(HOLE, english)
    return re.compile("".join(f"(?P<{p}>.+?)" if i % 2 else re.escape(p) for i, p in enumerate(parts)), re.DOTALL)


RULES = [(rule(english), other) for english, other in TABLE]


def said(text):
    """Return a text as `said.js` does; None where the table does not know it."""
    for pattern, other in RULES:
        if found := pattern.fullmatch(text):
            return re.sub(HOLE, lambda m: found[m[1]], other)
    parts = text.split("; ")
    return "; ".join(map(said, parts)) if len(parts) > 1 and all(map(said, parts)) else None


def test_each_sentence_keeps_its_holes():
    assert len({english for english, _ in TABLE}) == len(TABLE)
    for english, other in TABLE:
        holes = re.findall(HOLE, english)
        assert len(set(holes)) == len(holes) and set(re.findall(HOLE, other)) <= set(holes) and other, english


def test_a_sentence_is_said_with_what_stands_in_it():
    assert said("whole numbers 0..9 that thin out upwards") == "bilangan bulat 0..9 yang makin jarang ke atas"
    assert said("2 of 16 latents are unused: a smaller model would do as well.").startswith("2 dari 16 laten")
    for text in (
        "posterior means of 16 latents, main directions (PCA), 1000000 of 2000000 rows",
        "main direction 2 (16% of variance)",
        "c.csv: read as cp1252 [encoding]; ';' between cells [sep]; names in line 1 [header]",
        "column 'age' is real: expected a number, got 'banana'; the fitted values are 16 .. 88. Ranges are written "
        "30..40, >30 or <=40",
        "a training is going on; stop it first",
    ):
        assert said(text), text
    assert said("nobody says this") is None


@pytest.mark.parametrize("name", ["clinic", "wine", "breast_cancer"])
def test_what_is_said_of_columns_is_known(name):
    schema = infer_schema(lt.read(name))
    for text in [*(c.reason for c in schema.columns), *(r.text for r in schema.worth_a_look)]:
        assert said(text), text


def test_measures_and_findings_are_known():
    for name, words in MEASURES.items():
        if "{" not in words.meaning:
            assert said(name) and said(words.better) and said(words.meaning), name
    history = pd.DataFrame({
        "epoch": [1, 2, 3], "kept": [False, True, False], "skipped": [0, 0, 2], "train_bound": [-9.0, -8.0, -7.0],
        "valid_bound": [-9.0, -8.1, -9.9], "bound": [-9.0, -8.0, -7.0], "active_units": [1, 1, 1],
    })  # fmt: skip
    for stopped in ("plan", "interrupted"):
        for names in (("z0",), ("z0", "z1"), ("z0", "z1", "z2")):
            for worse in (0.0, 5.0):
                lower = history.assign(valid_bound=history["valid_bound"] - worse)
                judged = Figures(None, 0, lower, stopped, 0, names, None)
                for found in [*findings.training(judged), *findings.latents(judged)]:
                    assert said(found.text), found.text
