"""Errors that teach: what was wrong, where (column, row, node), and the way out.

The command line prints the message of a `LatenError` on one line and exits with 2.
"""

import re
from numbers import Integral, Real
from typing import Any

MOST = 3.4e38  # float32 holds no larger number
_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class LatenError(ValueError):
    """The user's input cannot be used. The message names the thing and the way out."""


class DeclarationError(LatenError):
    """A network, guide, family or net is declared wrongly."""


class DataError(LatenError):
    """Data do not fit: a column, row, file or type."""


class ModelFileError(LatenError):
    """A model file is truncated, of a newer version, or not a model file."""


class TrainingDiverged(LatenError):
    """Training stayed non-finite after its roll-backs. The message names node and column."""


class LatenWarning(UserWarning):
    """An answer was given, but should be trusted less than usual."""


def known(names, limit: int = 12) -> str:
    """List `names` for an error message, shortened past `limit`."""
    names = [repr(n) for n in names]
    extra = f", … ({len(names)} in all)" if len(names) > limit else ""
    return "[" + ", ".join(names[:limit]) + extra + "]"


def harmless(text: str) -> str:
    """Return text for a terminal: characters that steer it, or turn its lines round, are written as `\\x1b`."""
    return _STEERING.sub(lambda found: repr(found[0])[1:-1], text)


def whole(name: str, value: Any, least: int = 1, error: type[LatenError] = LatenError) -> int:
    """Return a value that must be a whole number of at least `least`, or raise `error`."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise error(f"{name} must be a whole number of at least {least}, not {value!r}")
    return int(value)


def number(value: Any) -> bool:
    """Say whether a value is a finite number that float32 holds."""
    plain: Any = value
    return isinstance(value, Real) and not isinstance(value, bool) and -MOST <= plain <= MOST
