"""Error of imputation on the tables of HI-VAE, with its masks and its rule: peers and laten in one run.

    python -m benchmarks.tables.imputation                                        # three sets, two masks, quick peers
    python -m benchmarks.tables.imputation --peers hyperimpute --no-laten         # a slow peer, into the record
    python -m benchmarks.tables.imputation --sets wine --masks Missing50_{1..3} --option "latent=8"

Peers are told each column's kind: `benchmarks/peers/impute_*.py` say how. "fit" is the time of learning from the holed
table (for methods that cannot but fill the table they learn from, all of their time), "fill" that of filling it with
what was learned. The ratio is to the best peer of the case.
"""

import inspect
import time

import numpy as np
import pandas as pd

import laten as lt
from benchmarks import commands
from benchmarks.commands import Run, show
from benchmarks.jobs import Peer
from benchmarks.tables import hivae
from benchmarks.tables.hivae import Case

TREES, LINEAR, LIBRARY = "impute_trees.py", "impute_linear.py", "impute_hyperimpute.py"
PEERS = (
    Peer("IterativeImputer", LINEAR, arguments={"rounds": 10}),
    Peer("boosted trees, one pass", TREES, arguments={"model": "boosted", "rounds": 1}),
    Peer("boosted trees, rounds", TREES, arguments={"model": "boosted", "rounds": 4}, slow=True),
    Peer("HI-VAE, z 2", "impute_hivae.py", "pyod", {"s": 10, "z": 2, "y": 5, "epochs": 200}, slow=True),
    Peer("HI-VAE, z 10", "impute_hivae.py", "pyod", {"s": 10, "z": 10, "y": 10, "epochs": 200}, slow=True),
    Peer("missForest", TREES, arguments={"model": "forest", "rounds": 5}, slow=True),
    Peer("hyperimpute", LIBRARY, "hyperimpute", {"plugin": "hyperimpute", "seconds": 3600}, slow=True),
    Peer("hyperimpute's GAIN", LIBRARY, "hyperimpute", {"plugin": "gain"}, slow=True),
    Peer("hyperimpute's MIWAE", LIBRARY, "hyperimpute", {"plugin": "miwae"}, slow=True),
)
MASKS = ("Missing20_1", "Missing50_1")


def ours(case: Case, options: dict) -> dict:
    """laten: fitted to the holed table, then filling it."""
    vae, holed = lt.VAE(schema=case.schema, **options), case.holed
    began = time.perf_counter()
    vae.fit(holed)
    fitted = time.perf_counter()
    filled = vae.impute(holed, statistic="mean")  # unrounded, as the peers give it: the error is a mean square
    seconds = {"fit": fitted - began, "fill": time.perf_counter() - fitted}
    return {"columns": list(hivae.errors(case, filled.to_numpy(float))), "seconds": seconds, "when": "now"}


def compared(case: Case, run: Run) -> dict[str, dict]:
    """Every method's line for one case."""
    arrays, arguments = {"X": case.holed.to_numpy(float)}, {"kinds": case.kinds, "seed": 0}
    if run.options.quick:
        arguments |= {"rounds": 1, "seconds": 1, "epochs": 2}
    lines = {"mean/mode": {"columns": list(hivae.errors(case, hivae.mean_mode(case))), "seconds": {}, "when": "now"}}

    def score(answer: dict[str, np.ndarray]) -> dict:
        return {"case": case.name, "columns": list(hivae.errors(case, answer["X"]))}

    for peer in run.peers:
        line = run.peer(peer, arrays, arguments, score, inspect.getsource(hivae.errors))
        lines |= {peer.name: line} if line else {}
    if not run.options.no_laten:
        extra = {"epochs": 2} if run.options.quick else {}
        lines["laten"] = ours(case, extra | commands.laten_options(run.options.option))
    return lines


def table_of(case: Case, lines: dict[str, dict], by_column: bool) -> pd.DataFrame:
    """Error, ratio to the best peer, seconds and origin, by method."""
    error = {name: float(np.mean(line["columns"])) for name, line in lines.items()}
    best = min(e for name, e in error.items() if name != "laten")
    rows = {
        name: {
            "error": error[name],
            "to best peer": error[name] / best,
            "fit s": line["seconds"].get("fit", np.nan),
            "fill s": line["seconds"].get("fill", np.nan),
            "from": line["when"][:10],
        }
        for name, line in lines.items()
    }
    out = pd.DataFrame.from_dict(rows, orient="index")
    if by_column:
        names = [f"{c}:{k}" for c, k in zip(case.truth.columns, case.kinds, strict=True)]
        out = out.join(pd.DataFrame({n: line["columns"] for n, line in lines.items()}, index=names).T)
    return out


def summary(errors: pd.DataFrame, masks: int) -> None:
    """Prints all cases side by side: of several masks of one set and share (`Missing20_1`, `_2`, ...) the median."""
    shares = errors.columns.str.rsplit("_", n=1).str[0]
    few = len(set(shares)) < len(shares)
    whole = errors.T.groupby(list(shares), sort=False).agg(lambda column: column.median(skipna=False)).T
    frame = whole if few else errors.copy()
    frame["mean"] = frame.mean(axis=1, skipna=False)
    middle = f", medians over masks ({masks} in all)" if few else ""
    show(f"mean error over columns{middle}", frame.sort_values("mean"))
    if "laten" in frame.index:
        peers = frame.drop(index="laten")
        best, mean = peers.min(), peers["mean"]
        ratio = (frame.loc["laten"] / best).drop("mean")
        print(
            f"laten: mean {frame.loc['laten', 'mean']:.4f}; best peer by mean {mean.idxmin()} {mean.min():.4f}; "
            f"largest ratio to a case's best peer {ratio.max():.3f} ({ratio.idxmax()})"
        )


def main() -> None:
    """Runs the cases and prints a table for each, and one over all."""
    parser = commands.parser(__doc__, PEERS)
    parser.add_argument("--sets", nargs="+", default=hivae.SETS)
    parser.add_argument("--masks", nargs="+", default=MASKS)
    parser.add_argument("--columns", action="store_true", help="also the error of each column")
    run = Run("imputation", parser.parse_args(), PEERS)
    options = run.options
    everything: list[dict] = []
    errors: dict[str, pd.Series] = {}
    for name in options.sets:
        for mask in options.masks:
            case = hivae.load(options.data / "hivae" / name, mask, 500 if options.quick else None)
            lines = compared(case, run)
            table = table_of(case, lines, options.columns)
            show(case.name, table)
            errors[case.name] = table["error"]
            everything += lines.values()
    summary(pd.DataFrame(errors), len(options.masks))
    print(run.footer(everything))


if __name__ == "__main__":
    main()
