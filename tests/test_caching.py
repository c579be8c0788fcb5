"""Compiled programs are kept where they should be, and nowhere else."""

import os
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest

from laten.common.compilation_cache import LOOKED, home, mend, ours, processor, prune, whole

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


@pytest.mark.parametrize("where", ["/proc", "/dev/null"])
def test_a_home_that_cannot_be_written_is_no_error(where):
    assert folder(ASK, HOME=where, XDG_CACHE_HOME="") == "None"


MANY = """
import threading
from laten.common.compilation_cache import keep_compiled
keep_compiled()
import jax, jax.numpy as jnp
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
found = {}
def work(i):
    for n in range(1, 5):
        found[i, n] = float(jax.jit(lambda x: jnp.cumsum(jnp.arange(4.0) * x)[-1] * n)(2.0))
threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
assert found == {(i, n): 12.0 * n for i in range(8) for n in range(1, 5)}, found
print("right")
"""


def test_two_processes_of_eight_threads_share_a_cache(tmp_path):
    environment = {k: v for k, v in os.environ.items() if k != "JAX_COMPILATION_CACHE_DIR"}
    environment["LATEN_CACHE"] = str(tmp_path)
    pair = [subprocess.Popen([sys.executable, "-c", MANY], env=environment, stdout=subprocess.PIPE) for _ in range(2)]
    assert [p.communicate()[0] for p in pair] == [b"right\n"] * 2
    (inside,) = tmp_path.iterdir()
    programs = [path for path in inside.iterdir() if path.name.endswith("-cache")]
    assert programs and all(whole(path.read_bytes()) for path in programs)


def test_half_written_programs_are_removed(tmp_path):
    """Those that may still be under way are left alone, and so are those that were looked at before."""
    mend(tmp_path)
    good, now = zlib.compress(b"program" * 100), time.time()
    for name, data, age in [
        ("good", good, 100), ("half", good[:20], 100), ("empty", b"", 100), ("zstd", b"(\xb5/", 100),
        ("under way", good[:20], 1), ("before", good[:20], 5000),
    ]:  # fmt: skip
        (tmp_path / name).write_bytes(data)
        os.utime(tmp_path / name, (now - age, now - age))
    os.utime(tmp_path / LOOKED, (now - 1000, now - 1000))
    mend(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [LOOKED, "before", "good", "under way", "zstd"]
    os.utime(tmp_path / "under way", (now - 50, now - 50))
    mend(tmp_path)
    assert (tmp_path / "under way").exists()


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
