"""HTML for notebooks: small, without styles of its own, so that it looks as the notebook does; all text is escaped."""

from collections.abc import Iterable, Sequence
from html import escape
from itertools import islice

MOST_ROWS = 60


def sentences(text: str) -> str:
    """Write each line as a paragraph."""
    return "".join(f"<p>{escape(line)}</p>" for line in text.splitlines() if line.strip())


def fixed(text: str) -> str:
    """Write text whose columns are made of blanks."""
    return f"<pre>{escape(text)}</pre>"


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], total: int) -> str:
    """Write a table of at most 60 rows, and say how many of `total` are left out."""
    top = "".join(f"<th>{escape(h)}</th>" for h in heads)
    cells = ["".join(f"<td>{escape(str(cell))}</td>" for cell in row) for row in islice(rows, MOST_ROWS)]
    left = total - len(cells)
    more = f"<p>… and {left} more</p>" if left else ""
    body = "".join(f"<tr>{line}</tr>" for line in cells)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>{more}"
