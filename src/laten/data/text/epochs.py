"""Seconds or milliseconds since 1970, recognised by their size and by the column's name; size alone does not tell."""

import re

import numpy as np

_NAME = re.compile(
    r"(^|[_\W])(when|date|datetime|time|timestamp|ts|epoch|created|updated|modified|at)([_\W]|$)|(At|Time|Date)$",
    re.IGNORECASE,
)
_FIRST, _LAST = 631_152_000, 4_102_444_800  # 1990, 2100


def epoch_unit(name: str, x: np.ndarray) -> str | None:
    """Return `s` or `ms` when whole numbers count these since 1970; None when they do not."""
    if not len(x) or not _NAME.search(name):
        return None
    for unit, scale in (("s", 1), ("ms", 1000)):
        if _FIRST * scale <= x.min() and x.max() <= _LAST * scale:
            return unit
    return None
