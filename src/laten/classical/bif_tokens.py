"""Words and signs of a BIF file, each with its line. See `bif.py`."""

import re
from typing import NamedTuple

from laten.common.errors import DataError

PLAIN = r"""(?:[^\s{}()\[\]|,;"/]|/(?![/*]))+"""  # what a name may be without quotes
SPACE = re.compile(r"(?:[\s,|]|//[^\n]*|/\*.*?\*/)+", re.S)
TOKEN = re.compile(rf'"(?:[^"\\]|\\.)*"|[{{}}()\[\];]|{PLAIN}', re.S)
PROPERTY = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^;"])*;', re.S)


class Token(NamedTuple):
    """A word or a sign; `quoted` text is never a sign or a keyword."""

    text: str
    line: int
    quoted: bool = False


class Scanner:
    """Walks over the text, one token at a time."""

    def __init__(self, text: str, where: str):
        self.text, self.where, self.at, self.line = text, where, 0, 1

    def fault(self, line: int, message: str) -> DataError:
        """Return an error at a line."""
        return DataError(f"{self.where}, line {line}: {message}")

    def move(self, end: int) -> str:
        """Return what stands up to `end`, and count its lines."""
        passed, self.at = self.text[self.at : end], end
        self.line += passed.count("\n")
        return passed

    def done(self) -> bool:
        """Say whether nothing but space is left."""
        if space := SPACE.match(self.text, self.at):
            self.move(space.end())
        return self.at >= len(self.text)

    def next(self, wanted: str) -> Token:
        """Return the next token; `wanted` says what for when there is none."""
        if self.done():
            raise self.fault(self.line, f"the file ends where {wanted} should stand; is it cut off?")
        found, line = TOKEN.match(self.text, self.at), self.line
        if found is None:
            raise self.fault(line, f"cannot read {self.text[self.at : self.at + 20].split(chr(10))[0]!r}")
        text = self.move(found.end())
        if text[0] == '"':
            return Token(re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.S), line, True)
        return Token(text, line)

    def sign(self, sign: str) -> Token:
        """Return the next token, which must be this sign."""
        token = self.next(repr(sign))
        if token.text != sign or token.quoted:
            raise self.fault(token.line, f"expected {sign!r}, found {token.text!r}")
        return token

    def words(self, end: str) -> list[Token]:
        """Return tokens up to a sign."""
        found: list[Token] = []
        while True:
            token = self.next(repr(end))
            if token.text == end and not token.quoted:
                return found
            if token.text in "{}()[];" and not token.quoted:
                raise self.fault(token.line, f"expected {end!r}, found {token.text!r}")
            found.append(token)

    def skip_property(self, line: int) -> None:
        """Skip the rest of a property."""
        found = PROPERTY.match(self.text, self.at)
        if found is None:
            raise self.fault(line, "the property has no ';' at its end; is the file cut off?")
        self.move(found.end())


def word(text: str) -> str:
    """Write a name, in quotes where it would not be read as one word."""
    if re.fullmatch(PLAIN, text):
        return text
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'
