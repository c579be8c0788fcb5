"""What can be typed after `laten audit`; joins the commands of `commands.py`, and like it loads typer alone."""

from enum import StrEnum
from typing import Annotated

from laten.cli.commands import Data, Measures, Model, Seed, Shown, option, work
from laten.cli.query import app

__all__ = ["app"]


class Estimator(StrEnum):
    """What can be audited."""

    BOUNDS = "bounds"
    EXACT = "exact"
    QUADRATURE = "quadrature"
    AIS = "ais"
    HMC = "hmc"
    GAP = "gap"
    LATENTS = "latents"
    BDMC = "bdmc"
    SBC = "sbc"


class Start(StrEnum):
    """Where annealing begins."""

    GUIDE = "guide"
    PRIOR = "prior"


class Sampler(StrEnum):
    """How posterior samples are drawn."""

    HMC = "hmc"
    NUTS = "nuts"


ONLY_HELP = "One estimator; repeatable. Default: all that fit the model."
Only = Annotated[list[Estimator] | None, option(help=ONLY_HELP, default=False)]
RowCount = Annotated[int, option("--rows", least=1, metavar="N", help="Rows to look at, and rows to simulate.")]
Draws = Annotated[int, option(least=1, metavar="N", help="Guide draws a row.")]
BRIDGES_HELP = "Distributions that annealing passes: the more, the closer to log p."
Bridges = Annotated[int, option(least=1, metavar="N", help=BRIDGES_HELP)]
Chains = Annotated[int, option(least=1, metavar="N", help="Annealing chains a row.")]
StartAt = Annotated[Start, option(help="Where annealing begins.")]
Walker = Annotated[Sampler, option(help="How posterior samples are drawn; nuts needs laten[lab].")]


@app.command()
def audit(
    model: Model,
    data: Data,
    only: Only = None,
    rows: RowCount = 100,
    draws: Draws = 5000,
    bridges: Bridges = 200,
    chains: Chains = 8,
    start: StartAt = Start.GUIDE,
    sampler: Walker = Sampler.HMC,
    plot: Shown = None,
    output: Measures = None,
    seed: Seed = None,
) -> None:
    """How good a model's posterior and log p are: bounds, exact values, gaps, calibration."""
    names = [e.value for e in only or []]
    options = {"rows": rows, "draws": draws, "bridges": bridges, "chains": chains, "start": start.value}
    work("cli.auditing").audit(model, data, names, {**options, "sampler": sampler.value, "seed": seed}, plot, output)
