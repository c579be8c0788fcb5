"""Epochs of scvi-tools' SCVI on counts, with its defaults: 128 units, 10 latents, zero-inflated negative binomials.

Run by `benchmarks.training` under the interpreter of `$LATEN_PEERS/scvi` (`setup.sh`). Every row given is trained on,
nothing is evaluated or written between epochs. Its KL has weight 1 from the start: the default, a rise over 400 epochs,
costs the same time but would leave a short run far from the bound that is compared. A cell's total is taken as known.
"""

import logging
import warnings

import anndata
import bounds
import lightning
import numpy as np
import scvi
import torch
from exchange import Arrays, Clock, Epochs, finished, serve


class Timing(lightning.pytorch.Callback):
    """Notes the seconds of each epoch."""

    epochs = Epochs()

    def on_train_epoch_start(self, trainer, pl_module):
        """The trainer begins an epoch."""
        self.epochs.start()

    def on_train_epoch_end(self, trainer, pl_module):
        """It has ended."""
        self.epochs()


def work(arrays: Arrays, arguments: dict, clock: Clock) -> Arrays:
    """Trains and measures."""
    warnings.simplefilter("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    scvi.settings.seed = arguments["seed"]
    cells = anndata.AnnData(arrays["train"].astype(np.float32))
    scvi.model.SCVI.setup_anndata(cells)
    model = scvi.model.SCVI(cells)
    with clock("fit"):
        model.train(
            max_epochs=arguments["epochs"], batch_size=arguments["batch"], train_size=1.0, accelerator="cpu",
            plan_kwargs={"n_epochs_kl_warmup": None}, callbacks=[Timing()], enable_progress_bar=False,
        )  # fmt: skip
    x, net = torch.from_numpy(arrays["test"].astype(np.float32)), model.module.eval()

    @torch.no_grad()
    def bound() -> float:
        one_batch = torch.zeros(len(x), 1)
        found = net.inference(x, one_batch)

        def log_prob(z: np.ndarray) -> np.ndarray:
            given = net.generative(torch.from_numpy(z.astype(np.float32)), found["library"], one_batch)
            return given["px"].log_prob(x).double().sum(1).numpy()

        return bounds.bound(found["qz"].loc.numpy(), found["qz"].scale.numpy(), log_prob)

    return finished(Timing.epochs, arguments, bound)


if __name__ == "__main__":
    serve(work, ("scvi-tools", "torch", "lightning"))
