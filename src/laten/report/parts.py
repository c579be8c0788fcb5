"""Pieces of HTML: tables, bars, pictures. All text goes through `escape`; nothing else writes a tag."""

import base64
import io
import math
from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

NUMBER, TEXT, NAME, QUIET = "number", "text", "name", "text quiet"  # classes of the style sheet
NONE = "–"  # where a figure does not apply
DENSE = 140  # dots per inch of pictures of many points


class Html(str):
    """Text that is HTML already."""


class Head(NamedTuple):
    """A column of a table: its name, and its class in the style sheet."""

    name: str
    look: str = ""


def table(heads: Sequence[Head], rows: Sequence[Sequence[Any]]) -> Html:
    """Write a table; cells are text, which is escaped, or `Html`. Columns in which nothing applies are left out."""
    kept = [i for i in range(len(heads)) if not rows or any(row[i] != NONE for row in rows)]
    heads, rows = [heads[i] for i in kept], [[row[i] for i in kept] for row in rows]
    top = "".join(f'<th scope="col" class="{h.look}">{escape(h.name)}</th>' for h in heads)
    lines = [
        "".join(f'<td class="{h.look}">{written(cell)}</td>' for h, cell in zip(heads, row, strict=True))
        for row in rows
    ]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return Html(
        f'<div class="wide" tabindex="0"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def written(cell: Any) -> str:
    """Return a cell as HTML."""
    return cell if isinstance(cell, Html) else escape(str(cell))


def bar(text: str, share: float, bad: bool = False) -> str:
    """Write a figure with a bar of `share` of its width; without one where there is no share."""
    if math.isnan(share):
        return text
    wide = min(max(share, 0.0), 1.0)
    look = "bar bad" if bad else "bar"
    return Html(f'{escape(text)}<span class="{look}" aria-hidden="true"><i style="width:{100 * wide:.1f}%"></i></span>')


def holes(share: float) -> str:
    """Write a share of empty cells; more than half stand out."""
    return bar(percent(share, 1), share, share > 0.5)


def flagged(text: str, wrong: bool) -> Html:
    """Write a figure that stands out if it is wrong."""
    return Html(f'<span class="flag">{escape(text)}</span>' if wrong else escape(text))


def picture(
    figure: Any, text: str, dense: bool = False, broad: bool = False, photo: bool = False, titled: bool = False
) -> Html:
    """Write a figure of matplotlib as an image.

    Args:
        text: What it shows, for those who do not see it.
        dense: Many points: pixels are smaller than lines.
        broad: Too wide for a telephone: it is scrolled there.
        photo: Pixels of images, which keep their colours in the dark.
        titled: Its own title says more than the heading above.
    """
    if not titled:
        figure.suptitle("")
    kind, buffer = ("png", "image/png") if dense else ("svg", "image/svg+xml"), io.BytesIO()
    options: dict[str, Any] = {"dpi": DENSE} if dense else {"metadata": {"Date": None}}
    figure.savefig(buffer, format=kind[0], transparent=not photo, **options)
    wide = round(figure.get_figwidth() * 96)
    data = base64.b64encode(buffer.getvalue()).decode()
    return drawn(data, kind[1], text, wide, " ".join(["photo" if photo else "drawn", *(["broad"] if broad else [])]))


def drawing(svg: str, text: str) -> Html:
    """Write SVG text as an image."""
    return drawn(base64.b64encode(svg.encode()).decode(), "image/svg+xml", text, None, "drawn")


def drawn(data: str, kind: str, text: str, width: int | None, look: str) -> Html:
    """Write an image that holds its own data."""
    size = "" if width is None else f' width="{width}"'
    return Html(
        f'<figure class="{look}" tabindex="0"><img src="data:{kind};base64,{data}" alt="{escape(text)}"{size}></figure>'
    )


def paragraph(text: str, said: bool = False) -> Html:
    """Write a paragraph; `said` is what matters, the rest explains."""
    opening = '<p class="said">' if said else "<p>"
    return Html(f"{opening}{escape(text)}</p>" if text else "")


def heading(text: str) -> Html:
    """Write a heading inside a section."""
    return Html(f"<h3>{escape(text)}</h3>")


def number(x: float, digits: int = 2) -> str:
    """Write a number with a minus sign; a dash where there is none."""
    text = f"{x:.{digits}f}"
    return NONE if math.isnan(x) else text.lstrip("-") if float(text) == 0 else text.replace("-", "−")


def percent(x: float, digits: int = 0) -> str:
    """Write a share; a dash where there is none."""
    return NONE if math.isnan(x) else f"{x:.{digits}%}".replace("-", "−")
