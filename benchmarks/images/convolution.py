"""Speed of convolutions in a compiled loop: ours and XLA's beside a product of matrices of as many flops.

    python -m benchmarks.images.convolution

Each side makes `--steps` steps of gradient descent in one `jax.lax.scan`, as training does: a convolution of a batch of
images mapped over rows, the sum of its squares, the gradient with respect to images and weights. A product is that of
as many rows as there are pixels, with as many numbers summed as the kernel has. Sides run in turn; the best of
`--turns` counts. Gflop/s count the products of forward and backward, six flops for each of weights times pixels.
"""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from benchmarks.runner import footer, in_turns, options_of, show
from laten.network.nets.convolution import around, by_library, by_products


class Case(NamedTuple):
    """A convolution."""

    side: int  # of the image
    kernel: int
    n_in: int
    n_out: int

    @property
    def name(self) -> str:
        """How it is called in the table."""
        return f"{self.kernel} × {self.kernel} on {self.side} × {self.side}, {self.n_in} to {self.n_out} channels"

    def flops(self, batch: int) -> float:
        """Return the flops of a step."""
        return 6.0 * batch * self.side**2 * self.kernel**2 * self.n_in * self.n_out


CASES = [Case(7, 3, 48, 48), Case(7, 3, 96, 96), Case(14, 3, 32, 32), Case(28, 5, 1, 32), Case(14, 2, 128, 64)]


def convolution(way: Callable[..., Any]) -> Callable[..., Any]:
    """Return a layer on a batch: zeros around, one way to convolve, mapped over rows."""

    def layer(x: jax.Array, weight: jax.Array) -> jax.Array:
        k = len(weight)
        return jax.vmap(lambda image: way(around(image, (k - 1) // 2, k // 2), weight))(x)

    return layer


def product(x: jax.Array, weight: jax.Array) -> jax.Array:
    """Multiply a row a pixel, of as many numbers as the kernel has, with the weights."""
    return x @ weight.reshape(x.shape[-1], -1)


def looped(layer: Callable[..., Any], steps: int) -> Callable[..., Any]:
    """Return steps of gradient descent on images and weights, compiled."""
    slope = jax.grad(lambda x, w: jnp.mean(jnp.square(layer(x, w))), (0, 1))

    def step(carry: Any, _: None) -> tuple[Any, None]:
        return jax.tree.map(lambda value, g: value - 1e-3 * g, carry, slope(*carry)), None

    return jax.jit(lambda x, w: jax.lax.scan(step, (x, w), None, length=steps)[0])


def seconds_of_step(layer: Callable[..., Any], x: Any, weight: Any, steps: int) -> Callable[[int], float]:
    """Return a function that times a step, compiled at its first call."""
    run = looped(layer, steps)
    jax.block_until_ready(run(x, weight))

    def timed(turn: int) -> float:
        began = time.perf_counter()
        jax.block_until_ready(run(x, weight))
        return (time.perf_counter() - began) / steps

    return timed


def main() -> None:
    """Time and print."""
    options = options_of(__doc__, batch=128, steps=10, turns=3).parse_args()
    rng, lines = np.random.default_rng(0), {}
    for case in CASES:
        images = rng.normal(size=(options.batch, case.side, case.side, case.n_in)).astype(np.float32)
        weight = rng.normal(size=(case.kernel, case.kernel, case.n_in, case.n_out)).astype(np.float32) / case.n_in
        rows = rng.normal(size=(options.batch * case.side**2, case.kernel**2 * case.n_in)).astype(np.float32)
        sides = {
            "product": seconds_of_step(product, rows, weight, options.steps),
            "laten": seconds_of_step(convolution(by_products), images, weight, options.steps),
            "XLA": seconds_of_step(convolution(by_library), images, weight, options.steps),
        }
        found, _ = in_turns(sides, options.turns)
        lines[case.name] = {name: case.flops(options.batch) / min(times) / 1e9 for name, times in found.items()}
    show(f"Gflop/s of a step, forward and backward, batch {options.batch}, on {jax.default_backend()}",
         pd.DataFrame(lines).T, 1)  # fmt: skip
    print(footer())


if __name__ == "__main__":
    main()
