r"""A discrete network with its probability tables, and exact answers from it.

$$p(x) = \prod_i T_i[x_{\text{parents}(i)}, x_i],\qquad
p(\text{targets}\mid\text{given}) \propto \sum_{\text{the rest}} p(x)$$

The sums are those of `elimination.py`. The same network is a declaration, `network`, of `Categorical` nodes over
`laten.Table` nets, with `weights`: it can be drawn, trained, and given a guide (`learned_guide.py`).
"""

import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from laten.classical import bif
from laten.classical.bif import Variable
from laten.classical.bif_file import read_text
from laten.classical.by_row import by_row
from laten.classical.learned_guide import LearnedGuide, learn
from laten.classical.logits import conditionals, declaration
from laten.classical.most_probable import most_probable
from laten.classical.probability_tables import ProbabilityTables
from laten.classical.question import check_name, check_targets, code_of, evidence_of, index_of, parse_question
from laten.common.atomic_file import atomic
from laten.common.errors import DataError
from laten.network.conditional import Conditional
from laten.network.network import Network


class DiscreteNetwork(ProbabilityTables):
    """A Bayesian network of discrete variables whose tables are known.

    Args:
        states: Variable -> names of its states.
        tables: Variable -> `(*sizes of its parents, states)` probabilities; distributions along the last axis.
        parents: Variable -> names of its parents, in the order of the table's axes; those left out have none.
        name: What the network is called.

    Raises:
        DataError: tables that do not fit or do not sum to one within 1e-3, unknown parents, a circle.

    >>> import laten as lt
    >>> rain = lt.DiscreteNetwork(
    ...     states={"rain": ["yes", "no"], "grass": ["wet", "dry"]},
    ...     parents={"grass": ["rain"]},
    ...     tables={"rain": [0.2, 0.8], "grass": [[0.9, 0.1], [0.15, 0.85]]},
    ... )
    >>> rain.query("rain", {"grass": "wet"}).round(3).to_dict()
    {'yes': 0.6, 'no': 0.4}
    >>> print(rain)
    network: p(rain) p(grass | rain), 2 variables, 6 probabilities
    """

    # -- the declaration ------------------------------------------------------------

    @cached_property
    def network(self) -> Network:
        """The declaration: `Categorical` nodes over `lt.Table` nets, parents first. Codes count the states from 0."""
        return declaration(self.sizes, self.parents, self.order)

    @property
    def weights(self) -> dict[str, Conditional]:
        """Weights of `network` that hold the tables (float32; a probability of zero becomes e^-60)."""
        return conditionals(self.network, self.tables)

    def draw(self, observed: Iterable[str] = (), path: str | os.PathLike | None = None) -> str:
        """Draw a plate diagram as SVG text; see `Network.draw`."""
        return self.network.draw(list(observed), None if path is None else os.fspath(path))

    def to_bif(self, path: str | os.PathLike) -> None:
        """Write a BIF file, numbers with all their digits: `lt.read_bif` gives the same network.

        Raises:
            DataError: the file cannot be written.
        """
        variables = {n: Variable(self.states[n], self.parents[n], self.tables[n]) for n in self.states}
        with atomic(os.fspath(path)) as file:
            file.write(bif.formatted(self.name, variables).encode())

    # -- questions ------------------------------------------------------------

    def query(self, targets: str | Iterable[str], given: Mapping[str, Any] | None = None) -> pd.Series:
        """Return the exact posterior p(targets | given).

        Args:
            targets: A variable, or several for their joint distribution; or a whole question as text,
                `"P(lung, bronc | smoke=yes, dysp=yes)"`.
            given: Variable -> a state, or a list of states any of which it may be.
        Returns:
            Probabilities by state; by joint state (a `MultiIndex`) of several targets.
        Raises:
            DataError: an unknown variable or state, a target that is given, evidence of probability zero, or targets
                with too many joint states.
        """
        if isinstance(targets, str) and targets not in self.states and "(" in targets:
            asked = parse_question(targets)
            if given:
                raise DataError("the question says what is given; leave `given` out")
            found = self.query(list(asked.targets), asked.given)
            for name, wanted in asked.targets.items():
                some = [self.states[name][code_of(self.states, name, value)] for value in wanted]
                found = found[found.index.get_level_values(name).isin(some or self.states[name])]
            return found
        evidence = evidence_of(self.states, given)
        names = check_targets(self.states, targets, evidence)
        table, _ = self.joint(names, evidence)
        return pd.Series(table.ravel() / table.sum(), index_of(self.states, names), name="p")

    def most_probable(self, given: Mapping[str, Any] | None = None) -> tuple[pd.Series, float]:
        """Return the joint states of all variables that are most probable given evidence, exactly.

        Args:
            given: As in `query`.
        Returns:
            Variable -> its state, the evidence among them; and log p of all of them together, in nats.
        Raises:
            DataError: an unknown variable or state, evidence of probability zero, or a network that is too dense.
        """
        evidence = evidence_of(self.states, given)
        codes, log_p = most_probable(self.factors(evidence, self.states), self.sizes)
        if not np.isfinite(log_p):
            raise self.impossible(evidence)
        codes |= evidence.codes
        return pd.Series({n: s[codes[n]] for n, s in self.states.items()}, name="state"), log_p

    def log_prob(self, frame: pd.DataFrame) -> pd.Series:
        """Return the exact log p of each row's filled cells, in nats; all else is summed out.

        Raises:
            DataError: an unknown column or state.
        """
        return pd.Series(by_row(self, frame, ())[1], frame.index, name="log_p")

    def predict_proba(self, frame: pd.DataFrame, target: str) -> pd.DataFrame:
        """Return the exact p(target | the row's other filled cells), `(rows, states)`.

        Raises:
            DataError: an unknown column or state, or a row of probability zero.
        """
        check_name(self.states, target)
        table, log_p = by_row(self, frame.drop(columns=target, errors="ignore"), (target,))
        odd = np.flatnonzero(~np.isfinite(log_p))
        if len(odd):
            raise DataError(f"row {odd[0]}: its evidence has probability zero; nothing follows from it")
        p = table / table.sum(1, keepdims=True)
        return pd.DataFrame(p, frame.index, pd.Index(self.states[target], name=target))

    def learn_guide(
        self, steps: int = 10_000, *, width: int = 64, learning_rate: float = 3e-3, seed: int = 0
    ) -> LearnedGuide:
        """Learn a guide that answers any question by weighted draws, also where exact sums are too large.

        Args:
            steps: Batches of 256 examples to learn from.
            width: Hidden units of each variable's net.
        Raises:
            DeclarationError: steps that are no whole number of at least 1.
        """
        return learn(self, steps, width, learning_rate, seed)

    def __str__(self) -> str:
        factors = self.network.factors() if len(self.states) <= 12 else "…"
        count = sum(t.size for t in self.tables.values())
        return f"{self.name}: {factors}, {len(self.states)} variables, {count} probabilities"

    def __repr__(self) -> str:
        return f"DiscreteNetwork[{self}]"


def read_bif(path: str | os.PathLike) -> DiscreteNetwork:
    """Read a network from a BIF file (`laten.classical.bif`), which may be packed: `.bif.gz`, `.bif.xz` and others.

    Raises:
        DataError: naming the line: a file that is cut off or no BIF, unknown names, rows that are missing or do not sum
            to one within 1e-3, a circle.
    """
    name, variables = bif.parse(read_text(os.fspath(path)), os.fspath(path))
    return DiscreteNetwork(
        {n: v.states for n, v in variables.items()},
        {n: v.table for n, v in variables.items()},
        {n: v.parents for n, v in variables.items()},
        Path(path).name.partition(".bif")[0] if name == "unknown" else name,
    )
