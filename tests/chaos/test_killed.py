"""`kill -9` at random moments, and on: the same bytes."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("killing.py")
PAIRS = Path(__file__).with_name("killing_pairs.py")


def kills(folder: Path, count: int, seed: int = 0, script: Path = SCRIPT) -> str:
    done = subprocess.run(
        [sys.executable, str(script), str(folder), str(count), str(seed)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_kill(tmp_path):
    assert "1 of 1 the same bytes" in kills(tmp_path, 1)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_thirty_kills(tmp_path):
    said = kills(tmp_path, 30, 1)
    assert "30 of 30 the same bytes" in said
    torn = re.search(r"(\d+) were killed while", said)
    assert torn is not None and int(torn[1]) > 0  # some fell into the writing of a checkpoint


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_ten_kills_of_one_of_two(tmp_path):
    assert "10 of 10 the same bytes" in kills(tmp_path, 10, 2, PAIRS)
