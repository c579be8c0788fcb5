"""Epochs of a plain PyTorch loop (784-512-20 on MNIST), eager or with `torch.compile`.

Run by `benchmarks.training` under the interpreter of `$LATEN_PEERS/pythae` (`setup.sh`). Written for speed as a PyTorch
user would: rows are one float tensor, batches are taken by index without a DataLoader, Adam is the fused one, and
nothing is read back from a step.
"""

import bounds
import numpy as np
import torch
from exchange import Arrays, Clock, serve
from measure import Epochs, peak_gib
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits


class Vae(nn.Module):
    """columns - hidden - latent and back."""

    def __init__(self, columns: int, hidden: int, latent: int):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(columns, hidden), nn.ReLU(), nn.Linear(hidden, 2 * latent))
        self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, columns))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Minus the mean bound of a batch."""
        mean, log_variance = self.encoder(x).chunk(2, dim=1)
        z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        misfit = binary_cross_entropy_with_logits(self.decoder(z), x, reduction="sum")
        kl = 0.5 * torch.sum(mean.square() + log_variance.exp() - 1 - log_variance)
        return (misfit + kl) / len(x)


def work(arrays: Arrays, arguments: dict, clock: Clock) -> Arrays:
    """Trains and measures."""
    torch.manual_seed(arguments["seed"])
    data, batch = torch.from_numpy(arrays["train"].astype(np.float32)), arguments["batch"]
    model, epochs = Vae(data.shape[1], arguments["hidden"], arguments["latent"]), Epochs()
    loss_of = torch.compile(model) if arguments["compiled"] else model
    adam = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    with clock("fit"):
        epochs.start()
        for _ in range(arguments["epochs"]):
            for rows in torch.randperm(len(data)).split(batch):
                loss = loss_of(data[rows])
                adam.zero_grad()
                loss.backward()
                adam.step()
            epochs()
    arguments["notes"]["gib"] = peak_gib()
    x = arrays["test"].astype(np.float32)
    with torch.no_grad():
        mean, log_variance = (part.numpy() for part in model.encoder(torch.from_numpy(x)).chunk(2, dim=1))

        def log_prob(z: np.ndarray) -> np.ndarray:
            return bounds.bernoulli(x, model.decoder(torch.from_numpy(z.astype(np.float32))).numpy())

        arguments["notes"]["bound"] = bounds.bound(mean, np.exp(0.5 * log_variance), log_prob)
    return {"seconds": np.array(epochs.seconds)}


if __name__ == "__main__":
    serve(work, ("torch",))
