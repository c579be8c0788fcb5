"""laten's template of counts on sparse counts of cells; figures as of `cells_scvi.py`, by the same formula."""

import jax
import jax.numpy as jnp
import numpy as np
import scipy.sparse
from benchmarks.peers import bounds
from benchmarks.peers.exchange import Arrays, Clock, peak_gib, serve
from benchmarks.runner import laten_options

import laten as lt


def work(arrays: Arrays, arguments: dict, clock: Clock) -> Arrays:
    """Trains and measures."""
    genes = arguments["genes"]
    train, test = (
        {
            "x": scipy.sparse.csr_matrix(
                (arrays[p + "_data"], arrays[p + "_sites"], arrays[p + "_starts"]),
                shape=(len(arrays[p + "_starts"]) - 1, genes),
            ),
            "batch": arrays[p + "_batch"],
        }
        for p in ("train", "test")
    )
    family = lt.NegativeBinomial(genes, "site", total="library")
    family = lt.ZeroInflated(family) if arguments["likelihood"] == "zinb" else family
    batches = int(arrays["train_batch"].max()) + 1
    if batches == 1:
        del train["batch"], test["batch"]
    before = peak_gib()
    options = {"validation": 0, "batch_size": arguments["batch"], "epochs": arguments["epochs"]}
    options |= {"seed": arguments["seed"]}
    vae = lt.VAE(lt.templates.counts(family, batches), **{**options, **laten_options(arguments["options"])})
    with clock("fit"):
        vae.fit(train)
    arguments["notes"] |= {"gib before": before}
    model = vae.model_
    given = {n: jnp.asarray(v) for n, v in test.items() if n != "x"}
    given |= {"x": jnp.asarray(test["x"].toarray(), jnp.float32)}
    given |= {"library": given["x"].sum(1, keepdims=True)}
    normal = model.guide.nodes["z"].family
    mean, log_sd = jax.jit(jax.vmap(lambda v: normal.parameters(model.q["z"].raw(v, {}))))(given)
    log_prob = jax.jit(jax.vmap(lambda z, v: model.p["x"].family.log_prob(model.p["x"].raw({**v, "z": z}, {}), v["x"])))
    log_p = bounds.importance(
        mean, np.exp(log_sd), lambda z: np.asarray(log_prob(z, given), np.float64).sum(1), arguments["draws"]
    )
    seconds = vae.history_["seconds"].to_numpy(np.float64) / (vae.history_["rows"].to_numpy() / train["x"].shape[0])
    return {"log_p": log_p, "latents": np.concatenate([vae.transform(train), mean]), "seconds": seconds}


if __name__ == "__main__":
    serve(work, ("laten", "jax", "numpy"))
