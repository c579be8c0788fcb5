"""The demo's own arithmetic, and (slow) the whole story."""

from pathlib import Path

import numpy as np
import pytest

import laten as lt
from laten.cli.main import main
from laten.cli.work.demo import coded, imputation_error, naive, oracle, split
from laten.data.datasets.simulated_clinic import Clinic, clinic

pytestmark = pytest.mark.trains


def test_rows_are_held_out_once():
    train, held = split(101)
    assert len(held) == 20 and sorted([*train, *held]) == list(range(101))


def test_error_of_filling_knows_right_from_best_from_naive():
    world, frame, truth = Clinic(), clinic(1500), coded(Clinic(), clinic(1500, holes=False))
    hidden = frame.isna()
    errors = [imputation_error(world, truth, g, hidden) for g in (truth, oracle(world, frame), naive(world, frame))]
    assert errors[0] == 0 and 0.1 < errors[1] < 0.2 < errors[2] < 0.4


def test_error_of_filling_by_hand():
    world, frame = Clinic(), clinic(4, holes=False)
    hidden = frame.isna()
    hidden.loc[0, "ward"] = hidden.loc[1, "ward"] = hidden.loc[2, "pain"] = hidden.loc[3, "age"] = True
    truth = coded(world, frame)
    guess = {name: x.copy() for name, x in truth.items()}
    guess["ward"][0] = (truth["ward"][0] + 1) % 5  # one of two wrong
    guess["pain"][2] = truth["pain"][2] + 2  # two steps of four levels
    guess["age"][3] = truth["age"][3] + np.ptp(truth["age"])  # off by the whole range
    assert imputation_error(world, truth, guess, hidden) == pytest.approx((1 / 2 + 2 / 4 + 1) / 3)


@pytest.mark.slow
def test_demo_tells_its_story(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["demo"]) == 0
    out = capsys.readouterr().out
    for words in ("359 rows never seen", "binarised anew", "Pareto k", "The truth: -32.34", "was in truth", "Done in"):
        assert words in out, words
    for name in ("digits.laten", "clinic.laten"):
        assert lt.load(Path("demo") / name).stopped_ in ("plan", "early")
    assert not lt.read("demo/clinic_filled.csv").isna().any().any()
    assert len(list(Path("demo").glob("*.png"))) == 8 and len(list(Path("demo").glob("*.svg"))) == 2
    assert "binary: sex, smoker" in Path("demo/clinic_network.svg").read_text()
