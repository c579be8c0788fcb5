"""A constraint from its text, for Python, the command line and files of schemas alike (`constraints.py` has the forms).

A name that holds an operator, or is a number, stands in backticks or double quotes; a column of the table whose name
has operators is also found as it is.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from laten.common.errors import DataError
from laten.data.constraints import (
    PLAIN,
    Bounds,
    Constraint,
    FixedCombinations,
    Follows,
    Inequality,
    Name,
    Product,
    Sum,
)
from laten.data.messages import unknown

_NUMBER = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:e\d+)?", re.IGNORECASE)
_SAME = {"≤": "<=", "≥": ">=", "==": "=", "→": "->", "×": "*", "−": "-"}
_OPERATOR, _WORD = r"<=|>=|==|->|[=<>+*,≤≥→×−-]", r"[^`\"<>=+*,≤≥→×−-]+"


def parsed(text: str, names: Iterable[Name]) -> Constraint:
    """Read a constraint from its text; `names` are the table's columns.

    Raises:
        DataError: it is none, or names no column.
    """
    by_text = {str(n): n for n in names}
    tokens = _tokens(text, by_text)
    operators = [t for t in tokens if isinstance(t, _Operator)]
    for sign in ("->", "="):
        if sign in operators:
            if operators.count(_Operator(sign)) > 1:
                raise _no(text, f"{sign!r} stands in it twice")
            at = tokens.index(_Operator(sign))
            left, right = tokens[:at], tokens[at + 1 :]
            return _follows(text, left, right) if sign == "->" else _equation(text, left, right)
    if any(o in ("<", "<=", ">", ">=") for o in operators):
        return _order(text, tokens)
    if operators and set(operators) == {","}:
        return FixedCombinations(_list(text, tokens))
    raise _no(text, "no relation stands in it")


class _Operator(str):
    """A sign between names."""


def _tokens(text: str, by_text: dict[str, Name]) -> list[Any]:
    """Split into operators, numbers and columns (of which a number is one only in backticks)."""
    odd = sorted((n for n in by_text if not PLAIN.fullmatch(n) and not _NUMBER.fullmatch(n)), key=len, reverse=True)
    names = "|".join(map(re.escape, odd)) or "(?!)"
    found: list[Any] = []
    at = 0
    for match in re.finditer(rf"\s*(?:`([^`]+)`|\"([^\"]+)\"|({names})|({_OPERATOR})|({_WORD}))", text):
        if match.start() != at:
            break
        at = match.end()
        *quotes, operator, word = match.groups()
        quoted, word = next((q for q in quotes if q), None), (word or "").strip()
        if operator:
            found.append(_Operator(_SAME.get(operator, operator)))
        elif quoted is None and _NUMBER.fullmatch(word):
            found.append(_Value(word))
        elif quoted is not None or word:
            name = quoted or word
            if name not in by_text:
                raise DataError(f"constraint {text!r}: {unknown('column', name, by_text.values())}")
            found.append((by_text[name],))
    if at != len(text) and text[at:].strip():
        raise _no(text, f"{text[at:].strip()!r} cannot be read")
    return found


class _Value(float):
    """A number in a constraint."""


def _no(text: str, why: str) -> DataError:
    return DataError(
        f"constraint {text!r}: {why}; write it as in 'total = a + b', 'total = price * n', 'city -> state', "
        "'city, zip', 'start <= end' or '0 <= share <= 1'"
    )


def _list(text: str, tokens: Sequence[Any]) -> tuple[Name, ...]:
    """Read names between commas."""
    names = tokens[::2]
    if not all(isinstance(t, tuple) for t in names) or any(t != "," for t in tokens[1::2]) or len(tokens) % 2 == 0:
        raise _no(text, "names of columns between commas are expected")
    return tuple(t[0] for t in names)


def _follows(text: str, left: Sequence[Any], right: Sequence[Any]) -> Constraint:
    if len(right) != 1 or not isinstance(right[0], tuple):
        raise _no(text, "one column stands right of '->'")
    return Follows(right[0][0], _list(text, left))


def _equation(text: str, left: Sequence[Any], right: Sequence[Any]) -> Constraint:
    if len(left) != 1 or not isinstance(left[0], tuple):
        raise _no(text, "one column stands left of '='")
    terms: list[Name] = []
    factors: list[float] = []
    constant, parts = 0.0, _summands(text, right)
    for sign, part in parts:
        if any(t != "*" for t in part[1::2]) or len(part) % 2 == 0 or any(isinstance(t, _Operator) for t in part[::2]):
            raise _no(text, "what stands right of '=' is no sum and no product")
        columns = [t[0] for t in part[::2] if isinstance(t, tuple)]
        factor = sign
        for t in part[::2]:
            factor *= t if isinstance(t, _Value) else 1.0
        if len(columns) > 1:
            if len(parts) > 1 or factor != 1:
                raise _no(text, "a product stands alone, without further numbers")
            return Product(left[0][0], tuple(columns))
        if columns:
            terms.append(columns[0])
            factors.append(factor)
        else:
            constant += factor
    if not terms:
        raise _no(text, "no column stands right of '='")
    return Sum(left[0][0], tuple(terms), () if set(factors) == {1.0} else tuple(factors), constant)


def _summands(text: str, tokens: Sequence[Any]) -> list[tuple[float, list[Any]]]:
    """Split at + and -: a sign, and what is between."""
    parts: list[tuple[float, list[Any]]] = []
    sign, start = 1.0, 0
    for i, token in enumerate([*tokens, _Operator("+")]):
        if isinstance(token, _Operator) and token in ("+", "-"):
            if i > start:
                parts.append((sign, list(tokens[start:i])))
            elif i:
                raise _no(text, "a sign has nothing behind it")
            sign, start = (1.0 if token == "+" else -1.0), i + 1
    return parts


def _order(text: str, tokens: Sequence[Any]) -> Constraint:
    """Read a chain of two or three parts; a minus before a number belongs to it."""
    parts: list[Any] = []
    signs: list[str] = []
    negative = False
    for token in tokens:
        if isinstance(token, _Operator):
            if token == "-" and not negative and len(parts) == len(signs):
                negative = True
                continue
            if token not in ("<", "<=", ">", ">=") or len(parts) != len(signs) + 1:
                raise _no(text, f"{str(token)!r} does not belong there")
            signs.append(token)
            continue
        if negative and not isinstance(token, _Value):
            raise _no(text, "a minus stands before a column")
        parts.append(_Value(-token) if negative else token)
        negative = False
    if len(parts) != len(signs) + 1 or len({s[0] for s in signs}) > 1 or len(parts) > 3:
        raise _no(text, "two or three parts in one order are expected")
    if signs[0][0] == ">":
        parts, signs = parts[::-1], signs[::-1]
    named = [isinstance(p, tuple) for p in parts]
    if named == [True, True]:
        return Inequality(parts[0][0], parts[1][0], signs[0] == "<")
    if sum(named) != 1 or (len(parts) == 3 and not named[1]):
        raise _no(text, "a column between two numbers, or two columns, are expected")
    if "<" in signs:
        raise _no(text, "the ends of a column are given by <= and >=")
    at = named.index(True)
    low = float(parts[at - 1]) if at else None
    high = float(parts[at + 1]) if at + 1 < len(parts) else None
    return Bounds(parts[at][0], low, high)
