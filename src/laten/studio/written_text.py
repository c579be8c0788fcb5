"""A declaration as the Python that makes it: what `declared_text.read` reads back, and the whole script around it."""

import keyword
import textwrap
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, NamedTuple

from laten.common.errors import DeclarationError
from laten.families import Binned, Family, Node
from laten.studio.declared_text import CONSTRUCTORS, Columns, Declaration, Scope

WIDE = 80  # characters of a line
HANDED = "the data that the studio was opened with"


def declaration_text(declaration: Declaration, scope: Scope) -> str:
    """Return the text of a declaration."""
    return nodes_text(declaration.nodes) + network_text(declaration, scope)


def nodes_text(nodes: Mapping[str, Columns]) -> str:
    """Return a dictionary of nodes, a line each; empty where there are none."""
    if not nodes:
        return ""
    lines = []
    for name, held in nodes.items():
        if not isinstance(held, tuple):
            lines.append(f"    {quoted(name)}: {quoted(held)},")
            continue
        whole = f"    {quoted(name)}: [{', '.join(map(quoted, held))}],"
        lines += [whole] if len(whole) <= WIDE else [f"    {quoted(name)}: [", *filled(held), "    ],"]
    return "\n".join(["nodes = {", *lines, "}\n"])


def filled(columns: tuple[Any, ...]) -> list[str]:
    """Return lines of columns that are not too long; a name with a blank stays whole."""
    marked = ", ".join(quoted(c).replace(" ", "\0") for c in columns) + ","
    lines = textwrap.wrap(marked, WIDE - 8, break_long_words=False, break_on_hyphens=False)
    return [f"        {line}".replace("\0", " ") for line in lines]


def network_text(declaration: Declaration, scope: Scope) -> str:
    """Return the call that makes a network, a line for each node."""
    nodes = declaration.network.nodes
    plain = all(name.isidentifier() and not keyword.iskeyword(name) for name in nodes)
    start, end = ("network = lt.Network(", ")\n") if plain else ("network = lt.Network(**{", "})\n")
    lines = [node_text(f"{n}=" if plain else f"{quoted(n)}: ", n, node, scope) for n, node in nodes.items()]
    return "\n".join([start, *lines, end])


def node_text(start: str, name: str, node: Node, scope: Scope) -> str:
    """Return a node's declaration: a line, or three where it would be long."""
    text = python_of(node.family, name, scope)
    if not node.parents:
        learned = "" if node.learn is None else ".learned()" if node.learn else ".standard()"
        return f"    {start}{text}{learned},"
    via = "" if node.via is None else f", via={python_of(node.via, name, scope)}"
    given = f"{', '.join(map(quoted, node.parents))}{via}"
    line = f"    {start}{text}.given({given}),"
    return line if len(line) <= WIDE else f"    {start}{text}.given(\n        {given}\n    ),"


def python_of(value: Any, node: str, scope: Scope) -> str:
    """Return a family, a net or one of their fields as the call or literal that makes it."""
    if isinstance(value, Binned) and node in scope.nodes:
        for rank in (None, value.rank):
            if scope.suited(scope.nodes[node], node, rank) == value:
                return f"lt.family_for(schema, {quoted(node)}{'' if rank is None else f', rank={rank}'})"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, tuple):
        return f"({', '.join(python_of(v, node, scope) for v in value)}{',' if len(value) == 1 else ''})"
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    if CONSTRUCTORS.get(type(value).__name__) is not type(value):
        raise DeclarationError(f"node {node!r}: {value!r:.80} is not of laten; the page writes laten's own parts only")
    shown = []
    for i, field in enumerate(fields(value)):
        found = getattr(value, field.name)
        if isinstance(value, Family) and field.name == "size" and isinstance(found, tuple) and len(found) == 1:
            found = found[0]  # Normal(20), not Normal((20,))
        if i == 0 or field.default is MISSING:
            shown.append(python_of(found, node, scope))
        elif found != field.default:
            shown.append(f"{field.name}={python_of(found, node, scope)}")
    return f"lt.{type(value).__name__}({', '.join(shown)})"


def quoted(text: str | int) -> str:
    """Return a text in double quotes where that needs no escape."""
    plain = isinstance(text, str) and text.isprintable() and '"' not in text and "\\" not in text
    return f'"{text}"' if plain else repr(text)


class Around(NamedTuple):
    """What stands around a declaration in a script.

    Args:
        source: The data's name; empty: they were handed over in Python.
        part: Which array of a file of several; empty: the file is one.
        model: A model file whose schema is used; empty: the schema is inferred.
        calls: What is done to the schema, as methods one after the other.
        but: Columns of numbers that are no histograms.
        options: Of `lt.VAE`, as text.
    """

    source: str
    part: str = ""
    model: str = ""
    calls: str = ""
    but: tuple[Any, ...] = ()
    options: Mapping[str, str] = {}


def script(text: str, around: Around) -> str:
    """Return a script that fits a declaration."""
    said = "".join(f", {k}={v}" for k, v in around.options.items())
    if not text.startswith("nodes"):
        part = f"[{around.part!r}]" if around.part else ""
        read = f"x = lt.read({around.source!r}){part}" if around.source else f"# x: {HANDED}"
        return f"import laten as lt\n\n{read}\n{text}vae = lt.VAE(network{said}).fit(x)"
    nodes, network = text.split("network = ", 1)
    model = f"lt.load({around.model!r})"
    like = f", like={model}" if around.model else ""
    read = f"df = lt.read({around.source!r}{like})" if around.source else f"# df: {HANDED}"
    binned = f".binned(but={list(around.but)!r})" if around.but else ".binned()"
    start = f"{model}.schema_" if around.model else "lt.infer_schema(df)"
    schema = f"schema = {start}{around.calls}{binned}.with_nodes(nodes)"
    fit = f"vae = lt.VAE(network, schema=schema{said}).fit(df)"
    return f"import laten as lt\n\n{read}\n{nodes}{schema}\nnetwork = {network}{fit}"
