"""A training in the background: it goes on when the page is closed, and can be stopped with its weights kept.

While it learns, a picture is made of it now and then: at most one in two seconds, and in a twentieth of the time.
"""

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from laten.common.errors import LatenError, TrainingDiverged
from laten.estimator.plain_vae import PlainVAE
from laten.estimator.prepare import prepare
from laten.studio import runs
from laten.studio.as_json import plain
from laten.studio.glimpse import glimpse
from laten.training.checkpoints import Checkpoints

FIGURES = (
    "epoch", "epochs", "bound", "train_bound", "valid_bound", "kl", "active_units", "rows", "seconds", "skipped",
    "rollbacks",
)  # fmt: skip
COLLAPSED = 0.05  # nats of KL, below which latents say nothing
OVERFITTED = 0.03  # of the bound, by which held-out rows may be worse than at their best
PAUSE = 2.0  # seconds between two pictures, at least
SHARE = 0.05  # of the time goes into pictures, at most
FIRST = 0.4  # seconds that the first picture is expected to take


class Training:
    """One fit in a thread of its own.

    Args:
        vae: What is fitted.
        data: What it learns from.
        done: Called with the fitted model.
        folder: Where the training is kept, and goes on from.
        about: What is kept of how it was begun; None: it goes on.
        records: What was shown of the epochs before it goes on.
    """

    def __init__(
        self, vae: PlainVAE, data: Any, done: Callable[[PlainVAE], None], folder: Path,
        about: Mapping[str, Any] | None = None, records: list[dict[str, Any]] | None = None,
    ) -> None:  # fmt: skip
        self.vae, self.data, self.done, self.folder, self.about = vae, data, done, folder, about
        self.records: list[dict[str, Any]] = records or []
        self.wanted = threading.Event()
        self.error, self.stopped, self.diverged = "", "", False
        self.held: np.ndarray | None = None  # numbers of the rows that the fit held out
        self.picture: dict[str, Any] | None = None
        self.pictures, self.looking, self.next = 0, 0.0, 0.0
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
        said = "diverged" if self.diverged else advice(self.records)
        return {"running": self.running, "records": list(self.records), "error": self.error, "stopped": self.stopped,
                "advice": said, "pictures": self.pictures}  # fmt: skip

    def _run(self) -> None:
        try:
            with Checkpoints(self.folder) as checkpoints:
                if self.about is not None:
                    runs.begin(self.folder, self.about)
                prepared = prepare(self.data, self.vae)
                self.held = prepared.task.valid
                self.began = time.perf_counter()
                self.next = self.began + FIRST / SHARE
                self.vae.fit_prepared(prepared, checkpoints, report=self._report, look=self._look)
            if self.pictures:  # the last one, when there is no hurry
                self._draw(self.vae)
            self.stopped = self.vae.stopped_
            if self.stopped != "interrupted":
                runs.end(self.folder)
            self.done(self.vae)
        except LatenError as error:
            self.error, self.diverged = str(error), isinstance(error, TrainingDiverged)
        except Exception as error:
            self.error = f"training failed: {type(error).__name__}: {error}"

    def _report(self, record: dict[str, Any]) -> bool:
        shown = {k: plain(record[k]) for k in FIGURES if k in record}
        self.records = [r for r in self.records if r["epoch"] < shown["epoch"]] + [shown]
        runs.tell(self.folder, shown)
        return self.wanted.is_set()

    def _look(self, model: Callable[[], PlainVAE]) -> None:
        began = time.perf_counter()
        if began < self.next or not self.records:
            return
        self._draw(model())
        ended = time.perf_counter()
        self.looking += ended - began
        self.next = max(began + PAUSE, self.began + self.looking / SHARE)

    def _draw(self, model: PlainVAE) -> None:
        try:
            self.picture = glimpse(model, self.data) | {"epoch": self.records[-1]["epoch"]}
            self.pictures += 1
        except ValueError:  # of weights that are not finite there is no picture
            pass


def advice(records: list[dict[str, Any]]) -> str:
    """Return which of the known troubles a training has: "diverging", "collapse", "overfitting", or nothing."""
    if records and records[-1].get("rollbacks"):
        return "diverging"
    if len(records) < 5:
        return ""
    last = records[-1]
    if (last.get("kl") or 0.0) < COLLAPSED:
        return "collapse"
    held = [r["valid_bound"] for r in records if r.get("valid_bound") is not None]
    if held and max(held) - held[-1] > OVERFITTED * abs(held[-1]):
        return "overfitting"
    return ""
