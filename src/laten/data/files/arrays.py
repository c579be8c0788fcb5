"""Arrays in files: NumPy's formats, IDX, folders of images. Nothing that is read can run code (no pickles)."""

import io
import math
import zipfile
from pathlib import Path

import numpy as np

from laten.common.bounded_reading import afford, check_members, check_regular, door
from laten.common.errors import DataError, known

IMAGES = (".png", ".jpg", ".jpeg")
_IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_npy(raw: bytes, name: str) -> np.ndarray:
    """Read `.npy`; its header is compared with its bytes first."""
    file = io.BytesIO(raw)
    version = np.lib.format.read_magic(file)
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = header(file)
    if dtype.hasobject:
        raise DataError(f"{name}: holds Python objects, which could run code and are never read; save numbers or text")
    expected = file.tell() + math.prod(shape) * dtype.itemsize
    if len(raw) < expected or any(n < 0 for n in shape) or dtype.itemsize == 0:
        raise DataError(
            f"{name}: should hold {expected} bytes for shape {shape!s:.60}, holds {len(raw)}; is it damaged or cut off?"
        )
    return np.lib.format.read_array(io.BytesIO(raw), allow_pickle=False)


def read_npz(raw: bytes, name: str) -> dict[str, np.ndarray]:
    """Read `.npz`."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        members = [m for m in archive.infolist() if m.filename.endswith(".npy")]
        check_members(archive, members, len(raw), name)
        arrays = {m.filename.removesuffix(".npy"): read_npy(archive.read(m), f"{name}::{m.filename}") for m in members}
    if not arrays:
        raise DataError(f"{name}: holds no arrays")
    return arrays


def read_idx(raw: bytes, name: str) -> np.ndarray:
    """Read IDX: two zero bytes, type, number of dimensions, each size as big-endian int32, then the values."""
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] not in _IDX_TYPES or raw[3] == 0:
        raise DataError(f"{name}: is no IDX file (wrong first bytes)")
    start = 4 + 4 * raw[3]
    dtype = np.dtype(_IDX_TYPES[raw[2]])
    shape = [int.from_bytes(raw[i : i + 4], "big") for i in range(4, min(start, len(raw)), 4)]
    expected = start + math.prod(shape) * dtype.itemsize
    if len(raw) != expected:
        raise DataError(
            f"{name}: should hold {expected} bytes for shape {tuple(shape)}, holds {len(raw)}; is it cut off?"
        )
    array = np.frombuffer(raw, dtype, offset=start).reshape(shape)
    return array.astype(dtype.newbyteorder("="))


def read_images(folder: Path, damage: tuple[type[Exception], ...]) -> np.ndarray:
    """Read all PNG and JPEG files of a folder in order of their names, as one uint8 array."""
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in IMAGES)
    if not files:
        raise DataError(
            f"{folder}: the folder holds no table, and no PNG or JPEG images; "
            f"found {known(p.name for p in folder.iterdir())}"
        )
    try:
        from PIL import Image
    except ImportError:
        raise DataError("reading images needs Pillow: pip install 'laten[images]'") from None
    with door(f"{folder}: cannot be read: {{}}", *damage):
        held = sum(p.stat().st_size for p in files)
    array, first = np.empty(0, np.uint8), None
    for i, path in enumerate(files):
        check_regular(path)
        message = f"{path}: cannot be read as an image: {{}}; is it damaged or cut off?"
        with door(message, *damage, SyntaxError, Image.DecompressionBombError), Image.open(path) as image:
            grey = image.mode in ("1", "L", "LA", "I", "F", "I;16", "I;16B")
            shape = (image.height, image.width) + (() if grey else (3,))
            if first is None:
                first = shape
                afford(len(files) * math.prod(shape), held, str(folder), f"{len(files)} images of {shape}")
                array = np.empty((len(files), *shape), np.uint8)
            if shape != first:
                raise DataError(
                    f"{path}: its shape {shape} differs from {first} of {files[0].name}; "
                    "all images must have one size, all grey or all in colour"
                )
            array[i] = np.asarray(image.convert("L" if grey else "RGB"))
    return array
