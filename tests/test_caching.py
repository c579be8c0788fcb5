"""Compiled programs are kept where they should be, and nowhere else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from laten.caching import home, processor, prune

FIT = "import laten as lt; lt.VAE(latent=1, width=4, epochs=1).fit(lt.read('wine').head(40)); print(%s)"
WHERE = "__import__('jax').config.jax_compilation_cache_dir"


def fitted(**environment: str) -> str:
    """The cache folder that a fresh process uses, after a fit."""
    clean = {k: v for k, v in os.environ.items() if k not in ("JAX_COMPILATION_CACHE_DIR", "LATEN_CACHE")}
    done = subprocess.run(
        [sys.executable, "-c", FIT % WHERE], env=clean | environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_programs_are_kept_in_the_users_folder(tmp_path):
    where = Path(fitted(LATEN_CACHE=str(tmp_path)))
    assert where.parent == tmp_path
    assert any(where.iterdir())


@pytest.mark.parametrize(
    "environment", [{"LATEN_CACHE": "off"}, {"LATEN_CACHE": "/dev/null"}, {"JAX_COMPILATION_CACHE_DIR": "/tmp/mine"}]
)
def test_who_says_otherwise_is_heeded(environment):
    expected = environment.get("JAX_COMPILATION_CACHE_DIR", "None")
    assert fitted(**environment) == expected


def test_the_cache_folder_follows_the_system(monkeypatch, tmp_path):
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert home() == tmp_path
    monkeypatch.setattr("sys.platform", "darwin")
    assert home().parts[-2:] == ("Library", "Caches")
    assert processor() == processor()


def test_the_oldest_programs_go_first(tmp_path):
    for i in range(8):
        (tmp_path / str(i)).write_bytes(b"x" * 100)
        os.utime(tmp_path / str(i), (i, i))
    prune(tmp_path, most=800)
    assert len(list(tmp_path.iterdir())) == 8  # not too large yet
    prune(tmp_path, most=700)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["5", "6", "7"]
