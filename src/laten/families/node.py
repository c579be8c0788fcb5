"""A node: a name, a family, its parents, and the net between. A declaration without weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from laten.errors import DeclarationError

if TYPE_CHECKING:
    from laten.families.base import Family


@dataclass(frozen=True)
class Node:
    """What `family.given(...)` returns; `lt.Network` binds it to a name.

    Args:
        family: The node's distribution.
        parents: Names of the nodes it depends on.
        via: Net recipe between the parents' features and the raw parameters; None means linear.
        learn: For a root: whether its raw parameters are learned. None leaves it to the family
            (`Normal` roots are standard normal, all others are learned).
    """

    family: Family
    parents: tuple[str, ...] = ()
    via: Any = None
    learn: bool | None = None

    def __post_init__(self):
        for parent in self.parents:
            if not isinstance(parent, str):
                raise DeclarationError(
                    f"given(): parents are names of nodes, not {parent!r}; write given('z', via=...)"
                )
        if len(set(self.parents)) < len(self.parents):
            raise DeclarationError(f"given(): a parent is named twice in {self.parents}")
        if self.via is not None and not callable(self.via):
            raise DeclarationError(f"given(): via must be a net such as lt.MLP(500), not {self.via!r}")
        if self.via is not None and not self.parents:
            raise DeclarationError("given(): a net needs parents; name at least one, e.g. given('z', via=...)")
