r"""A curve of figure 2: lower bound against training rows seen.

Three Adagrad steps from two starts are trained side by side in one compiled program; the third of them with the lowest
bounds on training rows is left after the first rows, and the best goes on alone after ten times as many. Points lie on
a grid of equal ratios; at each, the bound of test and training rows (one draw of z a row, KL in closed form) is
appended to a CSV file and the whole state is written, so that a curve goes on where it stopped, to the same numbers.

The loss is $-\mathcal L/N - \frac1N\log p(\theta)$ with $p(\theta) = N(0, I)$ on the weights of the network, not of the
guide.
"""

import argparse
import csv
import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.aevb.settings import BATCH, DATA, OUT, RATES, STARTS, Panel, declared, rows_of
from laten.common.types import Array, Key
from laten.network.model import Model, build_model
from laten.training.objectives import Batch, Elbo, Objective, WakeSleep

RACE = (10**5, 10**6)  # rows after which a third of the racers is left, and all but the best
POINTS = 6  # a decade
MEASURED = 10_000  # rows of each split whose bound is taken
AT_ONCE = 1000  # of them in one product
PASSES = 1024  # over the rows before their orders come again


METHODS: dict[str, Objective] = {"AEVB": Elbo(), "wake-sleep": WakeSleep()}


Racer = tuple[float, float]


class State(NamedTuple):
    """Of one training, or stacked, of one for each start and Adagrad step."""

    model: Model
    squares: Model  # sums of squared gradients
    rate: Array
    start: Array  # standard deviation of the first weights
    step: Array
    chains: Any = ()  # of Monte Carlo EM


@dataclass(frozen=True)
class Training:
    """What a training step needs to know.

    Args:
        rows: uint8 on the device.
        binary: Grey pixels are binarised anew at each visit; else they are taken as fractions.
        prior: Weight of log p(theta) in the loss, a row.
        raced: Training rows by whose bound the racers are compared.
        race: Rows after which a third of them is left, and all but the best.
        visit: Times that a visit evaluates a row.
        rates: Adagrad steps that race.
    """

    objective: Objective
    rows: Array
    binary: bool
    prior: float
    raced: int = MEASURED
    race: tuple[int, int] = RACE
    visit: int = 1
    rates: tuple[float, ...] = RATES

    def steps(self, rows: float) -> int:
        """Steps that evaluate about so many rows."""
        return round(rows / (BATCH * self.visit))

    def seen(self, key: Key, rows: Array) -> Array:
        """Pixels as the model sees them."""
        grey = rows.astype(jnp.float32) / 255
        return (jax.random.uniform(key, grey.shape) < grey).astype(jnp.float32) if self.binary else grey

    def loss(self, model: Model, x: Array, key: Key) -> Array:
        squares = sum((jnp.sum(jnp.square(w)) for w in jax.tree.leaves(model.p)), jnp.zeros(()))
        return self.objective(model, Batch({"x": x}, {}), key).loss + 0.5 * self.prior * squares

    def step(self, state: State, key: Key) -> State:
        """One minibatch and Adagrad's move."""
        pixels, draws = jax.random.split(jax.random.fold_in(key, state.step))
        x = self.seen(pixels, self.rows[self.visited(state.step)])
        return moved(state, jax.grad(self.loss)(state.model, x, draws))._replace(step=state.step + 1)

    def visited(self, step: Array) -> Array:
        """Numbers of the rows of a minibatch: each row once a pass, each pass in an order of its own.

        The i-th row of a pass is a i + b modulo the number of rows, a coprime to it, of rows that lie in random order.
        """
        n, rng = len(self.rows), np.random.default_rng(2)
        coprime = np.flatnonzero(np.gcd(np.arange(n), n) == 1)
        turn, shift = (jnp.asarray(x, jnp.uint32) for x in (rng.choice(coprime, PASSES), rng.integers(0, n, PASSES)))
        place = (step * BATCH + jnp.arange(BATCH)).astype(jnp.uint32)
        a_pass, i = place // n % PASSES, place % n
        return (turn[a_pass] * i % n + shift[a_pass]) % n

    def begun(self) -> Any:
        """What a training carries beside its weights."""
        return ()

    def bound(self, model: Model, key: Key, rows: Array) -> Array:
        """Mean bound of rows, in nats."""

        def part(carry: None, chunk: tuple[Key, Array]) -> tuple[None, Array]:
            k, x = chunk
            pixels, draws = jax.random.split(k)
            return carry, Elbo()(model, Batch({"x": self.seen(pixels, x)}, {}), draws).bound

        parts = max(len(rows) // AT_ONCE, 1)
        chunks = rows[: len(rows) // parts * parts].reshape(parts, -1, rows.shape[1])
        return jnp.mean(jax.lax.scan(part, None, (jax.random.split(key, parts), chunks))[1])


def moved(state: State, gradient: Model) -> State:
    """Adagrad's move."""
    squares = jax.tree.map(lambda s, g: s + jnp.square(g), state.squares, gradient)
    step = jax.tree.map(lambda s, g: state.rate * g * jax.lax.rsqrt(s + 1e-10), squares, gradient)
    return state._replace(model=jax.tree.map(jnp.subtract, state.model, step), squares=squares)


def started(model: Model, seed: int) -> Model:
    """The model with all weights drawn from N(0, 1)."""
    rng = np.random.default_rng(seed)
    return jax.tree.map(lambda w: jnp.asarray(rng.standard_normal(w.shape), jnp.float32), model)


def stacked(model: Model, chains: Any, steps: Sequence[float] = RATES) -> State:
    """A racer for each start and Adagrad step; weights differ by the start's factor."""
    starts, rates = (jnp.asarray(x) for x in zip(*itertools.product(STARTS, steps), strict=True))
    copies = jax.tree.map(lambda w: jnp.stack([s * w for s in starts]), model)
    many = jax.tree.map(lambda x: jnp.stack([x] * len(rates)), chains)
    squares = jax.tree.map(jnp.zeros_like, copies)
    return State(copies, squares, rates, starts, jnp.zeros(len(rates), jnp.int32), many)


def racer(state: State) -> Racer:
    """What tells a racer from the others: its start and its step."""
    return round(float(state.start), 6), round(float(state.rate), 6)


def grid(samples: float) -> list[int]:
    """Numbers of steps at which a curve is measured, up to `samples` rows."""
    ends = 10 ** np.arange(np.log10(RACE[0]), np.log10(samples) + 1e-9, 1 / POINTS)
    return sorted({round(rows / BATCH) for rows in ends})


class Curve:
    """A curve and its files: `NAME.csv`, and `NAME.npz` with all that is needed to go on.

    Args:
        model: Where training starts from.
        measured: Split -> rows.
        about: Columns of the CSV file before the measured ones.
    """

    def __init__(self, path: Path, model: Model, training: Training, measured: dict[str, Array], about: dict[str, str]):
        self.path, self.training, self.measured, self.about = path, training, measured, about
        self.key, self.seconds, self.written = jax.random.key(1), 0.0, set[int]()
        self.state: Any = stacked(model, training.begun(), training.rates)
        many = jax.vmap(training.step, (0, None))
        self.side_by_side = jax.jit(lambda s, k, n: jax.lax.fori_loop(0, n, lambda _, s: many(s, k), s))
        self.run = jax.jit(
            lambda s, k, n: jax.lax.fori_loop(0, n, lambda _, s: training.step(s, k), s), donate_argnums=0
        )
        self.bound = jax.jit(training.bound)

    def go(self, places: list[int], say: Callable[[str], None]) -> None:
        """Trains on, and measures at these numbers of steps."""
        self.resume()
        if self.state.step.ndim and places:
            self.race(places, say)
        for steps in places:
            done = int(self.state.step)
            if done > steps or steps in self.written:
                continue
            began = time.perf_counter()
            self.state = jax.block_until_ready(self.run(self.state, self.key, steps - done))
            self.seconds += time.perf_counter() - began
            self.write(steps, self.bounds(self.state), self.seconds, say)
            self.keep()

    def race(self, places: list[int], say: Callable[[str], None]) -> None:
        """Trains all racers side by side, leaves the worst twice, and writes what was measured of the best."""
        lap = [self.training.steps(rows) for rows in self.training.race]
        train = self.measured["train"][: self.training.raced]
        found: list[tuple[int, dict[Racer, dict[str, float]], float]] = []
        for steps in sorted({*lap, *(p for p in places if p < lap[-1])}):
            began, done = time.perf_counter(), int(self.state.step[0])
            self.state = jax.block_until_ready(self.side_by_side(self.state, self.key, steps - done))
            self.seconds += time.perf_counter() - began
            each = [jax.tree.map(lambda x, i=i: x[i], self.state) for i in range(len(self.state.step))]
            if steps in places:
                found.append((steps, {racer(one): self.bounds(one) for one in each}, self.seconds))
            if steps in lap:
                heights = np.array([float(self.bound(one.model, self.key, train)) for one in each])
                shown = ", ".join("{:g}/{:g}: {:.1f}".format(*racer(o), h) for o, h in zip(each, heights, strict=True))
                say(f"{self.path.name}: {self.rows(steps):.3g} rows, bound by start/Adagrad step {shown}")
                best = np.argsort(-np.nan_to_num(heights, nan=-np.inf), kind="stable")
                left = np.sort(best[: 1 if steps == lap[-1] else len(best) * 2 // 3])
                self.state = jax.tree.map(lambda x, left=left: x[left], self.state)
        self.state = jax.tree.map(lambda x: x[0], self.state)
        for steps, bounds, seconds in found:
            self.write(steps, bounds[racer(self.state)], seconds, say)
        self.keep()

    def rows(self, steps: int) -> int:
        """Training rows evaluated by then."""
        return steps * BATCH * self.training.visit

    def bounds(self, state: State) -> dict[str, float]:
        """Bound of each split, in nats."""
        return {split: float(self.bound(state.model, self.key, x)) for split, x in self.measured.items()}

    def write(self, steps: int, bounds: dict[str, float], seconds: float, say: Callable[[str], None]) -> None:
        """Appends a point."""
        new = not self.path.with_suffix(".csv").exists()
        with self.path.with_suffix(".csv").open("a", newline="") as file:
            table = csv.writer(file)
            if new:
                table.writerow([*self.about, "split", "rows", "bound", "start", "rate", "seconds"])
            for split, bound in bounds.items():
                point = (self.rows(steps), f"{bound:.3f}", *map("{:g}".format, racer(self.state)), f"{seconds:.1f}")
                table.writerow([*self.about.values(), split, *point])
        self.written.add(steps)
        shown = ", ".join(f"{split} {b:.2f}" for split, b in bounds.items())
        say(f"{self.path.name}: {self.rows(steps):.3g} rows, {shown}, {seconds:.0f} s")

    def keep(self) -> None:
        """Writes the state in whole."""
        arrays = {f"a{i}": np.asarray(x) for i, x in enumerate(jax.tree.leaves(self.state))}
        part = self.path.with_suffix(".part.npz")
        np.savez(part, seconds=self.seconds, **arrays)
        part.replace(self.path.with_suffix(".npz"))

    def resume(self) -> None:
        """Takes up what `write` left, if there is something."""
        if not self.path.with_suffix(".npz").exists():
            return
        with np.load(self.path.with_suffix(".npz")) as stored:
            one = jax.tree.map(lambda x: x[0], self.state)
            leaves = [jnp.asarray(stored[f"a{i}"]) for i in range(len(jax.tree.leaves(one)))]
            self.state = jax.tree.unflatten(jax.tree.structure(one), leaves)
            self.seconds = float(stored["seconds"])
        self.written.add(int(self.state.step))


def curve_of(panel: Panel, method: str, data: Path, out: Path, binary: bool = False) -> Curve:
    """A curve where it stands; its files lie in `out/curves`."""
    train, test = rows_of(data, panel.data)
    p, q = declared(panel)
    model = started(build_model(p, q, jax.random.key(0)), seed=0)
    binary &= panel.data == "MNIST"
    training = Training(METHODS[method], jnp.asarray(train), binary, 1 / len(train))
    measured = {"test": jnp.asarray(test), "train": jnp.asarray(train[:MEASURED])}
    about = {"panel": panel.name, "method": method, "pixels": "binary" if binary else "grey"}
    (out / "curves").mkdir(parents=True, exist_ok=True)
    return Curve(out / "curves" / "-".join(about.values()), model, training, measured, about)


def trained(panels: Sequence[Panel], doc: str | None) -> tuple[dict[Panel, Model], Path]:
    """What a command that draws a few models does first: AEVB in each panel, as far as its options say.

    Args:
        doc: Of the command; its first line is shown by --help.
    Returns:
        The models, and the folder of pictures.
    """
    parser = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    parser.add_argument("--samples", type=float, default=1e6, help="training rows of each model")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--out", type=Path, default=OUT)
    options, found = parser.parse_args(), {}
    for panel in panels:
        curve = curve_of(panel, "AEVB", options.data, options.out)
        curve.go(grid(options.samples), partial(print, flush=True))
        found[panel] = curve.state.model
    return found, options.out
