"""Keeps the house in order: who may import whom, how long a file and a function may be, only public names of JAX.

The rules read source text with `ast` and import nothing, so that each can also be shown an offender it must catch.
"""

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1] / "src"

# From the ground up; a name ending in / is a folder. A file imports from lower floors and, in a folder, from
# neighbours.
FLOORS = (
    ("caching", "errors", "numerics", "threefry", "types"),
    ("families/", "nets", "noisy", "lookup", "flows", "data/"),
    ("conditionals",),
    ("network", "drawing", "bayes"),
    ("guides", "model"),
    ("terms",),
    ("templates", "infer/", "objectives/", "saving"),
    ("training/",),
    ("proposal", "answers/"),
    ("learner",),
    ("estimator", "report", "measures/", "classical/"),
    ("plots", "studio/", "imputer"),
    ("cli/", "demo"),
    ("__main__",),
)
FLOOR = {unit: height for height, floor in enumerate(FLOORS) for unit in floor}

# Steps along one floor, each with its reason.
SIDEWAYS = {
    ("numerics", "types"): "types are annotations, and import nothing of ours",
    ("threefry", "types"): "types are annotations, and import nothing of ours",
    ("nets", "lookup"): "one pillar: a table is one of the nets",
    ("noisy", "nets"): "a net of which the weights are drawn is a net",
    ("flows", "nets"): "one pillar: a flow's conditioner is a net",
    ("model", "guides"): "a model refuses a network that no guide can be derived for, by the same rule",
    ("network", "drawing"): "Network.draw() hands its nodes to drawing, which knows only declarations",
    ("saving", "objectives/"): "objectives are declarations too, and are kept in the file",
    ("objectives/", "infer/"): "Monte Carlo EM walks by HMC",
    ("measures/", "report"): "one way to bin a marginal",
    ("cli/", "demo"): "`laten demo` is a command",
}

# Where a heavy library may be imported at all. Whatever is not listed may be imported anywhere.
LIBRARIES = {
    "matplotlib": ("plots", "studio/", "cli/", "demo"),
    "pandas": (
        "data/",
        "proposal",
        "answers/",
        "estimator",
        "learner",
        "report",
        "measures/",
        "classical/",
        "plots",
        "studio/",
        "cli/",
        "demo",
    ),
    "pyarrow": ("data/",),
    "rich": ("training/", "studio/", "cli/", "demo"),
    "safetensors": ("saving", "training/"),
    "sklearn": ("estimator", "imputer", "measures/"),
    "typer": ("cli/",),
}

# May be imported inside a function: what the base install lacks. Only there, but for pillow, which matplotlib brings.
EXTRAS = {
    "anndata": "cells",
    "arviz": "lab",
    "blackjax": "lab",
    "fastapi": "studio",
    "flowjax": "flows",
    "PIL": "images",
    "uvicorn": "studio",
}

# May be imported inside a function as well: what takes long to import, and is needed by few commands.
SLOW = ("optax",)

# Not public: https://docs.jax.dev/en/latest/jep/9419-jax-versioning.html and any name that starts with an underscore.
PRIVATE = ("jax.core", "jax.extend", "jax.interpreters", "jax.lib", "jaxlib")

FILE_LINES = 300
FUNCTION_LINES = 60  # the docstring not counted
LONG: dict[str, str] = {}  # "laten.network.network" or "laten.network.network:Network.sample" -> why it stays long


class Import(NamedTuple):
    """One import statement, or one name of a `from` import."""

    module: str
    line: int
    inside: bool  # a function
    typing: bool  # under `if TYPE_CHECKING:`


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {module_name(path): path.read_text("utf-8") for path in sorted(ROOT.glob("laten/**/*.py"))}
MODULES = [name for name in SOURCES if name != "laten"]  # the package's own file is a lazy table, tested below


def unit(module: str) -> str:
    """What stands on a floor: `laten.families.normal -> families/`, `laten.network.network -> network`."""
    top = module.split(".")[1]
    return f"{top}/" if f"{top}/" in FLOOR else top


def imports(source: str, known: frozenset[str] = frozenset(SOURCES)) -> Iterator[Import]:
    """All imports of a file; `from laten import x` counts as the module `laten.x` where there is one."""

    def walk(node: ast.AST, inside: bool, typing: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from (Import(alias.name, child.lineno, inside, typing) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                base = "." * child.level + (child.module or "")
                for alias in child.names:
                    full = f"{base}.{alias.name}"
                    yield Import(full if full in known else base, child.lineno, inside, typing)
            else:
                guard = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
                function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
                yield from walk(child, inside or function, typing or guard)

    return walk(ast.parse(source), False, False)


def floor_faults(module: str, source: str) -> list[str]:
    """Imports that do not go down, libraries away from home, and files that stand on no floor."""
    here = unit(module)
    if here not in FLOOR:
        return [f"{module}: stands on no floor; add it to FLOORS"]
    faults = []
    for found in imports(source, frozenset(SOURCES) | {module}):
        where, library = f"{module}:{found.line}", found.module.split(".")[0]
        if library in LIBRARIES and here not in LIBRARIES[library]:
            faults.append(f"{where}: {library} is imported only in {', '.join(LIBRARIES[library])}")
        if library not in ("", "laten"):
            continue
        if library == "" or found.module == "laten":
            if not version_only(source, found.line):
                faults.append(f"{where}: import from the module, not from the package's face or by dots")
            continue
        there = unit(found.module)
        if there not in FLOOR:
            faults.append(f"{where}: {found.module} stands on no floor")
        elif FLOOR[there] >= FLOOR[here] and there != here and (here, there) not in SIDEWAYS:
            faults.append(f"{where}: {here} may not import {there}, which is not on a lower floor")
    return faults


def version_only(source: str, line: int) -> bool:
    return source.splitlines()[line - 1].strip() == "from laten import __version__"


def late_import_faults(module: str, source: str) -> list[str]:
    """Imports inside functions, but of extras; extras imported outside."""
    faults = []
    for found in imports(source):
        extra = found.module.split(".")[0] in EXTRAS
        if found.inside and not extra and found.module.split(".")[0] not in SLOW:
            faults.append(f"{module}:{found.line}: {found.module} is imported inside a function; move it to the top")
        if extra and not (found.inside or found.typing or found.module.startswith("PIL")):
            faults.append(
                f"{module}:{found.line}: {found.module} is an extra; import it inside the function that needs it"
            )
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


def circle(sources: dict[str, str]) -> list[str]:
    """Modules that import one another in a ring, or nothing. Imports for type checkers alone do not count."""
    known = frozenset(sources)
    graph = {
        name: {i.module for i in imports(text, known) if not i.typing and i.module in known}
        for name, text in sources.items()
    }
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return error.args[1]
    return []


@pytest.mark.parametrize("rule", [floor_faults, late_import_faults, private_faults])
@pytest.mark.parametrize("module", MODULES)
def test_module_keeps_the_rules(module, rule):
    faults = rule(module, SOURCES[module])
    assert not faults, "\n".join(faults)


def test_files_and_functions_are_short_or_say_why():
    found = {thing: lines for module in SOURCES for thing, lines in long_things(module, SOURCES[module]).items()}
    long = {thing: lines for thing, lines in found.items() if thing not in LONG}
    assert not long, f"split along ideas, or say why in LONG: {long}"
    assert not set(LONG) - set(found), "no longer long: take them out of LONG"


def test_every_folder_is_a_package():
    folders = {path.parent for path in ROOT.glob("laten/**/*.py")}
    bare = sorted(str(folder.relative_to(ROOT)) for folder in folders if not (folder / "__init__.py").is_file())
    assert not bare, f"__init__.py is missing in {bare}"


def test_no_circle():
    ring = circle({name: SOURCES[name] for name in MODULES})
    assert not ring, " -> ".join(ring)


@pytest.mark.parametrize(
    ("rule", "module", "source", "words"),
    [
        (
            floor_faults,
            "laten.families.new",
            "from laten.network.nets.layers import MLP",
            "families/ may not import nets",
        ),
        (floor_faults, "laten.network.nets.layers", "import laten.data.schema.schema", "nets may not import data/"),
        (floor_faults, "laten.common.numerics", "from laten import errors", "numerics may not import errors"),
        (
            floor_faults,
            "laten.training.objectives.elbo",
            "import laten.training.loop",
            "objectives/ may not import training/",
        ),
        (
            floor_faults,
            "laten.network.model",
            "def f():\n    from laten.estimator.vae import VAE",
            "model may not import estimator",
        ),
        (floor_faults, "laten.estimator.vae", "from laten import Network", "not from the package's face"),
        (floor_faults, "laten.families.new", "from .base import Family", "or by dots"),
        (floor_faults, "laten.families.new", "import pandas as pd", "pandas is imported only in"),
        (floor_faults, "laten.misc", "", "stands on no floor"),
        (late_import_faults, "laten.estimator.vae", "def f():\n    import pandas", "inside a function"),
        (late_import_faults, "laten.flows", "import flowjax.flows", "is an extra"),
        (private_faults, "laten.network.model", "from jax._src import core", "jax._src.core is not public"),
        (private_faults, "laten.network.model", "import jax\nx = jax._src.core.Trace", "jax._src"),
        (private_faults, "laten.network.model", "import jax.extend.core as jec", "jax.extend.core"),
        (private_faults, "laten.network.model", "import jax\nisinstance(1, jax.core.Tracer)", "jax.core"),
        (private_faults, "laten.network.model", "from optax._src.base import GradientTransformation", "optax._src"),
    ],
)
def test_rule_catches_an_offender(rule, module, source, words):
    assert any(words in fault for fault in rule(module, source)), rule(module, source)


@pytest.mark.parametrize(
    ("rule", "module", "source"),
    [
        (
            floor_faults,
            "laten.families.new",
            "from laten.families.base import Family\nfrom laten.common.numerics import bound",
        ),
        (floor_faults, "laten.network.network", "from laten.network.diagram import svg"),
        (floor_faults, "laten.cli.main", "from laten import __version__\nfrom laten.estimator.vae import VAE"),
        (late_import_faults, "laten.flows", "def f():\n    import flowjax.flows"),
        (late_import_faults, "laten.data.images", "from PIL import Image"),
        (private_faults, "laten.network.model", "from __future__ import annotations\nimport jax\nx = jax.__version__"),
        (private_faults, "laten.network.model", "import inspect\nx = inspect.signature(f.__call__).parameters"),
    ],
)
def test_rule_lets_good_code_pass(rule, module, source):
    assert rule(module, source) == []


def test_length_rule_catches_long_files_and_functions():
    body = "\n".join(f"        x{i} = {i}" for i in range(FUNCTION_LINES))
    assert set(long_things("laten.x", f"class A:\n    def f(self):\n{body}")) == {"laten.x:A.f"}
    docstring = '        """' + "word\n" * FUNCTION_LINES + '"""'
    assert not long_things("laten.x", f"class A:\n    def f(self):\n{docstring}")
    assert long_things("laten.x", "x = 1\n" * (FILE_LINES + 1)) == {"laten.x": FILE_LINES + 1}


def test_circle_rule_catches_a_ring():
    ring = {"laten.data.a": "import laten.data.b", "laten.data.b": "from laten.data import a"}
    assert set(circle(ring)) == {"laten.data.a", "laten.data.b"}
    ring["laten.data.b"] = "if TYPE_CHECKING:\n    from laten.data import a"
    assert not circle(ring)
