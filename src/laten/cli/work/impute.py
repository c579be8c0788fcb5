"""`laten impute`: empty cells filled, with the ends of their intervals and flags where they are asked for."""

from typing import Any

import numpy as np
import pandas as pd

from laten.cli.data_in_out import (
    Source,
    check_container,
    check_output,
    is_text,
    mark_of,
    named,
    note,
    put,
)
from laten.cli.evidence import evidence
from laten.cli.waiting import Waiting, together, waiting
from laten.cli.work.ask import stacked, tidy, written
from laten.cli.work.fit_first import asked
from laten.cli.work.in_parts import each, larger, mark_of_parts, writing
from laten.common.errors import DataError
from laten.data.files.as_text import as_in_file
from laten.data.files.in_parts import Parts
from laten.data.files.survey import survey
from laten.data.rows.between import Between, Missing
from laten.data.rows.impossible import refuse_torn
from laten.data.rows.views import TableView
from laten.estimator.model_file import is_model
from laten.estimator.plain_vae import PlainVAE, load

ENDS = ("low", "high")


def impute(
    model: str, data: str | None, output: str | None, samples: int | None, given: list[str], flag: bool,
    interval: bool, coverage: float, seed: int | None, save: str | None = None, memory: str | None = None,
) -> None:  # fmt: skip
    """Write the data with empty cells filled, once or as `samples` completed copies."""
    check_output(output, inputs=[model, data])
    if interval and samples is not None:
        raise DataError("--interval and --samples do not go together: copies show by themselves how far they differ")
    loaded = load(model) if data is not None and is_model(model) else None
    if loaded is not None and data is not None:
        parts = larger(loaded, data, memory, output)
        if parts is not None:
            refuse_in_parts({"--samples": samples is not None, "--interval": interval, "--flag": flag})
            fill_parts(loaded, parts, output, given)
            return
    vae, source, _ = asked("impute", model, data, output, save, loaded)
    check_container(vae, output)
    if (flag or interval or given) and not isinstance(vae.view_, TableView):
        raise DataError("--flag, --interval and --given are for tables; this model was fitted to arrays")
    with waiting("filling cells") as wait:
        known = plain(evidence(vae, given))
        if known and isinstance(vae.view_, TableView):
            holes = np.any([source.data[n].isna() if n in source.data else True for n in known], axis=0)
            refuse_torn(vae.schema_, told(vae, source.data, known), known, holes)
        filled, empty, cells = fill(vae, source, known, samples, seed, wait)
        ends = between(vae, source, coverage, wait) if interval else []

    def finished(copy: Any) -> Any:
        tidied = tidy(vae, named(copy, source), output)
        text = isinstance(tidied, pd.DataFrame) and is_text(output)
        out = (
            as_in_file(tidied, source.data, source.texts)
            if text and source.texts is not None
            else written(vae, tidied, output)
        )
        rows = [written(vae, tidy(vae, end, output), output) for end in ends]
        return beside(out, source, rows, flag) if ends or flag else out

    put(
        finished(filled[0]) if samples is None else stacked([finished(copy) for copy in filled]),
        output,
        mark_of(source),
    )
    times = "" if samples is None else f", {samples} times"
    note(f"Filled {empty} of {cells} cells ({empty / cells:.1%}) of {source.rows} rows{times}.")


def fill_parts(vae: PlainVAE, parts: Parts, output: str | None, given: list[str]) -> None:
    """Write the table with empty cells filled by single values."""
    parts = parts.knowing(survey(parts).cells)  # the type of a column is that of all its rows
    known = plain(evidence(vae, given))
    empty = cells = rows = 0
    with waiting("filling cells") as wait, writing(output, mark_of_parts(parts)) as put:
        for _, frame, lying in each(parts, wait):
            if known:
                holes = np.any([frame[n].isna() if n in frame else True for n in known], axis=0)
                refuse_torn(vae.schema_, told(vae, frame, known), known, holes)
            seen = vae.view_.rows(frame, partial=True)
            empty += sum(int((~m).sum()) for m in seen.mask.values())
            cells += sum(v.size for v in seen.values.values())
            filled = tidy(vae, vae.impute(told(vae, frame, known)), output)
            texts_too = is_text(output) and parts.kind == "text"
            put(as_in_file(filled, frame, lying) if texts_too else written(vae, filled, output))
            rows += len(frame)
    note(f"Filled {empty} of {cells} cells ({empty / cells:.1%}) of {rows} rows.")


def refuse_in_parts(asked: dict[str, bool]) -> None:
    """Refuse what is asked of all rows together."""
    option = next((name for name, said in asked.items() if said), None)
    if option is not None:
        raise DataError(f"{option}: looks at all rows at once, and these are read in parts; leave it out")


def plain(known: dict[Any, Any]) -> dict[Any, Any]:
    """Refuse ranges and lists, which do not say what stands in a cell."""
    soft = [name for name, value in known.items() if isinstance(value, Between | Missing | list)]
    if soft:
        raise DataError(f"--given {soft[0]}: impute takes one value a column, which is put into its empty cells")
    return known


def fill(
    vae: PlainVAE, source: Source, known: dict[Any, Any], samples: int | None, seed: int | None, wait: Waiting
) -> tuple[list[Any], int, int]:
    """Return completed copies, and how many of how many cells were empty."""
    copies: list[list[Any]] = [[] for _ in range(samples or 1)]
    empty = cells = 0
    # draws are numbered by row: rows that are drawn for stay together
    for part in wait.parts(source.data, source.rows) if samples else wait.parts(source.data):
        rows = vae.view_.rows(part, partial=True)
        empty += sum(int((~m).sum()) for m in rows.mask.values())
        cells += sum(v.size for v in rows.values.values())
        made = vae.impute(told(vae, part, known), samples, seed=seed)
        for own, copy in zip(copies, made if samples else [made], strict=True):
            own.append(copy)
    return [together(parts) for parts in copies], empty, cells


def told(vae: PlainVAE, part: Any, known: dict[Any, Any]) -> Any:
    """Put what is given into the empty cells of its columns."""
    if not known:
        return part
    vae.view_.evidence(known, 1)  # refuses what the model cannot take
    out = part.copy(deep=False)
    for name, value in known.items():
        cells = out[name] if name in out.columns else pd.Series(np.nan, out.index, dtype=object)
        out[name] = cells.astype(object).where(cells.notna(), value).infer_objects()
    return out


def between(vae: PlainVAE, source: Source, coverage: float, wait: Waiting) -> list[pd.DataFrame]:
    """Return the data twice, empty cells of numbers and ordered classes filled by the ends of their intervals."""
    both = [vae.impute_interval(part, coverage) for part in wait.parts(source.data)]
    return [together([pair[i] for pair in both]) for i in range(2)]


def beside(filled: pd.DataFrame, source: Source, ends: list[pd.DataFrame], flag: bool) -> pd.DataFrame:
    """Add columns to a filled table: `NAME_low` and `NAME_high`, and which cells of `NAME` were `NAME_filled`."""
    new: dict[str, Any] = {}
    for name in filled.columns:
        hidden = source.data[name].isna() if name in source.data.columns else pd.Series(True, filled.index)
        if not hidden.any():
            continue
        for end, word in zip(ends, ENDS, strict=False):
            if name in end.columns and end[name][hidden].notna().any():
                new[free(f"{name}_{word}", filled)] = np.asarray(end[name], object)
        if flag:
            new[free(f"{name}_filled", filled)] = hidden.astype(int).to_numpy()
    return pd.concat([filled, pd.DataFrame(new, index=filled.index)], axis=1)


def free(name: str, frame: pd.DataFrame) -> str:
    """Return a name that no column has."""
    while name in frame.columns:
        name += "_"
    return name
