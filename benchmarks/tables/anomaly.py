"""Anomaly detection on sets of ADBench, in both protocols of DTE (Livernoche et al. 2024): peers and laten in one run.

    python -m benchmarks.tables.anomaly --protocol semi
    python -m benchmarks.tables.anomaly --protocol unsupervised --seeds 1 --sets 14_glass 6_cardio
    python -m benchmarks.tables.anomaly --peers OCSVM "VAE, KL" --no-laten        # slow peers, into the record
    python -m benchmarks.tables.anomaly --option "numbers='normal'"               # a side more: lt.VAE(...)

`semi`: trained on half of the normal rows, drawn anew for each seed, tested on the rest and the anomalies.
`unsupervised`: trained on a bootstrap of all rows, tested on all of them; at most 50 000 rows. Peers get standardised
columns; `lt.Detector()` and `lt.VAE()` get them as they are, without an option; the score of the second is -log p(row).
AUROC and AUPR in per cent. (The code of DTE takes the first half in the file, and draws sets of fewer than 1000 rows
with replacement up to 1000 beforehand, so that rows stand on both sides; not so here.)
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, roc_auc_score

import laten as lt
from benchmarks.runner import AVERAGE, Peer, Run, footer, laten_options, parser, show

SEEDED = ("IForest", "CBLOF", "VAE", "VAE, KL")  # the others would give the same again
METHODS = ("IForest", "KNN", "KNN, 30", "LOF", "PCA", "ECOD", "CBLOF", "OCSVM", "VAE", "VAE, KL")
SLOW = ("OCSVM", "VAE", "VAE, KL")
PEERS = tuple(Peer(name, "anomaly_pyod.py", "pyod", {"method": name}, slow=name in SLOW) for name in METHODS)


def split(X: np.ndarray, y: np.ndarray, protocol: str, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return training rows, test rows, and which of these are anomalies."""
    rng = np.random.RandomState(seed)  # the generator of the code this follows
    if len(y) > 50_000:
        some = rng.choice(len(y), 50_000, replace=False)
        X, y = X[some], y[some]
    if protocol == "unsupervised":
        return X[rng.choice(len(y), len(y), replace=True)], X, y
    normal = rng.permutation(np.flatnonzero(y == 0))
    half = round(len(normal) / 2)
    test = np.append(normal[half:], np.flatnonzero(y == 1))
    return X[normal[:half]], X[test], y[test]


def measured(scores: np.ndarray, odd: np.ndarray) -> dict[str, float]:
    """Return AUROC and AUPR, per cent."""
    scores = np.nan_to_num(scores)
    return {"AUROC %": 100 * roc_auc_score(odd, scores), "AUPR %": 100 * average_precision_score(odd, scores)}


def ours(train: np.ndarray, test: np.ndarray, odd: np.ndarray, model: lt.Detector | lt.VAE) -> dict:
    """Fit a side of laten and score."""
    frames = [pd.DataFrame(x, columns=[f"c{i}" for i in range(x.shape[1])]) for x in (train, test)]
    warnings.simplefilter("ignore", lt.LatenWarning)  # that 100 draws are few for far rows: scores are used as they are
    began = time.perf_counter()
    model.fit(frames[0])
    fitted = time.perf_counter()
    scores = -model.score_samples(frames[1])
    seconds = {"fit": fitted - began, "score": time.perf_counter() - fitted}
    return {**measured(scores, odd), "seconds": seconds, "when": "now"}


def sides(options: argparse.Namespace, seed: int) -> dict[str, lt.Detector | lt.VAE]:
    """Return laten's sides: without options, and as told."""
    short = {"epochs": 2} if options.quick else {}
    vae = lt.VAE(**short, seed=seed) if options.quick else None
    found: dict[str, lt.Detector | lt.VAE] = {
        "lt.Detector()": lt.Detector(vae=vae, seed=seed),
        "lt.VAE()": lt.VAE(**short, seed=seed),
    }
    told = laten_options(options.option)
    own = {"seed": seed, **short, **told}
    found |= {"lt.VAE(...)": lt.VAE(**own)} if told else {}
    return found | ({"4 averaged": lt.VAE(**own, **AVERAGE)} if options.average else {})


def compared(run: Run, file: Path, protocol: str, seed: int) -> dict[str, dict]:
    """Return every method's line for one set, protocol and seed."""
    quick = run.options.quick
    with np.load(file) as stored:
        X, y = stored["X"], stored["y"]
    if quick:
        some = np.random.default_rng(0).permutation(len(y))[:600]
        X, y = X[some], y[some]
    train, test, odd = split(X, y, protocol, seed)
    scale = np.where(train.std(0) > 0, train.std(0), 1.0)
    arrays = {n: (x.astype(float) - train.mean(0)) / scale for n, x in (("train", train), ("test", test))}
    case = f"{file.stem} {protocol} {seed}"
    of_peer = lambda peer: {"seed": seed} if peer.name in SEEDED else {}  # noqa: E731
    lines = run.lines(case, arrays, {}, lambda answer: measured(answer["scores"], odd), of_peer)
    if not run.options.no_laten:
        lines |= {name: ours(train, test, odd, model) for name, model in sides(run.options, seed).items()}
    return lines


def protocol_tables(run: Run, protocol: str, files: list[Path]) -> None:
    """Run and print one protocol."""
    seeds, found = run.options.seeds, []
    for file in files:
        for seed in range(seeds):
            for name, line in compared(run, file, protocol, seed).items():
                numbers = {m: line[m] for m in ("AUROC %", "AUPR %")}
                times = {f"{part} s": line["seconds"][part] for part in ("fit", "score")}
                told = {"set": file.stem, "seed": seed, "method": name, "from": line["when"][:10]}
                found.append({**told, **numbers, **times})
    frame = pd.DataFrame(found)
    order = sorted(dict.fromkeys(frame["method"]), key=lambda n: METHODS.index(n) if n in METHODS else len(METHODS))
    complete = frame.groupby("method").size() == len(files) * seeds
    for measure in ("AUROC %", "AUPR %", "fit s", "score s"):
        how = "mean" if "%" in measure else "median"
        table = frame.pivot_table(index="set", columns="method", values=measure, aggfunc=how)[order]
        table.loc["mean"] = table.mean().where(complete)
        if how == "mean":
            table.loc["median"] = table.iloc[:-1].median().where(complete)
            deviation = frame.groupby(["method", "seed"])[measure].mean().groupby("method").std()
            table.loc["sd of the mean over seeds"] = deviation.where(complete)
        show(f"{protocol}, {measure}, {how} over {seeds} seeds", table, 2)
    print("from: " + ", ".join(f"{name} {date}" for name, date in frame.groupby("method")["from"].max().items()))


def main() -> None:
    """Run both protocols, or the one asked for."""
    asked = parser(__doc__, PEERS, record=True)
    asked.add_argument("--protocol", choices=("semi", "unsupervised"), action="append")
    asked.add_argument("--seeds", type=int, default=5)
    asked.add_argument("--average", action="store_true", help="also lt.VAE(..., restarts=4, keep='all')")
    asked.add_argument("--sets", nargs="*", help="names of files in FOLDER/adbench, without .npz")
    options = asked.parse_args()
    run, folder = Run("anomaly", options, PEERS), options.data / "adbench"
    every = sorted(folder.glob("*.npz"), key=lambda f: int(f.stem.split("_")[0]))
    for protocol in options.protocol or ("semi", "unsupervised"):
        protocol_tables(run, protocol, [folder / f"{name}.npz" for name in options.sets] if options.sets else every)
    print(footer(run.versions))


if __name__ == "__main__":
    main()
