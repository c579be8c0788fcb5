"""Test log p(x) of dynamically binarised images by networks of one size of effort: each trains for the same minutes.

    python -m benchmarks.images.mnist --data FOLDER/mnist --minutes 10 --networks vae deep

Trains each network on all training images, pixels binarised anew at each visit; the number of passes is what fits into
`--minutes`, by a measurement of some steps before. Then estimates log p(x) of the first `--images` test images, each
binarised once by chance, with `--draws` importance samples each. A line a network, as soon as it is known; `--out`
keeps the models. OMNIGLOT, or other images of this size: `--data FILE.npz`, with `images` uint8 `(n, 28, 28)` and
`is_train` bool `(n,)`. `pythae-vae` and the like are pythae's own models with the same nets, for the same minutes.
"""

import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import pandas as pd

import laten as lt
from benchmarks.mnist import images
from benchmarks.runner import DATA, Peer, answer_of, footer, options_of, show

X = lt.Bernoulli((28, 28))
WIDE = lt.MLP(500, depth=2)
WARMUP = 0.1
BATCH, TIMED = 128, 40  # rows a step; steps that are timed before a fit


class Trained(NamedTuple):
    """What is trained, and how."""

    network: lt.Network
    guide: lt.Network | None = None
    objective: Any = lt.Elbo(warmup=WARMUP)
    rate: float = 1e-3


def one_layer(z: Any) -> lt.Network:
    """Return 784-500-500-50 and its mirror."""
    return lt.Network(z=z, x=X.given("z", via=WIDE))


def iaf() -> Trained:
    """Return a guide that is an inverse autoregressive flow, told of the image by a context."""
    flow = lt.Transformed(lt.Normal(50), lt.Autoregressive(2, 320), context=100)
    return Trained(one_layer(lt.Normal(50)), lt.Network(z=flow.given("x", via=WIDE)))


def ladder(*latents: int) -> Trained:
    """Return a ladder with a guide from the top down, which shares its conditionals."""
    network = lt.templates.ladder(X, latents, width=500, depth=2)
    return Trained(network, lt.templates.top_down(network, width=500, depth=2))


def deep(depth: int) -> Trained:
    """Return the network of patches."""
    return Trained(*lt.templates.deep_image(X, depth), rate=6e-3)


NETWORKS: dict[str, Callable[[], Trained]] = {
    "vae": lambda: Trained(one_layer(lt.Normal(50))),
    "iwae": lambda: Trained(one_layer(lt.Normal(50)), objective=lt.Iwae(50)),
    "mixture": lambda: Trained(one_layer(lt.NormalMixture(50, 500))),
    "vamp": lambda: Trained(one_layer(lt.Vamp(50, 500))),
    "iaf": iaf,
    "ladder2": lambda: ladder(50, 25),
    "ladder5": lambda: ladder(64, 32, 16, 8, 4),
    "deep": lambda: deep(2),
    "deeper": lambda: deep(4),
}
PYTHAE = Peer("pythae", "images_pythae.py", "pythae")
PEERS = ("pythae-vae", "pythae-iwae", "pythae-vamp", "pythae-iaf")


def face(chosen: Trained, epochs: int, seed: int) -> lt.VAE:
    """Return what fits the network."""
    return lt.VAE(
        chosen.network, chosen.guide, objective=chosen.objective, epochs=epochs, batch_size=BATCH, validation=0,
        learning_rate=chosen.rate, patience=0, seed=seed,
    )  # fmt: skip


def passes(chosen: Trained, train: np.ndarray, minutes: float, seed: int) -> int:
    """Return how many passes over the rows take so many minutes, at least one, by the time of some steps."""
    few = train[: TIMED * BATCH]
    timed = face(chosen, 3, seed).fit(few).history_["seconds"].iloc[1:].min()
    return max(1, int(60 * minutes * len(few) / (timed * len(train))))


def line(chosen: Trained, train: np.ndarray, test: np.ndarray, options: Any, name: str) -> dict[str, Any]:
    """Train a network and measure it."""
    epochs = passes(chosen, train, options.minutes, options.seed)
    began, worked = time.perf_counter(), time.process_time()
    vae = face(chosen, epochs, options.seed).fit(train)
    seconds, processor = time.perf_counter() - began, time.process_time() - worked
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        vae.save(options.out / f"{name}.laten")
    began = time.perf_counter()
    found = vae.log_likelihood(test, options.draws)
    return {
        "log p": found.value,
        "±": found.standard_error,
        "± of rows": found.rows_error,
        "Pareto k": found.pareto_k,
        "bound": float(vae.history_["bound"].iloc[-1]),
        "passes": epochs,
        "seconds": seconds,
        "of processor": processor,
        "rows/s": epochs * len(train) / seconds,
        "weights": sum(w.size for w in jax.tree.leaves(vae.model_)),
        "seconds of scoring": time.perf_counter() - began,
    }


def line_of_peer(train: np.ndarray, test: np.ndarray, options: Any, name: str) -> dict[str, Any]:
    """Let pythae train and measure a model of one kind."""
    told = {"kind": name.removeprefix("pythae-"), "batch": BATCH}
    told |= {n: getattr(options, n) for n in ("minutes", "draws", "seed")}
    _, report = answer_of(PYTHAE, {"train": train, "test": test}, told, options)
    found, seconds = report["notes"], report["seconds"]
    rate = found["passes"] * len(train) / seconds["fit"]
    measured = {"log p": found["log p"], "passes": found["passes"], "seconds": seconds["fit"]}
    return measured | {"rows/s": rate, "seconds of scoring": seconds["score"]}


def main() -> None:
    """Train, then estimate and print."""
    asked = {"data": DATA / "mnist", "minutes": 10.0, "networks": list(NETWORKS), "draws": 5000, "images": 10_000}
    asked |= {"rows": int, "seed": 0, "out": Path, "threads": os.cpu_count(), "limit": float}
    options = options_of(__doc__, {"networks": [*NETWORKS, *PEERS]}, **asked).parse_args()
    train, test = images(options.data)
    warnings.simplefilter("ignore", lt.LatenWarning)
    lines = {}
    for name in options.networks:
        rows = train[: options.rows], test[: options.images], options, name
        lines[name] = line_of_peer(*rows) if name in PEERS else line(NETWORKS[name](), *rows)
        print(f"{name}: " + ", ".join(f"{k} {v:,.6g}" for k, v in lines[name].items()), flush=True)
    title = f"Test log p(x) of {options.images} images in nats, {options.draws} draws, {options.minutes:g} minutes each"
    show(title, pd.DataFrame(lines).T, 3)
    print(footer())


if __name__ == "__main__":
    main()
