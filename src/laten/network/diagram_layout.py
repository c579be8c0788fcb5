r"""Where the nodes of a diagram stand, and how its arrows run.

Layout after Sugiyama, Tagawa & Toda (1981). Parents stand above their children, one layer a step of the longest path;
an arrow that skips layers gets an invisible *bend* in each; layers are ordered to cross few arrows; and horizontal
positions minimise the summed squared slant of the arrows,

$$\min_x \sum_{(u,v)} w_{uv}\,(x_u-x_v)^2 \quad\text{subject to}\quad x_{i+1}-x_i \ge d_i \text{ within each layer},$$

layer by layer, each an isotonic regression. Curved arrows move sideways only between layers: none runs through a node.
"""

from itertools import pairwise

RADIUS = 40.0  # of a node
BESIDE = 30.0  # least space between two things of a layer
BETWEEN = 58.0  # space between layers
BEND = 10.0  # half the width that an arrow passing through a layer takes
MARGIN, PADDING = 14.0, 28.0  # around the plate, and inside it

Edge = tuple[int, int]
Point = tuple[float, float]


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
