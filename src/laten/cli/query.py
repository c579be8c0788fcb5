"""What can be typed after `laten query`; joins the commands of `commands.py`, and like it loads typer alone."""

from typing import Annotated

import typer

from laten.cli.commands import Output, work
from laten.cli.explain import app

__all__ = ["app"]

SOURCE_HELP = "Discrete network (.bif), or a model of a table, as `laten fit` writes."
Source = Annotated[str, typer.Argument(metavar="NETWORK", help=SOURCE_HELP, show_default=False)]
QUESTION_HELP = "P(targets | evidence), e.g. 'P(lung | smoke=yes, dysp=yes)'; a name given again: any of its values."
Question = Annotated[str, typer.Argument(metavar="QUESTION", help=QUESTION_HELP, show_default=False)]


@app.command()
def query(network: Source, question: Question, output: Output = None) -> None:
    """Probabilities of some variables given others: exact for a .bif network, by the guide for a fitted model."""
    work("cli.querying").query(network, question, output)
