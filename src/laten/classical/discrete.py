r"""A discrete network with its probability tables, and exact answers from it.

$$p(x) = \prod_i T_i[x_{\text{parents}(i)}, x_i],\qquad
p(\text{targets}\mid\text{given}) \propto \sum_{\text{the rest}} p(x)$$

The sums are those of `infer.elimination`. The same network is a declaration, `network`, of `Categorical` nodes over
`laten.Table` nets, with `weights`: it can be drawn, trained, and given a guide (`learned_guide.py`).
"""

import graphlib
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from laten.classical import bif, elimination
from laten.classical.bif import Variable
from laten.classical.by_row import by_row
from laten.classical.elimination import Factor
from laten.classical.learned_guide import LearnedGuide, learn
from laten.classical.logits import conditionals, declaration
from laten.classical.question import Evidence, check_name, check_targets, code_of, evidence_of, parse_question
from laten.common.atomic_file import atomic
from laten.common.errors import DataError, known
from laten.network.conditional import Conditional
from laten.network.network import Network


class DiscreteNetwork:
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

    def __init__(
        self,
        states: Mapping[str, Sequence[str]],
        tables: Mapping[str, Any],
        parents: Mapping[str, Sequence[str]] | None = None,
        name: str = "network",
    ):
        self.name = name
        self.states = {str(n): tuple(map(str, s)) for n, s in states.items()}
        self.parents = {n: tuple(map(str, (parents or {}).get(n, ()))) for n in self.states}
        for variable in [*tables, *(parents or {})]:
            check_name(self.states, variable)
        for variable, names in [*self.states.items(), *self.parents.items()]:
            if len(set(names)) < len(names):
                raise DataError(f"variable {variable!r}: a name is there twice in {known(names)}")
        try:
            self.order = tuple(graphlib.TopologicalSorter(self.parents).static_order())
        except graphlib.CycleError as error:
            raise DataError(f"the arrows run in a circle: {' -> '.join(error.args[1])}") from None
        for variable in self.order:
            check_name(self.states, variable)
        self.tables = {n: self._checked(n, tables) for n in self.states}

    def _checked(self, name: str, tables: Mapping[str, Any]) -> np.ndarray:
        if name not in tables:
            raise DataError(f"variable {name!r} has no table")
        table = np.array(tables[name], float)
        shape = (*(len(self.states[p]) for p in self.parents[name]), len(self.states[name]))
        if table.shape != shape or not len(self.states[name]):
            raise DataError(f"variable {name!r}: its table has shape {table.shape}, expected {shape}: parents first")
        total = table.sum(-1, keepdims=True)
        if not (table >= 0).all() or not (np.abs(total - 1) <= bif.LOOSE).all():
            raise DataError(f"variable {name!r}: its rows must be probabilities that sum to one along the last axis")
        table = np.where(np.abs(total - 1) > bif.ROUNDING, table / total, table)
        table.flags.writeable = False
        return table

    # -- the declaration ------------------------------------------------------------

    @property
    def sizes(self) -> dict[str, int]:
        """Variable -> number of states."""
        return {n: len(s) for n, s in self.states.items()}

    @cached_property
    def network(self) -> Network:
        """The declaration: `Categorical` nodes over `lt.Table` nets, parents first. Codes count the states from 0."""
        return declaration(self.sizes, self.parents, self.order)

    @property
    def weights(self) -> dict[str, Conditional]:
        """Weights of `network` that hold the tables (float32; a probability of zero becomes e^-60)."""
        return conditionals(self.network, self.tables)

    def draw(self, observed: Iterable[str] = (), path: str | os.PathLike | None = None) -> str:
        """A plate diagram as SVG text; see `Network.draw`."""
        return self.network.draw(list(observed), None if path is None else os.fspath(path))

    def to_bif(self, path: str | os.PathLike) -> None:
        """Writes a BIF file, numbers with all their digits: `lt.read_bif` gives the same network.

        Raises:
            DataError: the file cannot be written.
        """
        variables = {n: Variable(self.states[n], self.parents[n], self.tables[n]) for n in self.states}
        with atomic(os.fspath(path)) as file:
            file.write(bif.formatted(self.name, variables).encode())

    # -- questions ------------------------------------------------------------

    def query(self, targets: str | Iterable[str], given: Mapping[str, Any] | None = None) -> pd.Series:
        """The exact posterior p(targets | given).

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
        names = check_targets(self.states, [targets] if isinstance(targets, str) else targets, evidence)
        table, _ = self.joint(names, evidence)
        levels = [list(self.states[n]) for n in names]
        index = (
            pd.Index(levels[0], name=names[0]) if len(names) == 1 else pd.MultiIndex.from_product(levels, names=names)
        )
        return pd.Series(table.ravel() / table.sum(), index, name="p")

    def log_evidence(self, given: Mapping[str, Any]) -> float:
        """log p(given), in nats; minus infinity where it is impossible."""
        evidence = evidence_of(self.states, given)
        found = elimination.eliminate(self.factors(evidence, evidence.names), (), self.sizes)
        return float(found.log_scale[0])

    def joint(self, names: Sequence[str], evidence: Evidence) -> tuple[np.ndarray, float]:
        """p(names, evidence) as a table `(*sizes)` whose largest entry is one, and the logarithm it was divided by.

        Raises:
            DataError: the evidence has probability zero.
        """
        factors = self.factors(evidence, {*names, *evidence.names})
        found = elimination.eliminate(factors, names, self.sizes)
        if not np.isfinite(found.log_scale[0]):
            raise self.impossible(evidence)
        return found.table[0], float(found.log_scale[0])

    def log_prob(self, frame: pd.DataFrame) -> pd.Series:
        """Exact log p of each row's filled cells, in nats; empty cells, and variables without a column, are summed out.

        Raises:
            DataError: an unknown column or state.
        """
        return pd.Series(by_row(self, frame, ())[1], frame.index, name="log_p")

    def predict_proba(self, frame: pd.DataFrame, target: str) -> pd.DataFrame:
        """Exact p(target | the row's other filled cells), `(rows, states)`.

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

    def sample(self, n: int = 1, given: Mapping[str, Any] | None = None, *, seed: int = 0) -> pd.DataFrame:
        """Exact draws of all variables from p(rest | given), `n` rows.

        Raises:
            DataError: unknown or impossible evidence.
        """
        evidence = evidence_of(self.states, given)
        rng = np.random.default_rng(seed)
        codes = {name: np.full(n, code) for name, code in evidence.codes.items()}
        above = elimination.ancestors(self.parents, evidence.names)
        if evidence.names:
            found = elimination.eliminate(self.factors(evidence, evidence.names), (), self.sizes)
            if not np.isfinite(found.log_scale[0]):
                raise self.impossible(evidence)
            codes = elimination.backwards(found.trail, codes, rng, n)
        for name in self.order:
            if name not in above:
                given_parents = tuple(codes[p] for p in self.parents[name])
                weights = np.broadcast_to(self.tables[name][given_parents], (n, len(self.states[name])))
                codes[name] = elimination.drawn(weights, rng)
        return pd.DataFrame({name: np.array(s, object)[codes[name]] for name, s in self.states.items()})

    def learn_guide(
        self, steps: int = 10_000, *, width: int = 64, learning_rate: float = 3e-3, seed: int = 0
    ) -> LearnedGuide:
        """Learns a guide that answers any question by weighted draws, also where exact sums are too large.

        Args:
            steps: Batches of 256 examples to learn from.
            width: Hidden units of each variable's net.
        """
        return learn(self, steps, width, learning_rate, seed)

    # -- the walk down ------------------------------------------------------------

    def factors(self, evidence: Evidence, needed: Iterable[str]) -> list[Factor]:
        """Factors of what is needed and all above it, with the evidence put in."""
        codes = {name: np.array([code]) for name, code in evidence.codes.items()}
        found = []
        for name in sorted(elimination.ancestors(self.parents, needed), key=self.order.index):
            found.append(elimination.seen(Factor((*self.parents[name], name), self.tables[name][None]), codes))
        for name, allowed in evidence.sets.items():
            found.append(Factor((name,), np.isin(np.arange(len(self.states[name])), allowed)[None].astype(float)))
        return found

    def impossible(self, evidence: Evidence) -> DataError:
        """What to say of evidence that cannot be."""
        said = [f"{n}={self.states[n][c]}" for n, c in evidence.codes.items()]
        said += [f"{n} in {[self.states[n][c] for c in some]}" for n, some in evidence.sets.items()]
        return DataError(f"the evidence {', '.join(said)} has probability zero; nothing follows from it")

    def __str__(self) -> str:
        factors = self.network.factors() if len(self.states) <= 12 else "…"
        count = sum(t.size for t in self.tables.values())
        return f"{self.name}: {factors}, {len(self.states)} variables, {count} probabilities"

    def __repr__(self) -> str:
        return f"DiscreteNetwork[{self}]"


def read_bif(path: str | os.PathLike) -> DiscreteNetwork:
    """Reads a network from a BIF file (`laten.classical.bif`).

    Raises:
        DataError: naming the line: a file that is cut off or no BIF, unknown names, rows that are missing or do not sum
            to one within 1e-3, a circle.
    """
    name, variables = bif.parse(bif.read_text(os.fspath(path)), os.fspath(path))
    return DiscreteNetwork(
        {n: v.states for n, v in variables.items()},
        {n: v.table for n, v in variables.items()},
        {n: v.parents for n, v in variables.items()},
        Path(path).stem if name == "unknown" else name,
    )
