"""The package's face: every public name is there, and importing it loads nothing heavy."""

import ast
import importlib
import inspect
import subprocess
import sys

import pytest

import laten


def typed_names() -> set[str]:
    """Names imported for type checkers in `laten/__init__.py`."""
    blocks = [node for node in ast.parse(inspect.getsource(laten)).body if isinstance(node, ast.If)]
    return {alias.name for block in blocks for node in block.body for alias in node.names}


def test_type_checkers_see_what_python_sees():
    assert typed_names() == set(laten.__all__) == {*laten._HOMES, *laten._MODULES}


@pytest.mark.parametrize("name", laten.__all__)
def test_public_name_is_there(name):
    value = getattr(laten, name)
    home = laten._HOMES.get(name)
    assert value is (getattr(importlib.import_module(home), name) if home else sys.modules[laten._MODULES[name]])
    assert name in dir(laten)


def test_unknown_name_raises():
    with pytest.raises(AttributeError, match="no attribute 'Nromal'"):
        laten.Nromal  # noqa: B018


@pytest.mark.parametrize(
    ("what", "heavy"),
    [
        ("laten", ("jax", "pandas", "sklearn", "matplotlib", "numpy")),
        ("laten.cli.fitting, laten.cli.answers", ("sklearn", "scipy.stats", "optax", "matplotlib")),
    ],
)
def test_import_loads_nothing_heavy(what, heavy):
    code = f"import sys, {what}; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
