r"""log p of rows, with more draws where a row needs them.

Each row starts with 128 draws. While the standard error of its log p, $\sqrt{v/S}$ with $v = S/\mathrm{ESS}-1$, is
above what was asked, or its largest weights look heavy-tailed (Pareto k), it gets 384 more, up to 3968. Rounds have
keys of their own that depend on the row alone, so that a row's answer does not depend on its neighbours.

The logarithm of a mean weight is too low by $v/2S$ on average, which is added. What is left comes from stopping by the
draws themselves: rows that missed their largest weights look precise. It grows as more rows are near the threshold,
hence a first round that is enough for most rows, and a threshold that few of them reach.
"""

from collections.abc import Callable

import numpy as np

from laten.inference.diagnostics import UNRELIABLE, Digest, digest, log_mean_error

FIRST, MORE, MOST = 128, 384, 3968  # draws of the first round, of the others, and of all together
SETTLED = 512  # draws from which on a row may keep heavy tails: more of them did not help
ROUND = 2**20  # between the seeds of two rounds

Ask = Callable[[np.ndarray, int, int], np.ndarray]


def until_precise(ask: Ask, rows: int, error: float) -> tuple[Digest, np.ndarray]:
    """Ask for log-weights until each row's log p is as precise as wanted, or has had 3968 draws.

    Args:
        ask: From row numbers, draws and the number of the round to log-weights `(those rows, draws)`.
        rows: Number of rows.
        error: Standard error of each row's log p that is precise enough, in nats.
    Returns:
        What is known of each row, and the draws that it had `(rows,)`.
    """
    found = Digest(np.zeros(rows), np.zeros(rows), np.zeros(rows), np.zeros((rows, 3)))
    draws, left, turn = np.zeros(rows, np.int64), np.arange(rows), 0
    log_w = np.zeros((rows, 0), np.float32)
    while len(left):
        log_w = np.concatenate([log_w, ask(left, FIRST if turn == 0 else MORE, turn)], axis=1)
        draws[left] = log_w.shape[1]
        for old, new in zip(found, digest(log_w), strict=True):
            old[left] = new
        rough = log_mean_error(found.effective[left], draws[left]) > error
        heavy = (found.tail[left] > UNRELIABLE) & (draws[left] < SETTLED)
        going = (rough | heavy) & (draws[left] < MOST)
        left, log_w, turn = left[going], log_w[going], turn + 1
    found.log_mean[:] += np.square(log_mean_error(found.effective, draws)) / 2
    return found, draws
