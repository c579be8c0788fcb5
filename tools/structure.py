"""Print the structure of the package in figures: names, files, arrows between folders, circles, lengths.

    python tools/structure.py [ROOT] [--floors "cli; estimator; …; common"]

ROOT is a checkout (default: this one). Source text is read, never imported, so that an older checkout can be measured
beside this one. An arrow is one folder (or file at top level) whose code imports another: imports for type checkers,
imports inside functions and `import_module("laten.…")` count. Floors are those of `[tool.importlinter]` in
pyproject.toml, or what `--floors` says from the top down.
"""

import argparse
import ast
import graphlib
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

PACKAGE = "laten"


def modules(root: Path) -> dict[str, str]:
    """Return module name -> source text."""
    found = {}
    for path in sorted((root / "src" / PACKAGE).rglob("*.py")):
        parts = path.relative_to(root / "src").with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path.read_text("utf-8")
    return found


def imported(source: str, known: set[str]) -> Iterator[str]:
    """Yield the package's modules that a file names in imports of any kind."""
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [
                f"{node.module}.{a.name}" if f"{node.module}.{a.name}" in known else node.module for a in node.names
            ]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module") and node.args:
            names = [getattr(node.args[0], "value", "")]
        yield from (n for n in names if isinstance(n, str) and n in known and n != PACKAGE)


def room(module: str) -> str:
    """Return what a module belongs to at top level: `laten.network.nets.layers` -> `network`."""
    return module.split(".")[1]


def circles(graph: dict[str, set[str]]) -> list[set[str]]:
    """Return the groups of modules that import one another in a ring."""
    rings, left = [], {name: set(others) for name, others in graph.items()}
    while True:
        try:
            graphlib.TopologicalSorter(left).prepare()
        except graphlib.CycleError as error:
            ring = error.args[1]
            rings.append(set(ring))
            left[ring[1]].discard(ring[0])  # graphlib lists a ring against its arrows
            continue
        return rings


def functions(source: str) -> Iterator[tuple[int, str]]:
    """Yield length (the docstring not counted) and name of each function."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
            length = node.end_lineno - node.lineno + 1
            if ast.get_docstring(node) is not None:
                length -= (node.body[0].end_lineno or 0) - node.body[0].lineno + 1
            yield length, node.name


def floors_of(root: Path) -> list[list[str]]:
    """Return the floors of the contract, from the top down."""
    tool = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]
    for contract in tool.get("importlinter", {}).get("contracts", []):
        if contract["type"] == "layers" and contract["containers"] == [PACKAGE]:
            return [[n.strip() for n in floor.replace(":", "|").split("|")] for floor in contract["layers"]]
    return []


def lines(root: Path, folder: str) -> int:
    """Return the number of lines of Python below a folder."""
    return sum(len(p.read_text("utf-8").splitlines()) for p in (root / folder).rglob("*.py"))


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).parents[1])
    parser.add_argument("--floors", help="floors from the top down, names by commas, floors by semicolons")
    options = parser.parse_args()
    sources = modules(options.root)
    graph = {n: set(imported(text, set(sources))) - {n} for n, text in sources.items() if n != PACKAGE}
    rooms = sorted({room(n) for n in graph})
    arrows = {(room(a), room(b)) for a, others in graph.items() for b in others if room(a) != room(b)}
    inside = {(a, b) for a, others in graph.items() for b in others if room(a) != room(b)}
    floors = [f.split(",") for f in options.floors.split(";")] if options.floors else floors_of(options.root)
    height = {n.strip(): i for i, floor in enumerate(reversed(floors)) for n in floor}
    upward = sorted(f"{a} -> {b}" for a, b in arrows if height.get(a, 0) < height.get(b, 0))
    longest = sorted(((len(t.splitlines()), n) for n, t in sources.items()), reverse=True)[:3]
    functional = sorted(((k, f"{n}:{f}") for n, t in sources.items() for k, f in functions(t)), reverse=True)[:3]
    folders = Counter(n.rsplit(".", 1)[0] if n not in {m.rsplit(".", 1)[0] for m in sources} else n for n in sources)
    print(f"names at top level      {len(rooms)}: {', '.join(rooms)}")
    print(f"files                   {len(sources)}")
    counted = [f"{n.removeprefix(PACKAGE + '.')} {k}" for n, k in folders.most_common()]
    print(f"files per folder        {', '.join(counted)}")
    print(f"arrows between rooms    {len(arrows)} (imports from file to file across rooms: {len(inside)})")
    print(f"arrows upward           {len(upward) if floors else 'no floors'}{': ' * bool(upward)}{', '.join(upward)}")
    rings = circles(graph)
    print(f"circles of files        {len(rings)}{': ' * bool(rings)}{'; '.join(' '.join(sorted(r)) for r in rings)}")
    print(f"longest files           {', '.join(f'{n} {k}' for k, n in longest)}")
    print(f"longest functions       {', '.join(f'{n} {k}' for k, n in functional)}")
    for folder in ("src", "tests", "benchmarks", "experiments", "tools"):
        print(f"lines of {folder:<14} {lines(options.root, folder)}")


if __name__ == "__main__":
    main()
