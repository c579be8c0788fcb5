r"""Minutes of training until test log p(x) of MNIST, pixels binarised anew at each visit, reaches a height.

    sh benchmarks/peers/setup.sh pythae            # once, minutes
    python -m benchmarks.reach                     # -87 nats; on a machine with nothing else to do
    python -m benchmarks.reach --target -90 --plans 15 20 30

784-500-500-50 and its mirror, rectifiers, batch 100, for every side. laten's rate follows its plan, so that each of
`--plans` is a fit from beginning to end, and its minutes are all of it, set-up and compilation included. pythae's
trainer and a plain PyTorch loop have Adam at a constant 0.001; they are looked at every `--every` epochs, looks not
counted, until `--minutes` are over, and between two looks their height is taken to rise in a straight line.
`torch-cosine` is the loop with laten's plan lengths and a rate that falls to nothing.

All sides are judged by one estimator, from their own encoder and decoder: importance sampling,

$$\log p(x)\approx\log\frac1S\sum_s\frac{p(x\mid z_s)\,p(z_s)}{q(z_s\mid x)},\qquad z_s\sim q,$$

nats a row, the same test images, binarised once, and the same draws.
"""

import argparse
import math
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from benchmarks import commands, jobs
from benchmarks.jobs import Peer
from benchmarks.training import data, results
from benchmarks.training.data import Arrays

LAYERS, LATENT, BATCH = [500, 500], 50, 100
SIDES = {
    "laten": Peer("laten", "reach_laten.py"),
    "pythae": Peer("pythae", "reach_torch.py", "pythae", {"side": "pythae", "cosine": False}),
    "torch": Peer("torch", "reach_torch.py", "pythae", {"side": "torch", "cosine": False}),
    "torch-cosine": Peer("torch-cosine", "reach_torch.py", "pythae", {"side": "torch", "cosine": True}),
}
PLANNED = ("laten", "torch-cosine")  # a fit for each length of plan


class Look(NamedTuple):
    """A side after some training."""

    side: str
    epochs: int
    minutes: float
    log_p: float


@partial(jax.jit, static_argnames="draws")
def log_likelihood(x: jax.Array, mean: jax.Array, sd: jax.Array, layers: list, draws: int) -> jax.Array:
    """`(rows,)` log p of zeros and ones `(rows, sites)`, nats.

    Args:
        mean: Of q, `(rows, latents)`.
        sd: Likewise.
        layers: Weight `(out, in)` and bias of each of the decoder's.
        draws: A row.
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
    """Every look of a worker's answer."""
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
    """Minutes to a height; infinity where it is not reached.

    Args:
        planned: Looks are fits of their own, so that nothing lies between two.
    """
    looks = sorted(looks, key=lambda look: look.minutes)
    first = next((i for i, look in enumerate(looks) if look.log_p >= target), None)
    if first is None:
        return math.inf
    if planned or not first:
        return looks[first].minutes
    a, b = looks[first - 1 : first + 1]
    return a.minutes + (b.minutes - a.minutes) * (target - a.log_p) / (b.log_p - a.log_p)


def parsed() -> argparse.Namespace:
    """The command's options."""
    parser = commands.common(__doc__, SIDES.values())
    parser.add_argument("--target", type=float, default=-87.0, help="nats a row")
    parser.add_argument("--plans", type=int, nargs="+", default=[30, 40, 60, 80], help="epochs of each fit of laten")
    parser.add_argument("--minutes", type=float, default=20, help="after which peers stop")
    parser.add_argument("--every", type=int, default=10, help="epochs between two looks at a peer")
    parser.add_argument("--rows", type=int, default=10_000, help="test images")
    parser.add_argument("--draws", type=int, default=500, help="importance samples an image")
    parser.add_argument("--json", type=Path, help="looks (default: reach.json in the folder of the record)")
    options = parser.parse_args()
    options.json = options.json or options.results / f"reach{'-quick' if options.quick else ''}.json"
    return options


def main() -> None:
    """Runs the sides, and prints their minutes."""
    options = parsed()
    sides = ["laten", *(["pythae", "torch"] if options.peers is None else options.peers)]
    wrong = [n for n in sides if n not in SIDES]
    if wrong:
        sys.exit(f"no peer {wrong[0]!r}; there are: {', '.join(SIDES)}")
    if sys.platform == "linux":  # inherited by every side
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    arrays = data.grey(options.data, options.quick)
    test = arrays["test"][: options.rows]
    arguments = {"layers": LAYERS, "latent": LATENT, "batch": BATCH, "minutes": options.minutes, "seed": 0}
    arguments |= {"options": options.option, "every": 1 if options.quick else options.every}
    plans = [2, 3] if options.quick else options.plans
    looks: list[Look] = []
    found = results.fresh(options.threads, options.quick)
    for name in sides:
        for epochs in plans if name in PLANNED else [3 if options.quick else 10_000]:
            more = {"epochs": epochs} | ({"every": epochs, "minutes": 1e9} if name in PLANNED else {})
            try:
                answer, report = jobs.run(
                    SIDES[name], arrays, {**SIDES[name].arguments, **arguments, **more}, options.threads, options.limit
                )
            except jobs.PeerFailedError as error:
                print(f"{name}: {error}", file=sys.stderr)
                break
            looks += judged(name, answer, report["seconds"]["fit"], test, options.draws)
            found["versions"] |= report["versions"]
            results.write(options.json, {**found, "looks": [look._asdict() for look in looks]})
    table = pd.DataFrame(
        {
            "minutes": {n: reached([k for k in looks if k.side == n], options.target, n in PLANNED) for n in sides},
            "best log p": {n: max((k.log_p for k in looks if k.side == n), default=math.nan) for n in sides},
            "trained, minutes": {n: max((k.minutes for k in looks if k.side == n), default=math.nan) for n in sides},
        }
    )
    table["to laten's"] = table["minutes"] / table["minutes"]["laten"]
    commands.show(f"minutes to {options.target:g} nats, {len(test)} test images, {options.draws} draws", table, 2)


if __name__ == "__main__":
    main()
