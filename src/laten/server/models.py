"""The models that are served: loaded, warmed, and replaced while they are asked.

A request holds the model that it began with. A new one takes its place when its programs are compiled, so that no
request waits for them and none is dropped; a file that cannot be read changes nothing.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd

from laten.answers.fitted import AGAIN
from laten.common.errors import ModelFileError
from laten.data.columns.column import CLASSES
from laten.data.containers.containers import PANDAS
from laten.data.messages import unknown
from laten.data.rows.views import TableView
from laten.estimator.plain_vae import PlainVAE, load
from laten.inference.asking import ANSWERED_BY, Chunk
from laten.inference.questions import Completions, Density, Expected
from laten.server.batches import Batches
from laten.server.metrics import Metrics
from laten.server.safety import Refused

LOG = logging.getLogger("laten.server")
EVERY = 1.0  # seconds between two looks at a file
WARM_ROWS = 4
Stamp = tuple[int, int, int]


@dataclass(eq=False)
class Served:
    """A model that answers."""

    name: str
    path: str
    vae: PlainVAE
    stamp: Stamp  # of the file it was read from
    batches: Batches

    @contextmanager
    def asked(self) -> Any:
        """Let compiled calls of this thread be shared with those of others."""
        mark = ANSWERED_BY.set(self.batches.answer)
        try:
            yield self.vae
        finally:
            ANSWERED_BY.reset(mark)


@dataclass(eq=False)
class Shelf:
    """All models that are served, by name.

    Args:
        paths: Name -> model file.
    """

    paths: Mapping[str, str]
    metrics: Metrics
    ready: bool = False
    models: dict[str, Served] = field(default_factory=dict)
    failed: dict[str, Stamp] = field(default_factory=dict)  # files that were no model, not to be read again
    busy: dict[str, asyncio.Lock] = field(default_factory=dict)

    def load(self) -> None:
        """Read all files.

        Raises:
            ModelFileError: one of them is no model.
        """
        self.models = {name: self.read(name) for name in self.paths}

    def read(self, name: str) -> Served:
        """Read a model's file."""
        path = self.paths[name]
        stamp = stamp_of(path)
        vae = load(path)
        vae.references_ = None  # what simpler models give for rows is not asked here
        if isinstance(vae.view_, TableView):
            vae.view_ = msgspec.structs.replace(vae.view_, container=PANDAS)
        return Served(name, path, vae, stamp, Batches(self.metrics.batch))

    def __getitem__(self, name: str) -> Served:
        """Return a model.

        Raises:
            Refused: 404 there is none of that name, 503 it is not ready.
        """
        if name not in self.paths:
            raise Refused(404, str(unknown("model", name, self.paths)))
        if not self.ready:
            raise Refused(503, "the models are being made ready; ask again soon", {"retry-after": "5"})
        return self.models[name]

    async def warm(self) -> None:
        """Compile what questions need, then say that the server is ready."""
        for served in () if self.ready else self.models.values():
            await asyncio.to_thread(warm, served)
        self.ready = True

    async def renew(self, name: str) -> Served:
        """Read a model's file again, make it ready, and put it in place of the old one.

        Raises:
            ModelFileError: the file is no model; the old one stays.
        """
        async with self.busy.setdefault(name, asyncio.Lock()):
            try:
                new = await asyncio.to_thread(self.read, name)
            except ModelFileError:
                self.failed[name] = stamp_of(self.paths[name])
                raise
            try:
                await asyncio.to_thread(warm, new)
            except BaseException:
                self.failed[name] = new.stamp
                new.batches.close()
                raise
            old, self.models[name] = self.models[name], new
            self.metrics.loaded(name)
            LOG.info("model %s: %s was read anew", name, new.path)
            await asyncio.to_thread(old.batches.close)
            return new

    async def watch(self) -> None:
        """Look at the files for ever, and read those that changed."""
        while True:
            await asyncio.sleep(EVERY)
            await self.look(n for n, m in self.models.items() if stamp_of(m.path) not in (m.stamp, self.failed.get(n)))

    async def look(self, names: Iterable[str]) -> None:
        """Read some models anew; what goes wrong is written to the log."""
        for name in list(names):
            try:
                await self.renew(name)
            except Exception as error:
                LOG.error("model %s: the old one stays, the new one cannot be used: %s", name, error)


def stamp_of(path: str) -> Stamp:
    """Return what changes when a file is written or replaced; zeros while there is none."""
    try:
        found = Path(path).stat()
        return found.st_mtime_ns, found.st_size, found.st_ino
    except OSError:
        return 0, 0, 0


def warm(served: Served) -> None:
    """Put each question once, then compile every size of call that it may need."""
    with served.asked() as vae:
        data = vae.sample(WARM_ROWS)
        vae.log_likelihood(data, vae.draws)
        vae.surprise(data)
        vae.impute(data)
        if vae.model_.latents:
            vae.transform(data)
        if isinstance(vae.view_, TableView):
            warm_table(vae, vae.view_, data)
    count = served.batches.warm(followers)
    LOG.info("model %s: ready, %d compiled programs", served.name, count)


def warm_table(vae: PlainVAE, view: TableView, data: Any) -> None:
    """Put the questions that only tables answer."""
    columns = [c for b in view.schema.blocks for c in b.columns]
    first = columns[0].name
    vae.conditional(data, first)
    vae.conditional(data, first, samples=1)
    vae.impute(data, samples=1)
    vae.predict(data, first)
    interval = next((c.name for c in columns if c.kind not in CLASSES or c.kind == "ordinal"), None)
    if interval is not None:
        vae.predict_interval(data, interval)
    cells = {c.name: data[c.name].dropna() for c in columns if isinstance(data, pd.DataFrame)}
    seen = next((name for name, x in cells.items() if len(x)), None)
    if seen is not None:
        vae.sample(1, given={seen: cells[seen].iloc[0]})


def followers(chunk: Chunk) -> list[Chunk]:
    """Return the chunk in which the poor rows of a chunk are asked again, if there is one."""
    question = chunk.question
    if isinstance(question, Expected | Density) or (isinstance(question, Completions) and not question.prior):
        return [chunk._replace(question=again(question))]
    return []


def again(question: Any) -> Any:
    """Return a question with as many draws as a second round has."""
    return type(question)(**{**vars(question), "draws": AGAIN * question.draws})
