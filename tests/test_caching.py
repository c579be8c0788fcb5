"""Compiled programs are kept where they should be, and nowhere else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from laten.common.compilation_cache import home, processor, prune

FIT = """
import laten as lt, numpy as np
lt.VAE(lt.Network(z=lt.Normal(1), x=lt.Normal(2).given("z")), epochs=1).fit({"x": np.ones((40, 2), np.float32)})
"""
ASK = "from laten.common.compilation_cache import keep_compiled; keep_compiled()"
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
