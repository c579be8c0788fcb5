"""What goes in and out of a command: data read, results written whole or not at all, notes to standard error."""

import io
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from laten.cli.reading import told, typed_way
from laten.cli.wording import in_options
from laten.common.atomic_file import check_writable
from laten.common.bounded_reading import size
from laten.common.errors import DataError, harmless, known
from laten.common.memory_size import bytes_of
from laten.data.files import read as files
from laten.data.files.in_parts import Parts
from laten.data.files.open_parts import FORMATS, beyond, files_of
from laten.data.files.write import Data, csv_parts, write
from laten.data.rows.views import ArrayView
from laten.data.schema.contract import Name
from laten.data.schema.notations import notations_of
from laten.data.text.notation import OF_KIND, Assumed, Notation, assumed
from laten.estimator.plain_vae import PlainVAE

TEXT = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
TABLES = (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".parquet", ".feather", ".json", ".json.gz")
ARRAYS = (".npy", ".npz")


@dataclass(frozen=True)
class Source:
    """Data as read, and what of it a model is asked about."""

    data: Any  # a frame, a bare array, or a dict of arrays by node
    names: dict[str, str]  # node -> its array's name in the file, where the file names arrays
    aside: dict[str, np.ndarray]  # arrays of the file that the model does not take, such as labels
    texts: pa.Table | None = None  # the cells of a text table as they are written

    @property
    def rows(self) -> int:
        """Number of rows."""
        first = next(iter(self.data.values())) if isinstance(self.data, dict) else self.data
        return first.shape[0] if hasattr(first, "shape") else len(first)


def note(text: str) -> None:
    """Print to standard error what is no result."""
    print(harmless(text), file=sys.stderr, flush=True)


def wrote(*paths: str | None) -> None:
    """Say which files were written."""
    for path in paths:
        if path is not None:
            note(f"Wrote {path}.")


def show(found: object, table: pd.DataFrame, path: str | None) -> None:
    """Print what was found, or write it as a table."""
    if path is None:
        print(harmless(in_options(str(found))))
    else:
        put(table, path)


def column_named(text: str, names: Iterable[Name]) -> Name:
    """Find the column that was typed; columns called by whole numbers are found by their text."""
    return next((n for n in names if str(n) == text), text)


def read(name: str, like: Any = None) -> Data:
    """Read data with the options of reading that were typed, and say what was assumed of a table."""
    return read_with_texts(name, like)[0]


def read_with_texts(name: str, like: Any = None) -> tuple[Data, pa.Table | None]:
    """Read as `read` does, and return the cells of a text table as they are written."""
    options, aloud = told()
    try:
        data, texts = files.read_with_texts(name, **options, like=like)
    except DataError as error:
        raise DataError(typed_way(str(error))) from None
    record = assumed(data) if isinstance(data, pd.DataFrame) else None
    if record is not None and aloud and not record.plain:
        note(record.line("--"))
    return data, texts


def read_table(name: str, use: str, like: Any = None) -> pd.DataFrame:
    """Read a table; `use` says what it is for, to whoever gives arrays."""
    data = read(name, like)
    if not isinstance(data, pd.DataFrame):
        raise DataError(f"{name}: holds arrays; {use}")
    return data


def in_parts(name: str, memory: str | None, like: Any = None, kinds: Sequence[str] = ()) -> Parts | None:
    """Return the parts of a table that does not fit into memory, and say so; None: it does, or has no parts.

    Args:
        memory: What may be taken, as typed; None: what this machine can give.
        like: A schema whose columns are read as there.
        kinds: As in `for_fit`.
    """
    options, aloud = told()
    limit = bytes_of(memory)
    try:
        parts = beyond(limit, name, like=read_as(kinds) if like is None else notations_of(like), **options)
        if memory is not None and parts is None and files_of(name) is None:
            raise DataError(f"--memory: {name} cannot be read in parts; known: {known(FORMATS, 20)}, or leave it out")
    except DataError as error:
        raise DataError(typed_way(str(error))) from None
    if parts is not None and aloud:
        note(f"{name}: needs more than {size(limit)} of memory, and is read in parts (--memory).")
    return parts


def for_fit(name: str, kinds: Sequence[str] = ()) -> Source:
    """Read data to learn from. Of several arrays it is the one called `x`; the others stand aside.

    Args:
        kinds: `column=kind` edits of the schema: text is read as what it shall be, whatever its cells look like.
    """
    columns = read_as(kinds)
    typed = [text.rpartition("=") for text in kinds]
    try:
        data, texts = read_with_texts(name, Assumed(name, columns=columns) if columns else None)
    except DataError as error:
        said = next(
            (k for k, (column, _, _) in zip(kinds, typed, strict=True) if f"column {column!r}" in str(error)), ""
        )
        raise DataError(f"{f'--kind {said}: ' if said else ''}{error}") from None
    if not isinstance(data, dict):
        return Source(data, {}, {}, texts)
    chosen = "x" if "x" in data else next(iter(data))
    if "x" not in data and len(data) > 1:
        raise DataError(
            f"{name}: holds the arrays {known(data)}; call the one to learn from 'x', or declare a network in Python"
        )
    return Source({"x": data[chosen]}, {"x": chosen}, {k: v for k, v in data.items() if k != chosen})


def read_as(kinds: Sequence[str]) -> dict[str, Notation]:
    """Return how columns of text are read that the user says the kind of."""
    typed = [text.rpartition("=") for text in kinds]
    return {c: OF_KIND[kind.partition(":")[0]] for c, _, kind in typed if kind.partition(":")[0] in OF_KIND}


def for_model(vae: PlainVAE, name: str) -> Source:
    """Read data to ask a model about, in the container it was fitted to."""
    view = vae.view_
    data, texts = read_with_texts(name, None if isinstance(view, ArrayView) else vae.schema_)
    if isinstance(view, ArrayView) and isinstance(data, dict):
        return _by_node(view, data, name)
    if isinstance(view, ArrayView) and isinstance(data, pd.DataFrame):
        raise DataError(f"{name}: is a table; the model was fitted to arrays {known(view.nodes)}: give .npy or .npz")
    if isinstance(data, dict):
        raise DataError(
            f"{name}: holds arrays {known(data)}; the model was fitted to the columns {known(vae.schema_.names)}"
        )
    return Source(data, {}, {}, texts)


def _by_node(view: ArrayView, data: dict[str, np.ndarray], name: str) -> Source:
    """Sort arrays of a file by the model's nodes; a single array needs no name."""
    nodes = [n for n in view.nodes if n in data]
    if not nodes and len(data) == len(view.nodes) == 1:
        (found,), (node,) = data, view.nodes
        return Source({node: data[found]}, {node: found}, {})
    if not nodes:
        raise DataError(
            f"{name}: holds the arrays {known(data)}, none of the fitted nodes {known(view.nodes)}; rename one"
        )
    aside = {k: v for k, v in data.items() if k not in nodes}
    return Source({n: data[n] for n in nodes}, dict(zip(nodes, nodes, strict=True)), aside)


def check_output(
    path: str | None, endings: tuple[str, ...] = TABLES + ARRAYS, inputs: Iterable[str | None] = ()
) -> None:
    """Refuse a path that could not be written, or that is one of the inputs, before any work is done."""
    if path is None:
        return
    target = Path(path)
    if endings and not target.is_dir() and not target.name.lower().endswith(endings):
        found = target.suffix or "a file without extension"
        raise DataError(f"{path}: do not know how to write {found}; known: {known(endings, 20)}")
    if not target.is_dir() and not target.parent.is_dir():
        raise DataError(f"{path}: there is no folder {str(target.parent)!r}; make it first")
    for given in filter(None, inputs):
        if same_file(path, given):
            raise DataError(f"{path}: is read by this command, and would be lost; give the result another name")
    check_writable(path)


def same_file(one: str, other: str) -> bool:
    """Say whether two names are of one file, by a link or otherwise."""
    try:
        return Path(one).samefile(other)
    except (OSError, ValueError):  # one of them is none
        return False


def put(result: Data, path: str | None, sep: str = ",") -> None:
    """Write a result to `path` in the format of its extension, or to standard output as CSV.

    Args:
        sep: Between the cells of a `.csv` file.
    """
    if path is not None and path.lower().endswith(".npy") and isinstance(result, dict) and len(result) == 1:
        result = next(iter(result.values()))
    if path is not None and path.lower().endswith(ARRAYS):
        write(result, path)
        return
    frame = result if isinstance(result, pd.DataFrame) else as_table(result)
    if path is not None:
        write(frame, path, sep)
        return
    for part in csv_parts(frame):
        print_part(part)


def print_part(text: str) -> None:
    """Write a part of a table to standard output."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    sys.stdout.write(harmless(text) if sys.stdout.isatty() else text)


def is_text(path: str | None) -> bool:
    """Say whether results go to a text table."""
    return path is None or path.lower().endswith(TEXT)


def mark_of(source: Source) -> str:
    """Return what stands between the cells of a text table that was read; a comma where it was none, or blanks."""
    record = assumed(source.data) if isinstance(source.data, pd.DataFrame) else None
    return record.sep if record is not None and record.sep in (",", ";", "\t", "|") else ","


def as_table(result: Any) -> pd.DataFrame:
    """Return arrays as columns: `name`, or `name_0`, `name_1`, …."""
    columns: dict[str, np.ndarray] = {}
    for name, array in (result if isinstance(result, dict) else {"column": np.asarray(result)}).items():
        if np.ndim(array) > 2:
            raise DataError(images(name, np.shape(array)[1:]))
        wide = np.reshape(array, (len(array), -1))
        columns |= {f"{name}_{i}" if np.ndim(array) == 2 else name: wide[:, i] for i in range(wide.shape[1])}
    return pd.DataFrame(columns)


def images(name: str, shape: tuple[int, ...]) -> str:
    """Say why an array of images does not go into a table."""
    sizes = " × ".join(map(str, shape))
    return f"rows of {name!r} are arrays of {sizes} and fit no table; write them to a file: -o FILE.npy or -o FILE.npz"


def check_container(vae: PlainVAE, path: str | None) -> None:
    """Refuse to write images as a table, before any work is done."""
    if isinstance(vae.view_, ArrayView) and not (path and path.lower().endswith(ARRAYS)):
        for name, spec in vae.view_.specs.items():
            if name in vae.view_.nodes and len(spec.shape) > 1:
                raise DataError(images(name, spec.shape))


def check_images(source: Source, path: str | None) -> None:
    """Refuse to write images as a table, before a model is fitted to them."""
    arrays = source.data if isinstance(source.data, dict) else {"x": source.data}
    if not (path and path.lower().endswith(ARRAYS)):
        for name, array in arrays.items():
            if np.ndim(array) > 2:
                raise DataError(images(name, np.shape(array)[1:]))


def named(result: Any, source: Source) -> Any:
    """Return arrays by the names that they had in the file."""
    return {source.names.get(k, k): v for k, v in result.items()} if isinstance(result, dict) else result
