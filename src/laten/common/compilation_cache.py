"""Compiled programs are kept for the next process, in the user's cache folder.

Compiling costs more than training a small table. JAX can keep what it compiled; `keep_compiled` says where, once a
process, before the first fit or load. `LATEN_CACHE` names another folder, or "off". Who has set JAX's own
`jax_compilation_cache_dir` is left alone.

Programs are made for one kind of processor, so each kind has a folder of its own (a home may be shared by machines of a
cluster). When a folder has grown past `MOST` bytes, the programs that were not made lately go.
"""

import contextlib
import functools
import hashlib
import os
import platform
import sys
from pathlib import Path

import jax

MOST = 2**29  # bytes of a folder
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
