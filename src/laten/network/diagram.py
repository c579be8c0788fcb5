r"""A network as a plate diagram: SVG text, built from the declaration alone.

`diagram_layout.py` says where things stand.

Circles are random variables, double circles deterministic nodes; grey is observed, dashed the evidence of a guide.
"""

import math
import re
import textwrap
from collections.abc import Collection, Mapping
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Protocol

from laten.common.atomic_file import atomic
from laten.common.errors import DeclarationError, known
from laten.families import Node
from laten.network.diagram_layout import MARGIN, PADDING, RADIUS, Point, arranged

HEAD = 10.0  # length of an arrow's head
LISTED, LINE, MOST_LINES = 360.0, 16.0, 4  # least width of a list of columns, height of a line, lines a node
STEEPEST = math.radians(55)  # between a curve's end and the vertical
INK, PALE, SHADE, PAPER = "#1f2a37", "#64748b", "#d8dee6", "#ffffff"
SERIF = "Georgia, 'Times New Roman', 'DejaVu Serif', serif"
SANS = "'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"


class Declared(Protocol):
    """The part of a `laten.network.network.Network` that is drawn."""

    nodes: Mapping[str, Node]

    @property
    def inputs(self) -> tuple[str, ...]: ...
    def factors(self, letter: str = "p") -> str: ...


def draw(
    network: Declared,
    observed: Collection[str] = (),
    path: str | Path | None = None,
    columns: Mapping[str, Collection[object]] | None = None,
) -> str:
    """Draw a plate diagram as SVG text.

    Args:
        observed: Names of nodes to shade.
        path: Also write the text to this file.
        columns: Node -> names of its columns, which are listed under the plate.
    Raises:
        DeclarationError: a name in `observed` that is not a node.
        DataError: the file cannot be written.
    """
    for name in observed:
        if name not in network.nodes:
            raise DeclarationError(f"draw(): observed {name!r} is not a node; known names: {known(network.nodes)}")
    names, place, routes = laid_out(network)
    circles = [
        circle(place[i], name, None if evidence else network.nodes[name], evidence or name in observed)
        for i, (name, evidence) in enumerate(names)
    ]
    arrows = [arrow([place[i] for i in route], place[: len(names)]) for route in routes]
    text = page([*arrows, *circles], place, network.factors("q" if network.inputs else "p"), columns or {})
    if path is not None:
        with atomic(path) as file:
            file.write(text.encode())
    return text


def laid_out(network: Declared) -> tuple[list[tuple[str, bool]], list[Point], list[list[int]]]:
    """Return each circle's name and whether it is evidence; places, circles first; and the places on each arrow."""
    names: list[tuple[str, bool]] = [(name, True) for name in network.inputs]
    names += [(name, False) for name in network.nodes]
    index = {key: i for i, key in enumerate(names)}
    edges = [
        (index[parent, parent == name or parent not in network.nodes], index[name, False])
        for name, node in network.nodes.items()
        for parent in node.parents
    ]
    return names, *arranged(len(names), edges)


def arrow(route: list[Point], circles: list[Point]) -> str:
    """Draw an arrow from the edge of the first circle of a route to the edge of the last."""
    line, head = curve(route, circles)
    return f'<path d="{line}" fill="none" stroke="{INK}" stroke-width="1.4"/><path d="{head}" fill="{INK}"/>'


def curve(route: list[Point], circles: list[Point]) -> tuple[str, str]:
    """Return the paths of an arrow's line and of its head."""
    (x0, y0), (x1, y1) = route[0], route[-1]
    out, into = heading(route[0], route[1]), heading(route[-2], route[-1])
    if len(route) == 2 and not any(on_the_way(c, route[0], route[1]) for c in circles):
        out = into = math.atan2(x1 - x0, y1 - y0)
    start = (x0 + RADIUS * math.sin(out), y0 + RADIUS * math.cos(out))
    tip = (x1 - RADIUS * math.sin(into), y1 - RADIUS * math.cos(into))
    base = (tip[0] - HEAD * math.sin(into), tip[1] - HEAD * math.cos(into))
    stops = [(start, out)]  # upright through the layers between
    for x, y in route[1:-1]:
        stops += [((x, y - RADIUS / 2), 0.0), ((x, y + RADIUS / 2), 0.0)]
    stops.append((base, into))
    line = f"M{at(start)}"
    for (a, turn_a), (b, turn_b) in pairwise(stops):
        reach_a, reach_b = (min(0.45 * math.dist(a, b), 0.5 * (b[1] - a[1]) / math.cos(t)) for t in (turn_a, turn_b))
        near = (a[0] + reach_a * math.sin(turn_a), a[1] + reach_a * math.cos(turn_a))
        far = (b[0] - reach_b * math.sin(turn_b), b[1] - reach_b * math.cos(turn_b))
        line += f" C{at(near)} {at(far)} {at(b)}"
    side = (0.4 * HEAD * math.cos(into), -0.4 * HEAD * math.sin(into))
    wings = f"L{at((base[0] + side[0], base[1] + side[1]))} L{at((base[0] - side[0], base[1] - side[1]))}"
    return line, f"M{at(tip)} {wings} Z"


def heading(a: Point, b: Point) -> float:
    """Return the angle from straight down of a curve leaving `a` for `b`, at most 55 degrees."""
    return max(-STEEPEST, min(STEEPEST, math.atan2(b[0] - a[0], b[1] - a[1])))


def on_the_way(other: Point, a: Point, b: Point) -> bool:
    """Say whether the straight line from `a` to `b` comes too near the circle round `other`."""
    if other in (a, b) or not a[1] <= other[1] <= b[1]:
        return False
    off = (other[0] - a[0]) * (b[1] - a[1]) - (other[1] - a[1]) * (b[0] - a[0])
    return abs(off) < (RADIUS + 6) * math.dist(a, b)


def circle(centre: Point, name: str, node: Node | None, shaded: bool) -> str:
    """Draw a node, or evidence where `node` is None: its circle, name, and family in small type."""
    x, y = centre
    ring = f'stroke="{INK}" stroke-width="1.6"' + (' stroke-dasharray="5 4"' if node is None else "")
    out = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{RADIUS:g}" fill="{SHADE if shaded else PAPER}" {ring}/>']
    lines, whole = ["evidence"], f"{name}: evidence"
    if node is not None:
        given = f" given {', '.join(node.parents)}" + (f" via {node.via}" if node.via else "") if node.parents else ""
        fixed = not node.family.has_density
        lines, whole = family_lines(node), f"{name} {'=' if fixed else '~'} {node.family!r}{given}"
        if fixed:
            out.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{RADIUS - 4:g}" fill="none" stroke="{INK}"/>')
    size = max(11.0, min(20.0, 64.0 / (0.52 * max(len(name), 1))))
    name = name if len(name) <= 11 else name[:10] + "…"
    top = y - (11.0 * len(lines) + 0.5 * size) / 2 + 0.5 * size
    out.append(words(x, top, name, size, f'font-family="{SERIF}" font-style="italic" fill="{INK}"'))
    for i, line in enumerate(lines):
        small = min(9.5, 66.0 / (0.56 * max(len(line), 1)))
        out.append(words(x, top + 12.5 + 11.0 * i, line, small, f'font-family="{SANS}" fill="{PALE}"'))
    return f"<g><title>{clean(whole)}</title>{''.join(out)}</g>"


def family_lines(node: Node) -> list[str]:
    """Write the family in one or two short lines, and its size: `["Negative", "Binomial", "12"]`."""
    name, shape = type(node.family).__name__, node.family.shape
    lines = re.findall(r"[A-Z][a-z]*", name) if len(name) > 13 else [name]
    states = node.family.n_states
    size = "×".join(map(str, shape)) or (f"{states} states" if states is not None and states > 2 else "")
    return [*lines, size] if size else lines


def page(
    parts: list[str], place: list[Point], title: str, columns: Mapping[str, Collection[object]]
) -> str:  # fmt: skip
    """Put the whole picture together: paper, plate, what stands on it, and under it the columns of nodes."""
    right = max((x for x, _ in place), default=0.0) + RADIUS + PADDING
    bottom = max((y for _, y in place), default=0.0) + RADIUS + PADDING
    right, bottom = max(right, MARGIN + 90), max(bottom, MARGIN + 60)
    right = max(right, LISTED) if columns else right
    width, lines = math.ceil(right + MARGIN), listed(columns, right - MARGIN)
    height = math.ceil(bottom + MARGIN + LINE * len(lines))
    plate = f'x="{MARGIN:g}" y="{MARGIN:g}" width="{right - MARGIN:.1f}" height="{bottom - MARGIN:.1f}" rx="10"'
    style = f'font-family="{SANS}" fill="{PALE}"'
    label = words(right - 10, bottom - 10, "rows", 12, style, "end")
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img">',
            f"<title>{clean(title)}</title>",
            f'<rect width="{width}" height="{height}" rx="12" fill="{PAPER}"/>',
            f'<rect {plate} fill="none" stroke="{PALE}" stroke-width="1.2"/>{label}',
            *parts,
            *[words(MARGIN, bottom + LINE * (i + 1), line, 11, style, "start") for i, line in enumerate(lines)],
            "</svg>\n",
        ]
    )


def listed(columns: Mapping[str, Collection[object]], wide: float) -> list[str]:
    """Write the columns of each node in lines that are not wider than `wide`; of very many the first."""
    found = []
    for node, names in columns.items():
        lines = textwrap.wrap(f"{node}: {', '.join(map(str, names))}", max(int(wide / 6.2), 20))
        more = f" … ({len(names)} in all)"
        found += lines if len(lines) <= MOST_LINES else [*lines[: MOST_LINES - 1], lines[MOST_LINES - 1][:-22] + more]
    return found


def at(point: Point) -> str:
    """Write coordinates."""
    return f"{point[0]:.1f} {point[1]:.1f}"


def words(x: float, y: float, text: str, size: float, style: str, anchor: str = "middle") -> str:
    """Write a line of text."""
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:.3g}" text-anchor="{anchor}" {style}>{clean(text)}</text>'


def clean(text: str) -> str:
    """Make text safe inside XML."""
    return escape("".join(c if c.isprintable() else "�" for c in text))
