"""Write data by extension, whole or not at all. The same data give the same bytes."""

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, TypeAlias, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from laten.common.atomic_file import atomic
from laten.common.errors import DataError, known
from laten.data.files.quoted_labels import CODES, NEEDS

_ROWS = 50_000  # that are joined at once
Data: TypeAlias = "pd.DataFrame | np.ndarray | dict[str, np.ndarray]"


def write(data: Data, path: str | Path, sep: str = ",") -> None:
    """Write a frame or arrays in the format of the file's extension.

    Args:
        data: A DataFrame (row labels are not written), an array, or a dict of arrays.
        sep: Between the cells of `.csv`: one of `,`, `;`, `|` and tab.
        path: `.csv`, `.tsv` (also `.gz`), `.parquet`, `.feather`, `.json` (one object a row), `.npy`, `.npz`.
    Raises:
        DataError: unknown extension, a folder that is not there, or data that do not fit the format.
    """
    path = Path(path)
    name = path.name.lower()
    zipped = name.endswith((".csv.gz", ".tsv.gz", ".json.gz"))
    extension = Path(name.removesuffix(".gz") if zipped else name).suffix
    writers = _WRITERS | {".csv": _text(sep)}
    if extension not in writers:
        found = extension or "a file without extension"
        raise DataError(f"{path}: do not know how to write {found}; known: {known(_WRITERS)}")
    try:
        with atomic(path) as file:
            if zipped:
                with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as inner:
                    writers[extension](data, cast(IO[bytes], inner), path)
            else:
                writers[extension](data, file, path)
    except DataError:
        raise
    except (OSError, ValueError, TypeError, pa.ArrowException) as error:
        raise DataError(f"{path}: cannot be written as {extension}: {' '.join(str(error).split()):.200}") from None


def _frame(data: Data, path: Path) -> pd.DataFrame:
    """Return data as a frame: arrays of two dimensions get columns `column_0`, …; dicts one column an array."""
    if isinstance(data, pd.DataFrame):
        return data
    if isinstance(data, dict):
        wide = [k for k, v in data.items() if np.ndim(v) != 1]
        if wide:
            raise DataError(
                f"{path}: {known(wide)} have several values a row and do not fit a table; write .npz instead"
            )
        return pd.DataFrame(data)
    array = np.asarray(data)
    if array.ndim not in (1, 2):
        raise DataError(f"{path}: an array of shape {array.shape} does not fit a table; write .npy instead")
    array = array.reshape(len(array), -1)
    return pd.DataFrame(array, columns=[f"column_{i}" for i in range(array.shape[1])])


class Bare(str):
    """A code for missing that is written as it is, without the quotes that a label of that text has."""


def _text(separator: str) -> Callable[[Data, IO[bytes], Path], None]:
    def writer(data: Data, file: IO[bytes], path: Path) -> None:
        for part in csv_parts(_frame(data, path), separator):
            file.write(part.encode())

    return writer


def csv_parts(frame: pd.DataFrame, separator: str = ",") -> Iterator[str]:
    """Return a frame as the text of a file, a row a line, in parts; missing cells are empty.

    In quotes stand cells that would be taken apart in some layout (for commas, only where they stand between cells),
    and labels that look like codes for missing, such as `NA`: they are read as the labels that they are.
    """
    lone = frame.shape[1] == 1
    needs = NEEDS if separator == "," or lone else NEEDS.replace(",", "", 1)
    names = [_quoted(pa.array([str(name)]), np.zeros(1, bool), lone, needs)[0].as_py() for name in frame.columns]
    yield separator.join(names) + "\n"
    columns = [_cells(frame.iloc[:, i], lone, needs) for i in range(frame.shape[1])]
    for start in range(0, len(frame), _ROWS):
        rows = pc.binary_join_element_wise(*(c.slice(start, _ROWS) for c in columns), separator)
        yield "\n".join([*rows.to_pylist(), ""])


def _cells(cells: pd.Series, lone: bool, needs: str) -> pa.Array:
    """Return a column's cells as they stand in a file; numbers and times as pandas writes them."""
    if cells.dtype.kind in "biufcmM":
        lines = cells.to_csv(index=False, header=False, lineterminator="\n").split("\n")[:-1]
        texts = pa.array(['""' if line in ("", '""') and lone else line.replace('""', "") for line in lines])
        return pc.cast(texts, pa.string())
    there = cells.notna().to_numpy()
    known = [(v if isinstance(v, str) else str(v)) if ok else None for v, ok in zip(cells, there, strict=True)]
    labels = np.array([not isinstance(v, Bare) for v in known], bool)
    return _quoted(pa.array(known, pa.string()), labels, lone, needs)


def _quoted(texts: pa.Array, labels: np.ndarray, lone: bool, needs: str) -> pa.Array:
    """Put texts in quotes that hold what needs them; `labels` are no codes for missing, `lone` stand in a row alone."""
    need = pc.match_substring_regex(texts, rf"{needs}|^$|\s" if lone else needs)
    if labels.any():
        code = pc.is_in(pc.utf8_trim_whitespace(texts), value_set=pa.array(CODES))
        need = pc.or_(need, pc.and_(code, pa.array(labels)))
    twice = pc.replace_substring(texts, '"', '""')
    quoted = pc.if_else(need, pc.binary_join_element_wise('"', twice, '"', ""), texts)
    return pc.fill_null(quoted, '""' if lone else "")


def _parquet(data: Data, file: IO[bytes], path: Path) -> None:
    _named(_frame(data, path)).to_parquet(file, index=False)


def _feather(data: Data, file: IO[bytes], path: Path) -> None:
    _named(_frame(data, path)).reset_index(drop=True).to_feather(file)


def _named(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with column names as text: the formats know no other."""
    return frame.set_axis([str(c) for c in frame.columns], axis=1)


def _json(data: Data, file: IO[bytes], path: Path) -> None:
    text = _frame(data, path).to_json(orient="records", date_format="iso", double_precision=15, lines=True)
    file.write(text.encode())


def _npy(data: Data, file: IO[bytes], path: Path) -> None:
    if isinstance(data, dict):
        raise DataError(f"{path}: several arrays {known(data)} do not fit one .npy; write .npz instead")
    np.save(file, _plain(data, path), allow_pickle=False)


def _npz(data: Data, file: IO[bytes], path: Path) -> None:
    if isinstance(data, pd.DataFrame):
        data = {str(name): _plain(data[name], path) for name in data.columns}
    arrays = {"array": data} if not isinstance(data, dict) else data
    if "file" in arrays or "allow_pickle" in arrays:
        raise DataError(f"{path}: an array in .npz cannot be called 'file' or 'allow_pickle'; rename it")
    named: dict[str, Any] = {str(k): _plain(v, path) for k, v in arrays.items()}
    np.savez_compressed(file, **named)


def _plain(data: pd.DataFrame | pd.Series | np.ndarray, path: Path) -> np.ndarray:
    """Return an array without Python objects: text becomes fixed-width text."""
    array = np.asarray(data)
    if array.dtype != object:
        return array
    if isinstance(data, pd.Series) and pd.api.types.is_numeric_dtype(data.dtype):
        return data.to_numpy(np.float64, na_value=np.nan)
    if all(isinstance(v, str) for v in array.flat):
        return array.astype(str)
    raise DataError(f"{path}: mixed columns or empty text cells do not fit {path.suffix}; write .csv or .parquet")


_WRITERS: dict[str, Callable[[Data, IO[bytes], Path], None]] = {
    ".csv": _text(","),
    ".tsv": _text("\t"),
    ".parquet": _parquet,
    ".feather": _feather,
    ".json": _json,
    ".npy": _npy,
    ".npz": _npz,
}
