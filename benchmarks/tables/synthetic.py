"""Synthetic tables: TVAE, CTGAN, TabularARGN and laten learn from 90 % of a table and are measured against all of it.

    python -m benchmarks.tables.synthetic --peers TVAE CTGAN                      # they take hours: into the record
    python -m benchmarks.tables.synthetic                                         # the table, with what the record has
    python -m benchmarks.tables.synthetic --sets california_housing --peers "TVAE, 30 epochs"
    python -m benchmarks.tables.synthetic --check                                 # our measures against sdmetrics' own

The rows are split 90/10 by chance, seed 0; each method draws `--draws` tables as long as the training rows. Shape and
pair errors (per cent, against the training rows) by sdmetrics' definitions, see `fidelity.py`; "pairs, shared bins" is
the second with both tables cut at the same edges. Utility: AUROC on the hold-out of boosted trees learned from the
synthetic rows. Nearest record: the median distance of as many synthetic rows as are held out to their nearest training
row, over that of the hold-out rows: below 1 is closer to the training rows than new people are. "closer than 5 %": the
share of synthetic rows nearer than the nearest twentieth of the hold-out; 5 is right. The row "real" is a bootstrap of
the training rows (utility: the training rows themselves), "hold-out" the held-out rows.

A missing category is made a level, "?", and rows with missing numbers are left out, because the peers take no holes.
"""

import inspect
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

import laten as lt
from benchmarks import commands, jobs
from benchmarks.commands import Run, show
from benchmarks.jobs import Peer
from benchmarks.tables import fidelity

WORKER = "synth_ctgan.py"
PEERS = (
    Peer("TVAE", WORKER, "sdv", {"method": "TVAE", "epochs": 300}, slow=True),
    Peer("CTGAN", WORKER, "sdv", {"method": "CTGAN", "epochs": 300}, slow=True),
    Peer("TVAE, 30 epochs", WORKER, "sdv", {"method": "TVAE", "epochs": 30}, slow=True),
    Peer("TabularARGN", "synth_mostlyai.py", "mostlyai", {"epochs": 100}, slow=True),
)
MEASURES = (
    "shapes", "sd shapes", "pairs", "sd pairs", "pairs, shared bins", "utility", "nearest record", "closer than 5 %",
)  # fmt: skip
SETS = {
    "adult": ("adult_train.csv.gz", "class"),
    "california_housing": ("california_housing.csv.gz", "ocean_proximity"),
}


@dataclass(frozen=True)
class Table:
    """Training and held-out rows of a set, and the column that is to be predicted."""

    name: str
    train: pd.DataFrame
    test: pd.DataFrame
    target: str


def load(folder: Path, name: str, rows: int | None) -> Table:
    """A set by name."""
    file, target = SETS[name]
    frame = pd.read_csv(folder / "tables" / file)
    classes = [c for c in frame if not fidelity.is_number(frame[c])]
    frame[classes] = frame[classes].astype(object).fillna("?").astype(str)
    frame = frame.dropna().sample(frac=1, random_state=0, ignore_index=True)[:rows]
    if rows:  # so few that a class may be in one part only
        common = frame[target].value_counts()
        frame = frame[frame[target].isin(common.index[common >= 20])].reset_index(drop=True)
    kept = round(0.9 * len(frame))
    return Table(name, frame[:kept].reset_index(drop=True), frame[kept:].reset_index(drop=True), target)


def measured(table: Table, synthetic: pd.DataFrame, whole: pd.DataFrame | None = None) -> dict[str, float]:
    """Every measure of one synthetic table; `whole`: what to learn from instead."""
    held = fidelity.nearest(table.test, table.train)
    drawn = fidelity.nearest(synthetic[: len(table.test)], table.train)
    return {
        "shapes": 100 * fidelity.shape_errors(table.train, synthetic).mean(),
        "pairs": 100 * fidelity.pair_errors(table.train, synthetic).mean(),
        "pairs, shared bins": 100 * fidelity.pair_errors(table.train, synthetic, shared=True).mean(),
        "utility": fidelity.utility(synthetic if whole is None else whole, table.test, table.target),
        "nearest record": float(np.median(drawn) / np.median(held)),
        "closer than 5 %": 100 * float((drawn < np.quantile(held, 0.05)).mean()),
    }


def over(tables: list[dict[str, float]]) -> dict[str, float]:
    """Mean over draws, and the deviation of the two errors."""
    frame = pd.DataFrame(tables)
    return {
        **frame.mean().to_dict(),
        **{f"sd {c}": float(frame[c].std()) for c in ("shapes", "pairs") if len(frame) > 1},
    }


def ours(table: Table, draws: int, options: dict) -> dict:
    """laten: fitted to the training rows, then drawing."""
    warnings.simplefilter("ignore", lt.LatenWarning)
    began = time.perf_counter()
    vae = lt.VAE(**options).fit(table.train)
    fitted = time.perf_counter()
    drawn = [vae.sample(len(table.train), seed=seed) for seed in range(1, draws + 1)]
    seconds = {"fit": fitted - began, "sample": (time.perf_counter() - fitted) / draws}
    return {**over([measured(table, d) for d in drawn]), "seconds": seconds, "when": "now"}


def compared(run: Run, table: Table) -> dict[str, dict]:
    """Every method's line for one table."""
    n, draws = len(table.train), run.options.draws
    again = table.train.sample(n, replace=True, random_state=1, ignore_index=True)
    lines = {
        "real": {**measured(table, again, table.train), "seconds": {}, "when": "now"},
        "hold-out": {**measured(table, table.test), "utility": np.nan, "seconds": {}, "when": "now"},
    }
    names = [f"c{i}" for i in range(table.train.shape[1])]
    columns = [table.train[c].to_numpy() for c in table.train]
    arrays = {n: x if x.dtype.kind in "if" else x.astype(str) for n, x in zip(names, columns, strict=True)}
    arguments = {"seed": 0, "rows": n, "draws": draws} | ({"epochs": 1} if run.options.quick else {})

    def score(answer: dict[str, np.ndarray]) -> dict[str, float]:
        frame = pd.DataFrame({c: answer[k] for c, k in zip(table.train, names, strict=True)})
        return over([measured(table, frame[i * n : (i + 1) * n].reset_index(drop=True)) for i in range(draws)])

    for peer in run.peers:
        line = run.peer(
            peer, arrays, arguments, lambda a: {"case": table.name, **score(a)}, inspect.getsource(fidelity)
        )
        if line:
            seconds = {**line["seconds"], "sample": line["seconds"]["sample"] / draws}
            lines[peer.name] = {**line, "seconds": seconds}
    if not run.options.no_laten:
        extra = {"epochs": 2} if run.options.quick else {}
        lines["laten"] = ours(table, draws, extra | commands.laten_options(run.options.option))
    return lines


def check(run: Run, table: Table) -> None:
    """Prints our errors and sdmetrics' for rows with some columns shuffled."""
    rng = np.random.default_rng(0)
    other = table.train.sample(len(table.train) // 2, random_state=1, ignore_index=True)
    for c in list(other)[::3]:
        other[c] = rng.permutation(other[c].to_numpy())
    other = other[: len(other) * 3 // 4].sort_values(other.columns[0])[: len(other) // 2]
    arrays = {}
    for side, frame in (("real_", table.train), ("synthetic_", other)):
        for c in frame:
            x = frame[c].to_numpy()
            arrays[side + c] = x if x.dtype.kind in "if" else x.astype(str)
    peer = Peer("sdmetrics", "check_fidelity.py", "sdv")
    answer, report = jobs.run(peer, arrays, {}, run.options.threads)
    mine = fidelity.shape_errors(table.train, other).mean(), fidelity.pair_errors(table.train, other).mean()
    frame = pd.DataFrame({"here": mine, "sdmetrics": 1 - answer["scores"]}, index=["column shapes", "pair trends"])
    show(f"{table.name}: errors, here and by sdmetrics {report['versions']['sdmetrics']}", frame, 6)
    print(f"largest difference {abs(frame['here'] - frame['sdmetrics']).max():.1e}")


def main() -> None:
    """Runs the sets and prints a table for each."""
    parser = commands.parser(__doc__, PEERS)
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument("--draws", type=int, default=3, help="synthetic tables a method")
    parser.add_argument("--check", action="store_true", help="only compare our measures with sdmetrics")
    run = Run("synthetic", parser.parse_args(), PEERS)
    everything: list[dict] = []
    for name in run.options.sets:
        table = load(run.options.data, name, 1500 if run.options.quick else None)
        if run.options.check:
            check(run, table)
            continue
        lines = compared(run, table)
        rows = {
            method: {
                **{k: line.get(k, np.nan) for k in MEASURES},
                "fit s": line["seconds"].get("fit", np.nan),
                "sample s": line["seconds"].get("sample", np.nan),
                "from": line["when"][:10],
            }
            for method, line in lines.items()
        }
        show(
            f"{name}: {len(table.train)} training rows, {len(table.test)} held out",
            pd.DataFrame(rows).T.infer_objects(),
            3,
        )
        everything += lines.values()
    print(run.footer(everything))


if __name__ == "__main__":
    main()
