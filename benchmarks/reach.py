"""Minutes of training until test log p(x) of MNIST, pixels binarised anew at each visit, reaches a height.

    sh benchmarks/peers/setup.sh pythae            # once, minutes
    python -m benchmarks.reach                     # -87 nats; on a machine with nothing else to do
    python -m benchmarks.reach --target -90 --plans 15 20 30

784-500-500-50 and its mirror, rectifiers, batch 100, for every side. laten's rate follows its plan, so that each of
`--plans` is a fit from beginning to end, and its minutes are all of it, set-up and compilation included. A plain
PyTorch loop has Adam at a constant 0.001; it is looked at every `--every` epochs, looks not counted, until `--minutes`
are over, and between two looks its height is taken to rise in a straight line.

All sides are judged by one estimator, from their own encoder and decoder: importance sampling with the guide, nats a
row, the same test images, binarised once, and the same draws.
"""

import math
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from benchmarks import runner
from benchmarks.peers.exchange import Arrays
from benchmarks.runner import Peer
from benchmarks.training.cases import LATEN
from benchmarks.training.data import grey

NETS = {"layers": [500, 500], "latent": 50, "batch": 100, "anew": True, "seed": 0}
OURS = Peer("laten", LATEN, arguments={"declared": "pixels"})
TORCH = Peer("torch", "train_torch.py", "pythae", {"side": "torch"})


class Look(NamedTuple):
    """A side after some training."""

    side: str
    epochs: int
    minutes: float
    log_p: float


@partial(jax.jit, static_argnames="draws")
def log_likelihood(x: jax.Array, mean: jax.Array, sd: jax.Array, layers: list, draws: int) -> jax.Array:
    """`(rows,)` log p of zeros and ones `(rows, sites)`, nats, by a q `(rows, latents)` and the decoder's layers.

    A layer is its weight `(out, in)` and its bias.
    """

    def one(row: tuple[jax.Array, ...]) -> jax.Array:
        key, x, mean, sd = row
        noise = jax.random.normal(key, (draws, len(mean)))
        z = h = mean[None] + sd[None] * noise
        for i, (weight, bias) in enumerate(layers):
            h = (jax.nn.relu(h) if i else h) @ weight.T + bias[None]
        log_p = h @ x - jax.nn.softplus(h).sum(1)
        log_prior_over_q = 0.5 * jnp.sum(jnp.square(noise) - jnp.square(z), axis=1) + jnp.log(sd).sum()
        return jax.nn.logsumexp(log_p + log_prior_over_q) - math.log(draws)

    rows = jax.random.split(jax.random.key(0), len(x)), x.astype(jnp.float32), mean, sd
    return jax.lax.map(one, rows, batch_size=8)


def judged(side: str, answer: Arrays, fit: float, test: np.ndarray, draws: int) -> list[Look]:
    """Return every look of a worker's answer."""
    seconds, out = answer["seconds"], []
    before = fit - seconds.sum() if side == "laten" else 0.0  # set-up and compilation; theirs is next to nothing
    for epochs in sorted({int(name.split("_")[0]) for name in answer if "_" in name}):
        depth = sum(name.startswith(f"{epochs}_weight") for name in answer)
        layers = [(answer[f"{epochs}_weight{i}"], answer[f"{epochs}_bias{i}"]) for i in range(depth)]
        mean, sd = (answer[f"{epochs}_{name}"][: len(test)] for name in ("mean", "sd"))
        log_p = log_likelihood(jnp.asarray(test), jnp.asarray(mean), jnp.asarray(sd), layers, draws)
        out.append(Look(side, epochs, (before + seconds[:epochs].sum()) / 60, float(jnp.mean(log_p))))
        print("{}: {} epochs, {:.2f} minutes, log p = {:.3f}".format(*out[-1]), flush=True)
    return out


def reached(looks: Sequence[Look], target: float, planned: bool) -> float:
    """Return minutes to a height, infinity where it is not reached; `planned` looks have nothing between them."""
    looks = sorted(looks, key=lambda look: look.minutes)
    first = next((i for i, look in enumerate(looks) if look.log_p >= target), None)
    if first is None:
        return math.inf
    if planned or not first:
        return looks[first].minutes
    a, b = looks[first - 1 : first + 1]
    return a.minutes + (b.minutes - a.minutes) * (target - a.log_p) / (b.log_p - a.log_p)


def main() -> None:
    """Run the sides, and print their minutes."""
    asked = {"plans": [30, 40, 60, 80], "minutes": 20.0, "every": 10, "rows": 10_000, "draws": 500}
    options = runner.parser(__doc__, [TORCH], target=-87.0, **asked).parse_args()
    runner.keep_to(options.threads)
    arrays, quick = grey(options.data, options.quick), options.quick
    test, lines, versions = arrays["test"][: options.rows], {}, dict[str, str]()
    theirs = {"epochs": 3 if quick else 10_000, "minutes": options.minutes, "every": 1 if quick else options.every}
    runs = {OURS.name: [{"epochs": epochs} for epochs in ([2, 3] if quick else options.plans)], TORCH.name: [theirs]}
    for peer in [OURS] if options.peers == [] else [OURS, TORCH]:
        looks: list[Look] = []
        for plan in runs[peer.name]:
            try:
                answer, report = runner.answer_of(peer, arrays, {**NETS, "options": options.option, **plan}, options)
            except runner.PeerFailedError as error:
                print(f"{peer.name}: {error}")
                continue
            looks += judged(peer.name, answer, report["seconds"]["fit"], test, options.draws)
            versions |= report["versions"]
        best, spent = (max((getattr(k, name) for k in looks), default=math.nan) for name in ("log_p", "minutes"))
        line = {"minutes": reached(looks, options.target, peer is OURS), "best log p": best, "trained, minutes": spent}
        lines[peer.name] = line
    table = pd.DataFrame.from_dict(lines, orient="index")
    table["to laten's"] = table["minutes"] / table["minutes"]["laten"]
    title = f"minutes to {options.target:g} nats, {len(test)} test images, {options.draws} draws"
    runner.show(title, table, 2)
    print(runner.footer(versions))


if __name__ == "__main__":
    main()
