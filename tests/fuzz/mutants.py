"""Mutated inputs, each a function of its number alone, and the reader that each is given to."""

import io
import random
import struct
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np

import laten as lt
from fuzz.kept import PACKINGS, ROWS, ZIPS, changed, corpus, frame, unzipped, zipped
from laten.data.files.open_parts import open_parts

WORDS = [
    b"NaN", b"inf", b"1e400", b"-1", b"9" * 5000, b'"', b"'", b"\n", b"\r", b"\0", b",", b";", b"{", b"[" * 2000, b"\\",
    b"\x1b[31m", "‮".encode(), b"\xff\xfe", b"\xc3", b"#", b"(", b"/*", b"//", b"|", b"0x", b"1_0", b"1/2/2024", b"=",
    b"}" * 9, b" " * 500, b"a" * 3000, b"24:61", b"[[a]]", b"default", b"table", b"property", b"\xef\xbb\xbf",
]  # fmt: skip
NUMBERS = [0, 1, 2, 127, 128, 255, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63 - 1, 2**64 - 1]
VALUES = [
    None, True, -1, 0, 1, 2**31, 2**63, 10**30, 1e308, -0.5, float("nan"), float("inf"), "", "abc", "net", [], {}, [[]],
    [1, 2], [2**20, 2**20], {"type": "Normal"}, {"type": "MLP", "width": 2**31}, "a" * 3000, "\x1b[31m", [0] * 1000,
]  # fmt: skip


@cache
def kept(folder: str) -> dict[str, list[bytes]]:
    """Return the corpus, made once."""
    return corpus(Path(folder))


def bytes_changed(raw: bytes, rng: random.Random, others: list[bytes]) -> bytes:
    """Change a few places of some bytes."""
    out = bytearray(raw)
    for _ in range(1 + int(rng.expovariate(0.7))):
        at, n = rng.randrange(len(out) + 1), rng.choice((1, 1, 2, 4, 8, 32))
        match rng.randrange(9):
            case 0 if out:
                out[min(at, len(out) - 1)] ^= 1 << rng.randrange(8)
            case 1:
                out[at : at + n] = rng.randbytes(n)
            case 2:
                size = rng.choice("BHIQ")
                number = rng.choice(NUMBERS) % 256 ** struct.calcsize(size)
                packed = struct.pack(rng.choice("<>") + size, number)
                out[at : at + len(packed)] = packed
            case 3:
                del out[at : at + rng.choice((1, n, 100))]
            case 4:
                out[at:at] = out[at : at + rng.choice((n, 100))] * rng.choice((1, 2, 20))
            case 5:
                out[at:at] = rng.choice(WORDS)
            case 6:
                del out[at:]
            case 7:
                other = rng.choice(others)
                out[at:] = other[rng.randrange(len(other) + 1) :]
            case _:
                word = rng.choice(WORDS)
                out[at : at + len(word)] = word
    return bytes(out)


def inside_changed(name: str, raw: bytes, rng: random.Random, others: list[bytes]) -> bytes:
    """Change what is packed in a file, and pack it again: checksums are right then."""
    ending = Path(name).suffix
    if ending in PACKINGS:
        unpack, pack = PACKINGS[ending]
        return pack(bytes_changed(unpack(raw), rng, [unpack(o) for o in others]))
    if ending not in ZIPS:
        return bytes_changed(raw, rng, others)
    members = unzipped(raw)
    chosen = rng.choice(list(members))
    if chosen == "model.json" and rng.random() < 0.8:
        members[chosen] = changed(members[chosen], rng.randrange, VALUES)
    elif chosen == "weights.safetensors" and rng.random() < 0.5:
        length = int.from_bytes(members[chosen][:8], "little")
        head = changed(members[chosen][8 : 8 + length], rng.randrange, VALUES)
        members[chosen] = struct.pack("<Q", len(head)) + head + members[chosen][8 + length :]
    else:
        members[chosen] = bytes_changed(members[chosen], rng, list(members.values()))
    return zipped(members)


def mutant(number: int, folder: str) -> tuple[str, bytes, bool]:
    """Return the name and the bytes of an input, and whether what is read is used a little, as of every tenth."""
    rng, all_kept = random.Random(number), kept(folder)
    name = list(all_kept)[number % len(all_kept)]
    raw = rng.choice(all_kept[name])
    change: Callable = inside_changed if rng.random() < 0.6 else lambda _, *rest: bytes_changed(*rest)
    return name, change(name, raw, rng, all_kept[name]), rng.random() < 0.1


def read(name: str, raw: bytes, folder: Path, more: bool) -> None:
    """Give an input to its reader.

    Args:
        more: Use what was read a little: it is shown, or its schema inferred.
    """
    if name.endswith(".laten"):
        vae = lt.load(io.BytesIO(raw))
        if more:
            str(vae.network_), repr(vae), str(getattr(vae, "schema_", ""))
        return
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(raw)
    try:
        if name.endswith(".bif"):
            lt.read_bif(path)
        elif name.endswith(".toml"):
            lt.read_schema(path, frame())
        else:
            if more:
                read_in_parts(path)
            found = lt.read(path.parent if name.startswith("images") else path)
            if more and not isinstance(found, np.ndarray | dict):
                lt.infer_schema(found.iloc[:, :20])
    finally:
        path.unlink()


def read_in_parts(path: Path) -> None:
    """Read a table as one that is larger than memory."""
    with suppress(lt.LatenError):
        parts = open_parts(path)
        for cells in () if parts is None else parts.cells(ROWS // 2):
            parts.knowing(cells).frame(cells)
