"""A training in the background: it goes on when the page is closed, and can be stopped with its weights kept."""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from laten.common.errors import LatenError
from laten.estimator.plain_vae import PlainVAE
from laten.estimator.prepare import prepare
from laten.studio.as_json import plain

FIGURES = ("epoch", "epochs", "bound", "train_bound", "valid_bound", "kl", "active_units", "rows", "seconds", "skipped")
COLLAPSED = 0.05  # nats of KL, below which latents say nothing
OVERFITTED = 0.03  # of the bound, by which held-out rows may be worse than at their best


class Training:
    """One fit in a thread of its own.

    Args:
        vae: What is fitted.
        data: What it learns from.
        done: Called with the fitted model.
    """

    def __init__(self, vae: PlainVAE, data: Any, done: Callable[[PlainVAE], None]) -> None:
        self.vae, self.data, self.done = vae, data, done
        self.records: list[dict[str, Any]] = []
        self.wanted = threading.Event()
        self.error, self.stopped = "", ""
        self.held: np.ndarray | None = None  # numbers of the rows that the fit held out
        self.thread = threading.Thread(target=self._run, daemon=True, name="laten training")

    @property
    def running(self) -> bool:
        """Whether it goes on."""
        return self.thread.is_alive()

    def start(self) -> None:
        """Begin."""
        self.thread.start()

    def stop(self) -> None:
        """End after the round that is going on; the best weights so far are kept."""
        self.wanted.set()

    def state(self) -> dict[str, Any]:
        """Return how it goes, for the page."""
        return {"running": self.running, "records": list(self.records), "error": self.error, "stopped": self.stopped,
                "advice": advice(self.records)}  # fmt: skip

    def _run(self) -> None:
        try:
            prepared = prepare(self.data, self.vae)
            self.held = prepared.task.valid
            self.vae.fit_prepared(prepared, report=self._report)
            self.stopped = self.vae.stopped_
            self.done(self.vae)
        except LatenError as error:
            self.error = str(error)
        except Exception as error:
            self.error = f"training failed: {type(error).__name__}: {error}"

    def _report(self, record: dict[str, Any]) -> bool:
        self.records.append({k: plain(record[k]) for k in FIGURES if k in record})
        return self.wanted.is_set()


def advice(records: list[dict[str, Any]]) -> str:
    """Return which of the known troubles a training has: "collapse", "overfitting", or nothing."""
    if len(records) < 5:
        return ""
    last = records[-1]
    if (last.get("kl") or 0.0) < COLLAPSED:
        return "collapse"
    held = [r["valid_bound"] for r in records if r.get("valid_bound") is not None]
    if held and max(held) - held[-1] > OVERFITTED * abs(held[-1]):
        return "overfitting"
    return ""
