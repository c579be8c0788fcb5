"""Compiled programs are kept for the next process, in the user's cache folder.

Compiling costs more than training a small table. JAX can keep what it compiled; `keep_compiled` says where, once a
process, before the first fit or load. `LATEN_CACHE` names another folder, or "off". Who has set JAX's own
`jax_compilation_cache_dir` is left alone.

A process that is killed while it writes leaves half a program, which JAX passes over and never writes anew: `mend`
removes it.

Programs are made for one kind of processor, so each kind has a folder of its own (a home may be shared by machines of a
cluster). When a folder has grown past `MOST` bytes, the programs that were not made lately go.
"""

import contextlib
import functools
import hashlib
import os
import platform
import sys
import time
import zlib
from pathlib import Path

import jax

MOST = 2**29  # bytes of a folder
ZLIB = b"\x78"  # with which its output begins
LOOKED = ".looked"  # a file as old as the last look at programs
SETTLED = 60.0  # seconds after which a program that is still half written stays so
WORTH = 0.05  # seconds of compilation from which a program is kept


@functools.cache
def keep_compiled() -> None:
    """Point JAX's persistent compilation cache at the user's folder, if that can be written."""
    wanted = os.environ.get("LATEN_CACHE", "")
    if wanted.lower() in ("off", "0", "no") or getattr(jax.config, "jax_compilation_cache_dir", None):
        return
    try:
        folder = (Path(wanted).expanduser() if wanted else home() / "laten") / f"compiled-{processor()}"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        prune(folder)
        mend(folder)
        usable = os.access(folder, os.W_OK) and ours(folder)
    except (OSError, RuntimeError):
        return  # no home, or one that cannot be written: compile as if nothing had been said
    if usable:
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", WORTH)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def ours(folder: Path) -> bool:
    """Say whether nobody else can put programs, which are machine code, into a folder."""
    if not hasattr(os, "getuid"):
        return True
    about = folder.stat()
    return about.st_uid == os.getuid() and not about.st_mode & 0o022


def home() -> Path:
    """Find the user's cache folder, by the custom of the system."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def processor() -> str:
    """Name this kind of processor: machines of one name run one another's programs."""
    about = [platform.machine(), platform.processor()]
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        about += sorted({line for line in lines if line.startswith(("flags", "Features", "model name"))})
    return hashlib.sha256("\n".join(about).encode()).hexdigest()[:12]


def mend(folder: Path) -> None:
    """Remove what was left half-written since the last look. Others may be at work in the folder."""
    now, looked = time.time() - SETTLED, folder / LOOKED
    since = looked.stat().st_mtime if looked.exists() else now
    for entry in os.scandir(folder):
        with contextlib.suppress(OSError):
            if (
                since <= entry.stat().st_mtime < now
                and entry.name != LOOKED
                and not whole(Path(entry.path).read_bytes())
            ):
                Path(entry.path).unlink()
    looked.touch()
    os.utime(looked, (now, now))


def whole(program: bytes) -> bool:
    """Say whether a program can be unpacked; of those that JAX has packed by zstandard, only whether it is there."""
    if program[:1] != ZLIB:
        return bool(program)
    try:
        zlib.decompress(program)
    except zlib.error:
        return False
    return True


def prune(folder: Path, most: int = MOST) -> None:
    """Remove the oldest files of a folder that has grown past `most` bytes, down to half of that."""
    files = [(entry.stat(), entry.path) for entry in os.scandir(folder) if entry.is_file()]
    size = sum(stat.st_size for stat, _ in files)
    if size <= most:
        return
    for stat, path in sorted(files, key=lambda file: file[0].st_mtime):
        with contextlib.suppress(OSError):  # another process may have removed it
            Path(path).unlink()
        size -= stat.st_size
        if size <= most // 2:
            return
