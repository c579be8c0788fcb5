"""Anomaly detection on sets of ADBench, in both protocols of DTE (Livernoche et al. 2024): peers and laten in one run.

    python -m benchmarks.tables.anomaly --protocol semi
    python -m benchmarks.tables.anomaly --protocol unsupervised --seeds 1 --sets 14_glass 6_cardio
    python -m benchmarks.tables.anomaly --peers OCSVM --no-laten                  # a slow peer, into the record

`semi`: trained on half of the normal rows, tested on the rest and the anomalies. `unsupervised`: trained on a bootstrap
of all rows, tested on all of them; at most 50 000 rows. The half is drawn anew for each seed. `--split dte` does as the
code of DTE (`vicliv/DTE`, `data_generator.py`, `run.py`): the half is the first in the file, and sets of fewer than
1000 rows are drawn with replacement up to 1000 beforehand, so that rows stand on both sides.

Peers get standardised columns. laten gets the columns as they are, as real numbers (`--columns proposed`: of the kinds
it proposes, which may refuse test rows outside their support; `--columns scaled`: what the peers get), with one setting
for all sets; its score is -log p(row). AUROC and AUPR in per cent.
"""

import argparse
import inspect
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, roc_auc_score

import laten as lt
from benchmarks import commands
from benchmarks.commands import Run, show
from benchmarks.jobs import Peer
from laten.common.errors import LatenError, LatenWarning

WORKER = "anomaly_pyod.py"
SEEDED = ("IForest", "CBLOF", "VAE", "VAE with KL")  # the others would give the same again
METHODS = ("IForest", "KNN", "KNN, 30", "LOF", "PCA", "ECOD", "CBLOF", "VAE", "VAE with KL", "OCSVM")
PEERS = tuple(
    Peer(name, WORKER, "pyod", {"method": name}, slow=name in ("OCSVM", "VAE", "VAE with KL")) for name in METHODS
)
Split = tuple[np.ndarray, np.ndarray, np.ndarray]


def split(X: np.ndarray, y: np.ndarray, protocol: str, how: str, seed: int) -> Split:
    """Training rows, test rows, and which of these are anomalies."""
    rng = np.random.RandomState(seed)  # the generator of the code this follows
    if how == "dte" and len(y) < 1000:
        again = rng.choice(len(y), 1000, replace=True)
        X, y = X[again], y[again]
    if len(y) > 50_000:
        some = rng.choice(len(y), 50_000, replace=False)
        X, y = X[some], y[some]
    if protocol == "unsupervised":
        return X[rng.choice(len(y), len(y), replace=True)], X, y
    normal = np.flatnonzero(y == 0)
    if how == "shuffled":
        normal = rng.permutation(normal)
    half = round(len(normal) / 2)
    test = np.append(normal[half:], np.flatnonzero(y == 1))
    return X[normal[:half]], X[test], y[test]


def scaled(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both by mean and deviation of the training rows."""
    mean, scale = train.mean(0), train.std(0)
    scale = np.where(scale > 0, scale, 1.0)
    return (train - mean) / scale, (test - mean) / scale


def measured(scores: np.ndarray, odd: np.ndarray) -> dict[str, float]:
    """AUROC and AUPR, per cent."""
    area = 100 * roc_auc_score(odd, scores), 100 * average_precision_score(odd, scores)
    return dict(zip(("auroc", "aupr"), map(float, area), strict=True))


def ours(train: np.ndarray, test: np.ndarray, odd: np.ndarray, as_real: bool, options: dict) -> dict:
    """laten: -log p(row)."""
    frames = [pd.DataFrame(x, columns=[f"c{i}" for i in range(x.shape[1])]) for x in (train, test)]
    warnings.simplefilter("ignore", LatenWarning)  # that 100 draws are few for far rows: the score is used as it is
    began = time.perf_counter()
    schema = lt.infer_schema(frames[0])
    if as_real:
        schema = schema.with_kinds({c.name: "real" for c in schema.columns if c.kind != "constant"})
    vae = lt.VAE(schema=schema, **options).fit(frames[0])
    fitted = time.perf_counter()
    scores = -vae.score_samples(frames[1])
    seconds = {"fit": fitted - began, "score": time.perf_counter() - fitted}
    return {**measured(np.nan_to_num(scores), odd), "seconds": seconds, "when": "now"}


def compared(run: Run, file: Path, protocol: str, seed: int) -> dict[str, dict]:
    """Every method's line for one set, protocol and seed."""
    options = run.options
    with np.load(file) as stored:
        X, y = stored["X"], stored["y"]
    if options.quick:
        some = np.random.default_rng(0).permutation(len(y))[:600]
        X, y = X[some], y[some]
    train, test, odd = split(X, y, protocol, options.split, seed)
    plain = scaled(train.astype(float), test.astype(float))
    arrays = {"train": plain[0], "test": plain[1]}
    lines: dict[str, dict] = {}
    for peer in run.peers:
        arguments = {"seed": seed} if peer.name in SEEDED else {}
        if options.quick and peer.name.startswith("VAE"):
            arguments["epochs"] = 2
        line = run.peer(
            peer,
            arrays,
            arguments,
            lambda answer: {"case": f"{file.stem} {protocol} {seed}", **measured(answer["scores"], odd)},
            inspect.getsource(measured) + str(odd.sum()),
        )
        lines |= {peer.name: line} if line else {}
    if not options.no_laten:
        extra = ({"epochs": 2} if options.quick else {}) | commands.laten_options(options.option)
        rows = plain if options.columns == "scaled" else (train, test)
        try:
            lines["laten"] = ours(*rows, odd, options.columns != "proposed", {"seed": seed, **extra})
        except LatenError as error:
            print(f"laten on {file.stem}, {protocol}, seed {seed}: {error}", file=sys.stderr)
    return lines


def protocol_table(run: Run, protocol: str, files: list[Path]) -> list[dict]:
    """Runs and prints one protocol; the lines it is made of."""
    found, everything = [], []
    for file in files:
        for seed in range(run.options.seeds):
            for name, line in compared(run, file, protocol, seed).items():
                seconds = line["seconds"]
                numbers = {k: line[k] for k in ("auroc", "aupr")} | {"fit": seconds["fit"], "score": seconds["score"]}
                found.append({"set": file.stem, "seed": seed, "method": name, **numbers})
                everything.append(line)
    frame = pd.DataFrame(found)
    order = [n for n in [p.name for p in run.peers] + ["laten"] if n in set(frame["method"])]
    complete = frame.groupby("method").size() == len(files) * run.options.seeds
    for measure, title in (("auroc", "AUROC %"), ("aupr", "AUPR %"), ("fit", "fit s"), ("score", "score s")):
        how = "mean" if measure in ("auroc", "aupr") else "median"
        table = frame.pivot_table(index="set", columns="method", values=measure, aggfunc=how)[order]
        table.loc["mean"] = table.mean().where(complete)
        if measure in ("auroc", "aupr"):
            table.loc["median"] = table.iloc[:-1].median().where(complete)
            deviation = frame.groupby(["method", "seed"])[measure].mean().groupby("method").std()
            table.loc["sd of the mean over seeds"] = deviation.where(complete)
        show(f"{protocol}, {title}, {how} over {run.options.seeds} seeds", table, 2)
    dates = {
        name: max(x["when"][:10] for n, x in zip(frame["method"], everything, strict=True) if n == name)
        for name in order
    }
    print("from: " + ", ".join(f"{name} {date}" for name, date in dates.items()))
    return everything


def main() -> None:
    """Runs both protocols, or the one asked for."""
    parser = commands.parser(__doc__, PEERS)
    parser.add_argument("--protocol", choices=("semi", "unsupervised"), action="append")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--sets", nargs="*", help="names of files in FOLDER/adbench, without .npz")
    parser.add_argument("--split", choices=("dte", "shuffled"), default="shuffled")
    parser.add_argument("--columns", choices=("real", "proposed", "scaled"), default="real", help="what laten gets")
    options = parser.parse_args()
    run, files = Run("anomaly", options, PEERS), chosen_files(options)
    everything: list[dict] = []
    for protocol in options.protocol or ("semi", "unsupervised"):
        everything += protocol_table(run, protocol, files)
    print(run.footer(everything))


def chosen_files(options: argparse.Namespace) -> list[Path]:
    """Files of the sets asked for, or all, in the order of their numbers."""
    folder = options.data / "adbench"
    if options.sets:
        return [folder / f"{name}.npz" for name in options.sets]
    return sorted(folder.glob("*.npz"), key=lambda f: int(f.stem.split("_")[0]))


if __name__ == "__main__":
    main()
