"""Checks array shapes at run time, and nothing else.

`conftest.py` puts every function of `laten` under `checked`. Annotations that name a shape, such as `Float[Array,
"raw"]`, are held to what arrives and what is returned, axis names bound across the whole call. All others are left to
mypy: it knows that an `int` may stand for a `float`, and tests of errors must reach the message we wrote, not the
checker's.
"""

import inspect
from typing import Any, get_args

from beartype import beartype
from jaxtyping import AbstractArray


def names_a_shape(hint: Any) -> bool:
    """Whether a jaxtyping array stands anywhere in `hint`."""
    if inspect.isclass(hint) and issubclass(hint, AbstractArray):
        return True
    return any(names_a_shape(part) for part in get_args(hint))


def checked(function: Any) -> Any:
    """`function` with its shape annotations checked at each call."""
    hints = getattr(function, "__annotations__", {})
    function.__annotations__ = {name: hint if names_a_shape(hint) else Any for name, hint in hints.items()}
    return beartype(function)
