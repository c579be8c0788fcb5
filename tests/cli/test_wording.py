"""No Python in what the command line says: each message of the library, turned into options."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import laten
from laten.cli.wording import in_options

ROOT = Path(laten.__file__).parent
PYTHON = re.compile(
    r"\blt\.\w|\bpd\.|\bnp\.|\b(df|frame)\[|\bschema\.\w+\(|\bvae\.\w|\b(kinds|latents|objective|nets)=|=None\b|\.to_\w+\("
    r"|=True\b|=False\b|\.astype|\bDataFrame\b|\w\(\.\.\.\)|\b(predict_proba|impute_interval|learning_rate|batch_size)\b"
)
# What a command cannot reach: declarations, which are made in Python, and what arrays are refused for there.
ELSEWHERE = (
    "network/", "families/", "training/objectives/", "plots/", "synthetic/", "classical/discrete", "classical/bif",
    "estimator/prepare_prior", "training/collapse",  # a fit in Python alone says it
    "data/schema/worth_a_look",  # says each way out in both languages
)  # fmt: skip
UNREACHED = (
    "expected a pandas DataFrame", "predict asks for a column by name", "objective must be one such", "pd.DataFrame |",
    "# What the columns", "like='age' is not possible", "Imputer:", "expression is asked of counts",
)  # fmt: skip
OWN = ("cli/wording", "server/wording", "studio/copied")  # whose Python is meant


def sentences(path: Path) -> Iterator[str]:
    """The texts of a file that are no docstrings; values in them are called 'age'."""
    tree = ast.parse(path.read_text("utf-8"))
    nodes = [n for n in ast.walk(tree) if isinstance(n, ast.Module | ast.FunctionDef | ast.ClassDef)]
    inside = {id(v) for n in ast.walk(tree) if isinstance(n, ast.JoinedStr) for v in n.values}
    docs = {id(n.body[0].value) for n in nodes if n.body and isinstance(n.body[0], ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                v.value if isinstance(v, ast.Constant) else "'age'" if getattr(v, "conversion", -1) == ord("r") else "7"
                for v in node.values
            )  # fmt: skip
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs | inside:
            yield node.value


def left(text: str) -> bool:
    return " " in text and bool(PYTHON.search(in_options(text))) and not text.startswith(UNREACHED)


def test_no_message_of_the_library_keeps_its_python():
    found = [
        f"{path.relative_to(ROOT)}: {text}"
        for path in sorted(ROOT.rglob("*.py"))
        if not path.relative_to(ROOT)
        .as_posix()
        .startswith((*ELSEWHERE, "cli/wording", "server/wording", "studio/copied", "studio/declar", "studio/written"))
        for text in sentences(path)
        if left(text)
    ]
    assert not found, "\n".join(found)


def test_python_that_nobody_turned_is_caught():
    assert left("column 'age' is odd; call schema.repair('age') first")
    assert left("use lt.Imputer(samples=3) instead")


@pytest.mark.parametrize(
    ("said", "typed"),
    [
        ("fit again with schema.with_kind('my age', 'real')", "fit again with --kind 'my age=real'"),
        ("schema.with_kind('age', ...) sets another kind", "--kind age=KIND sets another kind"),
        ("column 'id': leave it out", "column 'id': leave it out"),
        ("sep='ab' is not possible", "--sep ab is not possible"),
        ("learning_rate must be positive", "--learning-rate must be positive"),
    ],
)
def test_ways_out_are_typed(said, typed):
    assert in_options(said) == typed
