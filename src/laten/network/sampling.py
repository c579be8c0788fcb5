"""How the guide's nodes are drawn: one static value."""

from enum import Enum
from typing import NamedTuple


class Discrete(Enum):
    """What becomes of hidden discrete guide nodes."""

    ENUMERATED = "enumerated"
    SAMPLED = "sampled"
    RELAXED = "relaxed"


class Sampling(NamedTuple):
    """How the guide's nodes are drawn: one static value.

    Args:
        discrete: What becomes of discrete nodes; too many to enumerate are sampled. Relaxed draws of classes carry the
            gradient of a softmax, and their values are packed weights of classes.
        path: log q has no gradient with respect to the guide's weights, except through the draws (Roeder et al. 2017).
        at_mode: Take the mode of each node in place of a draw, and uncertain weights at their means.
    """

    discrete: Discrete = Discrete.ENUMERATED
    path: bool = False
    at_mode: bool = False


PLAIN, AT_MODE = Sampling(), Sampling(at_mode=True)
