"""The page *Fill*: what the model puts into the holes of a table, of which the user takes what seems right."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from laten.common.errors import LatenError
from laten.data.files.as_text import as_in_file, as_written
from laten.data.files.write import csv_parts, write
from laten.studio import as_json, copied
from laten.studio.workspace import Workspace

HOLES = 500  # rows with holes that are filled for the page

Json = dict[str, Any]


def holes_of(workspace: Workspace) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Return the table, its holes `(rows, columns)`, and the numbers of the rows that are filled for the page."""
    frame, _ = workspace.table()
    holes = frame.isna().to_numpy()
    return frame, holes, np.flatnonzero(holes.any(axis=1))[:HOLES]


def fill(workspace: Workspace) -> Json:
    """Return rows with holes, filled; `intervals` has the ends of each filled cell."""
    vae, (frame, holes, shown) = workspace.model(), holes_of(workspace)
    found: Json = {"holes": int(holes.sum()), "rows": int(holes.any(axis=1).sum()), "table": None}
    if not len(shown):
        return found
    return found | {
        "shown": len(shown), "numbers": shown.tolist(), "table": as_json.table(vae.impute(frame.iloc[shown])),
        "cells": np.argwhere(holes[shown]).tolist(), "by_column": holes.sum(axis=0).tolist(),
        "file": "filled.parquet" if is_parquet(workspace) else "filled.csv",
    }  # fmt: skip


def intervals(workspace: Workspace) -> list[list[str | None]]:
    """Return the ends of the 90 % interval of each cell of `fill`, in the same order."""
    vae, (frame, holes, shown) = workspace.model(), holes_of(workspace)
    ends = vae.impute_interval(frame.iloc[shown])
    pairs = ([x.iloc[i, j] for x in ends] for i, j in np.argwhere(holes[shown]))
    return [[None if pd.isna(v) else as_json.text_of(v) for v in pair] for pair in pairs]


def is_parquet(workspace: Workspace) -> bool:
    """Say whether the table came as Parquet, which keeps types, and is given back so."""
    return workspace.source.lower().endswith(".parquet")


def left(workspace: Workspace, choice: Mapping[str, Any]) -> np.ndarray:
    """Return the holes that stay empty, `(rows, columns)`.

    Args:
        choice: `columns`: those that are left empty, by their place; `cells`: pairs of a row and a column, which are
            not as their column is.
    Raises:
        LatenError: they are something else.
    """
    frame, holes, _ = holes_of(workspace)
    found = np.zeros(frame.shape, bool)
    try:
        found[:, np.array(choice.get("columns", []), int)] = True
        cells = tuple(np.array(choice.get("cells", []), int).reshape(-1, 2).T)
        found[cells] = ~found[cells]
    except (IndexError, ValueError, TypeError, OverflowError):
        raise LatenError("columns are places in the table, cells are pairs of a row and a column") from None
    return found & holes


def filled(workspace: Workspace, choice: Mapping[str, Any]) -> pd.DataFrame:
    """Return the whole table with its holes filled, except those that stay empty."""
    frame, out = workspace.table()[0], left(workspace, choice)
    found: pd.DataFrame = workspace.model().impute(frame)
    for j in np.flatnonzero(out.any(axis=0)):
        name = frame.columns[j]
        found[name] = frame[name] if out[:, j].sum() == frame[name].isna().sum() else found[name].mask(out[:, j])
    return found


def filled_csv(workspace: Workspace, choice: Mapping[str, Any]) -> str:
    """Return that table as CSV; full cells of a text table are as the file has them."""
    vae, (frame, _), found = workspace.model(), workspace.table(), filled(workspace, choice)
    out = as_written(found, vae.schema_) if workspace.texts is None else as_in_file(found, frame, workspace.texts)
    return "".join(csv_parts(out))


def filled_parquet(workspace: Workspace, choice: Mapping[str, Any]) -> Path:
    """Write that table as Parquet, with the types of the data."""
    path = workspace.folder / "filled.parquet"
    write(filled(workspace, choice), path)
    return path


def code(workspace: Workspace, choice: Mapping[str, Any]) -> dict[str, str]:
    """Return how the same holes are filled in Python, and as a command where all of them are."""
    frame, holes, _ = holes_of(workspace)
    out = left(workspace, choice)
    rows: dict[Any, list[int] | None] = {}
    for j in np.flatnonzero(out.any(axis=0)):
        whole = out[:, j].sum() == holes[:, j].sum()
        rows[frame.columns[j]] = None if whole else np.flatnonzero(out[:, j]).tolist()
    return copied.fill(workspace.source, workspace.model_file, rows)
