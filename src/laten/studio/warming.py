"""Programs of the pages' questions, compiled while nobody has asked yet: the first answer need not wait for them.

A program depends on the model and on the number of draws, not on the rows, so that one row is enough. Of a table that
is not large the odd rows are found too, since all rows are scored for them.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from laten.answers.fitted import AGAIN
from laten.data.columns.column import ASIDE
from laten.data.rows.views import TableView
from laten.estimator.explanations import POSTERIOR, PRECISE
from laten.estimator.plain_vae import PlainVAE
from laten.inference.questions import Expected
from laten.inference.until_precise import FIRST
from laten.studio.background import Job
from laten.studio.odd_rows import odd_of
from laten.studio.questions import DRAWS, noted
from laten.studio.workspace import Workspace

WHOLE = 5000  # rows of a table whose scores are computed too


def warm(workspace: Workspace) -> None:
    """Begin to compile what the pages will ask of the model, in the background."""
    vae, frame = workspace.vae, workspace.frame
    if vae is None or frame is None or not isinstance(vae.view_, TableView):
        return
    steps = (ask, odd, fill, move)
    row = frame.iloc[[int(frame.isna().sum(axis=1).argmin())]]

    def work(say: Callable[[str], None]) -> str:
        with noted():
            for step in steps:
                say(step.__name__)
                step(vae, row)
            if len(frame) <= WHOLE:
                odd_of(workspace)
        return "done"

    workspace.jobs["warm"] = Job(vae, work, len(steps))


def first(vae: PlainVAE, row: pd.DataFrame) -> Any:
    """Return a column that is modelled and has a value in the row."""
    modelled = (c.name for c in vae.schema_.columns if c.kind not in ASIDE and c.name in row)
    return next(name for name in modelled if row[name].notna().all())


def ask(vae: PlainVAE, row: pd.DataFrame) -> None:
    """Ask for all columns given one."""
    name = first(vae, row)
    vae.marginals({name: row[name].iloc[0]}, draws=DRAWS)


def odd(vae: PlainVAE, row: pd.DataFrame) -> None:
    """Score a row, and share its log p out among the columns."""
    vae.log_likelihood(row, error=PRECISE)
    vae.surprise(row, FIRST)


def fill(vae: PlainVAE, row: pd.DataFrame) -> None:
    """Fill a row; with more draws too, as rows get them that need them."""
    name, blank = first(vae, row), row.copy()
    blank[name] = row[name].mask([True])
    vae.impute(blank)
    vae.impute_interval(blank)
    fitted = vae._fitted()
    for draws in (vae.draws, max(vae.draws, POSTERIOR)):
        fitted.ask(Expected(AGAIN * draws, fitted.means), fitted.view.rows(blank, partial=True))


def move(vae: PlainVAE, row: pd.DataFrame) -> None:
    """Place a row on the map, and decode a point of it."""
    vae.inverse_transform(np.asarray(vae.transform(row), np.float32))
