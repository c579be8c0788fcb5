"""What was clicked, as Python and as a command line: both give the same numbers."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

import pandas as pd

from laten.data.rows.between import Between


def python_of(value: Any) -> str:
    """Return evidence as Python writes it."""
    if isinstance(value, Between):
        return f"lt.between({python_of(value.low)}, {python_of(value.high)})"
    if isinstance(value, pd.Timestamp):
        return repr(str(value))
    if isinstance(value, pd.Timedelta):
        return f"pd.Timedelta({str(value)!r})"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(python_of, value))}]"
    return repr(value)


def option_of(value: Any) -> str:
    """Return evidence as `--given COLUMN=...` takes it."""
    if isinstance(value, Between):
        low, high = ("" if end is None else str(end) for end in (value.low, value.high))
        return f"{low}..{high}"
    return str(value)


def given_python(given: Mapping[Any, Any]) -> str:
    """Return a dictionary of evidence as Python writes it."""
    return "{" + ", ".join(f"{name!r}: {python_of(v)}" for name, v in given.items()) + "}"


def given_options(given: Mapping[Any, Any]) -> str:
    """Return evidence as options of a command."""
    return "".join(f" --given {shlex.quote(f'{name}={option_of(v)}')}" for name, v in given.items())


def fit(data: str, kinds: Mapping[str, str], options: Mapping[str, Any], table: bool) -> dict[str, str]:
    """Return the training of the page *Train*; `data` is empty where they were handed over in Python."""
    stem = PurePath(data).name.split(".")[0] or "model"
    read = f"df = lt.read({data!r})\n" if data else "# df: the data that the studio was opened with\n"
    edits = "".join(f".with_kind({name!r}, {kind!r})" for name, kind in kinds.items())
    schema = f"schema = lt.infer_schema(df){edits}\n" if table and kinds else ""
    given = ["schema=schema"] * bool(schema) + [f"{name}={value!r}" for name, value in options.items()]
    code = f"import laten as lt\n\n{read}{schema}vae = lt.VAE({', '.join(given)}).fit(df)\nvae.save('{stem}.laten')"
    said = [f"--kind={name}={kind}" for name, kind in kinds.items()]
    said += [f"--{name}={value}" for name, value in options.items()]
    command = f"laten fit {shlex.join([data, '-o', f'{stem}.laten', *said])}" if data else ""
    return {"python": code, "command": command}


def ask(model: str, given: Mapping[Any, Any]) -> dict[str, str]:
    """Return the question of the page *Ask*."""
    code = f"import laten as lt\n\nvae = lt.load({model!r})\nprint(vae.marginals({given_python(given)}))"
    several = any(isinstance(v, list | tuple) for v in given.values())  # no option says "one of these"
    command = "" if several else f"laten sample {shlex.quote(model)} -n 1000{given_options(given)}"
    return {"python": code, "command": command}


def query(network: str, evidence: Mapping[str, list[str]]) -> dict[str, str]:
    """Return a question about every variable of a discrete network."""
    given = {n: v[0] if len(v) == 1 else v for n, v in evidence.items()}
    code = f"import laten as lt\n\nnet = lt.read_bif({network!r})\ngiven = {given_python(given)}\n"
    code += "for name in net.states:\n    if name not in given:\n        print(net.query(name, given))"
    return {"python": code, "command": ""}


def likely(model: str, given: Mapping[Any, Any]) -> dict[str, str]:
    """Return the question for the most probable row."""
    code = f"import laten as lt\n\nvae = lt.load({model!r})\nprint(vae.most_probable({given_python(given)}))"
    return {"python": code, "command": ""}


def likely_states(network: str, given: Mapping[str, list[str]]) -> dict[str, str]:
    """Return the question for the most probable states of a discrete network."""
    code = f"import laten as lt\n\nnet = lt.read_bif({network!r})\n"
    return {"python": f"{code}states, log_p = net.most_probable({given_python(given)})\nprint(states)", "command": ""}


def of_table(what: str, data: str, model: str, n: int = 0, given: Mapping[Any, Any] | None = None) -> dict[str, str]:
    """Return the questions of *Fill*, *Odd rows* and *Synthetic*."""
    head = f"import laten as lt\n\nvae = lt.load({model!r})\n"
    read = f"df = lt.read({data!r}, like=vae)\n"
    m, d = shlex.quote(model), shlex.quote(data)
    return {
        "fill": {"python": f"{head}{read}vae.impute(df).to_csv('filled.csv', index=False)",
                 "command": f"laten impute {m} {d} -o filled.csv --flag --interval"},
        "odd": {"python": f"{head}{read}print(vae.outliers(df, top={n}))",
                "command": f"laten outliers {m} {d} --top {n}"},
        "synthetic": {"python": f"{head}vae.sample({n}, {given_python(given or {})}).to_csv('rows.csv', index=False)",
                      "command": f"laten sample {m} -n {n}{given_options(given or {})} -o rows.csv"},
    }[what]  # fmt: skip


def path(model: str, data: str, rows: Sequence[int], steps: int) -> dict[str, str]:
    """Return the line between the latents of two rows, as the page *Map* draws it."""
    code = f"import numpy as np\nimport laten as lt\n\nvae = lt.load({model!r})\n{reading(data, 'vae', rows)}"
    code += f"ends = np.asarray(vae.transform(df), np.float32)\nline = np.linspace(*ends, {steps}, dtype=np.float32)\n"
    return {"python": f"{code}print(vae.inverse_transform(line))", "command": ""}


def reading(data: str, model: str, rows: Sequence[int] | None = None) -> str:
    """Return the line that reads the rows; `data` is empty where they were handed over in Python."""
    read = f"df = lt.read({data!r}, like={model})\n" if data else "# df: the data that the studio was opened with\n"
    return read if rows is None else f"{read}df = df.iloc[{list(rows)}]\n"


def compare(models: tuple[str, str], data: str, rows: Sequence[int] | None) -> dict[str, str]:
    """Return the comparison of two models; `rows` are those that are judged, None all."""
    one, two = models
    code = f"import laten as lt\n\none, two = lt.load({one!r}), lt.load({two!r})\n{reading(data, 'one', rows)}"
    command = "laten compare " + shlex.join([one, two, data]) if rows is None and data else ""
    return {"python": f"{code}print(one.compare(two, df, names={models!r}))", "command": command}


def audit(model: str, data: str, only: Sequence[str], most: int, rows: Sequence[int] | None) -> dict[str, str]:
    """Return an audit of at most `most` rows."""
    asked = f", only={list(only)}" if only else ""
    code = f"import laten as lt\n\nvae = lt.load({model!r})\n{reading(data, 'vae', rows)}"
    options = "".join(f" --only {name}" for name in only)
    command = f"laten audit {shlex.join([model, data])}{options} --rows {most}" if rows is None and data else ""
    return {"python": f"{code}print(vae.audit(df{asked}, rows={most}))", "command": command}


def shown(value: Any) -> str:
    """Return evidence in few words, for a label."""
    if isinstance(value, Between):
        low, high = ("" if end is None else str(end) for end in (value.low, value.high))
        return f"{low} … {high}"
    return " | ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
