r"""A fitted model and the view of its data: the walk that every answer takes.

    container → view → rows → inference.asking → numbers → view → container

No mathematics here: what is asked stands in `inference.questions`, what the numbers mean in `inference.diagnostics`. A
row whose importance weights collapse on a few draws is asked again with more of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import jax
import numpy as np

from laten.answers.references import References
from laten.common.types import Values
from laten.data.rows.rows import Rows
from laten.data.rows.views import TableView, View
from laten.inference.asking import Keys, ask
from laten.inference.diagnostics import effective_sample_size
from laten.inference.inputs import check_inputs
from laten.inference.own_guide import Refined
from laten.inference.questions import Ancestral, Completions, Decoded, Density, Expected, Question
from laten.network.model import Model

LEAST = 5.0  # effective draws below which a row is asked again
AGAIN = 8  # times as many draws


@dataclass(frozen=True)
class Fitted:
    """What `VAE` puts its questions to."""

    model: Model
    view: View  # between the user's container and rows
    seed: int  # of the answers
    references: References | None = None  # what log p is compared with
    refine: int = 0  # steps of gradient by which each row gets a guide of its own
    labels: tuple[str, ...] = ()  # nodes whose labels taught the guide: it has the last word on them

    def ask(
        self,
        question: Question,
        rows: Rows,
        keys: Keys | None = None,
        kept: Callable[[Any], Any] = lambda found: found,
        size: int | None = None,
    ) -> Any:
        """Answer a question for rows that went through the view.

        Args:
            keys: None: from the seed and a row's content.
            kept: What to keep of a chunk's answers, where all would grow too large.
            size: Rows of a compiled call, as in `asking.ask`.
        """
        if self.labels and hasattr(question, "labels"):
            question = replace(cast(Any, question), labels=self.labels)
        infers = not isinstance(question, Ancestral | Decoded)
        asked = Refined(question, self.refine) if self.refine and infers else question
        return ask(asked, self.model, self.complete(rows), keys or Keys(self.seed), kept, size)

    def complete(self, rows: Rows) -> Rows:
        """Return rows with all masks that a batch may have, so that what is compiled does not depend on the batch."""
        if any(family.is_input for family in self.model.network.families.values()):
            check_inputs(self.model.network, rows)
        hidden = {p.name for c in self.model.q.values() for p in c.parents if p.hidden} | set(self.model.latents)
        whole = {n: np.ones(v.shape, bool) for n, v in rows.values.items() if n in hidden and n not in rows.mask}
        families = self.model.network.families
        lacking = {n: families[n] for n in self.view.sometimes(self.model.latents) if n not in rows.values}
        blank: dict[str, np.ndarray] = {n: np.full((rows.n, *f.shape), f.neutral, f.dtype) for n, f in lacking.items()}
        none = {n: np.zeros(x.shape, bool) for n, x in blank.items()}
        return Rows({**rows.values, **blank}, rows.n, {**rows.mask, **whole, **none}, rows.labels, rows.visit)

    def ask_well(
        self, question: Expected | Completions | Density, rows: Rows, keys: Keys | None = None
    ) -> tuple[Any, np.ndarray]:
        """Answer as `ask`, rows with few effective draws once more with 8 times as many.

        Returns:
            The answers, and the effective sample size of each row `(rows,)`.
        """
        keys = keys or Keys(self.seed)
        answer, log_w = self.ask(question, rows, keys)
        size = effective_sample_size(log_w)
        poor = np.flatnonzero(size < LEAST)
        if len(poor):
            better = replace(question, draws=AGAIN * question.draws)
            own = keys if keys.positions is None else Keys(keys.seed, keys.positions[poor])
            again, log_w = self.ask(better, rows.take(poor), own)
            answer = jax.tree.map(lambda old, new: put(old, poor, new), answer, again)
            size[poor] = effective_sample_size(log_w)
        return answer, size

    def hidden(self, draws: int, rows: Rows, allowed: Values | None = None) -> dict[str, np.ndarray]:
        """Return what the hidden cells of nodes stand for (`Expected`), from so many draws a row.

        One draw is enough where labels that taught the guide are all that is hidden: it knows them without the network.

        Args:
            allowed: Soft evidence, as in `Expected`.
        """
        question = Expected(draws, self.means, allowed or {})
        others = [n for n in self.view.sometimes(self.model.network.stochastic) if n not in self.labels]
        seen = all(n in rows.values and np.all(rows.mask.get(n, True)) for n in others)
        families = self.model.guide.families
        known = self.labels and self.model.enumerable and all(families[n].n_sites == 1 for n in self.labels)
        if known and seen and not allowed and not self.model.members:
            return self.ask(replace(question, draws=1), rows)[0]
        return self.ask_well(question, rows)[0]

    def rows(self, data: Any) -> Rows:
        """Return the rows of the data; a node that the guide infers may be lacking."""
        return self.view.rows(data, optional=self.model.latents)

    def scored(self, data: Any) -> tuple[Rows, dict[str, np.ndarray]]:
        """Return rows of the data, and node -> log-determinants `(rows, ...)` of what the view did to them, in nats."""
        rows, log_det = self.view.scored(data, optional=self.model.latents)
        inputs = {n for n, family in self.model.network.families.items() if family.is_input}
        return rows, {n: x for n, x in log_det.items() if n not in inputs}

    @property
    def means(self) -> tuple[str, ...]:
        """Nodes whose mean itself goes to the view, which knows what point of it the user wants."""
        if isinstance(self.view, TableView):
            columns = {b.node for b in self.view.schema.blocks}  # a column may be latent in some rows: no leaf then
            return tuple(n for n in self.model.network.stochastic if n in columns)
        return tuple(n for n in self.view.nodes if self.view.specs[n].what not in ("values", "classes"))


def put(old: np.ndarray, index: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Return a copy of `old` with `new` at the rows `index`."""
    out = np.array(old)
    out[index] = new
    return out


def by_row(shares: Mapping[str, np.ndarray], rows: int) -> np.ndarray:
    """Return sums over nodes and sites, `(rows,)`."""
    return sum((x.reshape(rows, -1).sum(1) for x in shares.values()), np.zeros(rows))
