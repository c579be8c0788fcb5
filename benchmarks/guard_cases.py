"""What `benchmarks.guard` looks at: three fits, and questions asked of them. Small plans: only structure matters.

| case | what |
|---|---|
| images | 784-512-20, batch 100, pixels binarised anew, the network declared |
| numbers | 30 real columns, 64 hidden, 8 latents, batch 64, the network declared |
| clinic | the embedded table of mixed columns with holes, the network proposed |

A figure is named `case: what: measure`. Everything is asked through `lt.VAE`, as users do.
"""

import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import jax
import numpy as np

import laten as lt
from benchmarks.counters import Count, cost, counting
from laten.estimator import plain_vae
from laten.inference import asking
from laten.training import epochs
from laten.training.task import Outcome, Task

Figures = dict[str, float]
EPOCHS = 4
ROWS = 600  # of which a tenth is held out
DRAWS = 100


def watched(vae: lt.VAE, data: Any, now: Callable[[], Count]) -> SimpleNamespace:
    """Fit, and return its task and compiled loop, what that is called with, bytes sent a call, counts by epoch.

    An epoch is one compiled call however slow the machine.
    """
    found = SimpleNamespace(sent=[], marks=[], shapes=())

    def called(loop: Any, arguments: tuple) -> None:
        found.loop, found.shapes = loop, found.shapes or jax.eval_shape(lambda *a: a, *arguments)
        found.sent.append(sum(x.nbytes for x in jax.tree.leaves(arguments) if isinstance(x, np.ndarray)))

    def watching(task: Task, settings: Any, report: Callable, **options: Any) -> Outcome:
        def marking(record: dict) -> None:
            report(record)
            found.marks.append(now())

        found.task = task
        return epochs.train(task, settings, marking, **options | {"on_call": called, "call_seconds": 1e6})

    with mock.patch.object(plain_vae, "train", watching):
        vae.fit(data)
    return found


def of_fit(vae: lt.VAE, data: Any) -> Figures:
    """Figures of a fit; the model stays fitted."""
    jax.clear_caches()
    with counting() as now:
        found = watched(vae, data, now)
        programs = now().programs
    each = [after.since(before) for before, after in itertools.pairwise(found.marks)]
    once, batch = cost(found.loop.run.lower(*found.shapes)), found.shapes[3].shape[1]
    return {
        "programs": programs,
        "programs after the first epoch": sum(e.programs for e in each),
        "retraces": found.loop.traces - 1,
        "callbacks": once["callbacks"],
        "arrays sent an epoch": max(e.sent for e in each),
        "bytes sent a call and row": found.sent[-1] / found.task.rows,
        "arrays read an epoch": max(e.read for e in each),
        "flops a row": once["flops"] / batch,
        "bytes accessed a row": once["bytes"] / batch,
        "bytes set aside a row": once["temporary"] / batch,
    }


def of_question(ask: Callable[[int], Any], sizes: tuple[int, ...], draws: int) -> Figures:
    """Figures of a question asked about several numbers of rows, the largest first; operations are for each draw."""
    jax.clear_caches()
    calls: list[tuple] = []
    chunk = asking.answer_chunk

    def noted(*args: Any) -> Any:
        calls.append(args)
        return chunk(*args)

    with counting() as now, mock.patch.object(asking, "answer_chunk", noted):
        ask(sizes[0])
        first, asked = now(), calls[0]
        for size in sizes[1:]:
            ask(size)
        others = now()
        calls.clear()
        ask(sizes[-1])
        last, chunks = now().since(others), len(calls)
    # the loop over blocks of rows is counted once, as all loops are: what is counted is one block
    rows = min(len(jax.tree.leaves(asked[2:5])[0]), asking.side_by_side(draws))  # values, masks or positions
    once = cost(chunk.lower(*asked).lowered)
    return {
        "programs": first.programs,
        "programs for other numbers of rows": others.programs - first.programs,
        "callbacks": once["callbacks"],
        "arrays sent a chunk": last.sent / chunks,
        "arrays read a chunk": last.read / chunks,
        "flops a row and draw": once["flops"] / rows / draws,
        "bytes accessed a row and draw": once["bytes"] / rows / draws,
        "bytes set aside a row and draw": once["temporary"] / rows / draws,
    }


def images() -> Figures:
    """An image-size net: fit and score."""
    pixels = np.random.default_rng(0).integers(0, 256, (ROWS, 28, 28), dtype=np.uint8)
    network = lt.Network(z=lt.Normal(20), x=lt.Bernoulli((28, 28)).given("z", via=lt.MLP(512)))
    vae = lt.VAE(network, batch_size=100, epochs=EPOCHS)
    found = named("fit", of_fit(vae, pixels))
    return found | named("score", of_question(lambda n: vae.score_samples(pixels[:n], DRAWS), (200, 7, 1), DRAWS))


def numbers(**options: Any) -> Figures:
    """A table-size net of real columns: fit."""
    rows = np.random.default_rng(0).normal(size=(ROWS, 30)).astype(np.float32)
    network = lt.Network(z=lt.Normal(8), x=lt.Normal(30).given("z", via=lt.MLP(64)))
    vae = lt.VAE(network, batch_size=64, epochs=EPOCHS, **options)
    return named("fit", of_fit(vae, {"x": rows}))


def clinic() -> Figures:
    """A proposed mixed table: fit, score, sample, impute, and the model's file."""
    frame = lt.read("clinic").head(ROWS)
    vae = lt.VAE(epochs=EPOCHS)
    found, sizes = named("fit", of_fit(vae, frame)), (300, 40, 1)
    found |= named("score", of_question(lambda n: vae.score_samples(frame.head(n), DRAWS), sizes, DRAWS))
    found |= named("sample", of_question(vae.sample, (5000, 40, 1), 1))
    found |= named("impute", of_question(lambda n: vae.impute(frame.head(n)), sizes, DRAWS))
    with tempfile.TemporaryDirectory() as folder:
        vae.save(Path(folder, "clinic.laten"))
        found["file: bytes"] = Path(folder, "clinic.laten").stat().st_size
    return found


def named(what: str, figures: Figures) -> Figures:
    """Figures under `what: measure`."""
    return {f"{what}: {measure}": float(value) for measure, value in figures.items()}


CASES: dict[str, Callable[[], Figures]] = {"images": images, "numbers": numbers, "clinic": clinic}
