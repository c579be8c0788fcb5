"""Reading data: a path, or the name of an embedded set, to a frame, an array or a dict of arrays.

| what | gives |
|---|---|
| `.csv`, `.tsv` (also `.gz`), `.parquet`, `.feather` | DataFrame |
| `.npy`, IDX (`…-ubyte`, `.idx`; also `.gz`) | array |
| `.npz` | dict of arrays |
| a folder of PNG or JPEG images | uint8 array `(images, height, width)`, colours last when there are any |
| `digits`, `wine`, `breast_cancer`, `clinic` | see `laten.data.datasets.embedded` |

Nothing that is read can run code (no pickles), and whatever is wrong with a file is a `DataError` naming it.
"""

import csv
import gzip
import io
import math
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
import pyarrow

from laten.common.errors import DataError, known
from laten.data.datasets.embedded import DATASETS, load
from laten.data.messages import did_you_mean

Data: TypeAlias = "pd.DataFrame | np.ndarray | dict[str, np.ndarray]"

MISSING = ("", "?", "NA", "N/A", "n/a", "NaN", "nan", "-nan", "null", "NULL", "<NA>", "#N/A", "NaT")
_IMAGES = (".png", ".jpg", ".jpeg")
_IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_DAMAGE = (
    csv.Error, EOFError, KeyError, MemoryError, OSError, OverflowError, pyarrow.ArrowException, RuntimeError, TypeError,
    ValueError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def read(source: str | Path) -> Data:
    """Read a file, a folder of images, or an embedded data set.

    In text tables an empty cell, `?`, `NA`, `NaN` and the like are missing; `None` is text. A table whose first row is
    all numbers has no header: its columns are called `column_0`, `column_1`, …

    Args:
        source: A path, or one of `laten.data.datasets.embedded.DATASETS` when no such path exists.
    Raises:
        DataError: no such file, an unknown extension, an empty, truncated or damaged file.
    """
    path = Path(source)
    try:
        there, folder = path.exists(), path.is_dir()
    except (OSError, ValueError):
        raise DataError(f"{str(source)!r:.100} is not a usable path") from None
    if not there:
        if str(source) in DATASETS:
            return load(str(source))
        raise _no_such(path)
    if folder:
        return _read_images(path)
    reader = _reader(path)
    if path.stat().st_size == 0:
        raise DataError(f"{path}: the file is empty (0 bytes)")
    try:
        data = reader(path)
    except DataError:
        raise
    except _DAMAGE as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise DataError(
            f"{path}: cannot be read as {_extension(path)}: {why:.200}; is it damaged or cut off?"
        ) from None
    if isinstance(data, pd.DataFrame):
        _check_table(path, data)
    return data


def _no_such(path: Path) -> DataError:
    parent = path.parent
    if not parent.is_dir():
        return DataError(f"{path}: no such file, nor the folder {str(parent)!r}")
    names = [p.name for p in parent.iterdir()][:5000] + list(DATASETS)
    return DataError(f"{path}: no such file{did_you_mean(path.name, names)}; embedded sets: {known(DATASETS)}")


def _extension(path: Path) -> str:
    """Return the extension without `.gz`, lower case; IDX files, which often have none, give `.idx`."""
    name = path.name.lower().removesuffix(".gz")
    if name.endswith(("-ubyte", ".ubyte")):
        return ".idx"
    return Path(name).suffix


def _reader(path: Path) -> Callable[[Path], Data]:
    extension = _extension(path)
    if extension not in _READERS:
        raise DataError(
            f"{path}: do not know how to read {extension or 'a file without extension'}; "
            f"known: {known(_READERS)}, .gz of the text ones, or a folder of images"
        )
    return _READERS[extension]


def _bytes(path: Path) -> bytes:
    with gzip.open(path, "rb") if path.name.lower().endswith(".gz") else path.open("rb") as file:
        return file.read()


def _read_text(path: Path) -> pd.DataFrame:
    raw = _bytes(path)
    if b"\0" in raw[:1000]:
        raise DataError(f"{path}: holds zero bytes and is no text table; save it as UTF-8 text")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: byte {error.start} is not UTF-8 text; save the table as UTF-8") from None
    if not text.strip():
        raise DataError(f"{path}: the file is empty")
    first = text.lstrip("\r\n").partition("\n")[0]
    separator = "\t" if _extension(path) == ".tsv" else max(",;\t", key=first.count)
    names = next(csv.reader([first.rstrip("\r")], delimiter=separator, skipinitialspace=True))
    if separator == "," and all(map(_is_number, names)):
        header, columns = None, [f"column_{i}" for i in range(len(names))]
    else:
        header, columns = 0, None
        twice = list(dict.fromkeys(n for n in names if n and names.count(n) > 1))
        if twice:
            raise DataError(f"{path}: two columns of one name: {known(twice)}; rename one of each")
    return pd.read_csv(
        io.StringIO(text), sep=separator, header=header, names=columns, na_values=list(MISSING), keep_default_na=False,
        skipinitialspace=True, low_memory=False,
    )  # fmt: skip


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return text.strip() in MISSING
    return True


def _check_table(path: Path, frame: pd.DataFrame) -> None:
    if len(frame) == 0:
        raise DataError(f"{path}: the table has columns {known(map(str, frame.columns))} but no rows")
    if not frame.columns.is_unique:
        raise DataError(f"{path}: two columns of one name: {known(frame.columns[frame.columns.duplicated()])}")


def _read_npy(path: Path) -> np.ndarray:
    with path.open("rb") as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as members:
        arrays = {name: members[name] for name in members.files}
    if not arrays:
        raise DataError(f"{path}: holds no arrays")
    return arrays


def _read_idx(path: Path) -> np.ndarray:
    """Read IDX: two zero bytes, type, number of dimensions, each size as big-endian int32, then the values."""
    raw = _bytes(path)
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] not in _IDX_TYPES or raw[3] == 0:
        raise DataError(f"{path}: is no IDX file (wrong first bytes)")
    start = 4 + 4 * raw[3]
    dtype = np.dtype(_IDX_TYPES[raw[2]])
    shape = [int.from_bytes(raw[i : i + 4], "big") for i in range(4, min(start, len(raw)), 4)]
    expected = start + math.prod(shape) * dtype.itemsize
    if len(raw) != expected:
        raise DataError(
            f"{path}: should hold {expected} bytes for shape {tuple(shape)}, holds {len(raw)}; is it cut off?"
        )
    array = np.frombuffer(raw, dtype, offset=start).reshape(shape)
    return array.astype(dtype.newbyteorder("="))


def _read_images(folder: Path) -> np.ndarray:
    """Read all PNG and JPEG files of a folder in order of their names, as one uint8 array."""
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in _IMAGES)
    if not files:
        raise DataError(
            f"{folder}: the folder holds no PNG or JPEG images; found {known(p.name for p in folder.iterdir())}"
        )
    try:
        from PIL import Image
    except ImportError:
        raise DataError("reading images needs Pillow: pip install 'laten[images]'") from None
    images = []
    for path in files:
        try:
            with Image.open(path) as image:
                grey = image.mode in ("1", "L", "LA", "I", "F", "I;16", "I;16B")
                images.append(np.asarray(image.convert("L" if grey else "RGB")))
        except (*_DAMAGE, SyntaxError, Image.DecompressionBombError) as error:
            raise DataError(f"{path}: cannot be read as an image: {error!s:.150}; is it damaged or cut off?") from None
        if images[-1].shape != images[0].shape:
            raise DataError(
                f"{path}: its shape {images[-1].shape} differs from {images[0].shape} of {files[0].name}; "
                "all images must have one size, all grey or all in colour"
            )
    return np.stack(images)


_READERS: dict[str, Callable[[Path], Data]] = {
    ".csv": _read_text,
    ".tsv": _read_text,
    ".parquet": pd.read_parquet,
    ".feather": pd.read_feather,
    ".npy": _read_npy,
    ".npz": _read_npz,
    ".idx": _read_idx,
}
