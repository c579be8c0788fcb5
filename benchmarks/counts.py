"""Counts of cells, from sparse matrices, beside scVI: cells a second, log p of held-out cells, latents, memory.

    sh benchmarks/peers/setup.sh scvi      # once, minutes
    python -m benchmarks.counts [--sets worm mixology] [--genes 2000] [--epochs 50] [--turns 3] [--likelihood zinb]
    python -m benchmarks.counts --sets worm --copies 6 --epochs 1 --draws 1 --peers laten  # memory: 25 000 cells

Both sides: 128 hidden units, 10 latents, the total of a cell and its batch known, a dispersion a gene, batches of 128
cells, as many epochs; sides take turns. scVI normalises its batches and leaves units out of the encoder, laten leaves
out of both nets. Log p is estimated by one formula with the same noise from each side's own q (`peers/bounds.py`).
`ARI` is that of k-means on the latents of all cells with their known labels; `ARI batch` with the plates, which should
be 0. Memory is what training adds to the process, beside the dense matrix of float32.
"""

from argparse import Namespace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score

from benchmarks.peers.exchange import Arrays
from benchmarks.runner import Peer, answer_of, footer, in_turns, parser, show

SIDES = (Peer("laten", "cells_laten.py"), Peer("scvi", "cells_scvi.py", "scvi"))
FILES = {"worm": "worm_neuron", "mixology": "sc_mixology_5cl"}


class Cells:
    """A set of cells: counts of some genes, labels, batches, and which cells are held out."""

    def __init__(self, folder: Path, name: str, genes: int, rows: int | None, copies: int) -> None:
        with np.load(folder / "single_cell" / f"{FILES[name]}.npz") as stored:
            parts = stored["data"].astype(np.float32), stored["indices"].astype(np.int32), stored["indptr"]
            counts = scipy.sparse.csr_matrix(parts, shape=tuple(stored["shape"]))
            labels, batch = stored["labels"], stored.get("batch")
        if genes and genes < counts.shape[1]:  # those whose log1p varies most
            logs = counts.log1p()
            varies = np.asarray(logs.power(2).mean(0) - np.square(logs.mean(0))).ravel()
            counts = counts[:, np.sort(np.argsort(-varies)[:genes])].tocsr()
        seen = np.flatnonzero(np.asarray(counts.sum(1)).ravel())
        order = np.random.default_rng(0).permutation(seen)[:rows]
        order = np.tile(order, copies)
        self.counts, self.labels = counts[order], np.unique(labels[order], return_inverse=True)[1]
        codes = np.zeros(len(labels)) if batch is None else np.unique(batch, return_inverse=True)[1]
        self.batch, self.train = codes[order].astype(np.int64), round(0.9 * len(order))

    def arrays(self) -> Arrays:
        """Return what the workers get."""
        found: Arrays = {}
        for part, own in (("train", slice(self.train)), ("test", slice(self.train, None))):
            x = self.counts[own]
            found |= {f"{part}_data": x.data, f"{part}_sites": x.indices, f"{part}_starts": x.indptr}
            found |= {f"{part}_batch": self.batch[own]}
        return found

    def judged(self, answer: Arrays, report: dict[str, Any], batch: int) -> dict[str, float]:
        """Return the figures of one run."""
        groups = KMeans(len(np.unique(self.labels)), n_init=10, random_state=0).fit_predict(answer["latents"])
        notes, error = report["notes"], answer["log_p"].std() / np.sqrt(len(answer["log_p"]))
        steps = self.train // batch * batch  # laten leaves the rest of the cells to another epoch
        return {
            "cells/s": steps / median(answer["seconds"][1:] if len(answer["seconds"]) > 1 else answer["seconds"]),
            "fit s": report["seconds"]["fit"],
            "log p": answer["log_p"].mean(),
            "error": error,
            "ARI": adjusted_rand_score(self.labels, groups),
            "silhouette": silhouette_score(
                answer["latents"], self.labels, sample_size=min(len(groups), 5000), random_state=0
            ),
            "ARI batch": adjusted_rand_score(self.batch, groups) if self.batch.any() else np.nan,
            "MiB added": 1024 * (notes["gib"] - notes["gib before"]),
        }


def compared(name: str, options: Namespace) -> dict[str, str]:
    """Train all sides on a set in turns, show their figures, and return the versions."""
    cells = Cells(options.data, name, options.genes, 512 if options.quick else None, options.copies)
    arrays, versions = cells.arrays(), dict[str, str]()
    told = {"genes": cells.counts.shape[1], "epochs": options.epochs, "batch": 128, "draws": options.draws}
    told |= {"likelihood": options.likelihood, "options": options.option}

    def run(peer: Peer, turn: int) -> dict[str, float]:
        answer, report = answer_of(peer, arrays, {**told, "seed": turn}, options)
        versions.update(report["versions"])
        return cells.judged(answer, report, 128)

    chosen = [p for p in SIDES if options.peers is None or p.name in options.peers]
    found, _ = in_turns({p.name: lambda turn, p=p: run(p, turn) for p in chosen}, options.turns)
    table = pd.DataFrame({side: pd.DataFrame(runs).median() for side, runs in found.items() if runs}).T
    if {"laten", "scvi"} <= set(table.index):
        pairs = zip(found["laten"], found["scvi"], strict=False)
        ratios = [a["cells/s"] / b["cells/s"] for a, b in pairs]
        print(f"\ncells/s beside scVI: {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    dense, shape = 4 * np.prod(cells.counts.shape) / 2**20, cells.counts.shape
    title = f"{name}: {shape[0]} cells, {shape[1]} genes, {options.likelihood}, {options.epochs} epochs, "
    show(f"{title}{options.turns} turns; the dense matrix is {dense:.0f} MiB", table, 3)
    return versions


def main() -> None:
    """Compare on each set that is asked for."""
    options = parser(
        __doc__, SIDES, choices={"likelihood": ("zinb", "nb")}, sets=list(FILES), genes=0, copies=1, epochs=50,
        turns=3, draws=100, likelihood="zinb",
    ).parse_args()  # fmt: skip
    versions: dict[str, str] = {}
    for name in options.sets:
        versions |= compared(name, options)
    print(footer(versions))


if __name__ == "__main__":
    main()
