"""What a notebook shows: tables and sentences, escaped."""

import numpy as np
import pandas as pd
import pytest

import laten as lt
from laten.answers.compare import Comparison
from laten.answers.sample_and_predict import ConditionalAnswer
from laten.common.notebook import MOST_ROWS, table
from laten.inference.diagnostics import LogLikelihood

NASTY = "<b>&"


def test_everything_is_escaped_and_long_tables_are_cut():
    text = table(["a", NASTY], [[i, NASTY] for i in range(200)], 200)
    assert NASTY not in text and "&lt;b&gt;&amp;" in text and text.count("<tr>") == MOST_ROWS + 1
    assert f"… and {200 - MOST_ROWS} more" in text


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (lt.infer_schema(pd.DataFrame({NASTY: ["x", "y"] * 20, "n": range(40)})), "&lt;b&gt;&amp;"),
        (lt.Network(z=lt.Normal(2), x=lt.Bernoulli(3).given("z", via=lt.Linear())), "<svg"),
        (LogLikelihood(-1.5, 0.1, 0.2, 9.0, 0.3, 128, np.zeros(2), np.zeros(2)), "nats a row"),
        (ConditionalAnswer(np.array([-1.5]), [None], np.array([80.0])), "<td>-1.500</td><td>80</td>"),
        (Comparison(1.0, 0.1, 0.9, pd.DataFrame({"a": [1, 2]}), (NASTY, "B")), "&lt;b&gt;&amp; explains these 2 rows"),
    ],
)
def test_answers_show_themselves(shown, words):
    text = shown._repr_html_()
    assert words in text and "<b>&" not in text and "script" not in text
