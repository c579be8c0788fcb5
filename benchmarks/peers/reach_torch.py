"""Training by a plain PyTorch loop, or by pythae's trainer, looked at on the way: 784-500-500-50 on MNIST, for one.

Run by `benchmarks.reach` under the interpreter of `$LATEN_PEERS/pythae` (`setup.sh`), side "torch" or "pythae". Pixels
are binarised anew at each visit: by the loop a batch at a time, by pythae's loader a row at a time, as its data sets
are read. Adam at 0.001; with "cosine" the loop's rate falls to nothing over the plan. Looks are not in the seconds.
"""

import contextlib
import itertools

import numpy as np
import torch
from exchange import Arrays, Clock, serve
from measure import Epochs
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


class Looks:
    """What is kept of the nets after some epochs: q of the test rows, and the decoder's layers."""

    def __init__(self, nets: Nets, test: np.ndarray, every: int):
        self.nets, self.test, self.every = nets, torch.from_numpy(test.astype(np.float32)), every
        self.found: Arrays = {}

    def __call__(self, epoch: int, last: bool = False) -> None:
        """Looks, where it is time to."""
        if epoch % self.every and not last:
            return
        with torch.no_grad():
            mean, log_variance = self.nets.encoder(self.test).chunk(2, dim=1)
        found = {"mean": mean, "sd": torch.exp(0.5 * log_variance)}
        for i, layer in enumerate(part for part in self.nets.decoder if isinstance(part, nn.Linear)):
            found |= {f"weight{i}": layer.weight, f"bias{i}": layer.bias}
        self.found |= {f"{epoch}_{name}": value.detach().numpy().copy() for name, value in found.items()}


def by_loop(nets: Nets, train: torch.Tensor, looks: Looks, arguments: dict) -> Epochs:
    """The loop, written for speed as a PyTorch user would."""
    adam, plan = torch.optim.Adam(nets.parameters(), lr=1e-3, fused=True), arguments["epochs"]
    steps = plan * -(-len(train) // arguments["batch"])
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps) if arguments["cosine"] else None
    epochs = Epochs()
    epochs.start()
    for epoch in range(1, plan + 1):
        for rows in torch.randperm(len(train)).split(arguments["batch"]):
            x = torch.bernoulli(train[rows])
            mean, log_variance = nets.encoder(x).chunk(2, dim=1)
            z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
            misfit = binary_cross_entropy_with_logits(nets.decoder(z), x, reduction="sum")
            kl = 0.5 * torch.sum(mean.square() + log_variance.exp() - 1 - log_variance)
            adam.zero_grad()
            ((misfit + kl) / len(x)).backward()
            adam.step()
            if cosine:
                cosine.step()
        epochs()
        last = sum(epochs.seconds) > 60 * arguments["minutes"] or epoch == plan
        looks(epoch, last)
        epochs.start()
        if last:
            break
    return epochs


def by_pythae(nets: Nets, train: torch.Tensor, looks: Looks, arguments: dict) -> Epochs:
    """pythae's VAE around the same nets, its own trainer and loader."""
    from pythae.data.datasets import BaseDataset, DatasetOutput
    from pythae.models import VAE, VAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder
    from pythae.trainers import BaseTrainer, BaseTrainerConfig
    from pythae.trainers.training_callbacks import TrainingCallback

    class Anew(BaseDataset):
        def __getitem__(self, index):
            return DatasetOutput(data=torch.bernoulli(self.data[index]), labels=self.labels[index])

    class Encoder(BaseEncoder):
        def __init__(self):
            super().__init__()
            self.net = nets.encoder

        def forward(self, x):
            mean, log_variance = self.net(x).chunk(2, dim=1)
            return ModelOutput(embedding=mean, log_covariance=log_variance)

    class Decoder(BaseDecoder):
        def __init__(self):
            super().__init__()
            self.net = nets.decoder

        def forward(self, z):
            return ModelOutput(reconstruction=torch.sigmoid(self.net(z)))

    class Enough(Exception):
        """Raised to stop the trainer."""

    epochs = Epochs()

    class Looking(TrainingCallback):
        def on_epoch_begin(self, training_config, **_):
            epochs.start()

        def on_epoch_end(self, training_config, **_):
            epochs()
            last = sum(epochs.seconds) > 60 * arguments["minutes"] or len(epochs.seconds) == arguments["epochs"]
            looks(len(epochs.seconds), last)
            if last:
                raise Enough

    latent = nets.decoder[0].in_features
    config = VAEConfig(input_dim=(train.shape[1],), latent_dim=latent, reconstruction_loss="bce")
    plan = BaseTrainerConfig(
        output_dir="pythae", num_epochs=arguments["epochs"], learning_rate=1e-3, optimizer_cls="Adam",
        per_device_train_batch_size=arguments["batch"], steps_saving=None, seed=arguments["seed"], no_cuda=True,
    )  # fmt: skip
    model, rows = VAE(config, Encoder(), Decoder()), Anew(train, torch.zeros(len(train)))
    with contextlib.suppress(Enough):
        BaseTrainer(model, rows, None, plan, [Looking()]).train()
    return epochs


def work(arrays: Arrays, arguments: dict, clock: Clock) -> Arrays:
    """Trains until the plan or the minutes are over, and looks at every `every` epochs."""
    torch.manual_seed(arguments["seed"])
    train = torch.from_numpy(arrays["train"].astype(np.float32) / 255)
    nets = Nets(train.shape[1], arguments["layers"], arguments["latent"])
    looks = Looks(nets, arrays["test"], arguments["every"])
    train_by = {"torch": by_loop, "pythae": by_pythae}[arguments["side"]]
    with clock("fit"):
        epochs = train_by(nets, train, looks, arguments)
    return {"seconds": np.array(epochs.seconds), **looks.found}


if __name__ == "__main__":
    serve(work, ("torch",))
