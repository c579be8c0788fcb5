"""Programs of the pages' questions, compiled while nobody has asked yet: the first answer need not wait for them.

A program depends on the model, on the number of draws, and on whether there are more rows than stand side by side: few
rows are enough. Of a table that is not large the odd rows are found too, since all rows are scored for them.
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
from laten.inference.asking import side_by_side
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


def more(row: pd.DataFrame, draws: int) -> pd.DataFrame:
    """Return a row once more than rows stand side by side."""
    return row.loc[row.index.repeat(side_by_side(draws) + 1)].reset_index(drop=True)


def odd(vae: PlainVAE, row: pd.DataFrame) -> None:
    """Score rows, and share their log p out among the columns."""
    rows = more(row, FIRST)
    vae.log_likelihood(rows, error=PRECISE)
    vae.surprise(rows, FIRST)


def fill(vae: PlainVAE, row: pd.DataFrame) -> None:
    """Fill one row and several; with more draws too, as rows get them that need them."""
    name, blank = first(vae, row), row.copy()
    blank[name] = row[name].mask([True])
    fitted = vae._fitted()
    for draws in (vae.draws, max(vae.draws, POSTERIOR)):
        for rows in (blank, more(blank, draws)):
            fitted.ask(Expected(draws, fitted.means), fitted.view.rows(rows, partial=True))
        fitted.ask(Expected(AGAIN * draws, fitted.means), fitted.view.rows(blank, partial=True))


def move(vae: PlainVAE, row: pd.DataFrame) -> None:
    """Place rows on the map, and decode a point of it."""
    vae.transform(more(row, 1))
    vae.inverse_transform(np.asarray(vae.transform(row), np.float32))
