"""Epochs of the VAE that NumPyro shows among its examples: 784-400-50, softplus, batch 128, pixels binarised anew.

Run by `benchmarks.training` under the interpreter of `$LATEN_PEERS/numpyro` (`setup.sh`). Sizes, initial weights, Adam,
`Trace_ELBO` and one compiled loop an epoch are the example's (`examples/vae.py`); the code is ours.
"""

import bounds
import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from exchange import Arrays, Clock, serve
from jax.example_libraries import stax
from measure import Epochs, peak_gib
from numpyro.infer import SVI, Trace_ELBO


def dense(units: int):
    """A linear layer whose weights start at a hundredth."""
    return stax.Dense(units, W_init=stax.randn())


def guide_net(hidden: int, latent: int):
    """x -> mean and standard deviation."""
    ends = stax.parallel(dense(latent), stax.serial(dense(latent), stax.Exp))
    return stax.serial(dense(hidden), stax.Softplus, stax.FanOut(2), ends)


def model_net(hidden: int, columns: int):
    """z -> logits; the example's ends in a sigmoid, which the model applies here."""
    return stax.serial(dense(hidden), stax.Softplus, dense(columns))


def declared(hidden: int, latent: int):
    """The pair (model, guide) of a batch `(rows, columns)`."""

    def model(x):
        n, columns = x.shape
        logits_of = numpyro.module("decoder", model_net(hidden, columns), (n, latent))
        with numpyro.plate("rows", n):
            z = numpyro.sample("z", dist.Normal(0, 1).expand([latent]).to_event(1))
            numpyro.sample("x", dist.Bernoulli(probs=jax.nn.sigmoid(logits_of(z))).to_event(1), obs=x)

    def guide(x):
        encode = numpyro.module("encoder", guide_net(hidden, latent), x.shape)
        with numpyro.plate("rows", len(x)):
            numpyro.sample("z", dist.Normal(*encode(x)).to_event(1))

    return model, guide


def work(arrays: Arrays, arguments: dict, clock: Clock) -> Arrays:
    """Trains and measures."""
    hidden, latent, batch = arguments["hidden"], arguments["latent"], arguments["batch"]
    data, steps = jnp.asarray(arrays["train"].astype(np.float32) / 255), len(arrays["train"]) // batch
    svi = SVI(*declared(hidden, latent), numpyro.optim.Adam(1e-3), Trace_ELBO())
    rng, epochs = np.random.default_rng(arguments["seed"]), Epochs()

    def binarised(key, index):
        return jax.random.bernoulli(key, data[index]).astype(jnp.float32)

    @jax.jit
    def epoch(state, key, order):
        def step(i, carry):
            state, total = carry
            index = jax.lax.dynamic_slice_in_dim(order, i * batch, batch)
            state, loss = svi.update(state, binarised(jax.random.fold_in(key, i), index))
            return state, total + loss

        return jax.lax.fori_loop(0, steps, step, (state, 0.0))

    key = jax.random.key(arguments["seed"])
    with clock("fit"):
        state = svi.init(jax.random.PRNGKey(arguments["seed"]), binarised(key, jnp.arange(batch)))
        epochs.start()
        for i in range(arguments["epochs"]):
            state, total = epoch(state, jax.random.fold_in(key, i), rng.permutation(len(data)))
            float(total)
            epochs()
    arguments["notes"]["gib"] = peak_gib()
    weights, x = svi.get_params(state), arrays["test"].astype(np.float32)
    mean, sd = guide_net(hidden, latent)[1](weights["encoder$params"], x)
    logits_of = model_net(hidden, x.shape[1])[1]

    def log_prob(z: np.ndarray) -> np.ndarray:
        return bounds.bernoulli(x, logits_of(weights["decoder$params"], jnp.asarray(z, jnp.float32)))

    arguments["notes"]["bound"] = bounds.bound(mean, sd, log_prob)
    return {"seconds": np.array(epochs.seconds)}


if __name__ == "__main__":
    serve(work, ("numpyro", "jax"))
