"""One plan of laten from beginning to end, for `benchmarks.reach`: seconds, q of test rows, the decoder's layers."""

import jax
import numpy as np
from benchmarks.commands import laten_options
from benchmarks.peers.exchange import Arrays, Clock, serve

import laten as lt
from laten.network.model import Model


def parts(model: Model, test: np.ndarray) -> Arrays:
    """Mean and standard deviation of q of each test row; weight `(out, in)` and bias of each layer of the decoder."""
    family, factor = model.guide.nodes["z"].family, model.p["x"]
    q = jax.jit(jax.vmap(lambda x: family.parameters(model.q["z"].raw({"x": x}, {}))))
    mean, log_sd = q(test.astype(np.float32))
    found, layers = {"mean": mean, "sd": np.exp(log_sd)}, factor.net.layers
    for i, layer in enumerate(layers):
        bias = layer.bias if i + 1 < len(layers) else factor.constants
        found |= {f"weight{i}": layer.weight.T, f"bias{i}": bias}
    return {name: np.asarray(value) for name, value in found.items()}


def work(arrays: Arrays, arguments: dict, clock: Clock) -> Arrays:
    """Trains, and takes the nets apart."""
    net = lt.MLP(arguments["layers"][0], depth=len(arguments["layers"]))
    x = lt.Bernoulli(arrays["train"].shape[1]).given("z", via=net)
    options = {"validation": 0, "hide": False, "epochs": arguments["epochs"], "batch_size": arguments["batch"]}
    options |= {"seed": arguments["seed"], **laten_options(arguments["options"])}
    vae = lt.VAE(lt.Network(z=lt.Normal(arguments["latent"]), x=x), **options)
    with clock("fit"):
        vae.fit({"x": arrays["train"]})
    found = {f"{len(vae.history_)}_{name}": value for name, value in parts(vae.model_, arrays["test"]).items()}
    return {"seconds": vae.history_["seconds"].to_numpy(), **found}


if __name__ == "__main__":
    serve(work, ("laten", "jax"))
