"""Memory of this process."""

import resource
import sys


def peak_gib() -> float:
    """Largest resident memory so far, GiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**30 if sys.platform == "darwin" else 2**20)
