r"""The Bayesian Interchange Format (BIF; F. Cozman 1998): text to tables $p(x \mid \text{parents})$ and back.

    network asia { }
    variable smoke { type discrete [ 2 ] { yes, no }; }
    variable lung { type discrete [ 2 ] { yes, no }; }
    probability ( smoke ) { table 0.5, 0.5; }
    probability ( lung | smoke ) { (yes) 0.1, 0.9; (no) 0.01, 0.99; }

Commas and bars only separate; comments are C's; properties are skipped; `default` fills the rows that are not listed.
A `table` of a variable with parents lists the variable's first state for all states of the parents, then its second,
and so on (the last parent changes fastest), as the format says. Some writers list each distribution in one piece: where
only that reading sums to one, it is taken.

A row that sums to one within rounding is kept bit for bit, any other within 1e-3 is divided by its sum, so that reading
what was written gives the same numbers.
"""

import graphlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from laten.classical.bif_tokens import Scanner, Token, word
from laten.common.errors import known
from laten.data.files.unpack import PACKED
from laten.data.messages import did_you_mean

MOST_CELLS, MOST_PARENTS = 2**24, 60  # of all tables, 128 MiB; NumPy has at most 64 axes
LOOSE = 1e-3  # how far a row's sum may be from one
ROUNDING = 1e-12  # how far it may be to be left as it is


@dataclass(frozen=True, eq=False)
class Variable:
    """A discrete variable.

    Args:
        states: Their names.
        parents: Names of the variables it depends on.
        table: `(*sizes of the parents, states)`; the last axis sums to one.
    """

    states: tuple[str, ...]
    parents: tuple[str, ...]
    table: np.ndarray


class BifBlock(NamedTuple):
    """A probability block as it stands."""

    name: Token
    parents: list[Token]
    entries: list[tuple[Token, list[Token], list[Token]]]  # table, default or "(": the states, the numbers


def parse(text: str, where: str = "text") -> tuple[str, dict[str, Variable]]:
    """Read BIF.

    Args:
        where: What errors call the text, e.g. its file.
    Returns:
        The network's name and its variables in the order of their declaration.
    Raises:
        DataError: naming the line: text that is cut off or no BIF, unknown variables or states, a variable without
            probabilities, rows that are missing, twice there, or do not sum to one, a circle.
    """
    scanner = Scanner(text, where)
    name, states, blocks = "unknown", dict[str, tuple[str, ...]](), dict[str, BifBlock]()
    lines: dict[str, int] = {}
    while not scanner.done():
        token = scanner.next("a block")
        match token.text.lower():
            case "network":
                name = network_block(scanner)
            case "variable":
                variable = scanner.next("the variable's name")
                if variable.text in states:
                    raise scanner.fault(variable.line, f"variable {variable.text!r} is declared twice")
                states[variable.text], lines[variable.text] = variable_block(scanner, variable), variable.line
            case "probability":
                block = probability_block(scanner)
                if block.name.text in blocks:
                    raise scanner.fault(block.name.line, f"variable {block.name.text!r} has two probability blocks")
                blocks[block.name.text] = block
            case _:
                raise scanner.fault(
                    token.line, f"expected 'network', 'variable' or 'probability', found {token.text!r}; is it BIF?"
                )
    if not states:
        raise scanner.fault(scanner.line, "no variable is declared; is it BIF?")
    for block in blocks.values():
        for token in (block.name, *block.parents):
            if token.text not in states:
                close = did_you_mean(token.text, states)
                raise scanner.fault(token.line, f"unknown variable {token.text!r}{close}; known: {known(states)}")
    for variable_name, line in lines.items():
        if variable_name not in blocks:
            raise scanner.fault(line, f"variable {variable_name!r} has no probability block")
    try:
        graphlib.TopologicalSorter({n: [p.text for p in b.parents] for n, b in blocks.items()}).prepare()
    except graphlib.CycleError as error:
        ring = error.args[1]
        raise scanner.fault(blocks[ring[0]].name.line, f"the arrows run in a circle: {' -> '.join(ring)}") from None
    check_sizes(scanner, states, blocks)
    return name, {n: variable_of(scanner, states, blocks[n]) for n in states}


def check_sizes(scanner: Scanner, states: Mapping[str, tuple[str, ...]], blocks: Mapping[str, BifBlock]) -> None:
    """Refuse tables that are larger than memory likes, before they are made."""
    cells = 0
    for name, block in blocks.items():
        cells += len(states[name]) * math.prod(len(states[p.text]) for p in block.parents)
        if cells > MOST_CELLS or len(block.parents) > MOST_PARENTS:
            raise scanner.fault(
                block.name.line,
                f"variable {name!r}: with the table for its {len(block.parents)} parents the network has more than "
                f"{MOST_CELLS} numbers, or a variable more than {MOST_PARENTS} parents; leave parents out",
            )


def network_block(scanner: Scanner) -> str:
    """Read the name; properties are skipped."""
    token = scanner.next("the network's name")
    if token.text == "{" and not token.quoted:
        name = "unknown"
    else:
        name = token.text
        scanner.sign("{")
    while (token := scanner.next("'}'")).text != "}":
        if token.text.lower() != "property":
            raise scanner.fault(token.line, f"expected 'property' or '}}' in the network block, found {token.text!r}")
        scanner.skip_property(token.line)
    return name


def variable_block(scanner: Scanner, variable: Token) -> tuple[str, ...]:
    """Read the states."""
    scanner.sign("{")
    states: list[Token] | None = None
    while (token := scanner.next("'}'")).text != "}" or token.quoted:
        match token.text.lower():
            case "property":
                scanner.skip_property(token.line)
            case "type":
                kind = scanner.next("the variable's type")
                if kind.text.lower() != "discrete":
                    raise scanner.fault(
                        kind.line, f"variable {variable.text!r} is {kind.text!r}; only discrete is known"
                    )
                scanner.sign("[")
                count = scanner.words("]")
                scanner.sign("{")
                states = scanner.words("}")
                scanner.sign(";")
                if [c.text for c in count] != [str(len(states))]:
                    said = " ".join(c.text for c in count)
                    raise scanner.fault(token.line, f"variable {variable.text!r}: [{said}] but {len(states)} states")
            case _:
                raise scanner.fault(token.line, f"variable {variable.text!r}: expected 'type', found {token.text!r}")
    if not states:
        raise scanner.fault(variable.line, f"variable {variable.text!r} has no states")
    names = tuple(s.text for s in states)
    seen: set[str] = set()
    for state in states:
        if state.text in seen:
            raise scanner.fault(state.line, f"variable {variable.text!r}: state {state.text!r} is there twice")
        seen.add(state.text)
    return names


def probability_block(scanner: Scanner) -> BifBlock:
    """Read a block; its rows are not checked yet."""
    scanner.sign("(")
    names = scanner.words(")")
    brace = scanner.sign("{")
    if not names:
        raise scanner.fault(brace.line, "the probability block names no variable")
    entries: list[tuple[Token, list[Token], list[Token]]] = []
    while (token := scanner.next("'}'")).text != "}":
        match token.text.lower():
            case "property":
                scanner.skip_property(token.line)
            case "table" | "default":
                entries.append((token, [], scanner.words(";")))
            case "(":
                entries.append((token, scanner.words(")"), scanner.words(";")))
            case _:
                raise scanner.fault(token.line, f"expected 'table', 'default' or a row '(…)', found {token.text!r}")
    return BifBlock(names[0], names[1:], entries)


def variable_of(scanner: Scanner, states: Mapping[str, tuple[str, ...]], block: BifBlock) -> Variable:
    """Make a variable with its table."""
    name, parents = block.name.text, tuple(p.text for p in block.parents)
    size, sizes = len(states[name]), tuple(len(states[p]) for p in parents)
    if name in parents or len(set(parents)) < len(parents):
        raise scanner.fault(block.name.line, f"variable {name!r}: a parent is named twice in {known(parents)}")
    table, filled = np.zeros((*sizes, size)), np.zeros(sizes, bool)
    default: np.ndarray | None = None
    for head, given, words in block.entries:
        p = numbers(scanner, words)
        needed = table.size if head.text.lower() == "table" else size
        if len(p) != needed:
            raise scanner.fault(head.line, f"variable {name!r}: {len(p)} numbers, expected {needed}")
        if head.text.lower() == "table":
            table, filled = whole(scanner, head, name, p, table.shape), np.ones(sizes, bool)
            continue
        p = normalised(scanner, head, name, p)
        if head.text.lower() == "default":
            default = p
            continue
        at = row_of(scanner, head, given, states, parents)
        if filled[at]:
            row = ", ".join(g.text for g in given)
            raise scanner.fault(head.line, f"variable {name!r}: the row ({row}) is there twice")
        table[at], filled[at] = p, True
    if not filled.all():
        if default is None:
            missing = np.argwhere(~filled)[0]
            row = ", ".join(states[p][i] for p, i in zip(parents, missing, strict=True))
            lacking = f"the row ({row}) is" if parents else "its table is"
            raise scanner.fault(block.name.line, f"variable {name!r}: {lacking} missing")
        table[~filled] = default
    return Variable(states[name], parents, table)


def row_of(
    scanner: Scanner, head: Token, given: list[Token], states: Mapping[str, tuple[str, ...]], parents: tuple[str, ...]
) -> tuple[int, ...]:
    """Find where a row stands in the table."""
    if len(given) != len(parents):
        raise scanner.fault(head.line, f"the row has {len(given)} states of parents, expected one for {known(parents)}")
    for token, parent in zip(given, parents, strict=True):
        if token.text not in states[parent]:
            close = did_you_mean(token.text, states[parent])
            raise scanner.fault(
                token.line, f"{parent!r} has no state {token.text!r}{close}; known: {known(states[parent])}"
            )
    return tuple(states[p].index(t.text) for p, t in zip(parents, given, strict=True))


def numbers(scanner: Scanner, words: list[Token]) -> np.ndarray:
    """Read probabilities."""
    found = []
    for token in words:
        try:
            p = float(token.text)
        except ValueError:
            raise scanner.fault(token.line, f"{token.text!r} is no number") from None
        if not 0 <= p <= 1 + LOOSE:
            raise scanner.fault(token.line, f"{token.text} is no probability")
        found.append(p)
    return np.array(found)


def normalised(scanner: Scanner, head: Token, name: str, p: np.ndarray) -> np.ndarray:
    """Divide distributions along the last axis by their sums, where those are not one."""
    total = p.sum(-1, keepdims=True)
    if (np.abs(total - 1) > LOOSE).any():
        worst = total.flat[np.abs(total - 1).argmax()]
        raise scanner.fault(head.line, f"variable {name!r}: probabilities sum to {worst:.6g}, not to 1")
    return np.where(np.abs(total - 1) > ROUNDING, p / total, p)


def whole(scanner: Scanner, head: Token, name: str, p: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Read a `table` of a variable, in the format's order or, where only that sums to one, row by row."""
    by_state = np.moveaxis(p.reshape(shape[-1], *shape[:-1]), 0, -1)
    by_row = p.reshape(shape)
    off = [np.abs(t.sum(-1) - 1).max() for t in (by_state, by_row)]
    return normalised(scanner, head, name, by_row if off[1] <= LOOSE < off[0] else by_state)


def formatted(name: str, variables: Mapping[str, Variable]) -> str:
    """Write variables as BIF text, numbers with all their digits."""
    lines = [f"network {word(name)} {{", "}"]
    for variable, v in variables.items():
        states = ", ".join(map(word, v.states))
        lines += [f"variable {word(variable)} {{", f"  type discrete [ {len(v.states)} ] {{ {states} }};", "}"]
    for variable, v in variables.items():
        given = f" | {', '.join(map(word, v.parents))}" if v.parents else ""
        lines.append(f"probability ( {word(variable)}{given} ) {{")
        for at in np.ndindex(v.table.shape[:-1]):
            row = ", ".join(word(variables[p].states[i]) for p, i in zip(v.parents, at, strict=True))
            p = ", ".join(repr(float(x)) for x in v.table[at])
            lines.append(f"  ({row}) {p};" if v.parents else f"  table {p};")
        lines.append("}")
    return "\n".join(lines) + "\n"


def is_bif(name: str) -> bool:
    """Say whether a file's name is that of a BIF file, packed or not."""
    return name.lower().endswith((".bif", *(".bif" + packing for packing in PACKED)))
