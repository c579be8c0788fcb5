"""What every test runs under: strict JAX, shape annotations checked, no display, and a kept compilation cache."""

import os
from pathlib import Path

import jax
import matplotlib as mpl
import pytest
from jaxtyping import install_import_hook

# Before anything of `laten` is imported, doctests included.
install_import_hook("laten", "shape_checks.checked")
mpl.use("Agg")

RANKS = "raise"  # (3,) + (2, 3) must be written out; "allow" to switch off
DTYPES = "strict"  # int32 + float32 must be written out; "standard" to switch off
# Programs are compiled quickly, not well: most run once, on few rows. What is measured runs in a process of its own.
QUICK = "--xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1"  # half the time of the default


def pytest_configure(config: pytest.Config) -> None:
    """Sets JAX up once. Compiled programs are kept for the next run; subprocesses find them through the environment."""
    jax.config.update("jax_numpy_rank_promotion", RANKS)
    if "LATEN_TESTS_OPTIMISED" not in os.environ:
        jax.config.update("jax_disable_most_optimizations", True)
        if QUICK not in os.environ.get("XLA_FLAGS", ""):  # read when the first program is compiled
            os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {QUICK}".strip()
    if hasattr(config, "cache"):
        folder = str(config.cache.mkdir("jax"))
        jax.config.update("jax_compilation_cache_dir", folder)
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
        os.environ["JAX_COMPILATION_CACHE_DIR"] = folder
    os.environ["MPLBACKEND"] = "Agg"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Makes dtypes strict, but for tests and doctests that train: optax raises floats to the power of an int32 step."""
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
