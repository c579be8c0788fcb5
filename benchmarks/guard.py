"""Has the structure of training and of questions grown worse? Counts and XLA's cost analysis beside recorded ones.

    python -m benchmarks.guard                 # measured, recorded, verdict; exit status 1 if something is worse
    python -m benchmarks.guard --record        # after a change that is meant: writes benchmarks/guard.json anew

No clock is read, so that a busy machine gives the same verdict as a quiet one. What may grow by how much, and why,
stands in `RULES`. Recorded figures belong to a version of JAX and a kind of device: counts are compared under any, what
XLA says of its programs under the same ones, but for operations, which other versions change little.
"""

import json
import platform
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import jax
import pandas as pd

import laten as lt
from benchmarks import counters
from benchmarks.guard_cases import CASES, Figures
from benchmarks.runner import options_of, show

RECORD = Path(__file__).with_name("guard.json")


class Rule(NamedTuple):
    """How much larger than recorded a measure may be, as a share."""

    same: float  # under the recorded version of JAX
    other: float | None  # under another version; None: not compared
    anywhere: bool  # whether it means the same on every kind of device
    why: str


RULES = {
    "retraces": Rule(0, 0, True, "a retrace is a bug"),
    "programs after the first epoch": Rule(0, 0, True, "what compiles later stalls training"),
    "programs for other numbers of rows": Rule(0, 0, True, "a few rows, and many: chunks have two shapes"),
    "callbacks": Rule(0, 0, True, "compiled code does not meet the host inside a loop"),
    "arrays sent": Rule(0, 0, True, "each is a wait"),
    "arrays read": Rule(0, 0, True, "each is a wait"),
    "programs": Rule(0, 0.25, True, "small ones are JAX's own affair in part, and differ between its versions"),
    "flops": Rule(0.02, 0.15, False, "XLA may fuse a little otherwise; a superfluous product costs more"),
    "bytes accessed": Rule(0.05, None, False, "depends on what XLA fuses; an array read once more costs more"),
    "bytes set aside": Rule(0.1, None, False, "depends on when XLA frees what; an array kept too long costs more"),
    "bytes sent": Rule(0, 0, True, "an epoch is cut into calls of about a second, and each is sent them again"),
    "bytes": Rule(0.02, 0.02, True, "JSON and compression differ by a few bytes"),
}
SAVED = 0.01  # what is smaller than recorded by more than this share is called better


def rule(measure: str) -> Rule:
    """Return the rule of a figure, by the longest name in `RULES` with which its measure begins."""
    last = measure.split(": ")[-1]
    return RULES[max((name for name in RULES if last.startswith(name)), key=len)]


class Line(NamedTuple):
    """One figure beside the recorded one."""

    figure: str
    measured: float | None
    recorded: float | None
    verdict: str  # "same", "better", "WORSE", "NEW", "GONE" or "not compared"

    @property
    def fails(self) -> bool:
        """Whether it is worse, or not recorded, or no longer measured."""
        return self.verdict.isupper()


def verdict(measured: float | None, recorded: float | None, margin: float | None) -> str:
    """Judge one figure."""
    if recorded is None or measured is None:
        return "NEW" if recorded is None else "GONE"
    if margin is None:
        return "not compared"
    if measured > recorded * (1 + margin) + 1e-3:
        return "WORSE"
    return "better" if measured < recorded * (1 - SAVED) else "same"


def compared(found: Figures, recorded: dict[str, Any], about: dict[str, str]) -> list[Line]:
    """Compare every figure that is measured or recorded; `about` says what runs now, as `running` does."""
    lines, known = [], recorded["figures"]
    version, device = (about[key] == recorded["about"][key] for key in ("jax", "device"))
    for figure in dict.fromkeys([*known, *found]):
        now, before, by = found.get(figure), known.get(figure), rule(figure)
        margin = None if not (device or by.anywhere) else by.same if version else by.other
        lines.append(Line(figure, now, before, verdict(now, before, margin)))
    return lines


def running() -> dict[str, str]:
    """Return what decides how programs are compiled."""
    return {"jax": jax.__version__, "device": f"{jax.default_backend()} {platform.machine()}"}


def measure() -> Figures:
    """Return the figures of all cases, `case: what: measure`.

    Programs are compiled once to run and once to be analysed: the second time they are read from JAX's cache.
    """
    counters.check()
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore", lt.LatenWarning)  # hardly trained, scores are poor: what they are is no matter
        if jax.config.jax_compilation_cache_dir is None:
            jax.config.update("jax_compilation_cache_dir", folder)
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.3)
        return {f"{name}: {figure}": value for name, case in CASES.items() for figure, value in case().items()}


def main() -> None:
    """Measure, then compare or record."""
    options, about, before = options_of(__doc__, record=False).parse_args(), running(), json.loads(RECORD.read_text())
    found = measure()
    if options.record:
        kept = {figure: round(value, 4) for figure, value in found.items()}
        RECORD.write_text(json.dumps({"about": about, "figures": kept}, indent=1) + "\n")
        print(f"{len(found)} figures written to {RECORD.name}")
        return
    lines = compared(found, before, about)
    wrong = [line for line in lines if line.fails]
    show(f"{about}; recorded with {before['about']}", pd.DataFrame(lines).set_index("figure"), 1)
    if before["about"] != about:
        print("Recorded elsewhere: wider margins, and what XLA says of its programs is compared in part or not at all")
    for line in wrong:
        print(f"{line.verdict}: {line.figure}: {line.measured}, recorded {line.recorded} ({rule(line.figure).why})")
    worse = f"{len(wrong)} of {len(lines)} figures are worse than recorded"
    print(worse if wrong else f"all {len(lines)} figures hold")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
