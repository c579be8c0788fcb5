"""Each rule finds what it is for, and is silent where there is nothing."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from laten.inference.diagnostics import LogLikelihood
from laten.report import findings as rules
from laten.report.by_column import ByColumn, ColumnFigures
from laten.report.figures import Figures

HISTORY = pd.DataFrame(
    {"epoch": range(1, 21), "step": range(10, 210, 10), "kept": [i == 12 for i in range(20)], "train_bound": -10.0,
     "valid_bound": -10.2, "kl": 3.0, "active_units": 4, "skipped": 0}
)  # fmt: skip
COLUMN = ColumnFigures("fare", "positive", 400, 0.5, 0.4, 0.0, {0.9: 0.91}, (0.1, 0.2), (7, 200))
COLUMNS = ByColumn((COLUMN,), np.array([0.2, 0.8]), np.array([0.21, 0.79]), np.array([100, 100]), 400, 0)
LOG_P = LogLikelihood(-10.0, 0.01, 0.1, 50.0, 0.4, 128, np.zeros(3), np.zeros(3), {"independent columns": -12.0})
TIES = pd.DataFrame([[1.0, 0.3], [0.3, 1.0]], ["age", "fare"], ["age", "fare"])
WELL = Figures(
    1000, 1000, HISTORY, "early", 100, ("z0", "z1"), None, LOG_P, columns=COLUMNS, ties=TIES,
    variances={"z0": 1, "z1": 1}, odd=pd.DataFrame({"row": [3], "log_p": [-30.0], "why": ["fare = 512 (+6.1)"]}),
    fence=-20.0, odd_share=0.01,
)  # fmt: skip


def history(**columns):
    return replace(WELL, history=HISTORY.assign(**columns))


def column(**changes):
    return replace(WELL, columns=replace(COLUMNS, columns=(replace(COLUMN, **changes),)))


def said(figures: Figures, level: str) -> str:
    return "\n".join(f.text for rule in rules.RULES for f in rule(figures) if f.level == level)


def test_a_good_model_has_nothing_to_worry_about():
    assert said(WELL, "worry") == ""
    good = said(WELL, "good")
    assert "2.00 nats a row above independent columns" in good and "All 2 latents are used" in good
    assert "no overfitting" in good and "hold 91.0%" in good and "within 1.0% on average" in good


@pytest.mark.parametrize(
    ("figures", "level", "words"),
    [
        (history(train_bound=-7.0), "worry", "3.2 nats a row better than held-out"),
        (replace(WELL, stopped="interrupted"), "worry", "interrupted after epoch 20"),
        (history(skipped=1), "note", "20 steps were not finite"),
        (replace(history(kept=[i == 19 for i in range(20)]), stopped="plan"), "note", "best epoch is 20 of 20"),
        (replace(WELL, history=HISTORY.head(0)), "worry", "No epoch was finished"),
        (replace(WELL, variances={"z0": 1.0, "z1": 0.001}), "note", "1 of 2 latents is unused"),
        (replace(WELL, variances={"z0": 0.0, "z1": 0.001}), "worry", "No latent is used"),
        (replace(WELL, log_p=replace(LOG_P, pareto_k=0.9)), "worry", "Pareto k 0.90"),
        (replace(WELL, log_p=replace(LOG_P, references={"independent columns": -9.5})), "worry", "0.50 nats"),
        (replace(WELL, held_out=(-10.0, 0.1, 100, {"a tree of pairs": -0.3})), "note", "pairs of columns say all"),
        (column(tail=(0.1, -3.1)), "worry", "fare: the tail over 200 is fitted poorly: 3.1 nats"),
        (column(tail=(-2.0, 0.1)), "worry", "the tail below 7"),
        (column(gain=-0.2), "worry", "told worse from the other columns"),
        (column(gain=0.001), "note", "fare stands by itself"),
        (column(inside={0.9: 0.7}), "worry", "90% intervals hold 70% of the cells; they are too narrow"),
        (column(inside={0.9: 0.99}), "note", "too wide"),
        (replace(WELL, columns=replace(COLUMNS, happened=np.array([0.4, 0.6]))), "worry", "off by 20.0%"),
        (replace(WELL, odd_share=0.1), "worry", "10.0% of the rows are odd (log p below −20.0)"),
        (replace(WELL, ties=TIES * 0.01), "worry", "no two columns tell more than 2%"),
        (replace(WELL, ties=TIES.replace(0.3, 0.99)), "note", "age and fare say nearly the same"),
        (replace(WELL, together=(("age", "fare", 0.97),)), "note", "empty in the same rows (correlation 0.97)"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found(figures, level, words):
    assert words in said(figures, level) and words not in said(WELL, level)


def test_numbers_go_with_the_sentences():
    found = [f for rule in rules.RULES for f in rule(column(tail=(0.1, -3.1)))]
    tail = next(f for f in found if "tail" in f.text)
    assert tail.numbers == {"column": "fare", "nats": -3.1, "from": "200"} and tail.about == "columns"
