"""Processes that train together: what they learn, and what becomes of them when one is lost."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import pytest

import laten as lt
import members
from laten.training.cluster import join_cluster

PLAN = ["fit", "wine", "--latent", 2, "--width", 8, "--patience", 0]


@pytest.mark.slow
def test_two_processes_learn_what_one_learns(tmp_path):
    """The first alone writes; the second needs no folder."""
    plan = [*PLAN, "--epochs", 12, "--batch-size", 40]
    pair = members.started([[*plan, "-o", tmp_path / f"{i}.laten", "--run", tmp_path / f"{i}"] for i in range(2)])
    one = lt.VAE(latent=2, width=8, epochs=12, batch_size=40, patience=0).fit(lt.read("wine"))
    for code, said in members.ended(pair):
        assert code == 0, said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "0.laten"]
    both, alone = lt.load(tmp_path / "0.laten").history_, one.history_
    for name in ("bound", "valid_bound", "train_bound", "kl"):
        assert both[name].iloc[-1] == pytest.approx(alone[name].iloc[-1], abs=1e-3)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"coordinator": "10.0.0.1:7777"}, "give all of coordinator, processes and process, or none of them"),
        ({"coordinator": "10.0.0.1", "processes": 2, "process": 0}, "coordinator must be HOST:PORT"),
        ({"coordinator": "10.0.0.1:7777", "processes": 2, "process": 2}, "process must be a number from 0 to 1, not 2"),
        ({"timeout": 0}, "timeout is a number of seconds"),
    ],
)
def test_clusters_that_cannot_be(said, told):
    with pytest.raises(lt.LatenError, match=told):
        join_cluster(**said)


def test_who_has_computed_cannot_join():
    jax.devices()
    with pytest.raises(lt.LatenError, match="must come before everything that computes"):
        join_cluster("127.0.0.1:7777", 2, 0)


@pytest.mark.slow
def test_the_first_says_what_differs(tmp_path):
    pair = members.started([[*PLAN, "--seed", i, "-o", tmp_path / "m.laten"] for i in range(2)])
    (first, told), (second, why) = members.ended(pair)
    assert (first, second) == (75, 2)
    assert "process 1 has left before the end" in told
    assert "process 0 trains something else: it was begun with seed 0, not 1" in why


@pytest.mark.slow
def test_a_signal_to_one_ends_all_alike(tmp_path):
    pair = members.started([[*PLAN, "--epochs", 100_000, "-o", tmp_path / "m.laten"] for _ in range(2)])
    until(tmp_path, pair, seconds=20)
    pair[1].send_signal(signal.SIGTERM)
    found = members.ended(pair)
    assert [code for code, _ in found] == [143, 143]
    assert lt.load(tmp_path / "m.laten").stopped_ == "terminated"


def until(run: Path, pair: list, seconds: float = 120) -> None:
    """Wait until a run has a checkpoint, or so long."""
    began = time.monotonic()
    while time.monotonic() - began < seconds and not list(run.glob("checkpoint-*")):
        assert all(p.poll() is None for p in pair)
        time.sleep(0.2)
    time.sleep(1)


@pytest.mark.slow
@pytest.mark.parametrize("lost", [0, 1])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_loss_ends_all_with_a_word_and_a_checkpoint(tmp_path, lost, how):
    run, timeout = tmp_path / "run", 5
    pair = members.started(
        [[*PLAN, "--epochs", 100_000, "-o", tmp_path / "m.laten", "--run", run, "--timeout", timeout]] * 2
    )
    until(run, pair)
    began = time.monotonic()
    pair[lost].send_signal(how)
    other = pair[1 - lost]
    said = other.communicate(timeout=60)[1]
    took = time.monotonic() - began
    pair[lost].send_signal(signal.SIGCONT)
    code, _ = members.ended([pair[lost]])[0]
    reason = "has ended" if how == signal.SIGKILL else "has been silent for 5 seconds"
    assert other.returncode == 75
    assert f"laten: process {lost} {reason}" in said
    assert took < 60
    assert code == (-9 if how == signal.SIGKILL else 75)
    assert list(run.glob("checkpoint-*"))


STUCK = """
import sys, time
import laten as lt
lt.join_cluster(sys.argv[1], 2, int(sys.argv[2]), timeout=3)
from laten.estimator.prepare import prepare
vae = lt.VAE(latent=2, width=8, epochs=100_000, patience=0, progress="quiet")
def report(record):
    if sys.argv[2] == "1" and record["epoch"] > 2000:
        time.sleep(1e6)
vae.fit_prepared(prepare(lt.read("wine"), vae), report=report)
"""


@pytest.mark.slow
def test_one_that_is_alive_and_does_nothing(tmp_path):
    """JAX waits for ever (its issue 38503)."""
    where = f"127.0.0.1:{members.free_port()}"
    command, pipes = [sys.executable, "-c", STUCK, where], {"stderr": subprocess.PIPE, "text": True}
    pair = [subprocess.Popen([*command, str(i)], env={**os.environ, **members.QUICK}, **pipes) for i in range(2)]
    for code, said in members.ended(pair):
        assert code == 75
        assert "process 1 does not go on, and has not for 3 seconds or longer" in said


IN_WINDOWS = """
import sys
import laten as lt
from laten.estimator import prepare_parts
if len(sys.argv) > 2:
    lt.join_cluster(sys.argv[2], 2, int(sys.argv[3]))
prepare_parts.FEWEST, prepare_parts.SHARE = 50, 2**40
from laten.training import windows
held, read = [], windows.Windows._lanes
def noted(self, *arguments):
    found = read(self, *arguments)
    held.append(len(next(iter(found[0].values()))))
    return found
windows.Windows._lanes = noted
vae = lt.VAE(latent=2, width=8, epochs=12, batch_size=40, patience=0)
vae.fit(sys.argv[1], memory="512MiB")
print(vae.history_["bound"].iloc[-1], vae.history_["valid_bound"].iloc[-1], max(held))
"""


@pytest.mark.slow
def test_two_processes_read_a_half_of_each_window_and_learn_what_one_learns(tmp_path):
    lt.read("wine").to_parquet(tmp_path / "wine.parquet")
    command, pipes = [sys.executable, "-c", IN_WINDOWS, str(tmp_path / "wine.parquet")], {"stdout": subprocess.PIPE}
    where, env = f"127.0.0.1:{members.free_port()}", {**os.environ, **members.QUICK}
    told = [[], [where, "0"], [where, "1"]]
    alone, *pair = [subprocess.Popen([*command, *own], env=env, text=True, **pipes) for own in told]
    *ends, rows = map(float, alone.communicate(timeout=300)[0].splitlines()[-1].split())
    for process in pair:
        *found, held = map(float, process.communicate(timeout=300)[0].splitlines()[-1].split())
        assert process.returncode == 0
        assert found == pytest.approx(ends, abs=1e-3) and held == rows / 2
