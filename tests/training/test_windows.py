"""Rows on the disk, a window on the device: each is seen once a pass, and a run that is broken off ends the same."""

import io
from functools import partial
from pathlib import Path

import jax
import numpy as np
import pandas as pd
import pytest

import laten as lt
from laten.data.files import survey as surveying
from laten.data.rows.rows import Rows
from laten.data.rows.spool import SpoolWriter, open_spool
from laten.estimator import plain_vae, prepare_parts
from laten.training import checkpoints as kept
from laten.training import windows as windowed
from laten.training.checkpoints import Checkpoints
from laten.training.epochs import train
from laten.training.objectives import WithLabels
from laten.training.windows import Often, Windows

pytestmark = pytest.mark.trains

NUMBER = np.arange(310)
OPTIONS = {"latent": 2, "width": 4, "epochs": 3, "batch_size": 20, "patience": 0}


@pytest.fixture
def spool(tmp_path: Path):
    """310 rows that hold their own number, every seventh hidden, and three codes."""
    writer = SpoolWriter(tmp_path, {"x": np.dtype(np.uint16), "c": np.dtype(np.uint8)})
    for at in (NUMBER[:100], NUMBER[100:101], NUMBER[101:]):
        codes = np.stack([at % 5, at % 3, at % 2], 1).astype(np.uint8)
        mask = {"c": np.stack([at % 7 > 0, at >= 0, at >= 0], 1)} if at[0] else {}
        writer.append(Rows({"x": at.astype(np.uint16), "c": codes}, len(at), mask))
    return writer.finish({"key": "k"})


def seen(windows: Windows, turn: int, passes: int = 1, start: int = 0) -> list[np.ndarray]:
    """Rows of each step of a round, by their numbers; what a row holds is checked."""
    steps = []
    for window in windows.round(0, turn, passes, 10, start):
        values, masks = jax.device_get(window.store)
        for batch in window.numbers:
            rows = values["x"][batch].astype(int)
            assert np.array_equal(values["c"][batch], np.stack([rows % 5, rows % 3, rows % 2], 1))
            assert np.array_equal(masks["c"][batch][:, 0], (rows % 7 > 0) | (rows < 100))
            assert set(masks) == {"c"}
            steps.append(rows)
    return steps


def test_each_row_is_seen_once_a_pass(spool, monkeypatch):
    monkeypatch.setattr(windowed, "LEAST_BLOCKS", 4)
    windows = Windows(spool, 105)  # three of 100 rows, and one of 10
    first, second = seen(windows, 0), seen(windows, 1)
    for steps in (first, second):
        assert len(steps) == 31 and np.array_equal(np.sort(np.concatenate(steps)), NUMBER)
    assert not np.array_equal(first, second)
    assert np.array_equal(first + second, seen(windows, 0, passes=2))
    assert all(np.ptp(steps) > 5 for steps in first)  # not as they lie
    assert np.array_equal(first[13:], seen(Windows(spool, 105), 0, start=10)[3:])  # gone on with inside a window
    windows.close()


def test_windows_have_one_shape_and_numbers_of_their_own(spool):
    windows = Windows(spool, 105)
    found = list(windows.round(0, 1, 2, 10))
    store, order = windows.like(10)
    assert [w.turn for w in found] == [4, 5, 6, 7, 8, 9, 10, 11]
    assert [w.first for w in found] == [0, 10, 20, 30, 31, 41, 51, 61]
    for w in found:
        assert w.order.shape == order.shape and jax.tree.map(np.shape, w.store) == jax.tree.map(np.shape, store)


@pytest.mark.parametrize("size", [105, 310])
def test_who_trains_with_a_part_of_each_batch_reads_a_part_of_the_rows(spool, size):
    """Batches are those of one process, whoever else reads the rest."""
    windows, every = Windows(spool, size), windowed.lanes_of(20)
    assert every == 4
    for turn in range(windows.count(20)):
        whole, numbers = windows.whole(0, turn, 20)
        expected = jax.device_get(whole.values["x"])[numbers]
        for processes in (2, 4):
            wide, found = 20 // processes, []
            for i in range(processes):
                lanes = windowed.lanes_with(range(i * wide, (i + 1) * wide), 20)
                values, masks, own = windows._lanes(0, turn, 20, lanes)
                found.append(values["x"][own].astype(int))
                assert abs(len(values["x"]) - len(whole.values["x"]) / processes) <= every
                assert np.array_equal(masks["c"][own][..., 0], (found[-1] % 7 > 0) | (found[-1] < 100))
            assert np.array_equal(np.concatenate(found, axis=1), expected)
    windows.close()


def test_three_parts_of_four_lanes_have_two_each():
    assert [windowed.lanes_with(range(i, i + 20), 60) for i in (0, 20, 40)] == [range(2), range(1, 3), range(2, 4)]


def test_rows_with_a_label_are_visited_more_often(tmp_path):
    shows = NUMBER % 10 == 0
    writer = SpoolWriter(tmp_path, {"x": np.dtype(np.uint16), "y": np.dtype(np.uint8)})
    writer.append(Rows({"x": NUMBER.astype(np.uint16), "y": (NUMBER % 3).astype(np.uint8)}, 310, {"y": shows}))
    spool = writer.finish({"key": "k"})
    assert [spool.shown(names) for names in (["y"], ["x"], [])] == [31, 310, 0]
    for more, share in ((1.0, 0.1), (4.0, 4 * 0.1 / (4 * 0.1 + 0.9))):
        windows = Windows(spool, 310, Often(("y",), more))
        (window,) = windows.round(0, 0, 1, 10)
        rows = jax.device_get(window.store.values["x"])[window.numbers].ravel()
        assert len(rows) == 310 and abs(shows[rows].mean() - share) < 0.02
        windows.close()


def test_a_spool_is_opened_for_its_own_rows_alone(spool, tmp_path):
    again = open_spool(tmp_path, "k")
    assert again == spool and open_spool(tmp_path, "other") is None
    assert [n.digest for n in again.nodes] == [n.digest for n in spool.nodes]
    (spool.folder / "0.values").write_bytes(b"")
    assert open_spool(tmp_path, "k") is None


# -- a fit ---------------------------------------------------------------------------------------------------------


def people(rows: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    size = rng.normal(size=rows).round(2)
    frame = pd.DataFrame({"size": size, "kind": np.where(size + rng.normal(size=rows) > 0, "a", "b")})
    frame.loc[::9, "size"] = np.nan
    return frame


@pytest.fixture
def data(tmp_path, monkeypatch) -> Path:
    """Rows in two files, read in parts, of which a window holds 100; a sample is 150 rows."""
    (tmp_path / "data").mkdir()
    for i, part in enumerate((people().iloc[:130], people().iloc[130:])):
        part.to_parquet(tmp_path / "data" / f"{i}.parquet", index=False)
    monkeypatch.setattr(prepare_parts, "FEWEST", 100)
    monkeypatch.setattr(prepare_parts, "SHARE", 2**40)
    monkeypatch.setattr(prepare_parts, "survey", partial(surveying.survey, most=150))
    monkeypatch.setattr(surveying, "NUMBERS", 20)
    monkeypatch.setattr(kept, "EVERY", 0.0)
    monkeypatch.setattr(kept, "SHARE", 1e9)
    return tmp_path / "data"


def fitted(data, run=None, **options) -> lt.VAE:
    return lt.VAE(**OPTIONS | options).fit(str(data), run=run, memory="512MiB")


def file_of(vae: lt.VAE) -> bytes:
    file = io.BytesIO()
    vae.save(file)
    return file.getvalue()


class Broken(BaseException):
    """Ends a process, as far as a process can end inside a test."""


def test_a_fit_in_windows_that_is_broken_off_ends_with_the_same_bytes(data, tmp_path, monkeypatch):
    whole = fitted(data)
    assert list(whole.history_["step"]) == [18, 36, 54]  # 360 rows, 100 of them in a window
    column = whole.schema_["kind"]
    assert column.seen.rows == 400 and column.seen.tally == people()["kind"].value_counts().to_dict()
    assert whole.schema_["size"].seen.missing == 45

    monkeypatch.setattr(plain_vae, "train", partial(train, call_seconds=1e-5))  # a step a call
    write, count = Checkpoints.write, iter(range(1000))

    def one(self, snapshot) -> None:
        write(self, snapshot)
        if next(count) in (7, 29):  # in the second window of a pass, and in the last
            raise Broken

    monkeypatch.setattr(Checkpoints, "write", one)
    for _ in range(2):
        with pytest.raises(Broken):
            fitted(data, tmp_path / "run")
    spool = tmp_path / "run" / "spool" / "manifest.json"
    before = spool.stat().st_mtime_ns
    assert file_of(fitted(data, tmp_path / "run")) == file_of(whole)
    assert spool.stat().st_mtime_ns == before  # the rows are not encoded anew
    assert file_of(fitted(data, seed=1)) != file_of(whole)  # the control


def test_what_makes_a_fit_in_windows_diverge_is_named(data):
    with pytest.raises(lt.TrainingDiverged, match="The log-density of node"):
        fitted(data, learning_rate=1e30)


def test_levels_beyond_those_that_are_kept_track_of_share_an_entry(data, monkeypatch):
    monkeypatch.setattr(surveying, "TEXTS", 30)
    for path in data.iterdir():
        rng = np.random.default_rng(0)
        frame = pd.read_parquet(path)
        town = np.where(rng.random(len(frame)) < 0.9, "Oslo", rng.integers(0, 999, len(frame)).astype(str))
        frame.assign(town=town).to_parquet(path, index=False)
    column = fitted(data, epochs=1).schema_["town"]
    assert column.unseen == "other" and column.classes == ("Oslo", "(other)")


def test_a_window_that_holds_all_rows_is_no_window(data, monkeypatch):
    monkeypatch.setattr(prepare_parts, "FEWEST", 10_000)
    seen = []
    monkeypatch.setattr(plain_vae, "train", lambda task, *a, **k: seen.append(task) or train(task, *a, **k))
    vae = fitted(data, epochs=1)
    (task,) = seen
    assert task.windows is None and task.rows == 360 and len(task.valid) == 40
    assert set(task.order(0, 0, 20, 1).ravel()) == set(task.train)
    assert vae.history_["rows"].iloc[0] % 360 == 0


def seen_task(monkeypatch) -> list:
    """Collect the tasks that fits train from here on."""
    seen = []
    monkeypatch.setattr(plain_vae, "train", lambda task, *a, **k: seen.append(task) or train(task, *a, **k))
    return seen


@pytest.mark.parametrize("fewest", [100, pytest.param(10_000, marks=pytest.mark.slow)])
def test_labels_teach_a_fit_in_parts_as_one_in_memory(data, monkeypatch, fewest):
    """Rows with a label, 1 of 20, come to a fifth of the visits; in windows, and where one window holds all."""
    monkeypatch.setattr(prepare_parts, "FEWEST", fewest)
    for path in data.iterdir():
        rows = np.arange(len(pd.read_parquet(path)))
        kind = np.where(rows % 20 == 0, np.array(list("abc"))[rows // 20 % 3], None)
        pd.read_parquet(path).assign(size=(rows * 0.37) % 1, kind=kind).to_parquet(path, index=False)
    network = lt.Network(kind=lt.Categorical(3), size=lt.Normal(()).given("kind"))
    tasks = seen_task(monkeypatch)
    for rows in (str(data), pd.concat([pd.read_parquet(p) for p in sorted(data.iterdir())], ignore_index=True)):
        memory = "512MiB" if isinstance(rows, str) else None
        lt.VAE(network, epochs=2, batch_size=20, validation=0.0).fit(rows, memory=memory)
    parts, whole = tasks
    for objective in (
        parts.objective,
        whole.objective,
    ):  # their rows differ, and so may the groups
        assert isinstance(objective, WithLabels) and objective.judge == lt.Elbo()
    more = whole.row_weights.max()
    assert more == pytest.approx(0.25 * 0.95 / 0.05, rel=0.1)
    if fewest == 100:
        assert parts.row_weights is None and parts.windows.often == (("kind",), pytest.approx(more))
    else:
        assert parts.windows is None and np.sort(parts.row_weights) == pytest.approx(np.sort(whole.row_weights))


@pytest.mark.filterwarnings("ignore::laten.LatenWarning")
def test_an_input_is_read_in_parts(data, monkeypatch):
    """Its log-determinants do not count, which a bound of rows in memory shows."""
    monkeypatch.setattr(prepare_parts, "survey", surveying.survey)  # of all rows: scales are those of all
    for path in data.iterdir():
        pd.read_parquet(path).dropna().to_parquet(path, index=False)
    frame = pd.concat([pd.read_parquet(p) for p in sorted(data.iterdir())], ignore_index=True)
    frame = frame.assign(dose=np.arange(len(frame)) % 11 / 3)
    frame.to_parquet(data / "0.parquet", index=False)
    (data / "1.parquet").unlink()
    network = lt.Network(dose=lt.Given(()), z=lt.Normal(1), size=lt.Normal((), scale="site").given("z", "dose"))
    tasks = seen_task(monkeypatch)
    parts, whole = lt.VAE(network, epochs=1, batch_size=20), lt.VAE(network, epochs=1, batch_size=20)
    parts.fit(str(data), memory="512MiB")
    whole.fit(frame)
    assert tasks[0].windows is not None and tasks[0].offset == pytest.approx(tasks[1].offset, rel=1e-6)
    assert np.isfinite(parts.score_samples(frame.head(3))).all()
    frame.loc[[5, 300], "dose"] = np.nan
    frame.to_parquet(data / "0.parquet", index=False)
    with pytest.raises(lt.DataError, match=r"node 'dose' is Given.*2 rows do not"):
        lt.VAE(network, epochs=1).fit(str(data), memory="512MiB")


def test_other_rows_are_another_run(data, tmp_path):
    fitted(data, tmp_path / "run")
    people().assign(size=0.5).iloc[130:].to_parquet(data / "1.parquet", index=False)
    with pytest.raises(lt.DataError, match="begun with other data"):
        fitted(data, tmp_path / "run")


def test_a_file_that_changes_on_the_way_is_refused(data, monkeypatch):
    fill = prepare_parts.fill

    def changing(*arguments):
        people(50).to_parquet(data / "1.parquet", index=False)
        return fill(*arguments)

    monkeypatch.setattr(prepare_parts, "fill", changing)
    with pytest.raises(lt.DataError, match="was changed while it was read"):
        fitted(data)


def test_what_cannot_be_read_in_parts(data):
    with pytest.raises(lt.DataError, match="sample_weight"):
        lt.VAE(**OPTIONS).fit(str(data), sample_weight=np.ones(400), memory="512MiB")
    with pytest.raises(lt.LatenError, match="goes with a path"):
        lt.VAE(**OPTIONS).fit(people(), memory="1GiB")
    for memory in ("much", "1MiB", True):
        with pytest.raises(lt.LatenError, match="memory"):
            lt.VAE(**OPTIONS).fit(str(data), memory=memory)
