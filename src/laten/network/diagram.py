r"""A network as a plate diagram: SVG text, built from the declaration alone.

Layout after Sugiyama, Tagawa & Toda (1981). Parents stand above their children, one layer a step of the longest path;
an arrow that skips layers gets an invisible *bend* in each; layers are ordered to cross few arrows; and horizontal
positions minimise the summed squared slant of the arrows,

$$\min_x \sum_{(u,v)} w_{uv}\,(x_u-x_v)^2 \quad\text{subject to}\quad x_{i+1}-x_i \ge d_i \text{ within each layer},$$

layer by layer, each an isotonic regression. Curved arrows move sideways only between layers: none runs through a node.

Circles are random variables, double circles deterministic nodes; grey is observed, dashed the evidence of a guide.
"""

import math
import re
from collections.abc import Collection, Mapping
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Protocol

from laten.common.atomic_file import atomic
from laten.common.errors import DeclarationError, known
from laten.families import Node

RADIUS = 40.0
BESIDE = 30.0  # least space between two things of a layer
BETWEEN = 58.0  # space between layers
BEND = 10.0  # half the width that an arrow passing through a layer takes
MARGIN, PADDING = 14.0, 28.0  # around the plate, and inside it
HEAD = 10.0  # length of an arrow's head
STEEPEST = math.radians(55)  # between a curve's end and the vertical
INK, PALE, SHADE, PAPER = "#1f2a37", "#64748b", "#d8dee6", "#ffffff"
SERIF = "Georgia, 'Times New Roman', 'DejaVu Serif', serif"
SANS = "'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"

Edge = tuple[int, int]
Point = tuple[float, float]


class Declared(Protocol):
    """The part of a `laten.network.network.Network` that is drawn."""

    nodes: Mapping[str, Node]

    @property
    def inputs(self) -> tuple[str, ...]: ...
    def factors(self, letter: str = "p") -> str: ...


def draw(network: Declared, observed: Collection[str] = (), path: str | Path | None = None) -> str:
    """Draw a plate diagram as SVG text.

    Args:
        observed: Names of nodes to shade.
        path: Also write the text to this file.
    Raises:
        DeclarationError: a name in `observed` that is not a node.
        DataError: the file cannot be written.
    """
    for name in observed:
        if name not in network.nodes:
            raise DeclarationError(f"draw(): observed {name!r} is not a node; known names: {known(network.nodes)}")
    names: list[tuple[str, bool]] = [(name, True) for name in network.inputs]  # (name, is evidence)
    names += [(name, False) for name in network.nodes]
    index = {key: i for i, key in enumerate(names)}
    edges = [
        (index[parent, parent == name or parent not in network.nodes], index[name, False])
        for name, node in network.nodes.items()
        for parent in node.parents
    ]
    place, routes = arranged(len(names), edges)
    circles = [
        circle(place[i], name, None if evidence else network.nodes[name], evidence or name in observed)
        for i, (name, evidence) in enumerate(names)
    ]
    arrows = [arrow([place[i] for i in route], place[: len(names)]) for route in routes]
    text = page([*arrows, *circles], place, network.factors("q" if network.inputs else "p"))
    if path is not None:
        with atomic(path) as file:
            file.write(text.encode())
    return text


# Layout, of things that are numbers: first the nodes, then the bends


def arranged(n: int, edges: list[Edge]) -> tuple[list[Point], list[list[int]]]:
    """Place the nodes `0 .. n - 1` and the bends, and say the things that each edge runs through."""
    level = depths(n, edges)
    routes, links = list[list[int]](), list[Edge]()
    for above, below in edges:
        bends = range(level[above] + 1, level[below])
        routes.append([above, *range(len(level), len(level) + len(bends)), below])
        links += pairwise(routes[-1])
        level += bends
    half = [RADIUS if i < n else BEND for i in range(len(level))]
    layers = uncrossed(
        [[i for i in range(len(level)) if level[i] == k] for k in range(max(level, default=-1) + 1)], links
    )
    x = spread(layers, links, half)
    left = min((centre - h for centre, h in zip(x, half, strict=True)), default=0.0)
    step = 2 * RADIUS + BETWEEN + min(60.0, 0.06 * (max(x, default=0.0) - left))  # wide networks are taller
    start = MARGIN + PADDING
    return [(x[i] - left + start, start + RADIUS + level[i] * step) for i in range(len(x))], routes


def depths(n: int, edges: list[Edge]) -> list[int]:
    """Find the layer of each thing: the longest path from a root; roots stand just above their first child."""
    depth = [0] * n
    for _ in range(n):
        for above, below in edges:
            depth[below] = max(depth[below], depth[above] + 1)
    children = {above for above, _ in edges} - {below for _, below in edges}
    for root in children:
        depth[root] = min(depth[below] for above, below in edges if above == root) - 1
    return depth


def crossings(layers: list[list[int]], links: list[Edge]) -> int:
    """Count the pairs of links that cross."""
    layer = {thing: k for k, things in enumerate(layers) for thing in things}
    order = {thing: i for things in layers for i, thing in enumerate(things)}
    count = 0
    for k in range(len(layers)):
        ends = [(order[a], order[b]) for a, b in links if layer[a] == k]
        count += sum((a - c) * (b - d) < 0 for i, (a, b) in enumerate(ends) for c, d in ends[:i])
    return count


def uncrossed(layers: list[list[int]], links: list[Edge]) -> list[list[int]]:
    """Sort layers by the mean place of their neighbours above, then below, and so on; return the best order seen."""
    best, least, layers = layers, crossings(layers, links), [list(things) for things in layers]
    for sweep in range(12):
        if least == 0:
            break
        step = 1 if sweep % 2 == 0 else -1
        for k in range(len(layers))[::step][1:]:
            place = {thing: i for i, thing in enumerate(layers[k - step])}
            centre = {thing: float(i) for i, thing in enumerate(layers[k])}
            for thing in layers[k]:
                near = [place[end] for link in links if thing in link for end in link if end in place]
                centre[thing] = sum(near) / len(near) if near else centre[thing]
            layers[k] = sorted(layers[k], key=centre.__getitem__)
        count = crossings(layers, links)
        if count < least:
            best, least = [list(things) for things in layers], count
    return best


def spread(layers: list[list[int]], links: list[Edge], half: list[float]) -> list[float]:
    """Find horizontal centres: each layer in turn is put where its links slant least, until nothing moves."""
    x: list[float] = [0.0] * len(half)
    near: list[list[tuple[int, float]]] = [[] for _ in half]
    for a, b in links:
        weight = (1.0, 3.0, 9.0)[(half[a] == BEND) + (half[b] == BEND)]  # long arrows run straight
        near[a].append((b, weight))
        near[b].append((a, weight))
    for _ in range(100):
        before = list(x)
        for things in layers:
            steps = [half[a] + half[b] + BESIDE for a, b in pairwise(things)]
            offset = [sum(steps[:i]) - sum(steps) / 2 for i in range(len(things))]
            weights = [sum(w for _, w in near[t]) or 1e-3 for t in things]
            wanted = [sum(w * x[u] for u, w in near[t]) / weight for t, weight in zip(things, weights, strict=True)]
            moved = isotonic([want - o for want, o in zip(wanted, offset, strict=True)], weights)
            for thing, m, o in zip(things, moved, offset, strict=True):
                x[thing] = m + o
        if max((abs(a - b) for a, b in zip(x, before, strict=True)), default=0.0) < 0.01:
            break
    return x


def isotonic(wanted: list[float], weights: list[float]) -> list[float]:
    """Find the nearest numbers, in weighted squares, that never fall: pool adjacent violators."""
    pools: list[list[float]] = []  # mean, weight, members
    for value, weight in zip(wanted, weights, strict=True):
        pools.append([value, weight, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (m1, w1, n1), (m2, w2, n2) = pools.pop(-2), pools.pop()
            pools.append([(m1 * w1 + m2 * w2) / (w1 + w2), w1 + w2, n1 + n2])
    return [mean for mean, _, count in pools for _ in range(int(count))]


# SVG


def arrow(route: list[Point], circles: list[Point]) -> str:
    """Draw an arrow from the edge of the first circle of a route to the edge of the last."""
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
    head = f'<path d="M{at(tip)} {wings} Z" fill="{INK}"/>'
    return f'<path d="{line}" fill="none" stroke="{INK}" stroke-width="1.4"/>{head}'


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


def page(parts: list[str], place: list[Point], title: str) -> str:
    """Put the whole picture together: paper, plate, and what stands on it."""
    right = max((x for x, _ in place), default=0.0) + RADIUS + PADDING
    bottom = max((y for _, y in place), default=0.0) + RADIUS + PADDING
    right, bottom = max(right, MARGIN + 90), max(bottom, MARGIN + 60)
    width, height = math.ceil(right + MARGIN), math.ceil(bottom + MARGIN)
    plate = f'x="{MARGIN:g}" y="{MARGIN:g}" width="{right - MARGIN:.1f}" height="{bottom - MARGIN:.1f}" rx="10"'
    label = words(right - 10, bottom - 10, "rows", 12, f'font-family="{SANS}" fill="{PALE}"', "end")
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img">',
            f"<title>{clean(title)}</title>",
            f'<rect width="{width}" height="{height}" rx="12" fill="{PAPER}"/>',
            f'<rect {plate} fill="none" stroke="{PALE}" stroke-width="1.2"/>{label}',
            *parts,
            "</svg>\n",
        ]
    )


def at(point: Point) -> str:
    """Write coordinates."""
    return f"{point[0]:.1f} {point[1]:.1f}"


def words(x: float, y: float, text: str, size: float, style: str, anchor: str = "middle") -> str:
    """Write a line of text."""
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:.3g}" text-anchor="{anchor}" {style}>{clean(text)}</text>'


def clean(text: str) -> str:
    """Make text safe inside XML."""
    return escape("".join(c if c.isprintable() else "�" for c in text))
