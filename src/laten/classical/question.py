"""Questions to a discrete network, from names to codes; and questions as text, `P(lung | smoke=yes, dysp=yes)`."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from laten.common.errors import DataError, known
from laten.data.messages import did_you_mean, unknown
from laten.data.rows.between import Between, Missing
from laten.data.rows.evidence_text import as_float, is_missing, range_in

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


def says_missing(known_states: Sequence[str], value: Any) -> bool:
    """Say whether evidence is that a variable has no value."""
    return isinstance(value, Missing) or (isinstance(value, str) and value not in known_states and is_missing(value))


def codes_of(states: States, name: str, value: Any) -> list[int]:
    """Return the codes of a state, or of all states in a range of numbers.

    Raises:
        DataError: there is no such state, or a range of states that are no numbers.
    """
    parts = range_in(value) if isinstance(value, str) and value not in states[name] else None
    ends = parts.between(str) if parts else value
    if not isinstance(ends, Between):
        return [code_of(states, name, value)]
    numbers = np.array([as_float(s) for s in states[name]])
    low, high = (as_float(str(end)) for end in (ends.low, ends.high))
    lost = (ends.low is not None and math.isnan(low)) or (ends.high is not None and math.isnan(high))
    if np.isnan(numbers).any() or lost:
        raise DataError(
            f"variable {name!r}: {ends} is a range, and its states {known(states[name])} are no numbers; give states"
        )
    above = np.isnan(low) | (numbers > low if ends.open_low else numbers >= low)
    below = np.isnan(high) | (numbers < high if ends.open_high else numbers <= high)
    found = np.flatnonzero(above & below).tolist()
    if not found:
        raise DataError(f"variable {name!r}: no state lies in {ends}; known: {known(states[name])}")
    return found


def evidence_of(states: States, given: Mapping[str, Any] | None) -> Evidence:
    """Turn evidence into codes: states, ranges of states that are numbers, and what is missing, which tells nothing.

    Raises:
        DataError: an unknown variable or state, or an empty set.
    """
    found = Evidence({}, {})
    for name, value in (given or {}).items():
        check_name(states, name)
        values = list(value) if isinstance(value, SEVERAL) else [value]
        if len(values) == 1 and says_missing(states[name], values[0]):
            continue
        codes = tuple(sorted({code for v in values for code in codes_of(states, name, v)}))
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

    What is given may also be `d > 3`, `d = 2..4` or `d is missing` (`data/rows/evidence_text.py`). `P(a=x | …)` asks
    for one state of a. Names that hold `,|=()` stand in double quotes.

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
        compared = re.fullmatch(r"(.+?)\s*([<>])", name) if words[:1] == [("=", True)] else None
        if compared:  # a >= 3
            name, words[1:2] = compared[1], [(f"{compared[2]}={words[1][0]}", False)] if words[1:] else []
        elif part and words[:1] != [("=", True)] and (said := re.fullmatch(r"(.+?)\s*([<>].+|is missing)", name)):
            name, words = said[1], [("=", True), (said[2], False), *words]  # a > 3
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
