"""`laten explain --given`: Bayes' theorem and the identity log p(x) = KL + ELBO, for one example."""

from collections.abc import Iterable
from typing import Any

from laten.classical.bayes_theorem import explain
from laten.classical.bif import is_bif as is_bif
from laten.classical.discrete import read_bif
from laten.cli.data_in_out import TABLES, check_output, put, wrote
from laten.cli.evidence import evidence, parted
from laten.common.errors import DataError, harmless
from laten.estimator.plain_vae import load
from laten.plots.canvas import FORMATS


def identity(
    model: str, given: list[str], latents: list[str] | None, output: str | None, table: str | None, wrong: list[str]
) -> None:
    """Print the lesson; draw it to `output`, write its table to `table`; refuse the options `wrong`."""
    check_output(output, (*FORMATS, ".gif"), [model])
    check_output(table, TABLES, [model])
    if wrong:
        raise DataError(f"{wrong[0]} does not go with --given, which explains one example; leave it out")
    if not given:
        raise DataError(f"{model}: name the evidence: laten explain {model} --given VARIABLE=STATE")
    if is_bif(model):
        network = read_bif(model)
        found = explain(network, by_name(given, network.states), latents)
    else:
        vae = load(model)
        found = explain(vae, evidence(vae, given), latents)
    print(harmless(str(found)))
    if table is not None:
        put(found.table.reset_index(), table)
    if output is not None:
        found.plot(output)
    wrote(output, table)


def by_name(given: list[str], names: Iterable[str]) -> dict[str, Any]:
    """Sort `name=state` texts by name; a name given twice may have any of its states."""
    found: dict[str, list[str]] = {}
    for text in given:
        name, value = parted(text, names, "variable")
        found.setdefault(name, []).append(value.strip())
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}
