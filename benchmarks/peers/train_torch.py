"""Epochs of the VAEs of libraries on PyTorch, and of a plain PyTorch loop.

Run by `benchmarks.training` and `benchmarks.reach` under an interpreter of `setup.sh`. Adam at 0.001.
The plain loop is written for speed as a PyTorch user would: rows are one float tensor, batches are taken by index
without a DataLoader, binarised at each visit with "anew", Adam is the fused one, and nothing is read back from a step.
Of what lies between batches, pythae's copy of its best weights alone is within an epoch's seconds. TVAE turns a table
into a matrix whose layout comes from a random fit: `prepare` does that once, and every side is given that matrix.
"""

import itertools
import logging
import random
import warnings
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import bounds
import numpy as np
import torch
from exchange import Arrays, Clock, serve
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits


def perceptron(sizes: list[int]) -> nn.Sequential:
    """Linear layers with rectifiers between them."""
    layers = [part for a, b in itertools.pairwise(sizes) for part in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


class Nets(nn.Module):
    """Encoder, to means and log-variances, and decoder, to logits."""

    def __init__(self, columns: int, layers: list[int], latent: int):
        super().__init__()
        self.encoder = perceptron([columns, *layers, 2 * latent])
        self.decoder = perceptron([latent, *layers[::-1], columns])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Minus the mean bound of a batch."""
        mean, log_variance = self.encoder(x).chunk(2, dim=1)
        z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        misfit = binary_cross_entropy_with_logits(self.decoder(z), x, reduction="sum")
        kl = 0.5 * torch.sum(mean.square() + log_variance.exp() - 1 - log_variance)
        return (misfit + kl) / len(x)


@torch.no_grad()
def seen(nets: Nets, test: np.ndarray) -> Arrays:
    """q of the test rows, and the decoder's layers."""
    mean, log_variance = nets.encoder(torch.from_numpy(test)).chunk(2, dim=1)
    found = {"mean": mean, "sd": torch.exp(0.5 * log_variance)}
    for i, layer in enumerate(part for part in nets.decoder if isinstance(part, nn.Linear)):
        found |= {f"weight{i}": layer.weight, f"bias{i}": layer.bias}
    return {name: value.detach().numpy().copy() for name, value in found.items()}


def by_loop(nets: Nets, train: torch.Tensor, ended: Callable, clock: Clock, arguments: dict) -> None:
    """The loop."""
    adam, batch = torch.optim.Adam(nets.parameters(), lr=1e-3, fused=True), arguments["batch"]
    loss_of = torch.compile(nets) if arguments.get("compiled") else nets
    clock.start()
    for _ in range(arguments["epochs"]):
        for rows in torch.randperm(len(train)).split(batch):
            loss = loss_of(torch.bernoulli(train[rows]) if arguments.get("anew") else train[rows])
            adam.zero_grad()
            loss.backward()
            adam.step()
        if ended():
            break


def by_pythae(nets: Nets, train: torch.Tensor, ended: Callable, clock: Clock, arguments: dict) -> None:
    """pythae's trainer and loader: no checkpoints, no evaluation between epochs, no loading processes."""
    from pythae.data.datasets import BaseDataset
    from pythae.models import VAE, VAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder
    from pythae.trainers import BaseTrainer, BaseTrainerConfig
    from pythae.trainers.training_callbacks import TrainingCallback

    class Encoder(BaseEncoder):
        def forward(self, x):
            mean, log_variance = self.net(x).chunk(2, dim=1)
            return ModelOutput(embedding=mean, log_covariance=log_variance)

    class Decoder(BaseDecoder):
        def forward(self, z):
            return ModelOutput(reconstruction=torch.sigmoid(self.net(z)))

    class Looking(TrainingCallback):
        def on_epoch_begin(self, training_config, **_):
            clock.start()

        def on_epoch_end(self, training_config, **_):
            ended()

    config = VAEConfig(input_dim=(train.shape[1],), latent_dim=arguments["latent"], reconstruction_loss="bce")
    plan = BaseTrainerConfig(
        output_dir="pythae", num_epochs=arguments["epochs"], learning_rate=1e-3, optimizer_cls="Adam",
        per_device_train_batch_size=arguments["batch"], steps_saving=None, seed=arguments["seed"], no_cuda=True,
    )  # fmt: skip
    encoder, decoder = Encoder(), Decoder()
    encoder.net, decoder.net = nets.encoder, nets.decoder
    rows = BaseDataset(train, torch.zeros(len(train)))
    BaseTrainer(VAE(config, encoder, decoder), rows, None, plan, [Looking()]).train()


def pixels(arrays: Arrays, arguments: dict, clock: Clock) -> Arrays:
    """Trains until the plan or the minutes are over, and looks at every `every` epochs and at the end."""
    train, test = (arrays[n].astype(np.float32) for n in ("train", "test"))
    nets, looks = Nets(train.shape[1], arguments["layers"], arguments["latent"]), Arrays()
    train_by = {"torch": by_loop, "pythae": by_pythae}[arguments["side"]]

    def ended() -> bool:
        clock.end()
        done = len(clock.epochs)
        last = done == arguments["epochs"] or sum(clock.epochs) > 60 * arguments.get("minutes", np.inf)
        if last or done % arguments.get("every", done + 1) == 0:
            looks.update({f"{done}_{name}": value for name, value in seen(nets, test).items()})
        clock.start()
        return last

    with clock("fit"):
        train_by(nets, torch.from_numpy(train / 255 if arguments.get("anew") else train), ended, clock, arguments)
    found = seen(nets, test)

    def log_prob(z: np.ndarray) -> np.ndarray:
        return bounds.bernoulli(test, nets.decoder(torch.from_numpy(z)).detach().numpy())

    arguments["notes"]["bound"] = bounds.bound(found["mean"], found["sd"], log_prob)
    return looks


def ticking(clock: Clock):
    """In place of the `tqdm` by which TVAE and PyOD count epochs: notes the seconds of each turn."""

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
        mean, log_variance = (x.numpy() for x in net.encode(torch.from_numpy(test)))
        log_prob = lambda z: bounds.normal(test, net.decode(torch.from_numpy(z)).numpy(), sd)  # noqa: E731
        arguments["notes"]["bound"] = bounds.bound(mean, np.exp(0.5 * log_variance), log_prob)
    return {}


def scvi(arrays: Arrays, arguments: dict, clock: Clock) -> Arrays:
    """SCVI on counts, with its defaults: 128 units, 10 latents, zero-inflated negative binomials; totals are known.

    Every row given is trained on. Its KL has weight 1 from the start: the default, a rise over 400 epochs, costs the
    same time but would leave a short run far from the bound that is compared.
    """
    import anndata
    from lightning.pytorch.callbacks import LambdaCallback
    from scvi import settings
    from scvi.model import SCVI

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    settings.seed = arguments["seed"]
    cells = anndata.AnnData(arrays["train"].astype(np.float32))
    SCVI.setup_anndata(cells)
    model = SCVI(cells)
    timing = LambdaCallback(on_train_epoch_start=lambda *_: clock.start(), on_train_epoch_end=lambda *_: clock.end())
    with clock("fit"):
        model.train(
            max_epochs=arguments["epochs"], batch_size=arguments["batch"], train_size=1.0, accelerator="cpu",
            plan_kwargs={"n_epochs_kl_warmup": None}, callbacks=[timing], enable_progress_bar=False,
        )  # fmt: skip
    x, net = torch.from_numpy(arrays["test"].astype(np.float32)), model.module.eval()
    one_batch = torch.zeros(len(x), 1)
    with torch.no_grad():
        found = net.inference(x, one_batch)

        def log_prob(z: np.ndarray) -> np.ndarray:
            given = net.generative(torch.from_numpy(z), found["library"], one_batch)
            return given["px"].log_prob(x).double().sum(1).numpy()

        q = found["qz"]
        arguments["notes"]["bound"] = bounds.bound(q.loc.numpy(), q.scale.numpy(), log_prob)
    return {}


def work(arrays: Arrays, arguments: dict, clock: Clock) -> Arrays:
    """Trains or prepares."""
    warnings.simplefilter("ignore")
    for seeded in (random.seed, np.random.seed, torch.manual_seed):
        seeded(arguments["seed"])
    sides = {"torch": pixels, "pythae": pixels, "prepare": prepare, "tvae": tvae, "pyod": pyod, "scvi": scvi}
    return sides[arguments["side"]](arrays, arguments, clock)


if __name__ == "__main__":
    serve(work, ("torch", "pythae", "ctgan", "pyod", "scvi-tools", "lightning"))
