"""What every test runs under: strict JAX, shape annotations checked, no display, and a kept compilation cache."""

import os
import re
import subprocess
import sys
from pathlib import Path

import jax
import matplotlib as mpl
import pytest
from jaxtyping import install_import_hook

PACKAGE = Path(__file__).parents[1] / "src" / "laten"
SHAPES = (
    r"^import jaxtyping|^from (jaxtyping|laten\.common\.types) import (\([^)]*|.*)\b(Float|Int|Bool|Raw|Features)\b"
)


def naming_shapes() -> list[str]:
    """The modules that may annotate shapes; a wrapper around every function of the others would only cost time."""
    files = [path for path in PACKAGE.rglob("*.py") if re.search(SHAPES, path.read_text("utf-8"), re.MULTILINE)]
    return [".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in files]


# Before anything of `laten` is imported, doctests included.
install_import_hook(naming_shapes(), "shape_checks.checked")
mpl.use("Agg")

collect_ignore = ["chaos/killing_pairs.py", "training/on_devices.py"]  # run by tests, in processes of their own

RANKS = "raise"  # (3,) + (2, 3) must be written out; "allow" to switch off
DTYPES = "strict"  # int32 + float32 must be written out; "standard" to switch off
# Programs are compiled quickly, not well: most run once, on few rows (docs/decisions.md, 36).
QUICK = "--xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1"  # half the time of the default


def pytest_configure(config: pytest.Config) -> None:
    """Sets JAX up once. Compiled programs are kept for the next run; subprocesses find them through the environment."""
    jax.config.update("jax_numpy_rank_promotion", RANKS)
    if "LATEN_TESTS_OPTIMISED" not in os.environ:
        jax.config.update("jax_disable_most_optimizations", True)
        os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "1"  # so do subprocesses
        flags = f"{os.environ.get('XLA_FLAGS', '')} {QUICK}".strip()
        if QUICK not in os.environ.get("XLA_FLAGS", "") and knows(flags):
            os.environ["XLA_FLAGS"] = flags  # read when the first program is compiled; workers inherit it
    if hasattr(config, "cache"):
        folder = str(config.cache.mkdir("jax"))
        jax.config.update("jax_compilation_cache_dir", folder)
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
        os.environ["JAX_COMPILATION_CACHE_DIR"] = folder
        os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.1"
    os.environ["MPLBACKEND"] = "Agg"


def knows(flags: str) -> bool:
    """Say whether this XLA takes these flags: it ends the process at one that it does not know."""
    command = [sys.executable, "-c", "import jax; jax.devices()"]
    return not subprocess.run(
        command, env={**os.environ, "XLA_FLAGS": flags}, capture_output=True, check=False
    ).returncode


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Makes dtypes strict, except where something trains: optax raises floats to the power of an int32 step."""
    lenient = item.get_closest_marker("trains") or isinstance(item, pytest.DoctestItem)
    jax.config.update("jax_numpy_dtype_promotion", "standard" if lenient else DTYPES)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips `gpu` tests where there is none."""
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if marked and jax.default_backend() != "gpu":
        for item in marked:
            item.add_marker(pytest.mark.skip(reason="no GPU here"))


@pytest.fixture(scope="session")
def shared(pytestconfig: pytest.Config) -> Path:
    """The folder of larger data sets, `shared` beside the checkout; tests that want it are skipped without it."""
    folder = pytestconfig.rootpath.parent / "shared"
    if not folder.is_dir():
        pytest.skip("no folder 'shared' beside the checkout")
    return folder
