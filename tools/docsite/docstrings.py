"""Do the docstrings of all public names say what the reference promises?

Each name has one. That of a function opens with a verb. Where arrays go in or come out it gives shapes; where
log-probabilities come out it says nats; where a `LatenError` is raised it has `Raises`.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import laten
from docsite.common import shown
from laten.common.errors import LatenError

ARRAY = re.compile(r"ndarray|\bArray\b|ArrayLike")
SHAPE = re.compile(r"`[^`]*\([^`]*[,)][^`]*`|\bshapes?\b|\bscalar\b|\bone number\b")
LOGS = re.compile(r"^(log_(prob|mass|like|evid)|kl$|score|surprise|entropy|mutual_information)")
VERBS = re.compile(
    r"(Add|Ask|Build|Change|Check|Choose|Compare|Compute|Configure|Continue|Count|Declare|Derive|Draw|Estimate|Explain|"
    r"Decide|Fill|Find|Fit|Give|Keep|Learn|List|Make|Map|Match|Measure|Open|Place|Predict|Put|Read|Rebuild|Remove|Replace|"
    r"Return|Run|Save|Say|Set|Show|Split|Take|Tell|Test|Update|Use|Write|Yield)\b"
)
ERRORS = {"LatenError", *(kind.__name__ for kind in LatenError.__subclasses__())}


def public() -> Iterator[tuple[str, Any]]:
    """Return each public name with its value: those of `laten`, what its modules define, and methods and properties."""
    for name in laten.__all__:
        value = getattr(laten, name)
        if isinstance(value, ModuleType):
            inside = [(f"{name}.{key}", each) for key, each in vars(value).items() if is_own(key, each, value)]
        else:
            inside = [(name, value)]
        for dotted, each in inside:
            yield dotted, each
            if inspect.isclass(each):
                yield from ((f"{dotted}.{key}", member) for key, member in members(each))


def is_own(name: str, value: Any, module: ModuleType) -> bool:
    """Say whether a module defines a public class or function itself."""
    return not name.startswith("_") and callable(value) and getattr(value, "__module__", "").startswith(module.__name__)


def members(kind: type) -> Iterator[tuple[str, Any]]:
    """Return the public methods and properties that `laten` gives a class: not its fields, nor what others generate."""
    for name in dir(kind):
        home = next((base for base in kind.__mro__ if name in vars(base)), object)
        value = vars(home).get(name)
        value = getattr(value, "__func__", getattr(value, "fget", getattr(value, "func", value)))
        value = getattr(value, "fn", value)  # of a method that is there only sometimes
        if not name.startswith("_") and home.__module__.startswith("laten") and isinstance(value, FunctionType):
            yield name, value


def faults() -> list[str]:
    """Return what docstrings lack, each with file and line."""
    return [f"{place_of(value)}: laten.{name}: {lack}" for name, value in public() for lack in lacks(name, value)]


def lacks(name: str, value: Any) -> Iterator[str]:
    """Return what the docstring of one public name lacks."""
    text = inspect.getdoc(documented(name, value)) or ""
    if not text.strip():
        yield "has no docstring"
        return
    function = isinstance(value, FunctionType)
    static = "." in name and is_property(name)
    if function and not static and not VERBS.match(text):
        yield f"opens with {text.split()[0]!r}, not with a verb"
    if not text[0].isupper() and text[0] not in "`0123456789":
        yield "opens with a small letter"
    marks = [str(v) for v in inspect.get_annotations(value).values()] if function else []
    if any(ARRAY.search(mark) for mark in marks) and not SHAPE.search(text):
        yield "takes or returns arrays and says no shape"
    if function and LOGS.match(name.split(".")[-1]) and "nat" not in text:
        yield "returns log-probabilities and says no nats"
    raised = raises(value)
    if raised and "Raises:" not in text:
        yield f"raises {', '.join(sorted(raised))} and has no Raises"


def documented(name: str, value: Any) -> Any:
    """Return the object whose docstring counts: a method that overrides another may leave the words to it."""
    if "." not in name or inspect.isclass(value):
        return value
    home = owner(name)
    return getattr(home, name.split(".")[-1], value) if inspect.isclass(home) else value


def owner(name: str) -> Any:
    """Return the class or module in which a dotted public name stands."""
    value: Any = laten
    for part in name.split(".")[:-1]:
        value = getattr(value, part)
    return value


def is_property(name: str) -> bool:
    """Say whether a dotted public name is a property."""
    home = owner(name)
    return inspect.isclass(home) and not callable(inspect.getattr_static(home, name.split(".")[-1]))


def raises(value: Any) -> set[str]:
    """Return which errors of ours a function raises, or the checks of a class, and what these call directly."""
    if inspect.isclass(value):
        checks = [vars(base)[c] for base in value.__mro__ for c in ("__init__", "__post_init__") if c in vars(base)]
        codes = [inspect.unwrap(code) for code in checks if getattr(code, "__module__", "").startswith("laten")]
    else:
        codes = [inspect.unwrap(value)]  # checks of types may be around it
    called = [each for code in codes if (tree := parsed(code)) for each in calls(tree, code)]
    return {name for code in [*codes, *called] if (tree := parsed(code)) for name in raised_in(tree)}


def parsed(code: Any) -> ast.AST | None:
    """Return the syntax tree of a function, where there is source."""
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(code)))
    except (OSError, TypeError, SyntaxError):
        return None


def raised_in(tree: ast.AST) -> set[str]:
    """Return the names of errors of ours that a tree raises."""
    raised = (n.exc.func for n in ast.walk(tree) if isinstance(n, ast.Raise) and isinstance(n.exc, ast.Call))
    return {getattr(name, "id", "") for name in raised} & ERRORS


def calls(tree: ast.AST, code: Any) -> Iterator[FunctionType]:
    """Return the functions of ours that a function calls by their names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            found = getattr(code, "__globals__", {}).get(node.func.id)
            if isinstance(found, FunctionType) and found.__module__.startswith("laten"):
                yield found


def place_of(value: Any) -> str:
    """Return file and line of a class or function."""
    try:
        return f"{shown(Path(inspect.getsourcefile(value) or ''))}:{inspect.getsourcelines(value)[1]}"
    except (OSError, TypeError):
        return type(value).__module__.replace(".", "/") + ".py:1"
