"""Training time an epoch at equal network, batch and matrix: TVAE and PyOD's VAE, each beside laten.

    python -m benchmarks.tables.epoch_time

TVAE (ctgan library) on Adult, PyOD's VAE on `32_shuttle`, with their own layers, batches and Adam. laten is declared
with the same layers, latents and dropout and gets the matrix that the other side trains on: TVAE's indicators of
classes and modes are categorical columns here, everything else is normal. The sides run in turn, each in its own
process; of each turn the median epoch after the first (which loads or compiles), of the turns the median.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

import laten as lt
from benchmarks.tables import commands, jobs, synthetic
from benchmarks.tables.commands import Run, show
from benchmarks.tables.jobs import Peer

WORKER = "epoch_torch.py"


@dataclass(frozen=True)
class Side:
    """A peer's declaration: layers of its guide (mirrored in its network), latents, dropout, batch."""

    peer: Peer
    data: str
    layers: tuple[int, ...]
    latent: int
    dropout: float
    batch: int


SIDES = (
    Side(Peer("TVAE", WORKER, "sdv", {"side": "tvae"}), "adult", (128, 128), 128, 0.0, 500),
    Side(Peer("PyOD VAE", WORKER, "pyod", {"side": "pyod"}), "32_shuttle", (128, 64, 32), 2, 0.2, 32),
)


def columns_of(matrix: np.ndarray, layout: np.ndarray) -> tuple[dict[str, np.ndarray], tuple[int, ...]]:
    """The peer's matrix as real numbers and codes of classes, and the numbers of classes."""
    ends = np.cumsum(layout[:, 0])
    pieces = [(e - dim, e, bool(classes)) for (dim, classes), e in zip(layout, ends, strict=True)]
    real = [matrix[:, a:b] for a, b, classes in pieces if not classes]
    codes = [matrix[:, a:b].argmax(1) for a, b, classes in pieces if classes]
    out = {"x": np.hstack(real).astype(np.float32)}
    if codes:
        out["classes"] = np.stack(codes, 1).astype(np.int32)
    return out, tuple(b - a for a, b, classes in pieces if classes)


def train(side: Side, matrix: np.ndarray, layout: np.ndarray, epochs: int) -> list[float]:
    """Rows per second of each round of laten's training after the first."""
    data, sizes = columns_of(matrix, layout)
    nodes: dict = {"z": lt.Normal(side.latent), "x": lt.Normal(data["x"].shape[1])}
    families = {"x": nodes["x"]} | ({"classes": lt.Categorical(sizes)} if sizes else {})
    if len(families) == 1:
        leaves = {"x": nodes["x"].given("z", via=lt.MLP(side.layers[::-1], dropout=side.dropout))}
    else:  # one trunk, as theirs: all but the last layer is a node that the leaves share
        *inner, last = side.layers[::-1]
        trunk = lt.Deterministic(last).given("z", via=lt.MLP(tuple(inner), activate_output=True, dropout=side.dropout))
        leaves = {"hidden": trunk} | {n: f.given("hidden", via=lt.Linear()) for n, f in families.items()}
    network = lt.Network(z=lt.Normal(side.latent), **leaves)
    guide = lt.Network(z=lt.Normal(side.latent).given(*families, via=lt.MLP(side.layers, dropout=side.dropout)))
    vae = lt.VAE(network, guide, epochs=epochs, batch_size=side.batch, validation=0, hide=False).fit(data)
    history = vae.history_.iloc[1:]
    return list(history["rows"] / history["seconds"])


def theirs(side: Side, run: Run, arrays: dict[str, np.ndarray]) -> tuple[dict[str, np.ndarray], float]:
    """One turn of the peer: what it trained on, and its rows per second."""
    epochs = 2 if run.options.quick else run.options.epochs
    answer, report = jobs.run(side.peer, arrays, {"epochs": epochs, **side.peer.arguments}, run.options.threads)
    run.versions |= report["versions"]
    return answer, len(answer["matrix"]) / float(np.median(answer["seconds"][1:]))


def ours(side: Side, answer: dict[str, np.ndarray], epochs: int) -> float:
    """One turn of laten, in a process of its own."""
    with tempfile.NamedTemporaryFile(suffix=".npz") as file:
        np.savez(file, matrix=answer["matrix"], layout=answer["layout"])
        file.flush()
        command = [sys.executable, "-m", __spec__.name, "--child", side.peer.name, file.name, "--epochs", str(epochs)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return float(np.median(json.loads(done.stdout.splitlines()[-1])))


def arrays_of(side: Side, options: argparse.Namespace) -> dict[str, np.ndarray]:
    """What the peer's worker gets."""
    if side.data == "adult":
        frame = synthetic.load(options.data, "adult", 2000 if options.quick else None).train
        columns = [frame[c].to_numpy() for c in frame]
        return {f"c{i}": x if x.dtype.kind in "if" else x.astype(str) for i, x in enumerate(columns)}
    with np.load(options.data / "adbench" / f"{side.data}.npz") as stored:
        return {"X": stored["X"].astype(float)[: 2000 if options.quick else None]}


def main() -> None:
    """Runs the sides in turn and prints rows per second and ratios."""
    parser = commands.parser(__doc__, [s.peer for s in SIDES])
    parser.add_argument("--repeats", type=int, default=5, help="turns of each side")
    parser.add_argument("--epochs", type=int, default=6, help="of each turn")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        side = next(s for s in SIDES if s.peer.name == options.child[0])
        with np.load(Path(options.child[1])) as stored:
            print(json.dumps(train(side, stored["matrix"], stored["layout"], options.epochs)))
        return
    run, rows = Run("epoch_time", options, [s.peer for s in SIDES]), {}
    for side in [s for s in SIDES if s.peer.name in run.chosen]:
        rates: dict[str, list[float]] = {"theirs": [], "laten": []}
        arrays = arrays_of(side, options)
        for _ in range(1 if options.quick else options.repeats):
            answer, rate = theirs(side, run, arrays)
            rates["theirs"].append(rate)
            rates["laten"].append(ours(side, answer, options.epochs))
        middle = {name: float(np.median(r)) for name, r in rates.items()}
        every = [b / a for a, b in zip(rates["theirs"], rates["laten"], strict=True)]
        layers = "-".join(map(str, (answer["matrix"].shape[1], *side.layers, side.latent)))
        rows[f"{side.peer.name}, {side.data}"] = {
            "layers": layers,
            "batch": side.batch,
            "theirs rows/s": round(middle["theirs"]),
            "laten rows/s": round(middle["laten"]),
            "ratio": middle["laten"] / middle["theirs"],
            "ratios of turns": f"{min(every):.1f} to {max(every):.1f}",
        }
    show("training, rows per second (medians of turns)", pd.DataFrame(rows).T, 2)
    print(run.footer([]))


if __name__ == "__main__":
    main()
