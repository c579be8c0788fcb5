"""The structure of training and of questions is as recorded, and the guard that says so sees what it should."""

import dataclasses
import json
import os
import subprocess
import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from benchmarks import counters, guard
from benchmarks.guard_cases import numbers, of_question

import laten as lt
from laten.data.rows.presentation import Presentation
from laten.inference import asking
from laten.inference.questions import LogWeights
from laten.network.model import build_model
from laten.training import epochs, task
from laten.training.objectives import Objective

pytestmark = pytest.mark.trains

RECORDED = json.loads(guard.RECORD.read_text())
HERE = RECORDED["about"]


def test_structure_is_as_recorded(pytestconfig):
    """In a process of its own: counts do not depend on what other tests compiled."""
    command = [sys.executable, "-m", "benchmarks.guard"]
    # what is counted is settled before machine code is made, which therefore need not be good
    flags = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
    quick = {**os.environ, "XLA_FLAGS": flags, "JAX_DISABLE_MOST_OPTIMIZATIONS": "0"}
    done = subprocess.run(command, cwd=pytestconfig.rootpath, env=quick, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"all {len(RECORDED['figures'])} figures hold" in done.stdout


@dataclasses.dataclass(frozen=True)
class Worse(Objective):
    """The ELBO with a superfluous product, and a visit to the host at every step."""

    def __call__(self, model: Any, batch: Any, *rest: Any) -> Any:
        jax.debug.callback(lambda: None)
        x = jnp.tile(batch.values["x"], (1, 20))
        return (found := lt.Elbo()(model, batch, *rest))._replace(loss=found.loss + 1e-9 * jnp.tanh(x.T @ x).sum())


def test_a_worse_loop_is_caught(monkeypatch):
    shuffled, summary = task.shuffled, epochs.summary

    def narrower(seed: int, turn: int, *rest: int) -> np.ndarray:
        return (order := shuffled(seed, turn, *rest))[:, : order.shape[1] - turn % 2]

    def curious(epoch: int, state: Any, *rest: Any) -> Any:
        jax.block_until_ready(jax.device_put(jax.device_get(state.weights)))
        return summary(epoch, state, *rest)

    monkeypatch.setattr(task, "shuffled", narrower)
    monkeypatch.setattr(epochs, "summary", curious)
    found = {f"numbers: {name}": x for name, x in numbers(objective=Worse()).items()}
    mine = {name: x for name, x in RECORDED["figures"].items() if name in found}
    lines = guard.compared(found, {"about": HERE, "figures": mine}, guard.running())
    caught = {line.figure.split(": ")[-1] for line in lines if line.fails}
    assert caught >= {
        "retraces", "programs after the first epoch", "callbacks", "arrays sent an epoch", "arrays read an epoch",
        "flops a row",
    }  # fmt: skip


def test_a_question_compiled_for_each_number_of_rows_is_caught():
    network = lt.Network(z=lt.Normal(2), x=lt.Normal(3).given("z"))
    model, presentation = build_model(network, lt.guide_for(network), jax.random.key(0)), Presentation()

    def ask(n: int) -> Any:
        rows = {"x": np.ones((n, 3), np.float32)}
        return jax.device_get(
            asking.answer_chunk(LogWeights(4), model, rows, {}, None, jax.random.key(0), presentation)
        )

    assert of_question(ask, (30, 20, 10), 4)["programs for other numbers of rows"] == 2
    assert of_question(lambda n: ask(30), (30, 20, 10), 4)["programs for other numbers of rows"] == 0


def test_loops_are_counted_once():
    """Operations of the recorded programs are those of the networks' products, and a little more."""
    p, q, last = 20 * 512 + 512 * 784, 784 * 512, 512 * 40
    figures = RECORDED["figures"]
    trained = 2 * (3 * p + 2 * q + 3 * last)  # forward, and gradients by weights and inputs; none by the pixels
    assert 1 <= figures["images: fit: flops a row"] / trained < 1.1
    assert 1 <= figures["images: score: flops a row and draw"] / (2 * p + 2 * (q + last) / 100) < 1.1


@pytest.mark.parametrize(
    "figure, measured, said",
    [
        ("images: fit: retraces", 0, "same"),
        ("images: fit: retraces", 1, "WORSE"),
        ("images: fit: arrays read an epoch", 10, "better"),
        ("images: fit: flops a row", 1019, "same"),
        ("images: fit: flops a row", 1021, "WORSE"),
        ("images: fit: bytes accessed a row", 1049, "same"),
        ("images: fit: bytes accessed a row", 1051, "WORSE"),
        ("images: fit: bytes set aside a row", 1101, "WORSE"),
        ("clinic: file: bytes", 1021, "WORSE"),
        ("images: fit: flops a row", None, "GONE"),
        ("images: fit: flops a draw", 3, "NEW"),
    ],
)
def test_verdicts(figure, measured, said):
    known = {figure: 0 if "retraces" in figure else 11 if "read" in figure else 1000}
    known = {} if said == "NEW" else known
    found = {} if measured is None else {figure: measured}
    (line,) = guard.compared(found, {"about": HERE, "figures": known}, HERE)
    assert (line.verdict, line.fails) == (said, said.isupper())


def test_elsewhere_counts_are_still_compared():
    known = {"a: b: flops a row": 100, "a: b: bytes accessed a row": 100, "a: b: retraces": 0, "a: b: programs": 20}
    record = {"about": HERE, "figures": known}

    def said(about: dict, **found: float) -> list[str]:
        lines = guard.compared({f"a: b: {name.replace('_', ' ')}": x for name, x in found.items()}, record, about)
        return [line.verdict for line in lines]

    grown = {"flops_a_row": 110, "bytes_accessed_a_row": 300, "retraces": 1, "programs": 25}
    assert said({**HERE, "jax": "0"}, **grown) == ["same", "not compared", "WORSE", "same"]
    assert said({**HERE, "device": "x"}, **grown) == ["not compared", "not compared", "WORSE", "WORSE"]
    assert said({**HERE, "jax": "0"}, **{**grown, "flops_a_row": 120})[0] == "WORSE"


def test_counters_count():
    counters.check()
    two = jax.jit(lambda x: (x + 1, x - 1))
    ones = jnp.ones(3)
    two(ones)
    with counters.counting() as now:
        a, b = two(ones)
        assert now() == (0, 0, 0)
        jax.device_get((a, b))
        np.asarray(a)
        assert now() == (0, 0, 2)
        two(np.ones(3, np.float32))
        assert now() == (0, 1, 2)
        jax.jit(lambda x: x * 3)(ones)
        assert now() == (1, 1, 2)


def test_counters_that_no_longer_count_say_so(monkeypatch):
    monkeypatch.setattr(counters, "PROGRAM", "another name")
    with pytest.raises(RuntimeError, match="does not count under JAX"):
        counters.check()
