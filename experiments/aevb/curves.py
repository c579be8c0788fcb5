r"""Curves of figures 2 and 3: a height against training rows seen.

Racers, one for each start and Adagrad step, are trained side by side in one compiled program; after each lap of the
race the worst leave, until one is left. At given numbers of steps the heights of test and training rows are appended to
a CSV file, a line a racer, and the whole state is written, so that a curve goes on where it stopped, to the same
numbers. The curve is that of the racer of the last line. The loss is $-\mathcal L/N - \frac1N\log p(\theta)$ with
$p(\theta) = N(0, I)$ on the weights of the network, not of the guide.
"""

import argparse
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from benchmarks.runner import DATA, options_of

from experiments.aevb.settings import BATCH, OUT, PAPER, RATES, STARTS, Panel, declared, rows_of
from laten.common.types import Array, Key
from laten.network.model import Model, build_model
from laten.training.objectives import Batch, Elbo, Objective, WakeSleep

POINTS = 6  # a decade
MEASURED = 10_000  # rows of each split whose bound is taken
AT_ONCE = 1000  # of them in one product
PASSES = 1024  # over the rows before their orders come again
METHODS: dict[str, Objective] = {"AEVB": Elbo(), "wake-sleep": WakeSleep()}


class State(NamedTuple):
    """Of one racer, or stacked, of several."""

    model: Model
    squares: Model  # sums of squared gradients
    rate: Array
    start: Array  # standard deviation of the first weights
    step: Array
    chains: Any = ()  # of Monte Carlo EM


@dataclass(frozen=True)
class Training:
    """What a training step needs to know."""

    objective: Objective
    rows: Array  # uint8 on the device
    binary: bool  # grey pixels are binarised anew at each visit; else they are taken as fractions
    prior: float  # weight of log p(theta) in the loss, a row
    raced: int = MEASURED  # training rows by whose bound the racers are compared
    race: tuple[int, int] = (10**5, 10**6)  # rows after which a third of the racers leaves, and all but the best
    visit: int = 1  # times that a visit evaluates a row
    rates: tuple[float, ...] = RATES  # Adagrad steps that race

    def steps(self, rows: float) -> int:
        """Return the number of steps that evaluate about this many rows."""
        return round(rows / (BATCH * self.visit))

    def seen(self, key: Key, rows: Array) -> Array:
        """Return pixels as the model sees them."""
        grey = rows.astype(jnp.float32) / 255
        return (jax.random.uniform(key, grey.shape) < grey).astype(jnp.float32) if self.binary else grey

    def log_prior(self, model: Model) -> Array:
        """Return log p(theta) in the weight it has in the loss, less a constant."""
        return -0.5 * self.prior * sum((jnp.sum(jnp.square(w)) for w in jax.tree.leaves(model.p)), jnp.zeros(()))

    def step(self, state: State, key: Key) -> State:
        """Move one racer by one minibatch."""
        pixels, draws = jax.random.split(jax.random.fold_in(key, state.step))
        batch = Batch({"x": self.seen(pixels, self.rows[self.visited(state.step)])}, {})
        gradient = jax.grad(lambda m: self.objective(m, batch, draws).loss - self.log_prior(m))(state.model)
        return moved(state, gradient)._replace(step=state.step + 1)

    def visited(self, step: Array) -> Array:
        """Return the numbers of a minibatch's rows: each row once a pass, each pass in an order of its own.

        The i-th row of a pass is a i + b modulo the number of rows, a coprime to it, of rows that lie in random order.
        """
        n, rng = len(self.rows), np.random.default_rng(2)
        coprime = np.flatnonzero(np.gcd(np.arange(n), n) == 1)
        turn, shift = (jnp.asarray(x, jnp.uint32) for x in (rng.choice(coprime, PASSES), rng.integers(0, n, PASSES)))
        place = (step * BATCH + jnp.arange(BATCH)).astype(jnp.uint32)
        a_pass, i = place // n % PASSES, place % n
        return (turn[a_pass] * i % n + shift[a_pass]) % n

    def begun(self) -> Any:
        """Return what a training carries beside its weights."""
        return ()

    def bound(self, model: Model, key: Key, rows: Array) -> Array:
        """Return the mean height of rows, in nats: the bound, of one draw of z a row, with its KL in closed form."""

        def part(chunk: tuple[Key, Array]) -> Array:
            pixels, draws = jax.random.split(chunk[0])
            return Elbo()(model, Batch({"x": self.seen(pixels, chunk[1])}, {}), draws).bound

        parts = max(len(rows) // AT_ONCE, 1)
        chunks = rows[: len(rows) // parts * parts].reshape(parts, -1, rows.shape[1])
        return jnp.mean(jax.lax.map(part, (jax.random.split(key, parts), chunks)))


def moved(state: State, gradient: Model) -> State:
    """Return the state after Adagrad's move."""
    squares = jax.tree.map(lambda s, g: s + jnp.square(g), state.squares, gradient)
    step = jax.tree.map(lambda s, g: state.rate * g * jax.lax.rsqrt(s + 1e-10), squares, gradient)
    return state._replace(model=jax.tree.map(jnp.subtract, state.model, step), squares=squares)


def started(model: Model, seed: int) -> Model:
    """Return the model with all weights drawn from N(0, 1)."""
    rng = np.random.default_rng(seed)
    return jax.tree.map(lambda w: jnp.asarray(rng.standard_normal(w.shape), jnp.float32), model)


def stacked(model: Model, chains: Any, steps: Sequence[float] = RATES) -> State:
    """Return a racer for each start and Adagrad step; weights differ by the start's factor."""
    starts, rates = (jnp.asarray(x) for x in zip(*itertools.product(STARTS, steps), strict=True))
    copies = jax.tree.map(lambda w: jnp.stack([s * w for s in starts]), model)
    many = jax.tree.map(lambda x: jnp.stack([x] * len(rates)), chains)
    squares = jax.tree.map(jnp.zeros_like, copies)
    return State(copies, squares, rates, starts, jnp.zeros(len(rates), jnp.int32), many)


class Curve:
    """A curve and its files: `NAME.csv`, and `NAME.npz` with all that is needed to go on.

    `about` are columns of the CSV file before the measured ones; their values name the files in `folder`.
    """

    def __init__(
        self, folder: Path, model: Model, training: Training, measured: dict[str, Array], about: dict[str, str]
    ):
        path = folder / "-".join(about.values())
        self.path, self.training, self.measured, self.about = path, training, measured, about
        self.key, self.seconds, kept = jax.random.key(1), 0.0, path.with_suffix(".npz")
        self.state = stacked(model, training.begun(), training.rates)
        every = jax.vmap(training.step, (0, None))
        self.run = jax.jit(lambda s, k, n: jax.lax.fori_loop(0, n, lambda _, s: every(s, k), s), donate_argnums=0)
        self.bounds = jax.jit(jax.vmap(training.bound, (0, None, None)))
        path.parent.mkdir(parents=True, exist_ok=True)
        if kept.exists():
            leaves, structure = jax.tree.flatten(self.state)
            with np.load(kept) as stored:
                read = [jnp.asarray(stored[f"a{i}"]) for i in range(len(leaves))]
                self.state, self.seconds = jax.tree.unflatten(structure, read), float(stored["seconds"])

    def go(self, places: list[int]) -> None:
        """Train on from where the files end, and measure at these numbers of steps."""
        laps = [self.training.steps(rows) for rows in self.training.race]
        for steps in sorted({*places, *laps}):
            done = int(self.state.step[0])
            if steps <= done or not places or (steps > max(places) and len(self.state.rate) == 1):
                continue
            began = time.perf_counter()
            self.state = jax.block_until_ready(self.run(self.state, self.key, steps - done))
            self.seconds += time.perf_counter() - began
            if steps in places:
                self.write(steps)
            if steps in laps:
                self.leave(1 if steps == laps[-1] else len(self.state.rate) * 2 // 3)
            self.keep()

    def leave(self, left: int) -> None:
        """Drop all but the racers whose bounds on training rows are the highest."""
        heights = self.bounds(self.state.model, self.key, self.measured["train"][: self.training.raced])
        order = np.argsort(-np.nan_to_num(np.asarray(heights), nan=-np.inf), kind="stable")
        best = np.sort(order[:left])
        self.state = jax.tree.map(lambda x: x[best], self.state)
        racers = zip(self.state.start, self.state.rate, heights[best], strict=True)
        print(f"{self.path.name}: left are {', '.join('{:g}/{:g}: {:.1f}'.format(*racer) for racer in racers)}")

    def write(self, steps: int) -> None:
        """Append a point of each racer."""
        rows, file = steps * BATCH * self.training.visit, self.path.with_suffix(".csv")
        for split, x in self.measured.items():
            heights = self.bounds(self.state.model, self.key, x)
            racers = {"bound": heights, "start": self.state.start, "rate": self.state.rate}
            table = pd.DataFrame({n: np.asarray(x, np.float64) for n, x in racers.items()}).round(3)
            table = pd.DataFrame(
                {**self.about, "split": split, "rows": rows, **table, "seconds": round(self.seconds, 1)}
            )
            table.to_csv(file, mode="a", header=not file.exists(), index=False)
            print(f"{file.stem}: {rows:.3g} rows, {split} {np.max(heights):.2f}, {self.seconds:.0f} s", flush=True)

    def keep(self) -> None:
        """Write the state, whole or not at all."""
        arrays = {f"a{i}": np.asarray(x) for i, x in enumerate(jax.tree.leaves(self.state))}
        part = self.path.with_suffix(".part.npz")
        np.savez(part, seconds=self.seconds, **arrays)
        part.replace(self.path.with_suffix(".npz"))


def trained(panel: Panel, method: str, options: argparse.Namespace, binary: bool = False) -> Model:
    """Train a panel of figure 2 as far as `options.samples`; the model of the best racer."""
    train, test = rows_of(options.data, panel.data)
    model = started(build_model(*declared(panel), jax.random.key(0)), seed=0)
    binary &= panel.data == "MNIST"
    training = Training(METHODS[method], jnp.asarray(train), binary, 1 / len(train))
    about = {"panel": panel.name, "method": method, "pixels": "binary" if binary else "grey"}
    measured = {"test": jnp.asarray(test), "train": jnp.asarray(train[:MEASURED])}
    curve = Curve(options.out / "curves", model, training, measured, about)
    ends = 10 ** np.arange(np.log10(training.race[0]), np.log10(max(options.samples, 1)) + 1e-9, 1 / POINTS)
    curve.go(sorted({training.steps(rows) for rows in ends}))
    return jax.tree.map(lambda x: x[0], curve.state.model)


def asked(doc: str | None, choices: dict[str, Any] | None = None, **more: Any) -> argparse.ArgumentParser:
    """Return the options that every figure has, and `more`."""
    return options_of(doc, choices, samples=1e6, data=DATA, out=OUT, paper=PAPER, **more)
