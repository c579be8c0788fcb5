"""Work that takes long, in the background: it tells its steps, and can be cancelled between two of them."""

import threading
from collections.abc import Callable
from typing import Any

from laten.common.errors import LatenError

Work = Callable[[Callable[[str], None]], Any]


class Cancelled(Exception):
    """Nobody waits for the result any more."""


class Job:
    """One piece of work in a thread of its own.

    Args:
        about: What is asked; the same is not asked again.
        work: Called with what it tells of each step; its result is for the page.
        steps: How many it will tell.
    """

    def __init__(self, about: Any, work: Work, steps: int) -> None:
        self.about, self.work, self.steps = about, work, steps
        self.told: list[str] = []
        self.result: Any = None
        self.error = ""
        self.cancelled = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True, name="laten job")
        self.thread.start()

    @property
    def running(self) -> bool:
        """Whether it goes on."""
        return self.thread.is_alive()

    @property
    def well(self) -> bool:
        """Whether it goes on and will give a result, or has given one."""
        return self.result is not None or (self.running and not self.cancelled.is_set())

    def cancel(self) -> None:
        """End before the next step."""
        self.cancelled.set()

    def state(self) -> dict[str, Any]:
        """Return how it goes, for the page."""
        running = self.running  # read first: a result is there once it has ended
        return {"running": running, "cancelled": self.cancelled.is_set(), "step": len(self.told), "of": self.steps,
                "said": self.told[-1] if self.told else "", "error": self.error, "result": self.result}  # fmt: skip

    def _say(self, text: str) -> None:
        if self.cancelled.is_set():
            raise Cancelled
        self.told.append(text)

    def _run(self) -> None:
        try:
            result = self.work(self._say)
            self.result = None if self.cancelled.is_set() else result
        except Cancelled:
            pass
        except LatenError as error:
            self.error = str(error)
        except Exception as error:
            self.error = f"laten failed here: {type(error).__name__}: {error}"
