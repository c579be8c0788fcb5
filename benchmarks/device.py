r"""What training makes of the device at hand, a graphics processor or the CPU: rows a second, and side by side.

    python -m benchmarks.device                  # the nets below; a few minutes
    python -m benchmarks.device --quick          # small ones, few steps: does it run?
    CUDA_VISIBLE_DEVICES=0 python -m benchmarks.device --copies 1 8 64

Nets of the size of images, of a table, with convolutions, and wide ones, each through the compiled loop with Adam on
random rows, as many steps at once as fill `--seconds`. "Of the product": floating-point operations of the products of a
step a second, over the rate of a large product of square matrices, taken before and after in float32 (`--precision
auto`: operands in bfloat16). Nothing but products is counted; where there are convolutions all operations are, by XLA.
"Gain" is how many times faster so many models are trained side by side (`restarts=`) than one after the other.
"""

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

import laten as lt
from benchmarks.counters import cost
from benchmarks.runner import footer, machine, options_of, seconds_of, show
from benchmarks.train_step import loop_of
from laten.common.types import Array, Key
from laten.network.model import Model, build_model
from laten.training.loop import shuffled
from laten.training.settings import PRODUCTS, Settings

SIDE, CHANNELS = 28, (16, 32)  # of images, and of the layers of convolutions
AGAIN = 5  # timings, of which the median is told
MOST_STEPS = 5000  # of one timing
SMALL = 128  # rows a step up to which models are trained side by side


class Case(NamedTuple):
    """A network and a guide on rows of one shape, batches of one size."""

    name: str
    network: lt.Network
    guide: lt.Network
    batch: int


@dataclass(frozen=True)
class Convolutions:
    """A recipe: any callable that builds an Equinox module is one. Two layers of stride two and a linear one."""

    up: bool

    def __call__(self, n_in: int, n_out: int, key: Key) -> eqx.nn.Sequential:
        a, b, c = jax.random.split(key, 3)
        (few, many), small, relu = CHANNELS, SIDE // 4, eqx.nn.Lambda(jax.nn.relu)
        if self.up:
            first, back = eqx.nn.Linear(n_in, many * small**2, key=a), lambda x: x.reshape(many, small, small)
            one = eqx.nn.ConvTranspose2d(many, few, 4, 2, padding=1, key=b)
            two = eqx.nn.ConvTranspose2d(few, 1, 4, 2, padding=1, key=c)
            return eqx.nn.Sequential([first, relu, eqx.nn.Lambda(back), one, relu, two, eqx.nn.Lambda(jnp.ravel)])
        one = eqx.nn.Conv2d(1, few, 4, 2, padding=1, key=a)
        two = eqx.nn.Conv2d(few, many, 4, 2, padding=1, key=b)
        last = eqx.nn.Linear(many * small**2, n_out, key=c)
        image = eqx.nn.Lambda(lambda x: x.reshape(1, SIDE, SIDE))  # features of an image without holes are its pixels
        return eqx.nn.Sequential([image, one, relu, two, relu, eqx.nn.Lambda(jnp.ravel), last])


def cases(quick: bool) -> list[Case]:
    """Return the nets; when it is only tried out, smaller ones."""
    image, wide, table = lt.MLP(64 if quick else 512), lt.MLP(64 if quick else 4096, depth=2), lt.MLP(64)
    few, many, pixels = 8 if quick else 128, 100 if quick else 4096, lt.Bernoulli(SIDE**2)

    def case(name: str, batch: int, x: Any, latents: int, there: Any, back: Any = None) -> Case:
        network = lt.Network(z=lt.Normal(latents), x=x.given("z", via=there))
        guide = lt.Network(z=lt.Normal(latents).given("x", via=back or there))
        return Case(f"{name}, batch {batch}", network, guide, batch)

    return [
        *(case("784-512-20", batch, pixels, 20, image) for batch in (100, 500, many)),
        *(case("30-64-8", batch, lt.Normal(30), 8, table) for batch in (64, many)),
        case("convolutions", few, pixels, 20, Convolutions(up=True), Convolutions(up=False)),
        case("784-4096-4096-64", many, pixels, 64, wide),
    ]


def product_rate(size: int, precision: str = "float32") -> float:
    """Return floating-point operations a second of a product of square matrices, the median of a few."""
    one = jnp.asarray(np.random.default_rng(0).standard_normal((size, size), np.float32))

    @jax.jit
    def product(a: Array) -> Array:
        with jax.default_matmul_precision(PRODUCTS[precision] or "float32"):
            return a @ a

    jax.block_until_ready(product(one))
    return 2 * size**3 / float(np.median([seconds_of(lambda: product(one).block_until_ready()) for _ in range(AGAIN)]))


def operations(model: Model, batch: int) -> float:
    """Return those of a step's products: forward, and backward to all weights and to all inputs but the rows."""
    weights = [w for w in jax.tree.leaves((model.p, model.q)) if eqx.is_array(w) and w.ndim > 1]
    return 2 * batch * (3 * sum(w.size for w in weights) - model.q["z"].net.layers[0].weight.size)


def trained(each: Case, copies: int, options: Namespace, by_xla: bool = False) -> tuple[float, float]:
    """Return seconds of a step of this many models side by side, and the operations of one of them."""
    models = [build_model(each.network, each.guide, jax.random.key(i)) for i in range(copies)]
    rng, x, key = np.random.default_rng(0), each.network.nodes["x"].family, jax.random.key(1)
    shape, real = (2 * each.batch, *x.shape), isinstance(x, lt.Normal)
    data = rng.standard_normal(shape, np.float32) if real else rng.integers(0, 2, shape, dtype=np.uint8)
    loop, state, held = loop_of(models, data, Settings(batch_size=each.batch, precision=options.precision))
    order = np.resize(shuffled(0, 0, len(data), each.batch), (MOST_STEPS, each.batch))
    lowered = loop.lower(state, *held, order, key, *np.zeros(3, np.int32))
    run, by_xla = lowered.compile(), by_xla or each.name.startswith("convolutions")

    def steps(turn: int, count: int) -> None:
        nonlocal state
        state, tally = run(state, *held, order, key, *np.array([turn, 0, count], np.int32))
        if not np.isfinite(np.asarray(tally.bound)).all() or np.asarray(tally.skipped).any():
            raise RuntimeError(f"{each.name}: steps were not finite")

    steps(0, 2)  # warms up
    count = int(np.clip(options.seconds / (seconds_of(lambda: steps(1, 2)) / 2), 2, MOST_STEPS))
    seconds = [seconds_of(lambda turn=turn: steps(turn, count)) / count for turn in range(2, 2 + AGAIN)]
    flops = cost(lowered)["flops"] if by_xla else operations(models[0], each.batch)
    return float(np.median(seconds)), flops


def alone(tried: Sequence[Case], options: Namespace) -> pd.DataFrame:
    """Time one model of each case."""
    lines, size = {}, 256 if options.quick else 4096 if jax.default_backend() != "cpu" else 2048
    for each in tried:
        before = product_rate(size, options.precision)
        seconds, flops = trained(each, 1, options)
        rate = (before + product_rate(size, options.precision)) / 2
        told = {"rows/s": round(each.batch / seconds), "ms a step": 1e3 * seconds, "Gflop a step": flops / 1e9}
        lines[each.name] = {**told, "Gflop/s": flops / seconds / 1e9, "of the product": flops / seconds / rate}
    return pd.DataFrame.from_dict(lines, orient="index")


def side_by_side(tried: Sequence[Case], options: Namespace) -> pd.DataFrame:
    """Time several models of a case at once; gain over one after the other."""
    lines = {}
    for each in tried:
        single = trained(each, 1, options)[0]
        for copies in options.copies:
            seconds = trained(each, copies, options)[0] if copies > 1 else single
            lines[each.name, copies] = {"ms a step": 1e3 * seconds, "gain": copies * single / seconds}
    return pd.DataFrame.from_dict(lines, orient="index").rename_axis(["", "models"])


def main() -> None:
    """Time, and print two tables."""
    asks = options_of(
        __doc__, {"precision": PRODUCTS}, copies=[1, 8, 64], seconds=1.0, precision="float32", quick=False
    )
    options = asks.parse_args()
    options.copies, options.seconds = ([1, 2], 0.01) if options.quick else (options.copies, options.seconds)
    tried, device = cases(options.quick), jax.devices()[0]
    name = device.device_kind if device.platform != "cpu" else machine()
    show(f"one model, {options.precision}, Adam; {name}", alone(tried, options), 3)
    small = [each for each in tried if each.batch <= SMALL]
    if device.platform == "cpu":  # minutes: inside a loop XLA does not arrange them for its fast kernel there
        small = [each for each in small if not each.name.startswith("convolutions")]
    show(f"side by side, {options.precision}, Adam; {name}", side_by_side(small, options), 3)
    print(footer())


if __name__ == "__main__":
    main()
