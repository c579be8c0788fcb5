"""What the page about errors uses: the message of what goes wrong, without a traceback."""

from collections.abc import Callable
from typing import Any


def message(wrong: Callable[[], Any]) -> None:
    """Print the kind and the text of the error that a call raises."""
    try:
        wrong()
    except (ValueError, OSError) as error:
        print(f"{type(error).__name__}: {error}")
    else:
        raise AssertionError("nothing went wrong")
