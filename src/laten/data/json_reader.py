"""Reading plain JSON that was written by somebody else: nothing is believed unchecked.

A file may have been damaged or made by hand. `Reader` takes one object out of it, field by field, and every error names
the path to the field, what was expected and what stood there.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from laten.common.errors import DataError, known

Plain = bool | int | float | str  # what a level of a column, or a column's name, may be


def is_plain(value: object) -> bool:
    """True for text, booleans, whole numbers and finite floats."""
    return isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value))


def name_of(value: Plain) -> str:
    """What a value is, in words."""
    names = {bool: "true or false", int: "a number", float: "a number", str: "text"}
    return names[type(value)]


@dataclass(frozen=True)
class Reader:
    """One JSON object and where it stands.

    Args:
        value: What was parsed; must be a dict.
        at: Path for messages, such as `schema.columns[3]`.
    """

    value: dict
    at: str

    def __post_init__(self) -> None:
        if not isinstance(self.value, dict):
            raise DataError(f"{self.at}: expected an object, got {type(self.value).__name__}; the file is damaged")

    def only(self, names: Sequence[str]) -> None:
        """Raises when the object has fields other than `names`."""
        for name in self.value:
            if name not in names:
                raise DataError(f"{self.at}: unknown field {name!r}; known: {known(names)}")

    def _get(self, name: str, expected: str, accept: Callable[[object], bool]) -> Any:
        if name not in self.value:
            raise DataError(f"{self.at}: field {name!r} is missing; the file is damaged")
        value = self.value[name]
        if not accept(value):
            raise DataError(f"{self.at}: {name!r} should be {expected}, got {value!r:.80}; the file is damaged")
        return value

    def text(self, name: str, among: Sequence[str] | None = None) -> str:
        """A text, one of `among` when given."""
        expected = "text" if among is None else f"one of {known(among)}"
        return self._get(name, expected, lambda v: isinstance(v, str) and (among is None or v in among))

    def whole(self, name: str, low: int = 0) -> int:
        """A whole number of at least `low`."""
        accept = lambda v: isinstance(v, int) and not isinstance(v, bool) and v >= low  # noqa: E731
        return self._get(name, f"a whole number of at least {low}", accept)

    def is_none(self, name: str) -> bool:
        """Whether the field is there and null."""
        return self._get(name, "null or something else", lambda v: True) is None

    def number(self, name: str, positive: bool = False) -> float:
        """A finite number, above zero when `positive`."""

        def accept(v: object) -> bool:
            return (
                isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v) and (v > 0 or not positive)
            )

        return float(self._get(name, "a finite number" + (" above zero" if positive else ""), accept))

    def flag(self, name: str) -> bool:
        """True or false."""
        return self._get(name, "true or false", lambda v: isinstance(v, bool))

    def plain(self, name: str) -> Plain:
        """Text, a boolean or a finite number."""
        return self._get(name, "text or a number", is_plain)

    def plains(self, name: str) -> tuple[Plain, ...]:
        """A list of different plain values."""

        def accept(v: object) -> bool:
            return isinstance(v, list) and all(map(is_plain, v)) and len(set(v)) == len(v)

        return tuple(self._get(name, "a list of different texts or numbers", accept))

    def wholes(self, name: str) -> tuple[int, ...]:
        """A list of whole numbers of at least 0."""

        def accept(v: object) -> bool:
            return isinstance(v, list) and all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in v)

        return tuple(self._get(name, "a list of whole numbers of at least 0", accept))

    def numbers(self, name: str) -> tuple[float, ...]:
        """A list of finite numbers."""

        def accept(v: object) -> bool:
            plain = isinstance(v, list) and all(isinstance(x, int | float) and not isinstance(x, bool) for x in v)
            return plain and all(map(math.isfinite, v))  # type: ignore[call-overload]

        return tuple(map(float, self._get(name, "a list of finite numbers", accept)))

    def objects(self, name: str) -> tuple["Reader", ...]:
        """A list of objects, each as a `Reader`."""
        items: list[Any] = self._get(name, "a list", lambda v: isinstance(v, list))
        return tuple(Reader(item, f"{self.at}.{name}[{i}]") for i, item in enumerate(items))

    def object(self, name: str) -> "Reader":
        """An object as a `Reader`."""
        return Reader(self._get(name, "an object", lambda v: isinstance(v, dict)), f"{self.at}.{name}")
