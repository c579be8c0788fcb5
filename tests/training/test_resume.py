"""A run that is broken off ends with the same bits; checkpoints that are torn, foreign or cannot be written."""

import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import laten as lt
from laten.data.rows.presentation import Presentation, Store
from laten.network.model import build_model
from laten.training import checkpoints as kept
from laten.training.checkpoints import Checkpoints
from laten.training.epochs import train
from laten.training.objectives import Objective
from laten.training.settings import Settings
from laten.training.task import Outcome, Task

pytestmark = pytest.mark.trains

RNG = np.random.default_rng(0)
X = (RNG.normal(size=(300, 2)) @ RNG.normal(size=(2, 4)) + 0.5 * RNG.normal(size=(300, 4))).astype(np.float32)
NETWORK = lt.Network(z=lt.Normal(2), x=lt.Normal(4).given("z", via=lt.MLP(8, dropout=0.2)))
PLAN = {"epochs": 6, "batch_size": 60, "learning_rate": 1e-2, "patience": 0}


@dataclass(frozen=True)
class Moody(Objective):
    """The ELBO, not a number in most steps of a part of the plan: another turn has other moods."""

    def __call__(self, model, batch, key, progress=1.0, dropout: bool = False):
        estimate = lt.Elbo()(model, batch, key, progress, dropout)
        mood = batch.values["x"][0, 0] > -1.5  # of the row that happens to be the first
        bad = mood & (progress > 0.3) & (progress < 0.55)
        return estimate._replace(loss=jnp.where(bad, jnp.nan, estimate.loss))


def task(objective: Objective | None = None, copies: int = 1, x: np.ndarray = X) -> Task:
    models = [build_model(NETWORK, lt.guide_for(NETWORK), jax.random.key(i)) for i in range(copies)]
    held, rest = np.arange(60, dtype=np.int32), np.arange(60, 300, dtype=np.int32)
    store = Store({"x": jnp.asarray(x)}, {})
    return Task(
        models[0], objective or lt.Elbo(), store, Presentation(hide=("x",)), 0.0, {}, rest, held, tuple(models[1:])
    )


class Broken(BaseException):
    """Ends a process, as far as a process can end inside a test."""


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> Callable[[set[int]], None]:
    """Checkpoints after each compiled call; breaks after those whose numbers are given."""
    monkeypatch.setattr(kept, "EVERY", 0.0)
    monkeypatch.setattr(kept, "SHARE", 1e9)

    def breaking(numbers: set[int]) -> None:
        write, count = Checkpoints.write, iter(range(10_000))

        def one(self, snapshot) -> None:
            write(self, snapshot)
            if next(count) in numbers:
                raise Broken

        monkeypatch.setattr(Checkpoints, "write", one)

    return breaking


def going_on(folder: Path, made: Task, settings: Settings) -> tuple[Outcome, int]:
    """Train, again and again, until it is not broken off; in steps of one, so that breaks fall inside rounds too."""
    for breaks in range(20):
        try:
            with Checkpoints(folder) as checkpoints:
                return train(made, settings, call_seconds=1e-5, checkpoints=checkpoints), breaks
        except Broken:
            continue
    raise AssertionError


def same(one: Outcome, other: Outcome) -> bool:
    """To the bit, weights and history."""
    pairs = zip(jax.tree.leaves(one.model), jax.tree.leaves(other.model), strict=True)
    alike = all(np.array_equal(a, b) for a, b in pairs if isinstance(a, jax.Array))
    records = zip(one.history, other.history, strict=True)
    return alike and all(a | {"seconds": 0} == b | {"seconds": 0} for a, b in records)


NOISY = optax.chain(optax.add_noise(0.01, 0.5, 0), optax.adam(optax.cosine_decay_schedule(1e-2, 24)))
RUNS = {
    "roll-backs": ({"objective": Moody()}, {}),
    "several starts, trimmed, stopped early": (
        {"copies": 2, "objective": lt.Elbo(trim=0.2)}, {"learning_rate": 0.5, "patience": 2, "epochs": 9}
    ),
    "an optimiser of the user's": ({}, {"optimizer": NOISY, "learning_rate": 1.0}),
}  # fmt: skip


@pytest.mark.parametrize("name", [pytest.param(n, marks=[] if "early" in n else [pytest.mark.slow]) for n in RUNS])
def test_a_run_that_is_broken_off_ends_with_the_same_bits(name, tmp_path, often):
    parts, options = RUNS[name]
    settings = Settings(**PLAN | options)
    whole = train(task(**parts), settings)
    often({1, 3} if "early" in name else {2, 7})
    again, breaks = going_on(tmp_path, task(**parts), settings)
    assert breaks == 2 and again.retraces == 0
    assert same(whole, again) and whole.stopped == again.stopped and whole.best_epoch == again.best_epoch
    assert (whole.stopped == "early") == ("early" in name)
    assert (whole.history[-1]["rollbacks"] > 0) == (name == "roll-backs")
    assert len(list(tmp_path.glob("checkpoint-*"))) == 2
    if name == "roll-backs":
        assert same(whole, going_on(tmp_path, task(**parts), settings)[0])  # what is over is not begun anew


def test_another_seed_is_not_the_same_bits():
    """The control of `same`."""
    assert not same(train(task(), Settings(**PLAN)), train(task(), Settings(**PLAN, seed=1)))


def begun(folder: Path, often: Callable, **options) -> None:
    often({7})
    with pytest.raises(Broken), Checkpoints(folder) as checkpoints:
        train(task(), Settings(**PLAN | options), checkpoints=checkpoints, call_seconds=1e-5)


def test_a_torn_checkpoint_falls_back_to_the_one_before(tmp_path, often):
    whole = train(task(), Settings(**PLAN))
    begun(tmp_path, often)
    *_, newest = sorted(tmp_path.glob("checkpoint-*"))
    torn = bytearray(newest.read_bytes())
    head = b"laten checkpoint 1 "
    for spoilt in (torn[:-20], torn[:1000] + bytes(1) + torn[1001:], torn + b"x", b"", head + bytes(80)):
        newest.write_bytes(spoilt)
        assert kept.read(newest) is None
    with pytest.warns(lt.LatenWarning, match=rf"{newest.name}.*damaged.*the checkpoint before"):
        again, _ = going_on(tmp_path, task(), Settings(**PLAN))
    assert same(whole, again)
    for path in tmp_path.glob("checkpoint-*"):
        path.write_bytes(b"nothing")
    with pytest.raises(lt.DataError, match="all checkpoints are damaged"):
        going_on(tmp_path, task(), Settings(**PLAN))


def other(x: float) -> np.ndarray:
    changed = X.copy()
    changed[3, 1] += x
    return changed


@pytest.mark.parametrize(
    ("parts", "options", "words"),
    [
        ({}, {"learning_rate": 0.02}, "learning_rate 0.01, not 0.02"),
        ({}, {"seed": 1}, "seed 0, not 1"),
        ({"copies": 2}, {}, "restarts 1, not 2"),
        ({"x": X[:299]}, {}, "300 rows, not 299"),
        ({"x": other(1e-3)}, {}, "other data.*'x'"),
        ({"objective": lt.Elbo(beta=2.0)}, {}, "another network, guide, objective or optimiser"),
        ({}, {"optimizer": optax.sgd(1e-2)}, "another network, guide, objective or optimiser"),
    ],
)
def test_another_run_is_refused_by_name(parts, options, words, tmp_path_factory, often):
    folder = tmp_path_factory.getbasetemp() / "one run"
    if not folder.exists():
        begun(folder, often)
    before = sorted(p.read_bytes() for p in folder.iterdir())
    with pytest.raises(lt.DataError, match=f"another run.*{words}"), Checkpoints(folder) as checkpoints:
        train(task(**parts), Settings(**PLAN | options), checkpoints=checkpoints)
    assert sorted(p.read_bytes() for p in folder.iterdir()) == before


def test_another_machine_is_refused_unless_that_is_wanted(tmp_path, often, monkeypatch):
    begun(tmp_path, often)
    with monkeypatch.context() as fewer:
        fewer.setenv("NPROC", "77")  # XLA cuts large products by it, and sums them in another order
        with pytest.raises(lt.DataError, match=r"another number of cores.*now '77'"):
            going_on(tmp_path, task(), Settings(**PLAN))
    monkeypatch.setattr("laten.training.fingerprint.processor", lambda: "another")
    with pytest.raises(lt.DataError, match=r"another processor.*exact=False"):
        going_on(tmp_path, task(), Settings(**PLAN))
    monkeypatch.setattr("laten.training.fingerprint.version", lambda name: "9.9")
    with pytest.raises(lt.DataError, match="another jax"):
        going_on(tmp_path, task(), Settings(**PLAN))
    with Checkpoints(tmp_path, exact=False) as checkpoints:
        assert train(task(), Settings(**PLAN), checkpoints=checkpoints).history[-1]["epoch"] == 6


def test_a_folder_is_for_one_training_at_a_time(tmp_path):
    with (
        Checkpoints(tmp_path),
        pytest.raises(lt.DataError, match="another process trains in this run folder"),
        Checkpoints(tmp_path),
    ):
        pass
    with Checkpoints(tmp_path):  # the lock ends with who held it
        pass
    (tmp_path / "file").write_text("")
    with pytest.raises(lt.DataError, match="cannot be a run folder"), Checkpoints(tmp_path / "file"):
        pass


def test_a_checkpoint_that_cannot_be_written_stops_nothing(tmp_path, often, monkeypatch):
    whole = train(task(), Settings(**PLAN))
    often(set())

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with Checkpoints(tmp_path) as checkpoints, pytest.warns(lt.LatenWarning, match="No space left") as said:
        monkeypatch.setattr(Checkpoints, "write", full)
        outcome = train(task(), Settings(**PLAN), checkpoints=checkpoints, call_seconds=1e-5)
    assert len(said) == 1 and same(whole, outcome) and not list(tmp_path.glob("checkpoint-*"))


def test_checkpoints_take_little_time(tmp_path, monkeypatch):
    """One that takes a second is not followed by another for a hundred."""
    now = [0.0]

    def written(self, snapshot) -> None:
        now[0] += 1.0
        done.append(now[0])

    done: list[float] = []
    monkeypatch.setattr(kept.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(Checkpoints, "write", written)
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.begin({}, {})
        for _ in range(5000):
            now[0] += 0.1
            checkpoints.offer(lambda: None)  # type: ignore[arg-type,return-value]
    assert done[0] == pytest.approx(3.0, abs=0.2) and 0.005 < len(done) / now[0] < 0.011


def test_without_a_folder_nothing_is_carried_or_lowered(monkeypatch):
    monkeypatch.setattr("laten.training.epochs.fingerprint", None)
    monkeypatch.setattr("laten.training.epochs.Training.snapshot", None)
    assert train(task(), Settings(**PLAN)).history


def test_a_signal_between_two_rounds_keeps_the_run(tmp_path):
    """It may come while an epoch is being recorded, after the round was found to be whole."""

    def report(record):
        if record["epoch"] == 1:
            signal.raise_signal(signal.SIGINT)

    with Checkpoints(tmp_path) as checkpoints:
        outcome = train(task(), Settings(**PLAN), report, call_seconds=0.0, checkpoints=checkpoints)
    assert outcome.stopped == "interrupted" and list(tmp_path.glob("checkpoint-*"))
    with Checkpoints(tmp_path) as checkpoints:
        again = train(task(), Settings(**PLAN), checkpoints=checkpoints)
    assert again.stopped == "plan" and len(again.history) > len(outcome.history)
