r"""Figure 3: estimated marginal likelihood of AEVB, wake-sleep and Monte Carlo EM; MNIST, 3 latents, 100 hidden units.

    python -m experiments.aevb.figure3 --samples 1e7 --data FOLDER
    python -m experiments.aevb.figure3 --samples 6e7 --images 1000 --methods MCEM
    python -m experiments.aevb.figure3 --samples 1e7 --rate 0.01 --methods AEVB    # without the race of steps

Monte Carlo EM has no guide: each training image keeps a value of z, which a trajectory of 10 leapfrog steps of
Hamiltonian Monte Carlo moves whenever the image is drawn, its step size steered to 90 % acceptances; then five Adagrad
steps climb $\log p(x, z)$ (appendix E).

The paper's axis is "training samples evaluated". Each gradient of a row's $\log p(x, z)$ is read as one evaluation: a
visit of Monte Carlo EM counts 16 (where it stands, 10 leapfrog steps, five moves), a visit of the others one.

log p(x) of 1000 training and 1000 test images is the log of the mean of p(x given z) over half a million points that
fill the prior evenly, the same for all images: the network alone is judged, as in the paper. Importance sampling from
the guide is not used: a guide that learned from 1000 images misses the posterior of others, by tens of nats. Nor is the
paper's own estimator (appendix D): its chains stay in one mode of the posterior, and the estimate is then far too high.
"""

import argparse
import itertools
import math
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments.aevb import pictures
from experiments.aevb.curves import METHODS, Curve, State, Training, asked, moved, started
from experiments.aevb.settings import BATCH, RATES, Panel, declared, rows_of
from laten.common.numerics import softplus
from laten.common.types import Array, Key
from laten.inference import hmc
from laten.inference.posterior import Posterior
from laten.network.model import Model, build_model

WORLD, HIDDEN, IMAGES, SCORED = Panel("MNIST", 3), 100, (1000, 50_000), 1000
PLACES = (1e6, 2e6, 5e6, 1e7, 2e7, 3e7, 4e7, 5e7, 6e7)
LEAPFROGS, UPDATES, ACCEPTED, PACE = 10, 5, 0.9, 0.05
POINTS, AT_ONCE = 500_000, 1000  # of the prior, and of them in one product


@dataclass(frozen=True)
class Likelihood(Training):
    """A training judged by log p(x)."""

    def bound(self, model: Model, key: Key, rows: Array) -> Array:
        """Return mean log p(x) of rows, in nats."""
        x = self.seen(key, rows)

        def part(log_sum: Array, numbers: Array) -> tuple[Array, None]:
            z = evenly(numbers, WORLD.latents)
            logit = jax.vmap(lambda point: model.p["x"].raw({"z": point}, {}))(z)
            log_p = x @ logit.T - softplus(logit).sum(1)[None]
            return jnp.logaddexp(log_sum, jax.nn.logsumexp(log_p, axis=1)), None

        numbers = jnp.arange(POINTS, dtype=jnp.uint32).reshape(-1, AT_ONCE)
        log_sum = jax.lax.scan(part, jnp.full(len(x), -jnp.inf), numbers)[0]
        return jnp.mean(log_sum) - math.log(POINTS)


@dataclass(frozen=True)
class MonteCarlo(Likelihood):
    """Monte Carlo EM: a chain for each training image."""

    def begun(self) -> Any:
        """Return values of z, and the logarithm of the leapfrog step."""
        return jax.random.normal(jax.random.key(3), (len(self.rows), WORLD.latents)), jnp.log(0.1)

    def step(self, state: State, key: Key) -> State:
        """Move the chains of a minibatch by a trajectory, then the weights by five moves of Adagrad."""
        pixels, walks = jax.random.split(jax.random.fold_in(key, state.step))
        index = self.visited(state.step)
        x, (chains, log_step) = self.seen(pixels, self.rows[index]), state.chains

        def walk(k: Key, row: Array, z: Array) -> tuple[Array, Array]:
            log_joint = Posterior(state.model, {"x": row}, {}).log_joint
            begin = hmc.init(log_joint, z)
            end, accepted = hmc.step(log_joint, k, begin, jnp.exp(log_step), jnp.ones(z.size), LEAPFROGS)
            return end.position, accepted

        z, accepted = jax.vmap(walk)(jax.random.split(walks, BATCH), x, chains[index])
        log_step += PACE * (accepted.mean() - ACCEPTED)

        def loss(model: Model) -> Array:
            log_p = jax.vmap(lambda row, point: Posterior(model, {"x": row}, {}).log_joint(point))(x, z)
            return -self.log_prior(model) - log_p.mean()

        state = jax.lax.fori_loop(0, UPDATES, lambda _, s: moved(s, jax.grad(loss)(s.model)), state)
        return state._replace(step=state.step + 1, chains=(chains.at[index].set(z), log_step))


def evenly(numbers: Array, d: int) -> Array:
    """Return the points `(n, d)` of these numbers (uint32) in a sequence that fills the standard normal evenly.

    Multiples, modulo one, of the powers of 1/r, where r^(d+1) = r + 1 (Roberts 2018: the golden ratio's sequence, in d
    dimensions), through the inverse distribution function; in whole numbers modulo 2^32, which lose no digits.
    """
    r = 1.0
    for _ in range(64):
        r = (1 + r) ** (1 / (d + 1))
    strides = np.round(2.0**32 * r ** -np.arange(1.0, d + 1)).astype(np.uint32)
    turn = (numbers[:, None] * strides[None] + jnp.uint32(2**31)) >> jnp.uint32(9)
    return jax.scipy.special.ndtri(turn.astype(jnp.float32) * 2.0**-23 + 2.0**-24)


def curve(images: int, method: str, options: argparse.Namespace) -> Curve:
    """Return a curve where it stands."""
    train, test = rows_of(options.data, "MNIST", images)
    model = started(build_model(*declared(WORLD, HIDDEN), jax.random.key(0)), seed=0)
    rates = RATES if options.rate is None else (options.rate,)
    common = {"rows": jnp.asarray(train), "binary": False, "prior": 1 / len(train), "raced": 100, "rates": rates}
    training: Training = Likelihood(METHODS.get(method, METHODS["AEVB"]), **common)
    if method == "MCEM":
        training = MonteCarlo(**vars(training) | {"race": (10**6, 3 * 10**6), "visit": 1 + LEAPFROGS + UPDATES})
    about = {"panel": f"Fig3-Ntrain{images}", "method": method, "pixels": "grey"}
    measured = {"test": jnp.asarray(test[:SCORED]), "train": jnp.asarray(train[:SCORED])}
    return Curve(options.out / "curves", model, training, measured, about)


def main() -> None:
    """Run what is asked for, then draw and compare."""
    methods = [*METHODS, "MCEM"]
    choices = {"images": IMAGES, "methods": methods, "rate": RATES}
    options = asked(__doc__, choices, images=[*IMAGES], methods=methods, rate=float).parse_args()
    if options.rate is not None:  # curves of their own
        options.out /= f"rate-{options.rate:g}"
    places = [rows for rows in PLACES if rows <= options.samples]
    for images, method in itertools.product(options.images, options.methods if places else ()):
        one = curve(images, method, options)
        one.go([one.training.steps(rows) for rows in places])
    common = {"xlim": (0, 60), "ylim": (-162, -98)}
    looks = {f"Fig3-Ntrain{n}": {"title": f"{n} training images", **common} for n in IMAGES}
    ours, paper = pictures.points(options.out, "figure3", [*looks]), pictures.digitised(options.paper)
    pictures.drawn(ours, paper, looks, options.out / "figure3.png", down=1, scale=1e6)
    print(pictures.compared(ours, paper, PLACES).round(1).to_string())


if __name__ == "__main__":
    main()
