"""The page *Map*: rows in two dimensions of the latents, what stands behind a point, and rows that are selected.

Up to a million points go to the page as bytes: the length of a header, the header as JSON, then x, y and, where there
is one, the colour of all points as float32.
"""

import json
from typing import Any

import numpy as np
import pandas as pd

from laten.common.errors import LatenError
from laten.data.columns.column import ASIDE, CLASSES, Column
from laten.data.files.as_text import as_written
from laten.data.files.write import csv_parts
from laten.plots.contents.containers import n_rows, shown_rows, take
from laten.plots.contents.densities import SIDE, density
from laten.plots.contents.model import latent_map
from laten.studio import as_json, copied
from laten.studio.workspace import Workspace

MOST = 1_000_000  # points
SHOWN = 20  # rows of a table on the page
STEPS = 9  # of a line between two rows
GROUPS = 10  # classes with a colour of their own
FEWEST = 5  # rows, of which a density is drawn

Json = dict[str, Any]


def latents_of(workspace: Workspace) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of the rows on the map, and their latents `(rows, latents)`; kept while they are the same."""
    vae, data = workspace.model(), workspace.data()
    known = workspace.placed
    if known is None or known[0] is not vae or known[1] is not data:
        rows = shown_rows(n_rows(data), most=MOST)
        z = np.asarray(vae.transform(take(data, rows)), np.float32)
        known = workspace.placed = vae, data, rows, z
    return known[2], known[3]


def points(workspace: Workspace, colour: str, method: str) -> bytes:
    """Return all points of the map."""
    rows, z = latents_of(workspace)
    found = latent_map(workspace.model(), workspace.data(), colour or None, method, most=MOST, z=z)
    shade, arrays = None, [found.points[:, 0], found.points[:, 1]]
    if found.colour is not None:
        c = found.colour
        shade = {"name": c.name, "labels": c.labels and list(c.labels), "date": c.date}
        arrays.append(np.asarray(c.values, float))
    head = {"n": len(rows), "axes": list(found.axes), "note": found.note, "colour": shade, "latents": z.shape[1]}
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 4)  # so that numbers begin at a multiple of four
    return len(text).to_bytes(4, "little") + text + b"".join(x.astype("<f4").tobytes() for x in arrays)


def path(workspace: Workspace, start: Any, end: Any) -> Json:
    """Return what lies on the straight line between the latents of two rows, at `STEPS` points of it."""
    rows, z = latents_of(workspace)
    ends = [start, end]
    if not all(isinstance(i, int) and 0 <= i < len(rows) for i in ends):
        raise LatenError(f"a line goes from one row of the map to another; it has {len(rows)} rows")
    along = np.linspace(z[start], z[end], STEPS, dtype=np.float32)
    found = workspace.model().inverse_transform(along)
    numbers = [int(rows[i]) for i in ends]
    known = {"numbers": numbers, "shares": np.linspace(0, 1, STEPS).round(3).tolist(),
             "code": copied.path(workspace.model_file, workspace.source, numbers, STEPS)}  # fmt: skip
    if isinstance(found, pd.DataFrame):
        return known | {"table": as_json.table(found)}
    return known | {"images": [shown(image) for image in images_of(found)]}


def images_of(found: Any) -> np.ndarray:
    """Return the images that a model of images gives."""
    return np.asarray(next(iter(found.values())) if isinstance(found, dict) else found, float)


def shown(image: np.ndarray) -> list[Any]:
    """Return an image as numbers in 0..1."""
    return np.round(image / max(image.max(), 1.0), 3).tolist()


def decode(workspace: Workspace, body: Json) -> Json:
    """Return what a point of the latents stands for: a row, or an image as numbers in 0..1.

    Args:
        body: `{"z": numbers}`, or `{"row": its place on the map}`.
    """
    number, i, given = None, body.get("row"), body.get("z")
    if isinstance(i, int):
        rows, z = latents_of(workspace)
        if not 0 <= i < len(rows):
            raise LatenError(f"the map has {len(rows)} rows; there is no row {i}")
        number, given = int(rows[i]), z[i].tolist()
    if not isinstance(given, list) or not all(isinstance(x, int | float) for x in given):
        raise LatenError("a point of the latents is a list of numbers")
    at = [float(x) for x in given]
    found = workspace.model().inverse_transform(np.array([at], np.float32))
    known = {"z": [round(x, 4) for x in at], "number": number}
    if isinstance(found, pd.DataFrame):
        return known | {"row": as_json.table(found)}
    return known | {"image": shown(images_of(found)[0])}


def chosen(workspace: Workspace, places: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of the rows at these places of the map, and of all others on it."""
    rows, _ = latents_of(workspace)
    inside = np.zeros(len(rows), bool)
    try:
        inside[np.asarray(places, int)] = True
    except (IndexError, ValueError, TypeError):
        raise LatenError("a selection is a list of places on the map") from None
    return rows[inside], rows[~inside]


def selected(workspace: Workspace, places: Any) -> Json:
    """Return a selection of rows, its columns beside those of the other rows, and the first of it."""
    inside, others = chosen(workspace, places)
    data = workspace.data()
    if not isinstance(data, pd.DataFrame) or not len(inside):
        return {"rows": len(inside), "summary": None, "table": None}
    schema, some, rest = workspace.model().schema_, data.iloc[inside], data.iloc[others]
    columns = [c for c in schema.columns if c.name in data and c.kind not in ASIDE]
    lines = [[str(c.name), usual(c, some[c.name]), usual(c, rest[c.name])] for c in columns]
    return {"rows": len(inside), "numbers": inside[:SHOWN].tolist(), "table": as_json.table(some.head(SHOWN)),
            "summary": {"columns": ["", "selected", "others"], "rows": lines}}  # fmt: skip


def usual(column: Column, cells: pd.Series) -> str:
    """Say what is usual among some cells: the most frequent level with its share, or the median."""
    cells = cells.dropna()
    if not len(cells):
        return ""
    if column.kind in CLASSES:
        share = cells.astype(str).value_counts(normalize=True)
        return f"{share.index[0]} {share.iloc[0]:.0%}"
    return as_json.text_of(cells.quantile(0.5, interpolation="nearest"))


def selected_csv(workspace: Workspace, places: Any) -> str:
    """Return a selection of rows, in the notation of the data."""
    frame, _ = workspace.table()
    inside, _ = chosen(workspace, places)
    return "".join(csv_parts(as_written(frame.iloc[inside], workspace.model().schema_)))


def densities(workspace: Workspace, colour: str, method: str) -> Json:
    """Return how densely the points of the map lie: all of them, or those of each class that has a colour of its own.

    Heights of lines are in the units of the values, of which the largest is one; of a class there is the inner one.
    """
    _, z = latents_of(workspace)
    found = latent_map(workspace.model(), workspace.data(), colour or None, method, most=MOST, z=z)
    parts: list[tuple[int | None, np.ndarray]] = [(None, found.points)]
    if found.colour is not None and found.colour.labels:
        codes = np.asarray(found.colour.values)
        parts = [(i, found.points[codes == i]) for i in range(min(len(found.colour.labels), GROUPS))]
    groups = []
    for i, own in parts:
        if len(own) >= FEWEST:
            d = density(own)
            top, heights = d.values.max(), d.heights if i is None else d.heights[-1:]
            groups.append({"class": i, "x": d.x, "y": d.y, "heights": [h / top for h in heights],
                           "values": (d.values / top).round(4).ravel().tolist()})  # fmt: skip
    return {"side": SIDE, "groups": groups}
