"""The parameters of `VAE`: one table, from which its constructor, its attributes and its model file are derived."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, fields
from typing import Any

from laten.common.errors import LatenError, ModelFileError, number, whole
from laten.data.constraints import Constraint
from laten.data.schema.schema import Schema
from laten.network.network import Network
from laten.training.objectives import Objective
from laten.training.settings import Settings

WEIGHTS, NUMBERS = ("point", "map", "bayes"), ("cells", "normal")
MISSING, KEEP = ("ignorable", "informative"), ("best", "all")
BATCH_SIZE = 128
MOST_DRAWS = 1_000_000  # that a model file may ask of each question
RATE, TABLE_RATE = 1e-3, 3e-3  # peak rates of Adam; the second for a proposed network of a table


@dataclass(eq=False, repr=False)
class Parameters:
    """What `laten.VAE` can be told; it is explained there. As scikit-learn asks, nothing is checked before `fit`."""

    network: Network | None = None
    guide: Network | None = None
    objective: Objective | None = None
    _: KW_ONLY
    schema: Schema | None = None
    constraints: Sequence[str | Constraint] | None = None
    latent: int = 16
    width: int | None = None
    numbers: str = "cells"
    dropout: float = 0.1
    missing: str = "ignorable"
    weights: str = "point"
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    warmup: float = 0.02
    clip: float | None = 100.0
    patience: int | None = None
    validation: float = 0.1
    optimizer: Any = None
    precision: str = "float32"
    hide: bool | None = None
    trim: float = 0.0
    binarise: str = "dynamic"
    draws: int = 100
    restarts: int = 1
    keep: str = "best"
    seed: int = 0
    progress: str = "quiet"
    random_state: int | None = None

    @property
    def one_seed(self) -> int:
        """The seed, by either of its names."""
        return self.seed if self.random_state is None else self.random_state


# a model file keeps its own network, guide, objective and schema, and no Python objects
KEPT = tuple(
    f.name
    for f in fields(Parameters)
    if f.name not in ("network", "guide", "objective", "schema", "constraints", "optimizer", "progress")
)


def check(parameters: Parameters) -> None:
    """Check the parameters that do not depend on the data: each alone, and those that must go together."""
    for name in ("draws", "restarts", "latent"):
        whole(name, getattr(parameters, name))
    if parameters.width is not None:
        whole("width", parameters.width)
    for name, known in (("weights", WEIGHTS), ("missing", MISSING), ("numbers", NUMBERS), ("keep", KEEP)):
        if getattr(parameters, name) not in known:
            raise LatenError(f"{name} must be one of {', '.join(map(repr, known))}, not {getattr(parameters, name)!r}")
    for name in ("dropout", "trim"):
        if not (number(value := getattr(parameters, name)) and 0 <= value < 1):
            raise LatenError(f"{name} is a share in [0, 1), not {value!r}")
    if parameters.random_state is not None:
        whole("random_state", parameters.random_state, 0)
        if parameters.seed not in (0, parameters.random_state):
            raise LatenError(
                f"seed={parameters.seed!r} and random_state={parameters.random_state!r} are two names of one option; "
                "give one of them"
            )
    if parameters.missing == "informative" and parameters.numbers != "cells":
        raise LatenError("missing='informative' goes with numbers='cells': hidden numbers are summed out cell by cell")
    if parameters.keep == "all" and parameters.restarts < 2:
        raise LatenError("keep='all' averages over several models: say how many, restarts=4")
    if parameters.trim and parameters.objective is not None:
        raise LatenError("trim goes with the default objective; say objective=lt.Elbo(..., trim=...) instead")
    network = parameters.network
    if network is not None and all(network.nodes[n].family.is_input for n in network.stochastic):
        raise LatenError(
            "no node of the network has a density, so that there is nothing to learn: "
            f"{', '.join(network.stochastic)} are inputs; declare what they tell of, such as a node that is normal "
            "given them"
        )
    settings_of(parameters, False)


def settings_of(parameters: Parameters, proposed_table: bool) -> Settings:
    """Return what training is told; `proposed_table`: the network is proposed, and for a table."""
    own = {f.name: getattr(parameters, f.name) for f in fields(Settings) if hasattr(parameters, f.name)}
    planned = {"batch_size": BATCH_SIZE, "learning_rate": TABLE_RATE if proposed_table else RATE}
    return Settings(
        **own | {"seed": parameters.one_seed} | {name: value for name, value in planned.items() if own[name] is None}
    )


def refuse_both(run: Any, keep: str) -> None:
    """Refuse to keep several trainings in one folder.

    Raises:
        LatenError: both are asked for.
    """
    if run is not None and keep == "all":
        raise LatenError("run= keeps one training, and keep='all' makes several: leave out one of them")


def check_read(parameters: Parameters) -> None:
    """Check options that a file gave: their ranges, and the draws that a question would take.

    Raises:
        LatenError: one is not possible.
    """
    check(parameters)
    if parameters.draws > MOST_DRAWS:
        most = f"at most {MOST_DRAWS} are read"
        raise ModelFileError(f"draws={parameters.draws} would take any question's memory; {most}")
