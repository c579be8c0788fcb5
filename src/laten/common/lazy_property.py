"""An attribute that is computed when it is first asked for, and kept."""

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

T = TypeVar("T")


class lazy_property(Generic[T]):  # noqa: N801 - a decorator, as property is
    """Compute an attribute once for each object.

    As `functools.cached_property`, without the lock that Python 3.11 shares among all objects of a class: threads of
    a server that read cells at the same time waited there for each other.

    Args:
        compute: The method.
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self.compute, self.__doc__ = compute, compute.__doc__

    @overload
    def __get__(self, owner: None, kind: type) -> Self: ...
    @overload
    def __get__(self, owner: object, kind: type) -> T: ...
    def __get__(self, owner: object | None, kind: type) -> Self | T:
        """Return the value, and leave it in the object, which is asked first the next time."""
        if owner is None:
            return self
        found = owner.__dict__[self.compute.__name__] = self.compute(owner)
        return found
