"""Questions to a discrete network, from names to codes; and questions as text, `P(lung | smoke=yes, dysp=yes)`."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from laten.common.errors import DataError, known
from laten.data.messages import did_you_mean, unknown

States = Mapping[str, tuple[str, ...]]
SEVERAL = list | tuple | set | frozenset | np.ndarray
WORD = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^,|=()"]+)|(.))', re.S)


class Evidence(NamedTuple):
    """Evidence on variables: a code, or several codes of which one is true."""

    codes: dict[str, int]
    sets: dict[str, tuple[int, ...]]

    @property
    def names(self) -> set[str]:
        """Variables of which something is known."""
        return {*self.codes, *self.sets}


class Asked(NamedTuple):
    """A question: targets, each with the states wanted of it (none: all), and what is given."""

    targets: dict[str, list[str]]
    given: dict[str, list[str]]


def check_name(states: States, name: Any) -> str:
    """Check a variable's name and return it.

    Raises:
        DataError: there is no such variable.
    """
    if name not in states:
        raise unknown("variable", name, states)
    return name


def code_of(states: States, name: str, value: Any) -> int:
    """Find a value among a variable's states: by its text, or that of the whole number it is (1.0 for "1").

    Raises:
        DataError: there is no such state.
    """
    text = str(value)
    if text not in states[name] and isinstance(value, float | np.floating) and float(value).is_integer():
        text = str(int(value))
    if text not in states[name]:
        raise DataError(
            f"variable {name!r} has no state {text!r}{did_you_mean(text, states[name])}; known: {known(states[name])}"
        )
    return states[name].index(text)


def evidence_of(states: States, given: Mapping[str, Any] | None) -> Evidence:
    """Turn evidence into codes.

    Raises:
        DataError: an unknown variable or state, or an empty set.
    """
    found = Evidence({}, {})
    for name, value in (given or {}).items():
        check_name(states, name)
        if not isinstance(value, SEVERAL):
            found.codes[name] = code_of(states, name, value)
            continue
        codes = tuple(sorted({code_of(states, name, v) for v in value}))
        if not codes:
            raise DataError(f"variable {name!r}: an empty set leaves no state; leave the variable out, or give some")
        if len(codes) == 1:
            found.codes[name] = codes[0]
        elif len(codes) < len(states[name]):
            found.sets[name] = codes
    return found


def check_targets(states: States, targets: str | Iterable[str], given: Evidence) -> list[str]:
    """Check the targets, one or several, and return their names.

    Raises:
        DataError: none, an unknown one, one that is there twice, or one whose value is given.
    """
    names = [check_name(states, t) for t in ([targets] if isinstance(targets, str) else targets)]
    if not names:
        raise DataError(f"no target; ask for one of {known(states)}")
    for i, name in enumerate(names):
        if name in names[:i]:
            raise DataError(f"variable {name!r} is asked for twice")
        if name in given.names:
            raise DataError(f"variable {name!r} is a target and given; leave it out of one of the two")
    return names


def index_of(states: States, names: Sequence[str]) -> pd.Index:
    """Return the states of one variable as an index, the joint states of several as a `MultiIndex`."""
    if len(names) == 1:
        return pd.Index(states[names[0]], name=names[0])
    return pd.MultiIndex.from_product([states[n] for n in names], names=names)


def parse_question(text: str) -> Asked:
    """Read `P(a, b | c=x, d=y, d=z)`: p of a and b given c, and one of two states of d.

    `P(a=x | …)` asks for one state of a. Names that hold `,|=()` stand in double quotes.

    Raises:
        DataError: anything else.

    >>> parse_question("P(lung | smoke=yes)").given
    {'smoke': ['yes']}
    """
    inside = re.fullmatch(r"\s*[Pp]\s*\((.*)\)\s*", text, re.S)
    if inside is None:
        raise DataError(f"{text!r}: a question is written P(lung | smoke=yes, dysp=yes)")
    asked, part, words = Asked({}, {}), 0, tokens(inside[1])
    while words:
        name, sign = words.pop(0)
        if sign:
            raise DataError(f"{text!r}: expected a variable's name, found {name!r}")
        value = None
        if words[:1] == [("=", True)]:
            if len(words) < 2 or words[1][1]:
                raise DataError(f"{text!r}: {name} has no value after '='")
            value = words[1][0]
            words = words[2:]
        elif part:
            raise DataError(f"{text!r}: what is given needs a value, as in {name}=yes")
        wanted = asked[part].setdefault(name, [])
        if value is not None:
            wanted.append(value)
        following = words.pop(0)[0] if words else ""
        if following == "|" and part == 0:
            part = 1
        elif following not in ("", ","):
            raise DataError(f"{text!r}: cannot read {following!r} after {name!r}; put odd names in double quotes")
        if following and not words:
            raise DataError(f"{text!r}: something is missing after {following!r}")
    return asked


def tokens(text: str) -> list[tuple[str, bool]]:
    """Split text into words, and signs (True)."""
    found = []
    for quoted, plain, sign in WORD.findall(text):
        if sign.strip():
            found.append((sign, True))
        elif plain.strip() or quoted:
            found.append((plain.strip() or re.sub(r"\\(.)", r"\1", quoted), False))
    return found
