"""`laten predict`: one column of each row, from its other columns."""

import pandas as pd

from laten.cli.data_in_out import TABLES, check_output, column_named, for_model, is_text, note, put
from laten.cli.evidence import evidence
from laten.cli.waiting import together, waiting
from laten.cli.work.ask import tidy
from laten.cli.work.labelled import labelled
from laten.common.errors import DataError
from laten.data.columns.column import CLASSES, Column
from laten.data.messages import unknown
from laten.data.rows.views import TableView
from laten.data.text.written import write_as
from laten.estimator.plain_vae import load


def predict(
    model: str, data: str, column: str, output: str | None, proba: bool, interval: bool, coverage: float,
    given: list[str],
) -> None:  # fmt: skip
    """Write the column's value in each row; where asked for, probabilities of its levels or its interval."""
    check_output(output, TABLES, [model, data])
    vae = load(model)
    if not isinstance(vae.view_, TableView):
        raise DataError(f"{model}: was fitted to arrays; predict asks for a column of a table")
    name = column_named(column, vae.view_.schema.names)
    if name not in vae.view_.schema:
        raise unknown("column", name, vae.view_.schema.names)
    known = evidence(vae, given) or None
    with waiting(f"predicting {column}") as wait:
        source = for_model(vae, data)
        made = []
        for part in wait.parts(source.data):
            columns = [vae.predict(part, name, given=known).rename(str(name)).to_frame()]
            if proba:
                p = vae.predict_proba(part, name, given=known)
                columns.append(p.round(6).set_axis([f"p({level})" for level in p.columns], axis=1))
            if interval:
                ends = vae.predict_interval(part, name, coverage, given=known)
                columns.append(ends.set_axis([f"{name}_{end}" for end in ends.columns], axis=1))
            made.append(pd.concat(columns, axis=1))
    found = tidy(vae, together(made), output)
    asked = vae.schema_[name]
    put(labelled(as_fitted(found, asked) if is_text(output) else found, source), output)
    if name in source.data.columns and source.data[name].notna().any():
        note(agreement(found[str(name)], source.data[name].reset_index(drop=True), asked))


def as_fitted(found: pd.DataFrame, column: Column) -> pd.DataFrame:
    """Return predictions and ends of intervals as text in the notation of the file that was fitted."""
    if column.notation is None:
        return found
    own = [n for n in (str(column.name), f"{column.name}_low", f"{column.name}_high") if n in found.columns]
    return found.assign(**{n: write_as(found[n], column.notation) for n in own})


def agreement(found: pd.Series, own: pd.Series, column: Column) -> str:
    """Say how predictions compare with what the rows hold, which they did not see."""
    there, name = own.notna().to_numpy(), column.name
    a, b = found.reset_index(drop=True)[there], own[there]
    if column.kind not in CLASSES and pd.api.types.is_numeric_dtype(a.dtype) and pd.api.types.is_numeric_dtype(b.dtype):
        error = (a.astype(float) - b.astype(float)).abs().mean()
        return f"Mean absolute error {error:.4g} in the {there.sum()} rows that have a {name}."
    if column.kind == "date":
        days = (pd.to_datetime(a, utc=True) - pd.to_datetime(b, utc=True)).abs().mean() / pd.Timedelta(days=1)
        return f"Mean absolute error {days:.4g} days in the {there.sum()} rows that have a {name}."
    return f"Right in {(a.astype(str) == b.astype(str)).mean():.1%} of the {there.sum()} rows that have a {name}."
