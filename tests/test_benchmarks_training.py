"""The harness of `benchmarks.training`: medians and ratios, the order of turns, peers that fail, tables from a file."""

import argparse
import json

import numpy as np
import pytest
from benchmarks import report, runner
from benchmarks.runner import Peer
from benchmarks.training import __main__ as command
from benchmarks.training import data
from benchmarks.training.cases import CASES, Case

import laten as lt
import oracles


def turn(rate: float, bound: float = -100.0, fit: float = 10.0) -> dict:
    """A turn of three epochs of 1000 rows, the first one slow."""
    return {"seconds": [5.0, 1000 / rate, 1000 / rate], "rows": [1000] * 3, "fit": fit, "gib": 0.5, "bound": bound}


OURS = [turn(3000, -99.5), turn(2000, -100.5), turn(2500, -100.0)]
THEIRS = [turn(1000), turn(500), turn(2000)]


def file_of(**sides) -> dict:
    """A made-up file of one case."""
    case = {"name": "mnist", "title": "784-512-20", "whole": False, "note": "Nearly equal.", "epochs": 3, "batch": 100}
    case |= {"rows": 60000, "test_rows": 10000, "options": [], "sides": sides}
    about = {"when": "2026-01-02T03:04:05", "machine": "2 × Made up", "python": "3.11", "threads": 2, "quick": False}
    return {**about, "versions": {"laten": "0", "pythae": "0.1"}, "cases": [case]}


FILE = file_of(laten={"turns": OURS}, pythae={"turns": THEIRS}, torch={"turns": [], "failed": "no answer in 5 s"})


def test_a_rate_leaves_the_first_epoch_out_and_is_a_median():
    assert report.rate({"seconds": [100.0, 1.0, 2.0, 4.0], "rows": [10, 20, 20, 20]}) == 10.0
    assert np.isnan(report.rate({"seconds": [1.0], "rows": [10]}))
    assert [*report.cells(OURS, whole=False).values()] == ["2 500", "5.00", "10.00", "0.50", "-100.00 (± 0.50)"]


def test_a_ratio_is_of_medians_with_the_range_of_turns():
    assert report.compared(OURS, THEIRS, whole=False) == ["**2.50** (1.25 to 4.00)", "+0.00"]
    slower = [turn(1, fit=20.0, bound=-101.0)] * 3
    assert report.compared(OURS, slower, whole=True) == ["**2.00** (2.00 to 2.00)", "+1.00"]


def test_a_table_says_what_the_file_says():
    made = report.tables([FILE])
    rows = {line.split(" | ")[0].strip("| "): line.split(" | ") for line in made.splitlines() if line.startswith("|")}
    assert rows["laten"][1:6] == ["2 500", "5.00", "10.00", "0.50", "-100.00 (± 0.50)"]
    assert rows["pythae"][1] == "1 000"
    assert rows["pythae"][6:] == ["**2.50** (1.25 to 4.00)", "+0.00 |"]
    assert any(name.startswith("PyTorch: no answer in 5 s") for name in rows)
    assert "**784-512-20.** 60 000 training and 10 000 test rows, 3 epochs, 3 turns. Nearly equal." in made
    assert made.endswith("2026-01-02, 2 × Made up, 2 threads: Python 3.11, laten 0, pythae 0.1.")
    assert "mean nothing" not in made
    assert "mean nothing" in report.tables([{**FILE, "quick": True}])


def test_a_whole_fit_has_no_epochs_and_a_variant_columns_of_its_own():
    file = file_of(
        **{"laten": {"turns": OURS}, "laten, x=1": {"turns": [turn(1, -90.0, 5.0)] * 3}, "PCA": {"turns": THEIRS}}
    )
    head = report.tables([file]).splitlines()[2]
    assert head.count("times as fast") == 2
    file["cases"][0]["whole"] = True
    made = report.tables([file])
    assert "rows/s" not in made
    assert "**1.00** (1.00 to 1.00) | +0.00 | **2.00** (2.00 to 2.00) | +10.00 |" in made


def test_of_a_case_in_two_files_the_last_counts():
    later = file_of(laten={"turns": OURS}, pythae={"turns": OURS}) | {"when": "2026-02-03T00:00:00"}
    made = report.tables([FILE, later])
    assert "**1.00** (1.00 to 1.00)" in made
    assert "2026-01-02" not in made


def test_tables_go_between_the_markers_and_nothing_else_changes(tmp_path, monkeypatch):
    command.written(tmp_path / "deep" / "r.json", FILE)
    docs = tmp_path / "benchmarks.md"
    docs.write_text(f"# Measured\n\n{report.BEGIN}\nold\n{report.END}\n\n## More\n")
    monkeypatch.setattr("sys.argv", ["report", str(tmp_path / "deep" / "r.json"), "--docs", str(docs)])
    report.main()
    assert docs.read_text() == f"# Measured\n\n{report.BEGIN}\n{report.tables([FILE])}\n{report.END}\n\n## More\n"


def options_for(tmp_path, **given) -> argparse.Namespace:
    """Parsed options."""
    usual = {"repeats": 3, "epochs": None, "quick": False, "also": [], "option": [], "peers": None}
    return argparse.Namespace(**{**usual, "json": tmp_path / "out.json", "threads": 1, "limit": None, **given})


def test_turns_alternate_and_a_side_that_fails_is_left_out(tmp_path, monkeypatch):
    seen = []

    def answer_of(peer, arrays, arguments, options):
        seen.append((peer.name, arguments["seed"], arguments["epochs"]))
        if peer.name == "bad":
            raise runner.PeerFailedError("it broke")
        notes = {"gib": 0.5, "bound": -100.0}
        return {"seconds": np.ones(3)}, {"seconds": {"fit": 10.0}, "versions": {peer.name: "1"}, "notes": notes}

    monkeypatch.setattr(runner, "answer_of", answer_of)
    peers = Peer("good", "x.py"), Peer("bad", "x.py"), Peer("other", "x.py")
    case = Case("c", "C", lambda *_: {}, "pixels", peers, 10, 7)
    arrays = {"train": np.zeros((20, 3)), "test": np.zeros((5, 3))}
    options = options_for(tmp_path, also=["draws=5;clip=None"], peers=["good", "bad"], option=["warmup=0"])
    command.run(case, arrays, options, command.fresh(options))
    good, more = "good", "laten, draws=5;clip=None"
    assert [name for name, *_ in seen] == ["laten", more, good, "bad", more, good, "laten", good, "laten", more]
    assert {(seed, epochs) for _, seed, epochs in seen} == {(0, 7), (1, 7), (2, 7)}
    kept = json.loads(options.json.read_text())
    sides = kept["cases"][0]["sides"]
    assert {name: len(side["turns"]) for name, side in sides.items()} == {"laten": 3, more: 3, good: 3, "bad": 0}
    assert sides["bad"]["failed"] == "it broke"
    assert sides["good"]["turns"][0] == {
        "seconds": [1.0] * 3,
        "rows": [20] * 3,
        "fit": 10.0,
        "gib": 0.5,
        "bound": -100.0,
    }
    assert kept["versions"] == {"laten": "1", more: "1", good: "1"}
    ours = command.sides_of(case, options)
    assert [p.arguments["options"] for p in ours[:2]] == [["warmup=0"], ["warmup=0", "draws=5", "clip=None"]]
    assert report.tables([kept])


@pytest.mark.slow
def test_a_worker_measures_what_is_there(tmp_path):
    rng, sigma = np.random.default_rng(0), 0.5
    w, b = rng.normal(size=(6, 2)), rng.normal(size=6)
    x = rng.normal(size=(4000, 2)) @ w.T + b + sigma * rng.normal(size=(4000, 6))
    arrays = {"train": x[:2000], "test": x[2000:]}
    peer = next(p for case in CASES for p in case.peers if p.name == "FactorAnalysis")
    _, report = runner.answer_of(peer, arrays, {"latent": 2, "seed": 0}, options_for(tmp_path))
    exact = oracles.linear_gaussian_log_prob(arrays["test"], w, b, sigma).mean()
    assert exact - 0.05 < report["notes"]["bound"] < exact + 0.005
    assert 0.02 < report["notes"]["gib"] < 2 and report["seconds"]["fit"] > 0
    assert "scikit-learn" in report["versions"]
    with pytest.raises(runner.PeerFailedError, match=r"exit 1: .*'latent'"):
        runner.answer_of(peer, arrays, {"seed": 0}, options_for(tmp_path))


def test_options_of_laten_are_read_and_nothing_is_executed():
    found = runner.laten_options(["numbers='normal'", "clip=None", "objective=lt.Elbo(warmup=0.5, beta=0.8)"])
    assert found == {"numbers": "normal", "clip": None, "objective": lt.Elbo(warmup=0.5, beta=0.8)}
    assert runner.laten_options(["optimizer=optax.adam(1e-3)"])["optimizer"].init is not None
    for text in ("x=__import__('os').getcwd()", "x=open('a')", "x=lt.VAE.fit(1)"):
        with pytest.raises(ValueError, match="malformed"):
            runner.laten_options([text])


def test_a_record_is_found_by_peer_case_and_arguments(tmp_path, monkeypatch):
    asked = []

    def answer_of(peer, arrays, arguments, options):
        asked.append(peer.name)
        return {"x": np.arange(3)}, {"seconds": {"fit": 1.0}, "versions": {peer.name: "1"}, "notes": {}}

    monkeypatch.setattr(runner, "answer_of", answer_of)
    peers = Peer("fast", "x.py"), Peer("slow", "x.py", arguments={"epochs": 9}, slow=True)

    def lines(case="a", **given) -> dict:
        options = argparse.Namespace(**{"results": tmp_path, "quick": False, "peers": None, "fresh": False, **given})
        found = runner.Run("r", options, peers).lines(case, {}, {"seed": 0}, lambda a: {"sum": int(a["x"].sum())})
        return {name: (line["sum"], line["when"] == "now") for name, line in found.items()}

    assert lines() == {"fast": (3, True)} and lines() == {"fast": (3, False)}
    assert lines(peers=["slow"]) == {"fast": (3, False), "slow": (3, True)}
    assert lines() == {"fast": (3, False), "slow": (3, False)} and lines("b") == {"fast": (3, True)}
    assert lines(fresh=True) == {"fast": (3, True), "slow": (3, False)}
    assert asked == ["fast", "slow", "fast", "fast"]


def test_training_rows_fill_batches():
    kept = data.whole_batches({"train": np.zeros((25, 2)), "test": np.zeros((7, 2))}, 10)
    assert (len(kept["train"]), len(kept["test"])) == (20, 7)


def test_every_case_has_a_worker_and_a_name_of_its_own():
    assert len({c.name for c in CASES}) == len(CASES)
    names = [p.name for c in CASES for p in c.peers]
    assert len(set(names)) == len(names)
    assert all((runner.PEERS / p.worker).exists() for c in CASES for p in c.peers)
    assert (runner.PEERS / command.LATEN).exists()
