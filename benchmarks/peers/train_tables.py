"""Epochs of TVAE (ctgan) or of PyOD's VAE, with their own networks and batches.

Run by `benchmarks.training` under the interpreter of `$LATEN_PEERS/sdv` or `$LATEN_PEERS/pyod` (`setup.sh`).
Both libraries count epochs with tqdm: a clock in its place reads the time between two, with nothing else in between.
TVAE turns a table into a matrix whose layout comes from a random fit: `prepare` does that once, and every side, TVAE
included, is then given that matrix.
"""

import random
from collections.abc import Iterator
from importlib.util import find_spec
from types import SimpleNamespace

import bounds
import numpy as np
import torch
from exchange import Arrays, Clock, serve


def ticking(clock: Clock):
    """In place of `tqdm`: counts, and notes the seconds of each turn."""

    def count(turns, **_) -> Iterator[int]:
        for turn in range(turns) if isinstance(turns, int) else turns:
            clock.start()
            yield turn
            clock.end()

    return count


def prepare(arrays: Arrays, arguments: dict, clock: Clock) -> Arrays:
    """The matrices of the columns `train0`, `train1`, ... and `test0`, ..., and their layout, by TVAE's transformer."""
    import pandas as pd
    from ctgan.data_transformer import DataTransformer

    names = sorted((n for n in arrays if n.startswith("train")), key=lambda n: int(n[5:]))
    train = pd.DataFrame({n: arrays[n] for n in names})
    test = pd.DataFrame({n: arrays[n.replace("train", "test")] for n in names})
    transformer = DataTransformer()
    transformer.fit(train, [n for n in names if train[n].dtype.kind not in "if"])
    layout = [(s.dim, s.activation_fn == "softmax") for column in transformer.output_info_list for s in column]
    out = {name: transformer.transform(frame).astype(np.float32) for name, frame in (("train", train), ("test", test))}
    return {**out, "layout": np.array(layout, int)}


def tvae(arrays: Arrays, arguments: dict, clock: Clock) -> Arrays:
    """TVAE: 128-128 units and back, 128 latents, batch 500; a normal around tanh of the net's output for numbers."""
    import pandas as pd
    from ctgan.data_transformer import SpanInfo
    from ctgan.synthesizers import tvae as module

    matrix, layout, encoders, built = arrays["train"], arrays["layout"], [], module.Encoder.__init__

    def kept(encoder, *sizes) -> None:  # the library forgets it when it is fitted
        built(encoder, *sizes)
        encoders.append(encoder)

    spans = [[SpanInfo(int(width), "softmax" if classes else "tanh")] for width, classes in layout]
    module.DataTransformer = lambda: SimpleNamespace(
        fit=lambda *_: None, transform=lambda _: matrix, output_info_list=spans, output_dimensions=matrix.shape[1]
    )
    module.Encoder.__init__, module.tqdm = kept, ticking(clock)
    model = module.TVAE(epochs=arguments["epochs"], batch_size=arguments["batch"], enable_gpu=False)
    with clock("fit"):
        model.fit(pd.DataFrame())

    def log_prob(z: np.ndarray) -> np.ndarray:
        raw, sigma = model.decoder(torch.from_numpy(z))
        return bounds.spans(arrays["test"], layout, raw.numpy(), torch.tanh(raw).numpy(), sigma.numpy())

    with torch.no_grad():
        mean, sd, _ = encoders[0](torch.from_numpy(arrays["test"]))
        arguments["notes"]["bound"] = bounds.bound(mean.numpy(), sd.numpy(), log_prob)
    return {}


def pyod(arrays: Arrays, arguments: dict, clock: Clock) -> Arrays:
    """PyOD's VAE: 128-64-32 units and back, 2 latents, dropout 0.2, batch 32, its KL on.

    Its loss is the mean square over columns and the KL: the bound of a normal with variance columns / 2.
    """
    from pyod.models import base_dl
    from pyod.models.vae import VAE

    base_dl.tqdm, test = SimpleNamespace(trange=ticking(clock)), arrays["test"]
    detector = VAE(
        epoch_num=arguments["epochs"], batch_size=arguments["batch"], lr=1e-3, preprocessing=False, verbose=0,
        capacity=1e9, random_state=arguments["seed"],
    )  # fmt: skip
    with clock("fit"):
        detector.fit(arrays["train"])
    net, sd = detector.model.eval(), float(np.sqrt(test.shape[1] / 2))
    with torch.no_grad():
        mean, log_variance = net.encode(torch.from_numpy(test))
        arguments["notes"]["bound"] = bounds.bound(
            mean.numpy(),
            np.exp(0.5 * log_variance.numpy()),
            lambda z: bounds.normal(test, net.decode(torch.from_numpy(z)).numpy(), sd),
        )
    return {}


def work(arrays: Arrays, arguments: dict, clock: Clock) -> Arrays:
    """Trains or prepares."""
    for seeded in (random.seed, np.random.seed, torch.manual_seed):
        seeded(arguments["seed"])
    return {"prepare": prepare, "tvae": tvae, "pyod": pyod}[arguments["side"]](arrays, arguments, clock)


if __name__ == "__main__":
    serve(work, ("torch", *(name for name in ("ctgan", "pyod") if find_spec(name))))
