"""The papers' experiments in small: Adagrad, curves that go on where they stopped, Monte Carlo EM, a schedule."""

import gzip
import struct
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pandas as pd
import pytest
from experiments.aevb import figure3, pictures
from experiments.aevb.curves import Curve, State, Training, moved, started
from experiments.aevb.settings import Panel, declared, rows_of
from experiments.iwae.table1 import schedule

from laten.answers.audit.quadrature import integrate
from laten.inference.hmc import init, step
from laten.inference.posterior import Posterior
from laten.network.model import build_model
from laten.training.objectives import Elbo

pytestmark = pytest.mark.trains

PANEL = Panel("MNIST", 2)
RNG = np.random.default_rng(0)
ROWS = (255 * RNG.random((300, 784)) ** 3).astype(np.uint8)


def curve(path: Path, **options) -> Curve:
    """A small curve: 8 hidden units, 300 images."""
    p, q = declared(PANEL, hidden=8)
    model = started(build_model(p, q, jax.random.key(0)), seed=0)
    rows = jnp.asarray(ROWS)
    training = Training(Elbo(), rows, False, 1 / 300, **{"raced": 300, "race": (500, 1000)} | options)
    return Curve(path.parent, model, training, {"test": rows, "train": rows}, {"m": path.name})


def test_rows_count_as_often_as_they_are_evaluated(tmp_path):
    once, often = curve(tmp_path / "once"), curve(tmp_path / "often", visit=16)
    assert (once.training.steps(1e6), often.training.steps(1e6)) == (10_000, 625)


def test_adagrad_is_adagrad():
    weights = {"a": jnp.array([1.0, -2.0])}
    squares, rate = jax.tree.map(jnp.zeros_like, weights), jnp.asarray(0.1)
    state = State(weights, squares, rate, jnp.ones(()), jnp.zeros((), jnp.int32))
    reference = optax.adagrad(0.1, initial_accumulator_value=0.0, eps=1e-10)
    held, expected = reference.init(weights), weights
    for i in range(4):
        gradient = jax.tree.map(lambda w, i=i: jnp.cos(w + i), expected)
        state = moved(state, gradient)
        update, held = reference.update(gradient, held)
        expected = optax.apply_updates(expected, update)
        np.testing.assert_allclose(state.model["a"], expected["a"], rtol=1e-5)


@pytest.mark.slow
def test_a_curve_goes_on_where_it_stopped(tmp_path):
    (whole := curve(tmp_path / "whole")).go([5, 8, 20, 40])
    for places in ([5, 8], [5, 8, 20, 40]):  # stopped in the middle of the race
        (cut := curve(tmp_path / "cut")).go(places)
    assert whole.state.step.tolist() == [40]
    for a, b in zip(jax.tree.leaves(whole.state.model), jax.tree.leaves(cut.state.model), strict=True):
        np.testing.assert_array_equal(a, b)
    one, other = (pd.read_csv(tmp_path / f"{n}.csv").drop(columns=["m", "seconds"]) for n in ("whole", "cut"))
    assert one.equals(other)
    assert one.groupby("rows", sort=False).size().tolist() == [12, 8, 2, 2]  # racers and two splits
    left = one[one["rate"] == one["rate"].iloc[-1]]
    assert left["bound"].iloc[-1] > left["bound"].iloc[0]  # it learns


@pytest.mark.slow
def test_one_adagrad_step_races_alone_from_both_starts(tmp_path):
    alone = curve(tmp_path / "alone", rates=(0.02,))
    assert alone.state.rate.tolist() == pytest.approx([0.02, 0.02])
    assert alone.state.start.tolist() == pytest.approx([0.1, 0.01])
    alone.go([5])
    assert alone.state.rate.tolist() == pytest.approx([0.02])
    assert len(curve(tmp_path / "all").state.rate) == 6


@pytest.mark.slow
def test_the_race_is_won_on_training_rows(tmp_path, capsys):
    """Of six racers the worst two leave, then all but the best, whose points alone are the curve."""
    (racing := curve(tmp_path / "m", race=(500, 1000))).go([5, 8, 10, 20])
    said = [line.split("left are ")[1] for line in capsys.readouterr().out.splitlines() if "left are" in line]
    heights = {name: float(height) for name, height in (pair.split(": ") for pair in said[0].split(", "))}
    assert len(heights) == 4
    winner = said[1].split(": ")[0]
    assert winner in heights and winner == f"{float(racing.state.start[0]):g}/{float(racing.state.rate[0]):g}"
    table = pd.read_csv(tmp_path / "m.csv")
    last = table[(table["rows"] == 1000) & (table["split"] == "train")]  # ROWS are the racers' training rows too
    best = last.loc[last["bound"].idxmax()]
    assert f"{best['start']:g}/{best['rate']:g}" == winner
    (tmp_path / "curves").mkdir()
    (tmp_path / "m.csv").rename(tmp_path / "curves" / "m-x.csv")
    kept = pictures.points(tmp_path, "figure2", ["m"])
    assert len(kept) == 8 and set(kept["rate"]) == {best["rate"]} and (tmp_path / "figure2.csv").exists()


def test_each_row_is_seen_once_a_pass():
    training = Training(Elbo(), jnp.asarray(ROWS), False, 0.0)
    passes = np.concatenate([np.asarray(training.visited(jnp.asarray(i))) for i in range(6)]).reshape(2, -1)
    assert all(np.array_equal(np.sort(one), np.arange(len(ROWS))) for one in passes)
    assert not np.array_equal(*passes)


@pytest.mark.slow
def test_chains_of_monte_carlo_em_are_accepted_as_often_as_asked(tmp_path, monkeypatch):
    monkeypatch.setattr(figure3, "WORLD", PANEL)
    training = figure3.MonteCarlo(Elbo(), jnp.asarray(ROWS), False, 1 / 300)
    p, q = declared(PANEL, hidden=8)
    model = jax.tree.map(lambda w: 0.1 * w, started(build_model(p, q, jax.random.key(0)), seed=0))
    zeros = jax.tree.map(jnp.zeros_like, model)
    state = State(model, zeros, jnp.asarray(0.02), jnp.ones(()), jnp.zeros((), jnp.int32), training.begun())
    run = jax.jit(lambda s: jax.lax.fori_loop(0, 150, lambda _, s: training.step(s, jax.random.key(2)), s))
    after = run(state)
    chains, log_step = after.chains

    def accepted(z: jax.Array, x: jax.Array, key: jax.Array) -> jax.Array:
        log_joint = Posterior(after.model, {"x": x / 255.0}, {}).log_joint
        return step(log_joint, key, init(log_joint, z), jnp.exp(log_step), jnp.ones(2), figure3.LEAPFROGS)[1]

    keys = jax.random.split(jax.random.key(3), 300)
    rate = jax.jit(jax.vmap(accepted))(chains, jnp.asarray(ROWS, jnp.float32), keys).mean()
    assert abs(float(rate) - figure3.ACCEPTED) < 0.1
    assert not np.array_equal(chains, state.chains[0])


@pytest.mark.slow
def test_the_likelihood_over_points_of_the_prior_is_the_integral(monkeypatch):
    monkeypatch.setattr(figure3, "WORLD", PANEL)
    training = figure3.Likelihood(Elbo(), jnp.asarray(ROWS), False, 0.0)
    p, q = declared(PANEL, hidden=8)
    model = jax.tree.map(lambda w: 0.5 * w, started(build_model(p, q, jax.random.key(0)), seed=0))
    found, few = [], jnp.asarray(ROWS[:4])
    for points in (50_000, 20):
        monkeypatch.setattr(figure3, "POINTS", points)
        monkeypatch.setattr(figure3, "AT_ONCE", 20)
        found.append(float(jax.jit(training.bound)(model, jax.random.key(0), few)))
    log_p = jax.jit(jax.vmap(lambda x: integrate(Posterior(model, {"x": x / 255.0}, {}), jax.random.key(0)).log_p))(few)
    assert found[0] == pytest.approx(float(jnp.mean(log_p)), abs=0.02)
    assert abs(found[1] - found[0]) > 0.02  # too few points are noticed


@pytest.mark.parametrize("d", [2, 3])
def test_points_of_the_prior_lie_evenly(d):
    z = np.asarray(figure3.evenly(jnp.arange(50_000, dtype=jnp.uint32), d))
    np.testing.assert_allclose(z.mean(0), 0, atol=0.001)
    np.testing.assert_allclose(np.cov(z.T), np.eye(d), atol=0.015)
    drawn = np.random.default_rng(0).standard_normal(z.shape)
    assert np.abs(drawn.mean(0)).max() > 0.001  # which chance does not do


def test_idx_files_are_read(tmp_path):
    (tmp_path / "mnist").mkdir()
    for part in ("train", "t10k"):
        with gzip.open(tmp_path / "mnist" / f"{part}-images-idx3-ubyte.gz", "wb") as out:
            out.write(struct.pack(">IIII", 2051, 300, 28, 28) + ROWS.tobytes())
    train, test = rows_of(tmp_path, "MNIST", 100)
    np.testing.assert_array_equal(train, ROWS[:100])
    np.testing.assert_array_equal(test, ROWS)


@pytest.mark.parametrize(("fraction", "passes"), [(1.0, 3280), (0.02, 66), (1 / 3280, 1)])
def test_the_schedule_of_iwae(fraction, passes):
    total, rate = schedule(60_000, fraction)
    assert total == passes
    if fraction == 1:  # 1 + 3 + ... + 3^7 passes, each stage a seventh of a decade slower
        assert float(rate(2999)) == pytest.approx(1e-3)
        assert float(rate(3000)) == pytest.approx(10 ** (-3 - 1 / 7))
        assert float(rate(3280 * 3000 - 1)) == pytest.approx(1e-4)
