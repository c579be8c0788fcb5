"""What only a process of its own can show: start-up, streams, signals."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import laten
from laten.cli.main import main

pytestmark = pytest.mark.trains

LATEN = [sys.executable, "-m", "laten.cli.main"]


def test_help_and_version_load_nothing_heavy():
    code = (
        "import sys; from laten.cli.main import main; "
        "codes = [main(a) for a in (['--help'], ['fit', '-h'], [], ['--version'])]; "
        "print(codes, [m for m in ('jax', 'numpy', 'pandas', 'sklearn', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    *_, version, last = done.stdout.splitlines()
    assert version == f"laten {laten.__version__}" and last == "[0, 0, 0, 0] []"
    assert "reconstruct" in done.stdout and "--learning-rate" in done.stdout and done.stderr == ""


def test_a_reader_that_goes_away_is_no_error(table):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([*LATEN, "info", table.model], stdout=writing, stderr=subprocess.PIPE, text=True, timeout=120)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_ctrl_c_ends_training_and_keeps_the_model(table, tmp_path):
    model = tmp_path / "people.laten"
    command = [*LATEN, "fit", table.data, "-o", str(model), "--epochs", "1000000", "--patience", "0", "--latent", "2"]
    with subprocess.Popen([*command, "--width", "4"], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = ""
        while "epoch" not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 130, rest
    assert "Training ended by Ctrl-C" in rest and f"Wrote {model}" in rest and "Traceback" not in rest
    assert laten.load(model).stopped_ == "interrupted"


CTRL_C_WHILE_IT_IMPORTS = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background process begins without it
class Finder:
    def find_spec(self, name, *rest):
        if name == "typer":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
from laten.cli.__main__ import main
"""


def test_ctrl_c_in_the_first_second_is_one_line():
    done = subprocess.run([sys.executable, "-c", CTRL_C_WHILE_IT_IMPORTS], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "laten: interrupted\n")


def test_who_ignores_ctrl_c_goes_on_ignoring_it():
    code = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    code += "import laten.cli.__main__; print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


def test_ctrl_c_elsewhere_writes_nothing(monkeypatch, capsys, tmp_path):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("laten.cli.work.fit.for_fit", interrupt)
    assert main(["fit", "wine"]) == 130
    assert capsys.readouterr().err == "laten: interrupted\n"
    assert not list(Path().iterdir())
