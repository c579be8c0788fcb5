"""`--coordinator`: a process of `laten fit` trains with others."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from laten.common.errors import DataError
from laten.training.cluster import TIMEOUT, failing, first, join_cluster

FOUND_OUT = "auto"  # in place of an address: by Slurm, Open MPI or Kubernetes


class Cluster(NamedTuple):
    """What was typed of it."""

    coordinator: str | None = None
    processes: int | None = None
    process: int | None = None
    timeout: float | None = None


@contextmanager
def joined(cluster: Cluster) -> Iterator[bool]:
    """Join the cluster, if one is named, and hand out whether this process writes files and speaks.

    An error before the end of the training ends this process at once: the others learn of it, and do not wait.

    Raises:
        DataError: options that do not go together.
    """
    if cluster.coordinator is None:
        named = [f"--{name}" for name, value in cluster._asdict().items() if value is not None]
        if named:
            raise DataError(f"{named[0]}: says nothing without --coordinator HOST:PORT (or auto)")
        yield True
        return
    where: dict[str, Any] = cluster._asdict() | {"timeout": cluster.timeout or TIMEOUT}
    if cluster.coordinator == FOUND_OUT:
        if cluster.processes is not None or cluster.process is not None:
            raise DataError("--coordinator auto: the scheduler says --processes and --process; leave them out")
        where["coordinator"] = None
    elif cluster.processes is None or cluster.process is None:
        raise DataError("--coordinator: needs --processes and --process too")
    join_cluster(**where)
    with failing():
        yield first()
