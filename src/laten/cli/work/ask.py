"""`laten sample | score | embed | reconstruct`: questions put to a model file."""

from typing import Any

import numpy as np
import pandas as pd

from laten.answers.samples import MOST_AT_ONCE
from laten.cli.data_in_out import (
    ARRAYS,
    check_container,
    check_output,
    for_model,
    is_text,
    named,
    note,
    put,
)
from laten.cli.evidence import evidence
from laten.cli.waiting import quiet, together, waiting
from laten.cli.work.fit_first import to_draw_from
from laten.cli.work.in_parts import by_row, each, larger, writing
from laten.cli.work.labelled import first, labelled, scored
from laten.common.errors import DataError
from laten.data.files.as_text import as_written
from laten.data.files.in_parts import Parts
from laten.data.files.write_parts import WRITTEN
from laten.data.rows.views import ArrayView, TableView
from laten.estimator.explanations import PRECISE
from laten.estimator.plain_vae import PlainVAE, load
from laten.inference.pooled import Pooled


def sample(
    model: str, n: int, given: list[str], output: str | None, seed: int | None, holes: bool = False,
    save: str | None = None,
) -> None:  # fmt: skip
    """Write `n` rows drawn from the model, or from p(rest | given); with `holes`, empty cells as the data had."""
    check_output(output, inputs=[model])
    vae = to_draw_from(model, output, save)
    check_container(vae, output)
    if n > MOST_AT_ONCE and isinstance(vae.view_, TableView) and (output is None or output.lower().endswith(WRITTEN)):
        sample_parts(vae, n, given, output, seed, holes)
        return
    with waiting("drawing rows"):
        rows = vae.sample(n, given=evidence(vae, given) or None, holes=holes, seed=seed)
    put(written(vae, tidy(vae, rows, output), output), output)


def score(
    model: str, data: str, output: str | None, by_column: bool, draws: int | None, error: float | None,
    memory: str | None = None,
) -> None:  # fmt: skip
    """Write log p of each row, or what each column costs; say the mean, its errors, references and Pareto k."""
    check_output(output, inputs=[model, data])
    vae = load(model)
    if (parts := larger(vae, data, memory, output)) is not None:
        score_parts(vae, parts, output, by_column, draws, error)
        return
    with waiting("scoring rows"):
        source = for_model(vae, data)
        if by_column:
            check_container(vae, output)
        found = vae.log_likelihood(source.data, draws, error=precision(draws, error))
        result: Any = scored(found.per_row, found.errors, output)
        if by_column:
            result = vae.surprise(source.data, draws or found.draws)
    if isinstance(result, pd.DataFrame):
        result = labelled(result, source)
    put(named(result, source), output)
    grey = isinstance(vae.view_, ArrayView) and "intensity" in vae.view_.visit.values()
    note(f"{source.rows} rows: {found}{'; grey pixels binarised anew' if grey else ''}")


def score_parts(
    vae: PlainVAE, parts: Parts, output: str | None, by_column: bool, draws: int | None, error: float | None
) -> None:
    """Write log p of each row, or what each column costs."""
    if by_column and draws is None:
        raise DataError("--by-column: of a table that is read in parts, say how many draws a row: --draws 128")
    found = Pooled()
    with waiting("scoring rows") as wait, writing(output) as put:
        for start, frame, _ in each(parts, wait):
            with quiet():
                own = vae.log_likelihood(frame, draws, error=precision(draws, error))
            answer = vae.surprise(frame, draws) if by_column else scored(own.per_row, own.errors, output)
            put(by_row(answer, frame, start))
            found.add(own)
    note(f"{found.rows} rows: {found.whole()}")


def precision(draws: int | None, error: float | None) -> float | None:
    """Return the error that is asked for; None where a number of draws is."""
    return (PRECISE if error is None else error) if draws is None else error


def embed(model: str, data: str, output: str | None, memory: str | None = None) -> None:
    """Write the latent means of each row."""
    check_output(output, inputs=[model, data])
    vae = load(model)
    if (parts := larger(vae, data, memory, output)) is not None:
        embed_parts(vae, parts, output)
        return
    with waiting("embedding rows") as wait:
        source = for_model(vae, data)
        latents = together([vae.transform(part) for part in wait.parts(source.data)])
    if isinstance(latents, np.ndarray) and not (output and output.lower().endswith(ARRAYS)):
        latents = pd.DataFrame(latents, columns=vae.get_feature_names_out())
    put(labelled(latents, source) if isinstance(latents, pd.DataFrame) else latents, output)


def reconstruct(model: str, data: str, output: str | None, memory: str | None = None) -> None:
    """Write each row's means given its latent means."""
    check_output(output, inputs=[model, data])
    vae = load(model)
    check_container(vae, output)
    if (parts := larger(vae, data, memory, output)) is not None:
        reconstruct_parts(vae, parts, output)
        return
    with waiting("rebuilding rows") as wait:
        source = for_model(vae, data)
        rows = together([vae.reconstruct(part) for part in wait.parts(source.data)])
    put(written(vae, tidy(vae, named(rows, source), output), output), output)


def embed_parts(vae: PlainVAE, parts: Parts, output: str | None) -> None:
    """Write the latent means of each row."""
    with waiting("embedding rows") as wait, writing(output) as put:
        for start, frame, _ in each(parts, wait):
            put(by_row(vae.transform(frame), frame, start))


def reconstruct_parts(vae: PlainVAE, parts: Parts, output: str | None) -> None:
    """Write each row's means given its latent means."""
    with waiting("rebuilding rows") as wait, writing(output) as put:
        for _, frame, _ in each(parts, wait):
            put(written(vae, tidy(vae, vae.reconstruct(frame), output), output))


def sample_parts(vae: PlainVAE, n: int, given: list[str], output: str | None, seed: int | None, holes: bool) -> None:
    """Write drawn rows as they come."""
    with waiting("drawing rows"), writing(output) as put:
        for part in vae.sample_parts(n, evidence(vae, given) or None, holes=holes, seed=seed):
            put(written(vae, tidy(vae, part, output), output))


def stacked(copies: list[Any]) -> Any:
    """Join completed copies: frames below one another, numbered by `sample`; arrays along a new first axis."""
    if isinstance(copies[0], dict):
        return {name: np.stack([copy[name] for copy in copies]) for name in copies[0]}
    if isinstance(copies[0], np.ndarray):
        return np.stack(copies)
    return pd.concat([first(c, "sample", np.full(len(c), i)) for i, c in enumerate(copies)], ignore_index=True)


def tidy(vae: PlainVAE, data: Any, output: str | None) -> Any:
    """Make columns of whole numbers, which pandas reads as floats where there are holes, text without `.0`."""
    text = output is None or output.lower().endswith((".csv", ".tsv", ".gz", ".json"))
    if not isinstance(data, pd.DataFrame) or not isinstance(vae.view_, TableView) or not text:
        return data
    whole = [c.name for c in vae.schema_.columns if c.seen.form == "number" and c.seen.decimals == 0]
    floats = [n for n in whole if n in data.columns and pd.api.types.is_float_dtype(data[n].dtype)]
    fit = [n for n in floats if data[n].dropna().mod(1).eq(0).all() and data[n].abs().max() < 2**53]
    return data.astype(dict.fromkeys(fit, "Int64"))


def written(vae: PlainVAE, data: Any, output: str | None) -> Any:
    """Return a table for a text file with each column as the file of the fit wrote it."""
    table = isinstance(data, pd.DataFrame) and isinstance(vae.view_, TableView)
    return as_written(data, vae.schema_) if table and is_text(output) else data
