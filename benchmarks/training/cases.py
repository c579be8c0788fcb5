"""The cases: which peers train on what, and what of theirs laten is declared with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.peers.exchange import Arrays
from benchmarks.runner import Peer
from benchmarks.training import data

LATEN = "train_laten.py"


@dataclass(frozen=True)
class Case:
    """One network on one set of rows, and who trains it."""

    name: str
    title: str  # in the tables: network, data, batch
    load: Callable[[Path, bool], Arrays]  # (folder, quick) -> arrays for the workers
    declared: str  # function of `train_laten.py` that declares laten's side
    peers: tuple[Peer, ...]
    batch: int
    epochs: int  # of each turn, unless told otherwise
    sizes: dict[str, Any] = field(default_factory=dict)  # of the network, for every side
    whole: bool = False  # a fit is compared as a whole, not its epochs; `epochs` are laten's alone
    note: str = ""  # what is not quite equal, for the tables


WORKER = "train_torch.py"
CASES = (
    Case(
        "mnist", "784-512-20, MNIST binarised once, batch 100", data.binary, "pixels",
        (
            Peer("pythae", WORKER, "pythae", {"side": "pythae"}),
            Peer("torch", WORKER, "pythae", {"side": "torch"}),
            Peer("torch-compile", WORKER, "pythae", {"side": "torch", "compiled": True}),
        ),
        batch=100, epochs=10, sizes={"layers": [512], "latent": 20},
    ),
    Case(
        "mnist-anew", "784-400-50, softplus, MNIST binarised anew at each visit, batch 128", data.grey, "pixels",
        (Peer("numpyro", "train_numpyro.py", "numpyro"),),
        batch=128, epochs=10, sizes={"layers": [400], "latent": 50, "activation": "softplus"},
    ),
    Case(
        "adult", "128-128-128, Adult as TVAE's matrix, batch 500", data.adult, "table",
        (Peer("tvae", WORKER, "sdv", {"side": "tvae"}),),
        batch=500, epochs=10, sizes={"layers": [128, 128], "latent": 128},
        note="TVAE maximises the bound with log p(x given z) twice, and its normals' means are bounded by tanh.",
    ),
    Case(
        "shuttle", "9-128-64-32-2, dropout 0.2, `32_shuttle`, batch 32", data.outliers("32_shuttle"), "numbers",
        (Peer("pyod", WORKER, "pyod", {"side": "pyod"}),),
        batch=32, epochs=5, sizes={"layers": [128, 64, 32], "latent": 2, "dropout": 0.2},
        note="PyOD's loss is the bound of normals with variance columns / 2, which laten is declared with; so wide "
        "that latents hardly pay.",
    ),
    Case(
        "cells", "2000-128-10, counts of neurons, batch 128", data.cells, "counts",
        (Peer("scvi", WORKER, "scvi", {"side": "scvi"}),),
        batch=128, epochs=50, sizes={"layers": [128], "latent": 10, "dropout": 0.1},
        note="SCVI normalises its batches and has zero-inflated negative binomials with a dispersion a gene; laten "
        "does not, and has negative binomials with a dispersion a gene and cell: two outputs a gene for both.",
    ),
    Case(
        "factors", "linear, 5 latents, `30_satellite`: fits to the optimum", data.outliers("30_satellite"), "factors",
        tuple(Peer(kind, LATEN, "", {"kind": kind}) for kind in ("FactorAnalysis", "PCA")),
        batch=128, epochs=400, sizes={"latent": 5, "rate": 0.01}, whole=True,
        note="Exact log p(x). PCA has one noise variance for all columns: another model.",
    ),
)  # fmt: skip
