"""pythae's models of binary images: trained for so many minutes, then log p of test images.

Run by `benchmarks.images.mnist` under the interpreter of `setup.sh pythae`. Nets, batches and the rate are laten's of
that benchmark. The loop is a plain one: batches are taken by index, and pixels binarised at each visit. log p is by
pythae's own `get_nll`.
"""

import time
from typing import Any

import numpy as np
import torch
from exchange import Arrays, Clock, serve
from pythae.models import IWAE, VAE, VAE_IAF, VAMP, IWAEConfig, VAE_IAF_Config, VAEConfig, VAMPConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from torch import nn
from train_torch import perceptron

KINDS: dict[str, tuple[type, type, dict[str, Any]]] = {
    "vae": (VAE, VAEConfig, {}),
    "iwae": (IWAE, IWAEConfig, {"number_samples": 50}),
    "vamp": (VAMP, VAMPConfig, {"number_components": 500}),
    "iaf": (VAE_IAF, VAE_IAF_Config, {"n_made_blocks": 2, "n_hidden_in_made": 1, "hidden_size": 320}),
}
LAYERS, LATENT, PIXELS = [500, 500], 50, 784
AT_ONCE = 1000  # draws of a row


class Encoder(BaseEncoder):
    """To means and log-variances."""

    def __init__(self) -> None:
        super().__init__()
        self.net = perceptron([PIXELS, *LAYERS, 2 * LATENT])

    def forward(self, x: torch.Tensor) -> ModelOutput:
        """Both."""
        mean, log_variance = self.net(x).chunk(2, dim=1)
        return ModelOutput(embedding=mean, log_covariance=log_variance)


class Decoder(BaseDecoder):
    """To probabilities."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(perceptron([LATENT, *LAYERS, PIXELS]), nn.Sigmoid())

    def forward(self, z: torch.Tensor) -> ModelOutput:
        """Of all pixels."""
        return ModelOutput(reconstruction=self.net(z))


def work(arrays: Arrays, arguments: dict, clock: Clock) -> Arrays:
    """Trains until the minutes are over, and estimates."""
    torch.manual_seed(arguments["seed"])
    model_class, config, more = KINDS[arguments["kind"]]
    size = {"input_dim": (PIXELS,), "latent_dim": LATENT, "reconstruction_loss": "bce"}
    model = model_class(config(**size, **more), Encoder(), Decoder())
    adam = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    train = torch.from_numpy(arrays["train"].reshape(-1, PIXELS) / np.float32(255))
    visits, end = 0, time.perf_counter() + 60 * arguments["minutes"]
    with clock("fit"):
        while time.perf_counter() < end:
            for rows in torch.randperm(len(train)).split(arguments["batch"]):
                loss = model({"data": torch.bernoulli(train[rows])}).loss
                adam.zero_grad()
                loss.backward()
                adam.step()
                visits += len(rows)
                if time.perf_counter() > end:
                    break
    model.eval()
    test = torch.bernoulli(torch.from_numpy(arrays["test"].reshape(-1, PIXELS) / np.float32(255)))
    with torch.no_grad(), clock("score"):
        log_p = model.get_nll(test, arguments["draws"], AT_ONCE)
    arguments["notes"] |= {"log p": float(log_p), "passes": visits / len(train)}
    return {}


if __name__ == "__main__":
    serve(work, ("pythae", "torch"))
