"""Epochs of pythae's VAE with its own perceptrons (784-512-20 on MNIST) under its own trainer.

Run by `benchmarks.training` under the interpreter of `$LATEN_PEERS/pythae` (`setup.sh`). No checkpoints, no evaluation
between epochs, no loading processes: rows come from memory. An epoch is timed from its beginning to its end as the
trainer announces them to callbacks; its copy of the best weights, once an epoch, is within.
"""

import bounds
import numpy as np
import torch
from exchange import Arrays, Clock, serve
from measure import Epochs, peak_gib
from pythae.data.datasets import BaseDataset
from pythae.models import VAE, VAEConfig
from pythae.trainers import BaseTrainer, BaseTrainerConfig
from pythae.trainers.training_callbacks import TrainingCallback


class Timing(TrainingCallback):
    """Notes the seconds of each epoch."""

    def __init__(self) -> None:
        self.epochs = Epochs()

    def on_epoch_begin(self, training_config, **_):
        """The trainer begins an epoch."""
        self.epochs.start()

    def on_epoch_end(self, training_config, **_):
        """It has ended."""
        self.epochs()


def work(arrays: Arrays, arguments: dict, clock: Clock) -> Arrays:
    """Trains and measures."""
    train = torch.from_numpy(arrays["train"].astype(np.float32))
    config = VAEConfig(input_dim=(train.shape[1],), latent_dim=arguments["latent"], reconstruction_loss="bce")
    plan = BaseTrainerConfig(
        output_dir="pythae", num_epochs=arguments["epochs"], learning_rate=1e-3, optimizer_cls="Adam",
        per_device_train_batch_size=arguments["batch"], steps_saving=None, seed=arguments["seed"], no_cuda=True,
    )  # fmt: skip
    torch.manual_seed(arguments["seed"])
    model, timing = VAE(config), Timing()
    with clock("fit"):
        BaseTrainer(model, BaseDataset(train, torch.zeros(len(train))), None, plan, [timing]).train()
    arguments["notes"]["gib"] = peak_gib()
    x = arrays["test"].astype(np.float32)
    hidden, (linear, _) = model.decoder.layers[0], model.decoder.layers[1]  # logits: before the last sigmoid
    with torch.no_grad():
        found = model.eval().encoder(torch.from_numpy(x))
        sd = torch.exp(0.5 * found.log_covariance).numpy()

        def log_prob(z: np.ndarray) -> np.ndarray:
            return bounds.bernoulli(x, linear(hidden(torch.from_numpy(z.astype(np.float32)))).numpy())

        arguments["notes"]["bound"] = bounds.bound(found.embedding.numpy(), sd, log_prob)
    return {"seconds": np.array(timing.epochs.seconds)}


if __name__ == "__main__":
    serve(work, ("pythae", "torch"))
