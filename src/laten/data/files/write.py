"""Write data by extension, whole or not at all. The same data give the same bytes."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, TypeAlias, cast

import numpy as np
import pandas as pd
import pyarrow

from laten.common.atomic_file import atomic
from laten.common.errors import DataError, known

Data: TypeAlias = "pd.DataFrame | np.ndarray | dict[str, np.ndarray]"


def write(data: Data, path: str | Path) -> None:
    """Write a frame or arrays in the format of the file's extension.

    Args:
        data: A DataFrame (row labels are not written), an array, or a dict of arrays.
        path: `.csv`, `.tsv` (also `.gz`), `.parquet`, `.feather`, `.json` (one object a row), `.npy`, `.npz`.
    Raises:
        DataError: unknown extension, a folder that is not there, or data that do not fit the format.
    """
    path = Path(path)
    name = path.name.lower()
    zipped = name.endswith((".csv.gz", ".tsv.gz", ".json.gz"))
    extension = Path(name.removesuffix(".gz") if zipped else name).suffix
    if extension not in _WRITERS:
        found = extension or "a file without extension"
        raise DataError(f"{path}: do not know how to write {found}; known: {known(_WRITERS)}")
    try:
        with atomic(path) as file:
            if zipped:
                with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as inner:
                    _WRITERS[extension](data, cast(IO[bytes], inner), path)
            else:
                _WRITERS[extension](data, file, path)
    except DataError:
        raise
    except (OSError, ValueError, TypeError, pyarrow.ArrowException) as error:
        raise DataError(f"{path}: cannot be written as {extension}: {' '.join(str(error).split()):.200}") from None


def _frame(data: Data, path: Path) -> pd.DataFrame:
    """Return data as a frame: arrays of two dimensions get columns `column_0`, …; dicts one column an array."""
    if isinstance(data, pd.DataFrame):
        return data
    if isinstance(data, dict):
        wide = [k for k, v in data.items() if np.ndim(v) != 1]
        if wide:
            raise DataError(f"{path}: {known(wide)} have not one value a row and fit no table; write .npz instead")
        return pd.DataFrame(data)
    array = np.asarray(data)
    if array.ndim not in (1, 2):
        raise DataError(f"{path}: an array of shape {array.shape} fits no table; write .npy instead")
    array = array.reshape(len(array), -1)
    return pd.DataFrame(array, columns=[f"column_{i}" for i in range(array.shape[1])])


def _text(separator: str) -> Callable[[Data, IO[bytes], Path], None]:
    def writer(data: Data, file: IO[bytes], path: Path) -> None:
        _frame(data, path).to_csv(file, index=False, sep=separator, lineterminator="\n")

    return writer


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
