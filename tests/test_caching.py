"""Compiled programs are kept where they should be, and nowhere else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from laten.common.compilation_cache import home, ours, processor, prune

FIT = """
import laten as lt, numpy as np
lt.VAE(lt.Network(z=lt.Normal(1), x=lt.Normal(2).given("z")), epochs=1).fit({"x": np.ones((40, 2), np.float32)})
"""
ASK = "from laten.common.compilation_cache import keep_compiled; keep_compiled()"
HOMELESS = """
import os, pathlib
def home(): raise RuntimeError("Could not determine home directory.")
pathlib.Path.home = staticmethod(home)
os.environ.pop("XDG_CACHE_HOME", None)
"""
SAY = "\nprint(__import__('jax').config.jax_compilation_cache_dir)"


def folder(does: str, **environment: str) -> str:
    """The cache folder of a fresh process, after what it does."""
    clean = {k: v for k, v in os.environ.items() if k not in ("JAX_COMPILATION_CACHE_DIR", "LATEN_CACHE")}
    command = [sys.executable, "-c", does + SAY]
    done = subprocess.run(command, env=clean | environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_programs_are_kept_in_the_users_folder(tmp_path):
    where = Path(folder(FIT, LATEN_CACHE=str(tmp_path)))
    assert where.parent == tmp_path
    assert any(where.iterdir())


@pytest.mark.parametrize("wanted", ["off", "/dev/null"])
def test_no_cache_where_none_is_wanted_or_possible(wanted):
    assert folder(ASK, LATEN_CACHE=wanted) == "None"


def test_who_has_no_home_has_no_cache():
    """As in a container whose user is a mere number."""
    assert folder(HOMELESS + ASK) == "None"


def test_a_folder_that_others_can_write_is_not_trusted(tmp_path):
    """Programs are machine code."""
    tmp_path.chmod(0o755)
    assert ours(tmp_path)
    tmp_path.chmod(0o775)
    assert not ours(tmp_path)


@pytest.mark.slow
def test_damaged_programs_are_compiled_anew(tmp_path):
    where = Path(folder(FIT, LATEN_CACHE=str(tmp_path)))
    for i, path in enumerate(where.iterdir()):
        path.write_bytes(path.read_bytes()[: [0, 100, -1][i % 3]])
    assert Path(folder(FIT, LATEN_CACHE=str(tmp_path))) == where


def test_a_folder_of_jaxs_own_is_left_alone(tmp_path):
    assert folder(ASK, JAX_COMPILATION_CACHE_DIR=str(tmp_path), LATEN_CACHE="elsewhere") == str(tmp_path)


def test_the_cache_folder_follows_the_system(monkeypatch, tmp_path):
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert home() == tmp_path
    monkeypatch.setattr("sys.platform", "darwin")
    assert home().parts[-2:] == ("Library", "Caches")


def test_each_kind_of_processor_has_its_name(monkeypatch):
    here = processor()
    assert processor() == here
    monkeypatch.setattr("platform.machine", lambda: "another")
    assert processor() != here


def test_the_oldest_programs_go_first(tmp_path):
    for i in range(8):
        (tmp_path / str(i)).write_bytes(b"x" * 100)
        os.utime(tmp_path / str(i), (i, i))
    prune(tmp_path, most=800)
    assert len(list(tmp_path.iterdir())) == 8  # not too large yet
    prune(tmp_path, most=700)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["5", "6", "7"]
