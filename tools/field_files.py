"""Read every file of a folder of messy files, and print what was assumed, what came, and whether that is right.

    python tools/field_files.py FOLDER

What is right stands in `tests/data/field_expected.py`. Exits with 1 when a file is wrong.
"""

import importlib.util
import sys
from pathlib import Path

import pandas as pd

import laten as lt

EXPECTED = Path(__file__).parents[1] / "tests" / "data" / "field_expected.py"


def expected_table():
    """Load the table of what is right."""
    spec = importlib.util.spec_from_file_location("field_expected", EXPECTED)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["field_expected"] = module
    spec.loader.exec_module(module)
    return module


def truth_of(folder: Path) -> tuple:
    """Return the base table with its kinds, and the true times of the files that have some."""
    table = pd.read_parquet(folder / "t.pq")
    kinds = {c.name: c.kind for c in lt.infer_schema(table).columns}
    when = pd.read_csv(folder / "ts_space.csv")["when"]
    return (table, kinds), pd.to_datetime(when, format="%Y-%m-%d %H:%M:%S")


def verdict(path: Path, expect, module, base, truth) -> tuple[str, str, str]:
    """Return what was assumed, what came, and the verdict for one file."""
    try:
        frame = lt.read(path)
    except lt.LatenError as error:
        said = str(error).replace(str(path), path.name)
        if expect.refused and all(w in said for w in expect.refused):
            return "", said, "refused rightly"
        return "", said, "WRONG: refused" if not expect.refused else "WRONG: refused without the way out"
    record = lt.assumed(frame)
    line = "" if record is None else record.line().partition(": read as ")[2]
    kinds, wrong = {}, []
    try:
        kinds = {c.name: c.kind for c in lt.infer_schema(frame).columns}
        came = ", ".join(f"{n} {k}" for n, k in kinds.items())
        wrong = ["schema: no error"] if expect.schema else []
    except lt.LatenError as error:
        came = f"schema: {error}"
        wrong = [] if expect.schema and all(w in came for w in expect.schema) else ["schema refused"]
    if expect.refused:
        wrong.append("not refused")
    else:
        raw = path.read_bytes().decode("utf-8", "replace")
        wrong += module.faults(path.name, expect, raw, frame, line, kinds, base, truth)
    return line, f"{len(frame)} rows: {came}", "WRONG: " + "; ".join(wrong) if wrong else "right"


def main(folder: Path) -> int:
    """Print the table; return the exit status."""
    module = expected_table()
    base, truth = truth_of(folder)
    counts: dict[str, int] = {}
    for path in sorted(folder.iterdir()):
        expect = module.EXPECTED.get(path.name)
        if expect is None:
            assumed, came, word = "", "", "WRONG: not in the table of what is expected"
        else:
            assumed, came, word = verdict(path, expect, module, base, truth)
        counts[word.partition(":")[0]] = counts.get(word.partition(":")[0], 0) + 1
        print(f"{path.name:24} {word}")
        print("".join(f"{'':25}{text}\n" for text in (assumed, came) if text), end="")
    print(", ".join(f"{n} {word}" for word, n in sorted(counts.items())), f"of {sum(counts.values())}")
    return 1 if "WRONG" in counts else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
