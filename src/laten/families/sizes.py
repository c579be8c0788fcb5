"""Checked sizes: the whole numbers and shapes that declare how many sites a family has."""

import operator

import numpy as np

from laten.common.errors import DeclarationError

Shape = tuple[int, ...]


def as_shape(size: int | Shape, family: str) -> Shape:
    """Return the shape of a size: `20 -> (20,)`, `(28, 28)` and `()` stay.

    Raises:
        DeclarationError: a size that is not a positive whole number.
    """
    try:
        shape = tuple(whole(n) for n in size) if isinstance(size, tuple | list) else (whole(size),)
    except TypeError:
        raise DeclarationError(f"{family}: size must be a whole number or a tuple of them, not {size!r}") from None
    if any(n < 1 for n in shape):
        raise DeclarationError(f"{family}: sizes must be at least 1, not {size!r}")
    return shape


def whole(n: object) -> int:
    """Return `n` as a plain int; raise a TypeError for anything else, booleans too."""
    if isinstance(n, bool | np.bool_):
        raise TypeError(f"{n!r} is not a number")
    return operator.index(n)  # type: ignore[arg-type]


def as_count(n: object, family: str, name: str, least: int | None = None) -> int:
    """Return a whole number that a family is declared with.

    Raises:
        DeclarationError: no whole number, or one below `least`.
    """
    try:
        count = whole(n)
    except TypeError:
        raise DeclarationError(f"{family}: {name} must be a whole number, not {n!r}") from None
    if least is not None and count < least:
        raise DeclarationError(f"{family}: {name} must be at least {least}, not {count}")
    return count
