"""Numbers of the moving figures, as modules that the pages take in: small models are trained here, by the docs build.

    python docs/code/figure_data.py FOLDER

Arrays are base64 of little-endian bytes; weights are float32.
"""

import base64
import json
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import equinox as eqx
import numpy as np

import laten as lt
from laten.estimator.prepare import prepare
from laten.network.model import Model
from laten.training.epochs import Training

TRAIN = 1500  # rows; the rest are test rows
SEED = 0
SHOWN = (0, 1, 2, 3, 5, 8, 12, 18, 26, 38, 54, 76, 100)  # epochs of the replay
ROOT = Path(__file__).parents[2]


def packed(values: Any, dtype: str = "<f4") -> str:
    """Return an array's bytes as base64."""
    return base64.b64encode(np.ascontiguousarray(values, dtype).tobytes()).decode()


def layers(conditional: Any) -> dict[str, Any]:
    """Return a conditional's layers: sizes, weights row by row `(in, out)`, biases; the last bias is its constants."""
    found = [(layer.weight, layer.bias) for layer in conditional.net.layers]
    found[-1] = (found[-1][0], conditional.constants)
    return {
        "sizes": [found[0][0].shape[0], *(w.shape[1] for w, _ in found)],
        "weights": [packed(w) for w, _ in found],
        "biases": [packed(b) for _, b in found],
    }


def digits() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return training images, test images and the test images' labels."""
    found = lt.read("digits")
    return found["x"][:TRAIN], found["x"][TRAIN:], found["label"][TRAIN:]


def network(latents: int, hidden: int) -> lt.Network:
    """Return a VAE of 8 x 8 pixels."""
    return lt.Network(z=lt.Normal(latents), x=lt.Bernoulli((8, 8)).given("z", via=lt.MLP(hidden)))


def asia() -> dict[str, Any]:
    """Return the tables of the network, whole, in the order of its nodes."""
    found = lt.read_bif(str(ROOT / "docs" / "asia.bif"))
    nodes = []
    for name in found.network.nodes:
        parents = list(found.network.nodes[name].parents)
        table = np.asarray(found.tables[name], float)
        nodes.append({"name": name, "states": list(found.states[name]), "parents": parents, "table": table.tolist()})
    return {"nodes": nodes}


def plane() -> dict[str, Any]:
    """Return a decoder of two latents, and the posteriors of test digits."""
    train, test, labels = digits()
    vae = lt.VAE(network(2, 64), epochs=150, seed=SEED).fit(train)
    mean, sd = posterior(vae.model_, test)
    shown = slice(0, 240)
    return {
        "decoder": layers(vae.model_.p["x"]),
        "mean": mean[shown].round(4).tolist(),
        "sd": sd[shown].round(4).tolist(),
        "label": labels[shown].tolist(),
        "image": packed(test[shown], "u1"),
    }


def posterior(model: Model, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation `(rows, latents)` of q, of intensities taken as pixels."""
    guide = model.q["z"]
    found = [guide.family.parameters(guide.raw({"x": x}, {})) for x in images.astype(np.float32) / 255]
    mean, log_sd = (np.array(part) for part in zip(*found, strict=True))
    return mean, np.exp(log_sd)


def draw() -> dict[str, Any]:
    """Return encoder and decoder of a model that has practised with hidden pixels."""
    train, _, _ = digits()
    vae = lt.VAE(network(8, 128), epochs=250, seed=SEED, hide=True).fit(train)
    return {"encoder": layers(vae.model_.q["z"]), "decoder": layers(vae.model_.p["x"])}


def training() -> dict[str, Any]:
    """Return a training, epoch by epoch: the manifold, means of test digits, bounds; and log p(x) at its end."""
    train, test, labels = digits()
    vae = lt.VAE(network(2, 64), epochs=SHOWN[-1], seed=SEED, validation=0)
    prepared = prepare(train, vae)
    run, none, frames = Training(prepared.task, prepared.settings), threading.Event(), []
    axis = np.linspace(-2, 2, 9)
    grid = np.array([[a, b] for b in axis[::-1] for a in axis], np.float32)
    while True:
        model = eqx.combine(run.unpacked(run.one(run.state.weights, 0)), run.static)
        if run.epoch >= SHOWN[len(frames)]:
            decoder = model.p["x"]
            images = np.array([decoder.family.mean(decoder.raw({"z": z}, {})) for z in grid])
            mean, _ = posterior(model, test[:200])
            frames.append(
                {"epoch": run.epoch, "manifold": packed(np.round(255 * images), "u1"), "mean": mean.round(3).tolist()}
            )
        if run.epoch >= SHOWN[-1]:
            break
        run.record(run.round(none))
    history = [(r[0]["epoch"], round(r[0]["bound"], 3)) for r in run.history]
    vae = vae.fit(train)
    log_p = float(vae.log_likelihood(train, 500).value)
    return {
        "frames": frames,
        "history": history,
        "log_p": round(log_p, 3),
        "label": labels[:200].tolist(),
        "side": len(axis),
    }


FIGURES = {"asia": asia, "plane": plane, "draw": draw, "training": training}


def main() -> None:
    """Write each figure's numbers."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore", lt.LatenWarning)
    for name, made in FIGURES.items():
        (folder / f"{name}.js").write_text(f"export default {json.dumps(made(), separators=(',', ':'))};\n")


if __name__ == "__main__":
    main()
