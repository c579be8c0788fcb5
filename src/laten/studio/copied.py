"""What was clicked, as Python and as a command line: both give the same numbers."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

import pandas as pd

from laten.data.rows.between import Between
from laten.data.schema.schema import Schema
from laten.studio import column_edits
from laten.studio.column_edits import Edit


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


def fit(data: str, schema: Schema | None, changes: Mapping[str, Edit], options: Mapping[str, Any]) -> dict[str, str]:
    """Return the training of the page *Train*; `data` is empty where they were handed over in Python."""
    stem = PurePath(data).name.split(".")[0] or "model"
    read = f"df = lt.read({data!r})\n" if data else "# df: the data that the studio was opened with\n"
    calls = column_edits.python_of(schema, changes)
    inferred = f"schema = lt.infer_schema(df){calls}\n" if calls else ""
    given = ["schema=schema"] * bool(calls) + [f"{name}={value!r}" for name, value in options.items()]
    code = f"import laten as lt\n\n{read}{inferred}vae = lt.VAE({', '.join(given)}).fit(df)\nvae.save('{stem}.laten')"
    said = column_edits.options_of(changes)
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


def fill(data: str, model: str, left: Mapping[Any, Sequence[int] | None]) -> dict[str, str]:
    """Return the filled table of the page *Fill*.

    Args:
        left: Column -> numbers of the rows whose hole stays empty; None: of all rows.
    """
    code = f"import laten as lt\n\nvae = lt.load({model!r})\n{reading(data, 'vae')}filled = vae.impute(df)\n"
    for name, rows in left.items():
        kept = f"df[{name!r}]"
        there = f"filled[{name!r}].where(~filled.index.isin(filled.index[{rows}]), {kept})"
        code += f"filled[{name!r}] = {kept if rows is None else there}\n"
    command = f"laten impute {shlex.join([model, data])} -o filled.csv --flag --interval" if data and not left else ""
    return {"python": f"{code}filled.to_csv('filled.csv', index=False)", "command": command}


def odd(data: str, model: str, count: int, below: float, error: float) -> dict[str, str]:
    """Return the rows below a threshold, and all rows with their flag, as the page *Odd rows* has them."""
    code = f"import laten as lt\n\nvae = lt.load({model!r})\n{reading(data, 'vae')}"
    code += f"log_p = vae.log_likelihood(df, error={error}).per_row\n"
    code += f"df.assign(log_p=log_p, odd=log_p < {below!r}).to_csv('odd.csv', index=False)\n"
    command = f"laten outliers {shlex.join([model, data])} --top {count}" if data and count else ""
    return {"python": f"{code}print(vae.outliers(df, top={count}))" if count else code, "command": command}


def synthetic(model: str, n: int, given: Mapping[Any, Any]) -> dict[str, str]:
    """Return the rows that the page *Synthetic* draws."""
    code = f"import laten as lt\n\nvae = lt.load({model!r})\n"
    code += f"vae.sample({n}, {given_python(given)}).to_csv('rows.csv', index=False)"
    return {"python": code, "command": f"laten sample {shlex.quote(model)} -n {n}{given_options(given)} -o rows.csv"}


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
