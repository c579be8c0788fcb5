"""Seconds of single epochs of TVAE (ctgan) or of PyOD's VAE, with their own networks and batches.

Run by `benchmarks.tables.epoch_time` under the interpreter of `$LATEN_PEERS/sdv` or `$LATEN_PEERS/pyod` (`setup.sh`).
Both libraries count epochs with tqdm: a clock in its place reads the time between two, with nothing else in between.
Out: the seconds, and the matrix that was trained on with its layout, so that the other side trains on the same.
"""

import time
from collections.abc import Iterator

import numpy as np
from exchange import Arrays, Clock, serve

Times = list[float]


def ticking(seconds: Times):
    """In place of `tqdm`: counts, and notes the seconds of each turn."""

    def count(turns, **_) -> Iterator[int]:
        for turn in range(turns) if isinstance(turns, int) else turns:
            began = time.perf_counter()
            yield turn
            seconds.append(time.perf_counter() - began)

    return count


def tvae(arrays: Arrays, epochs: int, seconds: Times) -> Arrays:
    """TVAE: 128-128 units, 128 latents, batch 500."""
    import pandas as pd
    from ctgan.synthesizers import tvae as module

    frame = pd.DataFrame({n: arrays[n] for n in sorted(arrays, key=lambda n: int(n[1:]))})
    module.tqdm = ticking(seconds)
    model = module.TVAE(epochs=epochs, enable_gpu=False)
    model.fit(frame, [n for n in frame if frame[n].dtype.kind not in "if"])
    layout = [(s.dim, s.activation_fn == "softmax") for column in model.transformer.output_info_list for s in column]
    return {"matrix": model.transformer.transform(frame).astype(np.float32), "layout": np.array(layout, int)}


def pyod(arrays: Arrays, epochs: int, seconds: Times) -> Arrays:
    """PyOD's VAE: 128-64-32 units and back, 2 latents, dropout 0.2, batch 32, its KL on."""
    from types import SimpleNamespace

    from pyod.models import base_dl
    from pyod.models.vae import VAE

    base_dl.tqdm = SimpleNamespace(trange=ticking(seconds))
    VAE(epoch_num=epochs, verbose=0, capacity=1e9).fit(arrays["X"])
    return {"matrix": arrays["X"].astype(np.float32), "layout": np.array([(1, 0)] * arrays["X"].shape[1])}


def work(arrays: Arrays, arguments: dict, clock: Clock) -> Arrays:
    """Trains, and gives back the seconds of each epoch."""
    seconds: Times = []
    with clock("fit"):
        trained = {"tvae": tvae, "pyod": pyod}[arguments["side"]](arrays, arguments["epochs"], seconds)
    return {"seconds": np.array(seconds), **trained}


if __name__ == "__main__":
    serve(work, ("torch",))
