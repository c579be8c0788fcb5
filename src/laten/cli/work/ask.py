"""`laten sample | score | impute | embed | reconstruct`: questions put to a model file."""

from typing import Any

import numpy as np
import pandas as pd

from laten.cli.data_in_out import (
    ARRAYS,
    as_in_file,
    as_written,
    check_container,
    check_output,
    for_model,
    is_text,
    named,
    note,
    put,
)
from laten.cli.evidence import evidence
from laten.data.rows.views import ArrayView, TableView
from laten.estimator.plain_vae import PlainVAE, load

DRAWS = 500  # a row, for scores


def sample(model: str, n: int, given: list[str], output: str | None, seed: int | None, holes: bool = False) -> None:
    """Write `n` rows drawn from the model, or from p(rest | given); with `holes`, empty cells as the data had."""
    check_output(output)
    vae = load(model)
    check_container(vae, output)
    rows = vae.sample(n, given=evidence(vae, given) or None, holes=holes, seed=seed)
    put(written(vae, tidy(vae, rows, output), output), output)


def score(model: str, data: str, output: str | None, by_column: bool, draws: int | None) -> None:
    """Write log p of each row, or what each column costs; say the mean, its errors and Pareto k."""
    check_output(output)
    vae = load(model)
    source = for_model(vae, data)
    if by_column:
        check_container(vae, output)
    draws = draws or DRAWS
    found = vae.log_likelihood(source.data, draws)
    result: Any = vae.surprise(source.data, draws) if by_column else pd.DataFrame({"log_p": found.per_row})
    if isinstance(result, pd.DataFrame):
        result = numbered(result, "row", np.arange(source.rows))
    put(named(result, source), output)
    grey = isinstance(vae.view_, ArrayView) and "intensity" in vae.view_.visit.values()
    note(f"{source.rows} rows: {found}{'; grey pixels binarised anew' if grey else ''}")


def impute(model: str, data: str, output: str | None, samples: int | None, seed: int | None) -> None:
    """Write the data with empty cells filled, once or as `samples` completed copies."""
    check_output(output)
    vae = load(model)
    check_container(vae, output)
    source = for_model(vae, data)
    filled = vae.impute(source.data, samples, seed=seed)

    def finished(copy: Any) -> Any:
        tidied = tidy(vae, named(copy, source), output)
        return (
            as_in_file(tidied, source) if source.texts is not None and is_text(output) else written(vae, tidied, output)
        )

    put(finished(filled) if samples is None else stacked([finished(copy) for copy in filled]), output)
    rows = vae.view_.rows(source.data, partial=True)
    empty, cells = sum(int((~m).sum()) for m in rows.mask.values()), sum(v.size for v in rows.values.values())
    times = "" if samples is None else f", {samples} times"
    note(f"Filled {empty} of {cells} cells ({empty / cells:.1%}) of {source.rows} rows{times}.")


def embed(model: str, data: str, output: str | None) -> None:
    """Write the latent means of each row."""
    check_output(output)
    vae = load(model)
    latents = vae.transform(for_model(vae, data).data)
    if isinstance(latents, np.ndarray) and not (output and output.lower().endswith(ARRAYS)):
        latents = pd.DataFrame(latents, columns=vae.get_feature_names_out())
    put(latents, output)


def reconstruct(model: str, data: str, output: str | None) -> None:
    """Write each row's means given its latent means."""
    check_output(output)
    vae = load(model)
    check_container(vae, output)
    source = for_model(vae, data)
    means = named(vae.reconstruct(source.data), source)
    put(written(vae, tidy(vae, means, output), output), output)


def stacked(copies: list[Any]) -> Any:
    """Join completed copies: frames below one another, numbered by `sample`; arrays along a new first axis."""
    if isinstance(copies[0], dict):
        return {name: np.stack([copy[name] for copy in copies]) for name in copies[0]}
    if isinstance(copies[0], np.ndarray):
        return np.stack(copies)
    return pd.concat([numbered(c, "sample", np.full(len(c), i)) for i, c in enumerate(copies)], ignore_index=True)


def numbered(frame: pd.DataFrame, name: str, numbers: np.ndarray) -> pd.DataFrame:
    """Add a first column of numbers to a frame, called `name`, or `name_` where that is taken."""
    while name in frame.columns:
        name += "_"
    return pd.concat([pd.Series(numbers, index=frame.index, name=name), frame], axis=1)


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
