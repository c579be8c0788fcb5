"""Two devices, which share the rows of each batch, learn what one learns."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.trains, pytest.mark.slow]


def found_out(*arguments: str) -> dict:
    """JAX is told how many devices it has before it starts, so that another process looks."""
    script, quick = Path(__file__).with_name("on_devices.py"), {**os.environ, "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
    command = [sys.executable, str(script), *arguments]
    done = subprocess.run(command, env=quick, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def found() -> dict:
    return found_out()


@pytest.mark.parametrize("case", ["means over rows", "looks at the batch"])
def test_the_same_bound_on_any_number_of_devices(found, case):
    """An objective that takes quantiles of a batch takes them of the whole batch, not of a device's part."""
    assert found["2"][case] == pytest.approx(found["1"][case], abs=1e-3)


def test_the_same_bound_of_other_objectives():
    found = found_out("all")
    for case, ends in found["1"].items():
        assert found["2"][case] == pytest.approx(ends, abs=1e-3)


def test_what_is_drawn_of_a_row_does_not_depend_on_devices(found):
    assert found["drawn alike"]


def test_a_step_has_one_exchange(found):
    assert found["exchanges"] == ["all-reduce"]


def test_batches_are_shared_out_evenly(found):
    assert found["uneven"] == 60
    assert found["told"] == ["batches have 60 rows, 1 fewer, so that 2 devices have the same number each"]


def test_devices_that_are_not_there(found):
    assert found["too many"] == "devices must be at most 2, which is what JAX sees here, not 3"
    assert found["too few"] == "a batch of 1 rows cannot be shared by 2 devices; use fewer of them"
