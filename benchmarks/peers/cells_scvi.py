"""scVI on sparse counts of cells: seconds of epochs, log p of held-out cells, latents, memory.

Run by `benchmarks.counts` under the interpreter of `setup.sh scvi`. Its KL has weight 1 from the start: the default, a
rise over 400 epochs, costs the same time but would leave a short run far from what is compared.
"""

import logging
import warnings

import anndata
import bounds
import numpy as np
import scipy.sparse
import torch
from exchange import Arrays, Clock, peak_gib, serve
from lightning.pytorch.callbacks import LambdaCallback
from scvi import settings
from scvi.model import SCVI


def work(arrays: Arrays, arguments: dict, clock: Clock) -> Arrays:
    """Trains and measures."""
    warnings.simplefilter("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    settings.seed = arguments["seed"]
    train, test = (
        anndata.AnnData(
            scipy.sparse.csr_matrix(
                (arrays[p + "_data"], arrays[p + "_sites"], arrays[p + "_starts"]),
                shape=(len(arrays[p + "_starts"]) - 1, arguments["genes"]),
            ),
            obs={"batch": arrays[p + "_batch"].astype(str)},
        )
        for p in ("train", "test")
    )
    before = peak_gib()
    SCVI.setup_anndata(train, batch_key="batch")
    model = SCVI(train, gene_likelihood=arguments["likelihood"])
    timing = LambdaCallback(on_train_epoch_start=lambda *_: clock.start(), on_train_epoch_end=lambda *_: clock.end())
    with clock("fit"):
        model.train(
            max_epochs=arguments["epochs"], batch_size=arguments["batch"], train_size=1.0, accelerator="cpu",
            plan_kwargs={"n_epochs_kl_warmup": None}, callbacks=[timing], enable_progress_bar=False,
        )  # fmt: skip
    arguments["notes"] |= {"gib before": before}
    x, net = torch.from_numpy(test.X.toarray()), model.module.eval()
    batch = torch.from_numpy(arrays["test_batch"].astype(np.int64))[:, None]
    with torch.no_grad():
        found = net.inference(x, batch)

        def log_prob(z: np.ndarray) -> np.ndarray:
            given = net.generative(torch.from_numpy(z), found["library"], batch)
            return given["px"].log_prob(x).double().sum(1).numpy()

        q = found["qz"]
        log_p = bounds.importance(q.loc.numpy(), q.scale.numpy(), log_prob, arguments["draws"])
    both = model.get_latent_representation(train), q.loc.numpy()
    return {"log_p": log_p, "latents": np.concatenate(both)}


if __name__ == "__main__":
    serve(work, ("scvi-tools", "torch", "anndata"))
