"""How much memory there is, and amounts of it as people write them: `2GiB`, `500 MB`."""

import re
from typing import Any

from laten.common.bounded_reading import memory
from laten.common.errors import LatenError

UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
WRITTEN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]i?)?b?\s*", re.IGNORECASE)
LEAST = 2**29  # bytes: what the programs themselves take
SHARE = 0.6  # of the machine's memory, which a fit takes unless it is told how much


def bytes_of(amount: Any) -> int:
    """Return an amount of memory in bytes.

    Args:
        amount: Bytes, or a text such as `2GiB`; None: what this machine can give.
    Raises:
        LatenError: it is none, or too little for any work.
    """
    if amount is None:
        return int(SHARE * memory())
    found = WRITTEN.fullmatch(amount) if isinstance(amount, str) else None
    if found is not None:
        amount = int(float(found[1]) * UNITS[(found[2] or "").lower()])
    if not isinstance(amount, int) or isinstance(amount, bool):
        raise LatenError(f"memory={amount!r:.40} is no amount of memory; give bytes, or a text such as '2GiB'")
    if amount < LEAST:
        raise LatenError(f"memory={amount} bytes are too little: the programs alone take more; give at least '512MiB'")
    return amount
