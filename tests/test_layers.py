"""Keep the house in order: floors and circles by import-linter, and by the source text what it does not see.

The rules read source text with `ast` and import nothing, so that each can also be shown an offender it must catch.
"""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src"

# May be imported inside a function: what the base install lacks. Only there; Pillow comes with matplotlib.
EXTRAS = {"anndata": "cells", "blackjax": "lab", "PIL": "images", "openpyxl": "xlsx"}
# Extras without which a whole folder is nothing: they are imported at the top there, and the folder late elsewhere.
WHOLE = {
    "laten.studio": ("fastapi", "uvicorn"),
    "laten.server": ("fastapi", "prometheus_client", "pydantic", "pydantic_core", "starlette", "uvicorn"),
}

# May be imported inside a function as well: what takes long to import and few need; a result's own picture; a report;
# the work of a command.
LATE = ("optax", "scipy", "laten.plots", "laten.report", "laten.cli.work", *WHOLE)

# Not public: https://docs.jax.dev/en/latest/jep/9419-jax-versioning.html and any name that starts with an underscore.
PRIVATE = ("jax.core", "jax.extend", "jax.interpreters", "jax.lib", "jaxlib")

FILE_LINES = 300
FUNCTION_LINES = 60  # the docstring not counted
LONG: dict[str, str] = {
    "laten.families.base": "the one contract of all families: most of it is what its methods promise",
}  # "laten.network.network" or "laten.network.network:Network.sample" -> why it stays long


class Import(NamedTuple):
    """One import statement, or one name of a `from` import."""

    module: str
    line: int
    inside: bool  # a function


def module_name(path: Path) -> str:
    parts = path.relative_to(SRC).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {module_name(path): path.read_text("utf-8") for path in sorted(SRC.glob("laten/**/*.py"))}


def imports(source: str) -> Iterator[Import]:
    """All imports of a file."""

    def walk(node: ast.AST, inside: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from (Import(alias.name, child.lineno, inside) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                yield Import("." * child.level + (child.module or ""), child.lineno, inside)
            else:
                yield from walk(child, inside or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda))

    return walk(ast.parse(source), False)


def import_faults(module: str, source: str) -> list[str]:
    """Imports inside functions that may not, extras outside, the package's face, modules named by a string."""
    faults = []
    for found in imports(source):
        where, library = f"{module}:{found.line}", found.module.split(".")[0]
        if found.inside and library not in EXTRAS and not found.module.startswith(LATE):
            faults.append(f"{where}: {found.module} is imported inside a function; move it to the top")
        if library in EXTRAS and not found.inside and library != "PIL":
            faults.append(f"{where}: {found.module} is an extra; import it inside the function that needs it")
        home = [folder for folder, extras in WHOLE.items() if library in extras]
        if home and not module.startswith(tuple(home)):
            faults.append(f"{where}: {found.module} is of the extra that {' and '.join(home)} needs; import it there")
        if found.module.startswith(tuple(WHOLE)) and not found.inside and not module.startswith(tuple(WHOLE)):
            faults.append(f"{where}: {found.module} needs an extra; import it inside the function that needs it")
        own_line = source.splitlines()[found.line - 1].strip()
        if found.module == "laten" and own_line != "from laten import __version__":
            faults.append(f"{where}: import from the module, not from the package's face")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            faults.append(f"{module}:{node.lineno}: a module named by a string is an import that no rule sees")
    return faults


def private_faults(module: str, source: str) -> list[str]:
    """Names of other libraries that may change without notice."""
    tree = ast.parse(source)
    names: dict[str, str] = {}  # local name -> what it stands for
    used: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
                used.append((node.lineno, alias.name))
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                used.append((node.lineno, f"{node.module}.{alias.name}"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            head, *rest = ast.unparse(node).split(".")
            if head in names and all(part.isidentifier() for part in rest):  # a plain a.b.c, through no call
                used.append((node.lineno, ".".join([names[head], *rest])))

    def private(name: str) -> bool:
        if name == "os._exit":  # which Python documents
            return False
        hidden = any(part.startswith("_") and not part.endswith("__") for part in name.split("."))
        return hidden or any(name == prefix or name.startswith(f"{prefix}.") for prefix in PRIVATE)

    found = {(line, name) for line, name in used if private(name) and not name.startswith(("laten", "__future__"))}
    return [f"{module}:{line}: {name} is not public" for line, name in sorted(found)]


def long_things(module: str, source: str) -> dict[str, int]:
    """Files and functions past their length, docstrings of functions not counted."""
    lines = len(source.splitlines())
    found = {module: lines} if lines > FILE_LINES else {}

    def walk(node: ast.AST, path: str) -> None:
        for child in ast.iter_child_nodes(node):
            inner = path
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                inner = f"{path}.{child.name}" if path else child.name
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                length = child.end_lineno - child.lineno + 1
                if ast.get_docstring(child) is not None:
                    length -= child.body[0].end_lineno - child.body[0].lineno + 1
                if length > FUNCTION_LINES:
                    found[f"{module}:{inner}"] = length
            walk(child, inner)

    walk(ast.parse(source), "")
    return found


def opening_faults(module: str, source: str) -> list[str]:
    """Docstrings of functions that open with a question word: they open with a verb."""
    faults = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node) or ""
            property_ = any("property" in ast.unparse(d) for d in node.decorator_list)
            if not property_ and re.match(QUESTIONS, text):
                faults.append(f"{module}:{node.lineno}: the docstring of {node.name} opens with {text.split()[0]!r}")
    return faults


QUESTIONS = r"(What|How|Whether|Which|Who|Where|Why|When|The|A|An)\b"
RULES = [import_faults, private_faults, opening_faults]


@pytest.mark.parametrize("rule", RULES)
def test_every_file_keeps_the_rules(rule):
    faults = [fault for module, source in SOURCES.items() for fault in rule(module, source)]
    assert not faults, "\n".join(faults)


def test_files_and_functions_are_short_or_say_why():
    found = {thing: n for module, source in SOURCES.items() for thing, n in long_things(module, source).items()}
    long = {thing: lines for thing, lines in found.items() if thing not in LONG}
    assert not long, f"split along ideas, or say why in LONG: {long}"
    assert not set(LONG) - set(found), "no longer long: take them out of LONG"


def test_every_folder_is_a_package_that_says_what_lives_there():
    for folder in {path.parent for path in SRC.glob("laten/**/*.py")}:
        face = folder / "__init__.py"
        assert face.is_file(), f"__init__.py is missing in {folder.relative_to(SRC)}"
        text = ast.get_docstring(ast.parse(face.read_text("utf-8"))) or ""
        assert len(text.splitlines()) >= 3, f"{face.relative_to(SRC)}: say what lives there and what may not come in"


# -- floors and circles, by import-linter ---------------------------------------------------------------------


def linted(folder: Path) -> subprocess.CompletedProcess:
    """Run import-linter on a checkout, by the contracts in its pyproject.toml."""
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    environment = {"PYTHONPATH": str(folder / "src"), "NO_COLOR": "1"}
    return subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.slow  # `make lint` says the same
def test_floors_and_circles():
    done = linted(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("file", "line", "words"),
    [
        ("families/normal.py", "if TYPE_CHECKING:\n    import laten.cli.main", "laten.families -> laten.cli"),
        pytest.param(
            "network/guide.py",
            "def late():\n    import laten.training.loop",
            "laten.network.guide -> laten.training.loop",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "data/columns/column.py",
            "import laten.data.schema.schema",
            "laten.data.columns.column -> laten.data.schema",
            marks=pytest.mark.slow,
        ),
        ("families/mixture.py", "import pandas", "laten.families.mixture -> pandas"),
    ],
)
def test_an_offender_is_caught(tmp_path, file, line, words):
    shutil.copytree(SRC, tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / "src" / "laten" / file).open("a") as source:
        source.write(f"\n{line}\n")
    done = linted(tmp_path)
    assert done.returncode == 1 and words.split(" -> ")[1] in done.stdout.split("Broken contracts")[1]


def test_the_drawing_is_the_contract():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    floors = next(c["layers"] for c in contracts if c["type"] == "layers" and c["containers"] == ["laten"])
    drawing = (ROOT / "CONTRIBUTING.md").read_text("utf-8").split("```text\n")[1].split("```")[0]
    drawn = [line.split("   ")[0].split() for line in drawing.splitlines() if line.strip()]
    assert drawn == [[f"{name}/" for name in floor.split(" | ")] for floor in floors]


def test_files_named_in_documents_exist():
    documents = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    lost = []
    for document in documents:
        if document.name == "CHANGELOG.md":
            continue
        for name in re.findall(r"`((?:[a-z_]+/)+[a-z_0-9]+\.py)`", document.read_text("utf-8")):
            if not any((folder / name).is_file() for folder in (ROOT, SRC / "laten", SRC)):
                lost.append(f"{document.name}: {name}")
    assert not lost


# -- controls ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "source", "words"),
    [
        (import_faults, "def f():\n    import pandas", "inside a function"),
        (import_faults, "import blackjax.mcmc", "is an extra"),
        (import_faults, "import fastapi", "is of the extra"),
        (import_faults, "from laten.server.run import serve", "needs an extra"),
        (import_faults, "from laten import Network", "not from the package's face"),
        (import_faults, "import importlib\nimportlib.import_module('laten.plots')", "named by a string"),
        (private_faults, "from jax._src import core", "jax._src.core is not public"),
        (private_faults, "import jax\nx = jax._src.core.Trace", "jax._src"),
        (private_faults, "import jax.extend.core as jec", "jax.extend.core"),
        (private_faults, "import jax\nisinstance(1, jax.core.Tracer)", "jax.core"),
        (private_faults, "from optax._src.base import GradientTransformation", "optax._src"),
        (opening_faults, "def f():\n    'Whether it is.'", "opens with 'Whether'"),
    ],
)
def test_rule_catches_an_offender(rule, source, words):
    assert any(words in fault for fault in rule("laten.new", source)), rule("laten.new", source)


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        (import_faults, "from laten import __version__\nfrom laten.estimator.vae import VAE"),
        (import_faults, "def f():\n    import blackjax\n    from laten.plots.audit import plot_audit"),
        (private_faults, "from __future__ import annotations\nimport jax\nx = jax.__version__"),
        (private_faults, "import inspect\nx = inspect.signature(f.__call__).parameters"),
        (opening_faults, "def f():\n    'Say whether it is.'"),
        (opening_faults, "@property\ndef f(self):\n    'The number of rows.'"),
    ],
)
def test_rule_lets_good_code_pass(rule, source):
    assert rule("laten.new", source) == []


def test_length_rule_catches_long_files_and_functions():
    body = "\n".join(f"        x{i} = {i}" for i in range(FUNCTION_LINES))
    assert set(long_things("laten.x", f"class A:\n    def f(self):\n{body}")) == {"laten.x:A.f"}
    docstring = '        """' + "word\n" * FUNCTION_LINES + '"""'
    assert not long_things("laten.x", f"class A:\n    def f(self):\n{docstring}")
    assert long_things("laten.x", "x = 1\n" * (FILE_LINES + 1)) == {"laten.x": FILE_LINES + 1}
