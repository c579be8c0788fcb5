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
from numpyro.infer import SVI, Trace_ELBO


def work(arrays: Arrays, arguments: dict, clock: Clock) -> Arrays:
    """Trains and measures."""
    (hidden,), latent, batch = arguments["layers"], arguments["latent"], arguments["batch"]
    data, steps = jnp.asarray(arrays["train"].astype(np.float32) / 255), len(arrays["train"]) // batch
    dense = [stax.Dense(units, W_init=stax.randn()) for units in (hidden, latent, data.shape[1])]
    ends = stax.parallel(dense[1], stax.serial(dense[1], stax.Exp))
    encoder = stax.serial(dense[0], stax.Softplus, stax.FanOut(2), ends)  # mean and standard deviation
    decoder = stax.serial(dense[0], stax.Softplus, dense[2])  # the example's ends in a sigmoid, applied here below

    def model(x):
        logits_of = numpyro.module("decoder", decoder, (len(x), latent))
        with numpyro.plate("rows", len(x)):
            z = numpyro.sample("z", dist.Normal(0, 1).expand([latent]).to_event(1))
            numpyro.sample("x", dist.Bernoulli(probs=jax.nn.sigmoid(logits_of(z))).to_event(1), obs=x)

    def guide(x):
        encode = numpyro.module("encoder", encoder, x.shape)
        with numpyro.plate("rows", len(x)):
            numpyro.sample("z", dist.Normal(*encode(x)).to_event(1))

    svi = SVI(model, guide, numpyro.optim.Adam(1e-3), Trace_ELBO())
    rng, key = np.random.default_rng(arguments["seed"]), jax.random.key(arguments["seed"])

    def binarised(key, index):
        return jax.random.bernoulli(key, data[index]).astype(jnp.float32)

    @jax.jit
    def epoch(state, key, order):
        def step(i, carry):
            index = jax.lax.dynamic_slice_in_dim(order, i * batch, batch)
            state, loss = svi.update(carry[0], binarised(jax.random.fold_in(key, i), index))
            return state, carry[1] + loss

        return jax.lax.fori_loop(0, steps, step, (state, 0.0))

    with clock("fit"):
        state = svi.init(jax.random.PRNGKey(arguments["seed"]), binarised(key, jnp.arange(batch)))
        clock.start()
        for i in range(arguments["epochs"]):
            state, total = epoch(state, jax.random.fold_in(key, i), rng.permutation(len(data)))
            float(total)
            clock.end()
    weights, x = svi.get_params(state), arrays["test"].astype(np.float32)

    def log_prob(z: np.ndarray) -> np.ndarray:
        return bounds.bernoulli(x, decoder[1](weights["decoder$params"], z))

    arguments["notes"]["bound"] = bounds.bound(*encoder[1](weights["encoder$params"], x), log_prob)
    return {}


if __name__ == "__main__":
    serve(work, ("numpyro", "jax"))
