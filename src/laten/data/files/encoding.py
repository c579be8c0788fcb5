"""Bytes to text: by the mark at the start, as UTF-8, or by what charset-normalizer finds likely."""

import logging
import re

from charset_normalizer import from_bytes

from laten.common.errors import DataError
from laten.data.text.notation import Note

_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"),
)  # fmt: skip
_OTHERS = ["cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "koi8_r", "cp932", "gb18030", "big5", "cp949", "euc_jp"]
_LATIN = ("cp1252", "cp1250", "cp1254")  # alike in most letters; without a word for another it is the first
_SAMPLE = 20_000


def decode(raw: bytes, name: str, encoding: str | None) -> tuple[str, str, tuple[Note, ...]]:
    """Return a file's text, its encoding, and what was assumed.

    Raises:
        DataError: the bytes are no text, or not of the encoding that was said.
    """
    if encoding is not None:
        try:
            return raw.decode(encoding).removeprefix("\ufeff"), encoding, ()
        except (UnicodeError, LookupError) as error:
            at = getattr(error, "start", 0)
            line = raw[:at].count(b"\n") + 1
            raise DataError(f"{name}, line {line}: byte {at} is not {encoding} text; another encoding=?") from None
    for start, code in _MARKS:
        if raw.startswith(start):
            try:
                return raw.decode(code).removeprefix("\ufeff"), code.removesuffix("-sig"), ()
            except UnicodeDecodeError as error:
                raise DataError(
                    f"{name}: byte {error.start} is not {code} text, as the file begins; is it cut off?"
                ) from None
    if b"\0" in raw[:1000]:
        wide = _wide(raw)
        if wide is None:
            raise DataError(f"{name}: holds zero bytes and is no text table; save it as UTF-8 text")
        return wide[0], wide[1], (Note(f"{wide[1]} text without its mark", "encoding"),)
    try:
        return raw.decode("utf-8"), "utf-8", ()
    except UnicodeDecodeError:
        pass
    code = _likely(raw)
    text = raw.decode(code)
    strange = re.findall(r"\w*[^\x00-\x7f]\w*", text)[:2]
    return text, code, (Note(f"not UTF-8: {code} gives {', '.join(map(repr, strange))}", "encoding"),)


def _wide(raw: bytes) -> tuple[str, str] | None:
    """Return UTF-16 text without a mark: every second byte of its first characters is zero."""
    head = raw[:200]
    for code, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[::2])):
        if zeros and zeros.count(0) > 0.7 * len(zeros):
            try:
                return raw.decode(code), code
            except UnicodeDecodeError:
                return None
    return None


def _likely(raw: bytes) -> str:
    """Return the encoding of text that is not UTF-8; Western where nothing tells."""
    lines = [line for line in raw.splitlines() if any(b > 127 for b in line)]
    sample = b"\n".join(lines)[:_SAMPLE]
    logging.getLogger("charset_normalizer").setLevel(logging.ERROR)
    best = from_bytes(sample, cp_isolation=_OTHERS).best()
    order = [best.encoding] if best is not None and best.encoding not in _LATIN else []
    for code in (*order, *_LATIN, "latin-1"):
        try:
            raw.decode(code)
        except UnicodeDecodeError:
            continue
        return code
    raise AssertionError("latin-1 decodes any bytes")
