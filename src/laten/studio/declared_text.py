"""The text of the page *Network*, read into a declaration. Nothing in it is ever executed.

    text --declared_tokens.py: literals, names, brackets; bounded--> ast --only what is listed here--> `CONSTRUCTORS`

    nodes = {"NODE": ["COLUMN", ...], "NODE": "COLUMN"}        of a table: literals
    network = lt.Network(NODE=DECLARED, ..., **{"NODE": DECLARED})
    DECLARED = FAMILY | FAMILY.given("NODE", ..., via=NET) | FAMILY.learned() | FAMILY.standard()
    FAMILY, NET = lt.NAME(VALUE, ..., NAME=VALUE) | lt.family_for(schema, "NODE", rank=WHOLE)
    VALUE = number | text | True | False | None | (VALUE, ...) | [VALUE, ...] | FAMILY

`lt` and `schema` are words of this language, not variables. Whatever else Python can say is an error that names its
line: there is no `eval`, `exec` or `getattr` here, and `ast.parse` compiles nothing.
"""

import ast
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from laten.common.errors import DeclarationError, LatenError, known
from laten.families import FAMILIES, Family, Node
from laten.network.nets import NETS
from laten.network.network import Network
from laten.studio.declared_tokens import check_tokens

CONSTRUCTORS: dict[str, Callable[..., Any]] = {**FAMILIES, **NETS}
MOST_WHOLE, MOST_SUM = 100_000, 1_000_000  # a size; sizes of a tuple together

Made = TypeVar("Made")
Columns = str | int | tuple[str | int, ...]  # one column by itself, or several


class Declaration(NamedTuple):
    """A network, and of a table the columns that its observed nodes hold."""

    nodes: dict[str, Columns]
    network: Network


Suited = Callable[[Columns, str, int | None], Family]  # columns, their node, rank -> `lt.family_for`


class Scope(NamedTuple):
    """What the words of a text stand for."""

    nodes: Mapping[str, Columns]
    suited: Suited


def read(text: str, suited: Suited) -> Declaration:
    """Read a declaration.

    Args:
        suited: Gives `lt.family_for(schema, node, rank)` of columns.
    Raises:
        DeclarationError: anything that is not of the language above, with its line, or that the library refuses.
    """
    nodes: dict[str, Columns] = {}
    network: Network | None = None
    for statement in parsed(text).body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="nodes")], value=value) if not nodes and network is None:
                nodes = columns_of(value)
            case ast.Assign(targets=[ast.Name(id="network")], value=value) if network is None:
                network = network_of(value, Scope(nodes, suited))
            case _:
                raise wrong(statement, "only `nodes = {...}` and then `network = lt.Network(...)` stand here")
    if network is None:
        raise DeclarationError("line 1: `network = lt.Network(...)` is missing")
    return Declaration(nodes, network)


def read_family(text: str, scope: Scope) -> Family:
    """Read one family, such as `lt.Normal(16)`.

    Raises:
        DeclarationError: as `read`.
    """
    match parsed(text).body:
        case [ast.Expr(value=value)]:
            found = value_of(value, scope)
            if isinstance(found, Family):
                return found
    raise DeclarationError(f"expected a family such as lt.Normal(16), not {text[:80]!r}")


def parsed(text: str) -> ast.Module:
    """Parse text whose tokens were looked at, so that neither its depth nor its numbers are out of bounds."""
    check_tokens(text)
    try:
        return ast.parse(text)
    except SyntaxError as error:
        raise DeclarationError(f"line {error.lineno or 1}: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError):
        raise DeclarationError("line 1: this cannot be read as Python") from None


def wrong(node: ast.AST, reason: object) -> DeclarationError:
    """Return an error that names the line."""
    return DeclarationError(f"line {getattr(node, 'lineno', 1)}: {reason}")


def columns_of(value: ast.expr) -> dict[str, Columns]:
    """Read a dictionary from nodes to columns."""
    if not isinstance(value, ast.Dict):
        raise wrong(value, 'nodes is a dictionary, such as {"number": ["age", "height"], "sex": "sex"}')
    found: dict[str, Columns] = {}
    for key, held in zip(value.keys, value.values, strict=True):
        match key, held:
            case ast.Constant(value=str(name)), ast.Constant(value=str() | int() as column):
                new: Columns = column
            case ast.Constant(value=str(name)), ast.List(elts=[_, *_] as several) | ast.Tuple(elts=[_, *_] as several):
                new = tuple(column_of(c) for c in several)
            case _:
                raise wrong(held, "a node holds a column, or a list of columns, in quotes")
        if name in found:
            raise wrong(held, f"node {name!r} stands here twice")
        found[name] = new
    return found


def column_of(value: ast.expr) -> str | int:
    """Read the name of a column."""
    match value:
        case ast.Constant(value=str() | int() as name) if not isinstance(name, bool):
            return name
    raise wrong(value, "the name of a column is a text in quotes")


def network_of(value: ast.expr, scope: Scope) -> Network:
    """Read `lt.Network(...)`."""
    match value:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="lt"), attr="Network"), args=[], keywords=keywords):
            pass
        case _:
            raise wrong(value, "a network is declared as lt.Network(name=family, ...)")
    named: list[tuple[str, ast.expr]] = []
    for word in keywords:
        match word:
            case ast.keyword(arg=str(name), value=declared):
                named.append((name, declared))
            case ast.keyword(arg=None, value=ast.Dict(keys=keys, values=values)):
                for key, declared in zip(keys, values, strict=True):
                    if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
                        raise wrong(declared, "names of nodes are texts in quotes")
                    named.append((key.value, declared))
            case _:
                raise wrong(word.value, "after ** stands a dictionary of nodes")
    found: dict[str, Family | Node] = {}
    lines: dict[str, ast.expr] = {}
    for name, declared in named:
        if name in found:
            raise wrong(declared, f"node {name!r} is declared twice")
        found[name], lines[name] = node_of(declared, scope), declared
    before: set[str] = set()
    for name, node in found.items():  # the first node that the network will refuse, for its line
        if any(p in found and p not in before and p != name for p in parents_of(node)):
            return with_line(lines[name], lambda: Network(**found))
        before.add(name)
    return Network(**found)


def parents_of(node: Family | Node) -> tuple[str, ...]:
    """Return the parents of a node, declared or bare."""
    return node.parents if isinstance(node, Node) else ()


def node_of(value: ast.expr, scope: Scope) -> Family | Node:
    """Read a family with or without what stands after it."""
    match value:
        case ast.Call(func=ast.Attribute(value=ast.Call() as inner, attr="given"), args=args, keywords=keywords):
            family = family_of(inner, scope)
            parents = [value_of(a, scope) for a in args]
            options = options_of(keywords, scope)
            if set(options) - {"via"}:
                raise wrong(value, f"given() takes parents and via=, not {known(set(options) - {'via'})}")
            return with_line(value, lambda: family.given(*parents, **options))
        case ast.Call(func=ast.Attribute(value=ast.Call() as inner, attr="learned"), args=[], keywords=[]):
            return family_of(inner, scope).learned()
        case ast.Call(func=ast.Attribute(value=ast.Call() as inner, attr="standard"), args=[], keywords=[]):
            return family_of(inner, scope).standard()
        case _:
            return family_of(value, scope)


def family_of(value: ast.expr, scope: Scope) -> Family:
    """Read a family."""
    found = value_of(value, scope)
    if not isinstance(found, Family):
        raise wrong(value, f"expected a family such as lt.Normal(16), not {found!r:.80}")
    return found


def options_of(keywords: list[ast.keyword], scope: Scope) -> dict[str, Any]:
    """Read options by name."""
    found: dict[str, Any] = {}
    for word in keywords:
        if word.arg is None or word.arg in found:
            raise wrong(word.value, "each option is given once, by its name")
        found[word.arg] = value_of(word.value, scope)
    return found


def value_of(value: ast.expr, scope: Scope) -> Any:
    """Read a literal, or the call of a constructor."""
    match value:
        case ast.Constant(value=None | bool() | str() as plain):
            return plain
        case ast.Constant(value=int() | float() as number):
            return number_of(value, number)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return number_of(value, -number)
        case ast.Tuple(elts=several) | ast.List(elts=several):
            found = tuple(value_of(v, scope) for v in several)
            if sum(abs(v) for v in found if isinstance(v, int)) > MOST_SUM:
                raise wrong(value, f"sizes of more than {MOST_SUM} together")
            return found
        case ast.Call(func=ast.Attribute(value=ast.Name(id="lt"), attr="family_for"), args=args, keywords=keywords):
            return suited_of(value, args, options_of(keywords, scope), scope)
        case ast.Call(func=ast.Attribute(value=ast.Name(id="lt"), attr=name), args=args, keywords=keywords):
            if name not in CONSTRUCTORS:
                raise wrong(value, f"lt.{name} declares no family and no net; known: {known(CONSTRUCTORS, 24)}")
            given, options = [value_of(a, scope) for a in args], options_of(keywords, scope)
            return with_line(value, lambda: CONSTRUCTORS[name](*given, **options))
    raise wrong(value, "only numbers, texts and calls such as lt.Normal(16) stand here")


def number_of(node: ast.expr, number: float) -> float:
    """Return a number that is not too large."""
    if not math.isfinite(number) or (isinstance(number, int) and abs(number) > MOST_WHOLE):
        raise wrong(node, f"{number} is too large; whole numbers go up to {MOST_WHOLE}")
    return number


def suited_of(value: ast.expr, args: list[ast.expr], options: dict[str, Any], scope: Scope) -> Family:
    """Read `lt.family_for(schema, "node", rank=3)`."""
    match args, options:
        case [ast.Name(id="schema"), ast.Constant(value=str(name))], {**rest} if not set(rest) - {"rank"}:
            rank = rest.get("rank")
        case _:
            raise wrong(value, 'write lt.family_for(schema, "node") or lt.family_for(schema, "node", rank=3)')
    if name not in scope.nodes:
        raise wrong(value, f"lt.family_for: {name!r} is no node that holds columns; known: {known(scope.nodes)}")
    return with_line(value, lambda: scope.suited(scope.nodes[name], name, rank))


def with_line(node: ast.AST, make: Callable[[], Made]) -> Made:
    """Make a declaration; what the library says against it names the line too."""
    try:
        return make()
    except LatenError as error:
        raise wrong(node, error) from None
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise wrong(node, str(error).replace(".__init__()", "()")) from None
