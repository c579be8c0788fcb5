"""Errors and warnings in the words of the command line.

The library names the way out as Python writes it: `schema.with_kind('age', 'real')`. Whoever typed a command has
options instead: `--kind age=real`. What the library can say is turned here, phrase by phrase;
`tests/cli/test_wording.py` looks through all of its messages for Python that would be left.
"""

import re
import shlex
from collections.abc import Callable

Said = str | Callable[[re.Match[str]], str]
OPTIONS = "sep|encoding|decimal|thousands|dayfirst|missing|header|drop|id"
NAME = r"(?:'([^']*)'|\"([^\"]*)\"|(\w+))"


def kind_option(found: re.Match[str]) -> str:
    """Write `--kind NAME=KIND` of the name and kind that were found."""
    name = next(g for g in found.groups() if g is not None)
    kind = found.groups()[3] if len(found.groups()) > 3 else "KIND"
    return f"--kind {shlex.quote(f'{name}={kind}')}"


def ordinal_option(found: re.Match[str]) -> str:
    """Write `--kind NAME=ordinal:…` of the name that was found."""
    name = next(g for g in found.groups() if g is not None)
    return f"--kind {shlex.quote(f'{name}=ordinal:LOW,…,HIGH')}"


def option(found: re.Match[str]) -> str:
    """Write an option of reading and its value."""
    return f"--{found[1]} {shlex.quote(found[2])}"


PHRASES: tuple[tuple[str, Said], ...] = (
    # kinds of columns
    (rf"schema\.with_kind\({NAME}, 'ordinal', levels=.*?\) and so on", ordinal_option),
    (rf"schema\.with_kind\({NAME}, '(\w+)'\)", kind_option),
    (rf"schema\.with_kind\({NAME}, \.\.\.\)", kind_option),
    (r"schema\.with_kind\(name, kind\)", "--kind COLUMN=KIND"),
    (
        rf"set its kind: kinds=\{{{NAME}: 'categorical'\}} or 'text'",
        lambda m: f"--kind {m[1] or m[2]}=categorical or =text",
    ),
    (r"or set kind 'text'", "or leave the column out: --kind COLUMN=text"),
    (r"infer_schema\(frame\) finds them", "laten schema finds them"),
    (r"say one by kinds=\{column: kind\}", "say one by --kind COLUMN=KIND"),
    # cells
    (r"make them empty: frame\[.*?\] = pd\.to_numeric\(.*?errors='coerce'\)", "make them empty: --missing CODE"),
    (r"frame\[.*?\] = pd\.to_numeric\(.*?errors='coerce'\) empties", "--missing CODE empties"),
    (r"bring them to one: frame\[.*?\] = pd\.to_datetime\(.*?utc=True\)", "bring them to one"),
    (r"add it: frame\[.*?\]\)", "add it"),
    (r"convert it first: pd\.to_\w+\(\.\.\.\)", "convert it first"),
    (r", or convert the column: pd\.to_datetime\(\.\.\.\)", ""),
    (r"convert (them|the column|it): pd\.to_\w+\(\.\.\.\)", r"convert \1"),
    (r"pd\.to_timedelta\(\.\.\.\), with its unit if they are numbers", "write them as in '2 days 03:30:00'"),
    (r" or pd\.Timedelta\(hours=3\)", ""),
    (r"; convert it, e\.g\. images\.astype\('uint8'\)", "; store whole numbers as uint8"),
    (r"convert it: frame\[.*?\]\.astype\('float64'\)", "store it as float64"),
    (r", or of lt\.constraints, not", ", not"),
    (r"best a DataFrame with", "best a table with"),
    # evidence and questions
    (r"; lt\.missing: it has none", "; 'NAME is missing': it has none"),
    (r"lt\.between\(low, high\) or a list", "a range LOW..HIGH or several --given"),
    (r"predict_interval: (.*); predict_proba gives the probabilities of classes", r"\1; --proba gives probabilities"),
    (
        r"predict_proba: (.*); predict\(.*?\) gives its mean, impute_interval its interval",
        r"\1; --interval gives its interval",
    ),
    (r"; impute\(X\) fills every node that X lacks", "; laten impute fills the nodes that a file lacks"),
    (r"latents=\[\.\.\.\], ", ""),
    (r"give draws or error, not both", "give --draws or --error, not both"),
    (
        r"use more than (\d+) draws, or train longer or with lt\.Iwae",
        r"ask for more than --draws \1, or fit longer or with --objective iwae",
    ),
    (r", or ask a learned guide: network\.learn_guide\(\)\.query\(\.\.\.\)", ""),
    (r"variable elimination, network\.query\(targets, given\), or a guide, network\.learn_guide\(\)", "laten query"),
    (r"a guide, lt\.VAE\(network\)", "a guide, fitted in Python"),
    (r"; give more, or ask for a target: guide\.query\(\.\.\.\)", "; give more, or ask for a target"),
    (r"'mean field' or 'prior', or learn_guide\(\) one", "'mean field' or 'prior'"),
    (
        r'Exact answers exist for discrete latents, and for networks of lt\.Normal\(n, scale="site"\)',
        "Exact answers exist for discrete latents, and for networks of normals of constant scale",
    ),
    # models and training
    (r"ask one of them: vae\.member\(0\)", "fit with --keep best"),
    (
        r"keep='all' averages over several models: say how many, restarts=4",
        "--keep all averages over several models: say how many, --restarts 4",
    ),
    (r"say objective=lt\.Elbo\(\.\.\., trim=\.\.\.\) instead", "leave out --trim or --objective"),
    (
        r"hand over the function or the class of that name: lt\.load\(.*",
        "such a model is opened in Python, with the parts of your own",
    ),
    (r"Model files are written by vae\.save\(path\)", "Model files are written by laten fit"),
    (
        r"a network is needed to say what the arrays (.*) are: lt\.VAE\(lt\.Network\(\.\.\.\)\)",
        r"a network, declared in Python, is needed to say what the arrays \1 are",
    ),
    (r"; give it in Python: vae\.sample\(given=\{.*?\}\)", "; only nodes of one site are given here"),
    (r"go on there, say exact=False", "go on there, say laten resume DIR --inexact"),
    (r"\b(learning_rate|batch_size)\b", lambda m: "--" + m[1].replace("_", "-")),
    (r"\bthe frame (lacks|has)\b", r"the table \1"),
    (r"rename it in the frame", "rename it in the file"),
    # synthetic rows
    (r"draw with sample\(n, holes=True\)", "draw with laten sample --holes"),
    (r"name a column to predict: target='...'", "name a column to predict: --target COLUMN"),
    (r"needs a hold-out: real rows", "needs --holdout: real rows"),
    (r"expected a DataFrame with", "expected a table with"),
    (r"For text and mixed types use a DataFrame", "Text and mixed types need a table with names of columns"),
    # reading
    (rf"\b({OPTIONS})='([^']*)'", option),
    (rf"\b({OPTIONS})=(True|False)", lambda m: f"--{m[1]}"),
)
COMPILED = tuple((re.compile(pattern), said) for pattern, said in PHRASES)


def in_options(message: str) -> str:
    """Return a message with Python's ways out as options."""
    for pattern, said in COMPILED:
        message = pattern.sub(said, message)
    return message
