"""The command `laten`, which Ctrl-C ends in one line from its first moment: while it still imports, too."""

import os
import signal
import sys
from typing import NoReturn


def leave(number: int, frame: object) -> NoReturn:
    """End before anything has begun."""
    os.write(2, b"laten: interrupted\n")
    os._exit(130)


BEFORE = signal.getsignal(signal.SIGINT)
if BEFORE is signal.default_int_handler:
    signal.signal(signal.SIGINT, leave)

from laten.cli.main import main  # noqa: E402 (what may be interrupted)

if BEFORE is signal.default_int_handler:
    signal.signal(signal.SIGINT, BEFORE)

if __name__ == "__main__":
    sys.exit(main())
