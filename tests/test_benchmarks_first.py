"""The processes that `benchmarks.first` times."""

import ast
import sys
from pathlib import Path

import pytest
from benchmarks.first import FIT, IMPORT, commands, seconds_in


def test_a_process_is_told_its_cache_and_says_its_seconds(tmp_path):
    asked = [sys.executable, "-c", "import os; print(len(os.environ['LATEN_CACHE']))"]
    assert seconds_in(asked, tmp_path) == len(str(tmp_path))
    assert 0.0 < seconds_in([sys.executable, "--version"], tmp_path) < 60.0  # a command prints no seconds: it is timed


def test_a_process_that_fails_is_not_a_time(tmp_path):
    with pytest.raises(RuntimeError, match=r"exit status 3\nnot today"):
        seconds_in([sys.executable, "-c", "import sys; print('not today', file=sys.stderr); sys.exit(3)"], tmp_path)


def test_what_is_timed():
    asked = commands(Path("folder"), 7)
    assert [name.split(",")[0] for name in asked] == [
        "laten fit wine", "laten score", "import", "fit of 7 rows", "fit of 7 rows",
    ]  # fmt: skip
    ast.parse(IMPORT)
    for options in ("", "epochs=20"):
        ast.parse(FIT.format(rows=7, options=options))
