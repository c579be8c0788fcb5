"""The package's face: every public name is there, and importing it loads nothing heavy."""

import ast
import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import laten

STUB = ast.parse(Path(laten.__file__).with_suffix(".pyi").read_text("utf-8"))
HOMES = {alias.name: node.module for node in STUB.body if isinstance(node, ast.ImportFrom) for alias in node.names}


def test_every_name_of_the_stub_is_public_and_no_other():
    assert set(HOMES) == set(laten.__all__) <= set(dir(laten))


@pytest.mark.parametrize("name", laten.__all__)
def test_public_name_is_there(name):
    value = getattr(laten, name)
    assert value is getattr(importlib.import_module(f"laten.{HOMES[name]}"), name)


def test_unknown_name_raises():
    with pytest.raises(AttributeError, match="Nromal"):
        laten.Nromal  # noqa: B018


@pytest.mark.parametrize(
    ("what", "heavy"),
    [
        ("laten", ("jax", "pandas", "sklearn", "matplotlib", "numpy")),
        ("laten.cli.work.fit, laten.cli.work.ask", ("sklearn", "scipy.stats", "optax", "matplotlib")),
    ],
)
def test_import_loads_nothing_heavy(what, heavy):
    code = f"import sys, {what}; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.strip() == "[]"


def test_the_long_description_stands_alone(pytestconfig):
    """On a package index no file lies beside it: no pictures, no links to files."""
    settings = tomllib.loads((pytestconfig.rootpath / "pyproject.toml").read_text("utf-8"))
    text = before = (pytestconfig.rootpath / "README.md").read_text("utf-8")
    for change in settings["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]["substitutions"]:
        text = re.sub(change["pattern"], change["replacement"], text)
    beside = r"\]\((?!https?:)|<img"
    assert re.search(beside, before) and not re.search(beside, text)
    assert "Decisions (`docs/decisions.md`)" in text and "circumstances in docs/en/benchmarks.md." in text
    assert len(text) > 0.8 * len(before)
