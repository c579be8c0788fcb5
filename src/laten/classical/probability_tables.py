r"""Discrete variables with probability tables, and exact sums over them.

$$p(x) = \prod_i T_i[x_{\text{parents}(i)}, x_i]$$

What is asked of them by name, as a user does, is in `discrete.py`.
"""

import graphlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from laten.classical import bif, elimination
from laten.classical.elimination import Factor
from laten.classical.question import Evidence, check_name, evidence_of
from laten.common.errors import DataError, known


class ProbabilityTables:
    """Discrete variables, their arrows and their tables; see `DiscreteNetwork` for the arguments."""

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
                raise DataError(f"variable {variable!r}: a name occurs twice in {known(names)}")
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

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Variable -> number of states."""
        return {n: len(s) for n, s in self.states.items()}

    # -- sums ------------------------------------------------------------

    def log_evidence(self, given: Mapping[str, Any]) -> float:
        """Return log p(given), in nats; minus infinity where it is impossible.

        Raises:
            DataError: a variable or state that the network lacks.
        """
        evidence = evidence_of(self.states, given)
        found = elimination.eliminate(self.factors(evidence, evidence.names), (), self.sizes)
        return float(found.log_scale[0])

    def joint(self, names: Sequence[str], evidence: Evidence) -> tuple[np.ndarray, float]:
        """Return p(names, evidence) as a table `(*sizes)` of largest entry one, and the logarithm it was divided by.

        Raises:
            DataError: the evidence has probability zero.
        """
        factors = self.factors(evidence, {*names, *evidence.names})
        found = elimination.eliminate(factors, names, self.sizes)
        if not np.isfinite(found.log_scale[0]):
            raise self.impossible(evidence)
        return found.table[0], float(found.log_scale[0])

    def above(self, needed: Iterable[str]) -> list[Factor]:
        """Return the tables of what is needed and of all above it, parents first."""
        names = elimination.ancestors(self.parents, needed)
        return [Factor((*self.parents[n], n), self.tables[n][None]) for n in self.order if n in names]

    def factors(self, evidence: Evidence, needed: Iterable[str]) -> list[Factor]:
        """Return the factors of what is needed and of all above it, with the evidence put in."""
        codes = {name: np.array([code]) for name, code in evidence.codes.items()}
        found = [elimination.seen(factor, codes) for factor in self.above(needed)]
        for name, allowed in evidence.sets.items():
            found.append(Factor((name,), np.isin(np.arange(len(self.states[name])), allowed)[None].astype(float)))
        return found

    def impossible(self, evidence: Evidence) -> DataError:
        """Return the error for evidence of probability zero."""
        said = [f"{n}={self.states[n][c]}" for n, c in evidence.codes.items()]
        said += [f"{n} in {[self.states[n][c] for c in some]}" for n, some in evidence.sets.items()]
        return DataError(f"the evidence {', '.join(said)} has probability zero; nothing follows from it")

    def sample(self, n: int = 1, given: Mapping[str, Any] | None = None, *, seed: int = 0) -> pd.DataFrame:
        """Draw all variables exactly from p(rest | given), `n` rows.

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
