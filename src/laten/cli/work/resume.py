"""`laten resume`: a training goes on where it stood."""

from laten.cli.reading import TOLD
from laten.cli.work.fit import ALONE, fit
from laten.cli.work.run_file import recalled
from laten.cli.work.together import Cluster
from laten.common.errors import DataError


def resume(folder: str, inexact: bool, quiet: bool, cluster: Cluster = ALONE) -> int:
    """Do again what was typed to begin a run; what it has learned is taken from its checkpoints.

    Args:
        folder: The run folder.
        inexact: Go on under other versions or on another machine too.
        quiet: Say nothing.
        cluster: The processes that train together.
    Returns:
        As `fit`.
    """
    arguments, reading = recalled(folder)
    arguments |= {"run": folder, "inexact": inexact, "quiet": quiet or arguments.get("quiet", False)}
    arguments |= {"cluster": cluster}
    TOLD.set(reading | {"quiet": arguments["quiet"]})
    try:
        return fit(**arguments)
    except TypeError as error:
        raise DataError(f"{folder}: was begun by another version of laten ({error}); begin it anew") from None
