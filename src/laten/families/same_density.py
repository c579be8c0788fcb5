"""Whether a family has the density of another: a subclass that changes it must not be taken for its parent."""

from typing import TypeGuard, TypeVar

from laten.families.base import Family

Kind = TypeVar("Kind", bound=Family)

SAID = ("log_prob", "sample_and_log_prob")  # what a density is said by


def has_density_of(family: Family, kind: type[Kind]) -> TypeGuard[Kind]:
    """Say whether a family is of this kind and leaves its log-density and draws as they are there.

    A closed form of the kind, such as a KL, holds for it then; a subclass with another density may have other ones.
    """
    return isinstance(family, kind) and all(getattr(type(family), name) is getattr(kind, name) for name in SAID)
