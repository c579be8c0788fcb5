"""Locks of files that end with the process that holds them, however it ends: nothing is left to clean up.

Where the system has none (Windows, some network drives) every lock is granted.
"""

from typing import IO, Any

fcntl: Any
try:
    import fcntl
except ImportError:
    fcntl = None


def held(file: IO[Any]) -> bool:
    """Lock an open file until it is closed; return False where another process holds it."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True
