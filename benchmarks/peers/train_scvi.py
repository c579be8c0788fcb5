"""Epochs of scvi-tools' SCVI on counts, with its defaults: 128 units, 10 latents, zero-inflated negative binomials.

Run by `benchmarks.training` under the interpreter of `$LATEN_PEERS/scvi` (`setup.sh`). Every row given is trained on,
nothing is evaluated or written between epochs. Its KL has weight 1 from the start: the default, a rise over 400 epochs,
costs the same time but would leave a short run far from the bound that is compared. A cell's total is taken as known.
"""

import logging
import warnings

import anndata
import bounds
import numpy as np
import scvi
import torch
from exchange import Arrays, Clock, serve
from lightning.pytorch.callbacks import LambdaCallback


def work(arrays: Arrays, arguments: dict, clock: Clock) -> Arrays:
    """Trains and measures."""
    warnings.simplefilter("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    scvi.settings.seed = arguments["seed"]
    cells = anndata.AnnData(arrays["train"].astype(np.float32))
    scvi.model.SCVI.setup_anndata(cells)
    model = scvi.model.SCVI(cells)
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


if __name__ == "__main__":
    serve(work, ("scvi-tools", "torch", "lightning"))
