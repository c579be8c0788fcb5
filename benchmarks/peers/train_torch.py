"""A VAE of pixels by a plain PyTorch loop, eager or compiled, or by pythae's VAE and trainer around the same nets.

Run by `benchmarks.training` and `benchmarks.reach` under the interpreter of `$LATEN_PEERS/pythae` (`setup.sh`), side
"torch" or "pythae". The loop is written for speed as a PyTorch user would: rows are one float tensor, batches are taken
by index without a DataLoader, binarised at each visit with "anew", Adam is the fused one, and nothing is read back from
a step. Adam at 0.001. pythae's epochs are timed as its trainer announces them; its copy of the best weights, once an
epoch, is within. Looks are not in the seconds.
"""

import itertools

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


def by_loop(nets: Nets, train: torch.Tensor, ended, clock: Clock, arguments: dict) -> None:
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


def by_pythae(nets: Nets, train: torch.Tensor, ended, clock: Clock, arguments: dict) -> None:
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


def work(arrays: Arrays, arguments: dict, clock: Clock) -> Arrays:
    """Trains until the plan or the minutes are over, and looks at every `every` epochs and at the end."""
    torch.manual_seed(arguments["seed"])
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


if __name__ == "__main__":
    serve(work, ("torch", "pythae"))
