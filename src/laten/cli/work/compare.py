"""`laten compare`: which of two models explains the same rows better."""

from pathlib import Path

from laten.cli.data_in_out import TABLES, check_output, for_model, put, wrote
from laten.cli.waiting import waiting
from laten.cli.work.labelled import labelled
from laten.common.errors import LatenError, harmless
from laten.estimator.explanations import PRECISE
from laten.estimator.plain_vae import load


def compare(first: str, second: str, data: str, output: str | None, draws: int | None, error: float | None) -> None:
    """Print the verdict; write the scores of each row to `output`."""
    check_output(output, TABLES, [first, second, data])
    one, other = load(first), load(second)
    names = (Path(first).stem, Path(second).stem)
    if names[0] == names[1]:
        names = (first, second)
    with waiting("scoring rows"):
        source = for_model(one, data)
        try:
            found = one.compare(other, source.data, draws=draws, error=PRECISE if error is None else error, names=names)
        except LatenError as wrong:
            raise LatenError(f"{first}, {second}: {wrong}") from None
    print(harmless(str(found)))
    if output is not None:
        put(labelled(found.frame, source), output)
    wrote(output)
