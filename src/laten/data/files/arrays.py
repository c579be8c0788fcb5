"""Arrays in files: NumPy's formats, IDX, folders of images. Nothing that is read can run code (no pickles)."""

import io
import math
from pathlib import Path

import numpy as np

from laten.common.errors import DataError, known

IMAGES = (".png", ".jpg", ".jpeg")
_IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_npy(raw: bytes, name: str) -> np.ndarray:
    """Read `.npy`."""
    return np.lib.format.read_array(io.BytesIO(raw), allow_pickle=False)


def read_npz(raw: bytes, name: str) -> dict[str, np.ndarray]:
    """Read `.npz`."""
    with np.load(io.BytesIO(raw), allow_pickle=False) as members:
        arrays = {name: members[name] for name in members.files}
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
        except (*damage, SyntaxError, Image.DecompressionBombError) as error:
            raise DataError(f"{path}: cannot be read as an image: {error!s:.150}; is it damaged or cut off?") from None
        if images[-1].shape != images[0].shape:
            raise DataError(
                f"{path}: its shape {images[-1].shape} differs from {images[0].shape} of {files[0].name}; "
                "all images must have one size, all grey or all in colour"
            )
    return np.stack(images)
