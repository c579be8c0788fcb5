"""What a command leaves behind when it is ended, when the disk is full, and where its output cannot or must not be."""

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

import laten
from laten.cli.work import fit as work
from laten.common.atomic_file import PREFIX, SETTLED, SUFFIX, atomic, check_writable, sweep
from laten.common.errors import DataError, ModelFileError
from laten.common.file_lock import held

pytestmark = pytest.mark.trains

LATEN = [sys.executable, "-m", "laten.cli.main"]
ENDLESS = ["--epochs", "1000000", "--patience", "0", "--latent", "2", "--width", "4"]
SHORT = ["--epochs", "40", "--latent", "2", "--width", "4", "--batch-size", "16", "-q"]


def ended(command: list[str], number: signal.Signals) -> tuple[int, str]:
    """A command that is sent a signal once it trains: its exit code, and what it said."""
    with subprocess.Popen([*LATEN, *command], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = ""
        while "epoch" not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        process.send_signal(number)
        said += process.stderr.read()
    return process.returncode, said


@pytest.mark.slow
def test_sigterm_keeps_the_model_and_the_run(table, tmp_path):
    model, run = tmp_path / "people.laten", tmp_path / "a run"
    code, said = ended(["fit", table.data, "-o", str(model), "--run", str(run), *ENDLESS], signal.SIGTERM)
    assert code == 143, said
    assert "Training ended by SIGTERM" in said and f"To go on: laten resume '{run}'" in said and "Traceback" not in said
    assert laten.load(model).stopped_ == "terminated"
    assert len(list(run.glob("checkpoint-*"))) in (1, 2)


def test_a_run_goes_on_by_its_folder_alone(laten, tmp_path):
    """`resume` finds data, options and model in the folder, from wherever it is called."""
    assert laten("fit", "people.csv", "-o", "kept.laten", "--kind", "shoe=real", "--run", "run", *SHORT).code == 0
    whole = Path("kept.laten").read_bytes()
    Path("kept.laten").unlink()
    for path in Path("run").glob("checkpoint-*"):
        path.unlink()  # as if it had been killed before the first
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    os.chdir(elsewhere)
    ran = laten("resume", "../run")
    assert ran.code == 0, ran
    assert (tmp_path / "kept.laten").read_bytes() == whole
    os.chdir(tmp_path)
    with Path("people.csv").open("a") as file:
        file.write("171.0,>50K,Medan,40,1999-01-01,Indonesia\n")
    ran = laten("resume", "run")
    assert ran.code == 2 and "begun with 40 rows" in ran.err and ran.err.count("\n") == 1, ran


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["resume", "nothere"], ["nothere", "no such run folder", "laten fit DATA --run nothere"]),
        (["resume", "."], ["no run was begun here by laten fit", "Python"]),
        (["fit", "-", "--run", "run"], ["--run", "standard input"]),
        (["fit", "people.csv", "--run", "people.csv"], ["people.csv", "cannot be a run folder"]),
        (["fit", "people.csv", "-o", "people.csv"], ["people.csv", "is read by this command"]),
        (["fit", "people.csv", "-o", "link.csv"], ["link.csv", "is read by this command"]),
        (["fit", "people.csv", "-o", "pipe"], ["pipe", "device or a pipe"]),
        (["fit", "people.csv", "-o", "n" * 256], ["name too long"]),
        (["fit", "people.csv", "--learning-rate", "inf"], ["--learning-rate", "positive and finite"]),
        (["fit", "people.csv", "--trim", "nan"], ["trim", "[0, 1)"]),
        (["impute", "MODEL", "people.csv", "-o", "people.csv"], ["is read by this command"]),
        (["score", "MODEL", "people.csv", "-o", "link.csv"], ["is read by this command"]),
        (["predict", "MODEL", "people.csv", "--column", "city", "-o", "people.csv"], ["is read by this command"]),
        (["embed", "MODEL", "people.csv", "-o", "people.csv"], ["is read by this command"]),
        (["outliers", "MODEL", "people.csv", "-o", "people.csv"], ["is read by this command"]),
        (["drift", "MODEL", "people.csv", "-o", "people.csv"], ["is read by this command"]),
        (["compare", "MODEL", "MODEL", "people.csv", "-o", "people.csv"], ["is read by this command"]),
        (["audit", "MODEL", "people.csv", "-o", "people.csv"], ["is read by this command"]),
        (["quality", "people.csv", "people.csv", "-o", "people.csv"], ["is read by this command"]),
        (["explain", "MODEL", "people.csv", "--table", "people.csv"], ["is read by this command"]),
        (["schema", "people.csv", "--check", "MODEL", "-o", "people.csv"], ["is read by this command"]),
        (["sample", "MODEL", "-o", "device.csv"], ["device or a pipe"]),
        (["query", "MODEL", "P(city)", "-o", "pipe.csv"], ["device or a pipe"]),
    ],
)
def test_outputs_are_looked_at_before_any_work(arguments, words, laten, table):
    for pipe in ("pipe", "pipe.csv"):
        os.mkfifo(pipe)
    Path("link.csv").symlink_to("people.csv")
    Path("device.csv").symlink_to("/dev/null")
    before = Path("people.csv").read_bytes()
    ran = laten(*(table.model if a == "MODEL" else a for a in arguments))
    assert ran.code == 2 and ran.err.count("\n") == 1, ran
    assert all(word in ran.err.replace("File n", "n") for word in words), ran.err
    assert Path("people.csv").read_bytes() == before and stat.S_ISFIFO(Path("pipe").stat().st_mode)
    assert Path("device.csv").is_symlink() and stat.S_ISCHR(Path("/dev/null").stat().st_mode)


class Full:
    """A model that cannot be written in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.saved = folder, list[Path]()

    def save(self, path: str | Path) -> None:
        if Path(path).parent == self.folder:
            raise ModelFileError(f"{path}: cannot be written: No space left on device")
        self.saved.append(Path(path))


@pytest.mark.parametrize("run", [None, "run"])
def test_a_model_that_cannot_be_written_is_written_elsewhere(run, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    model, folder = Full(tmp_path), None if run is None else str(tmp_path / run)
    with pytest.raises(ModelFileError, match=r"No space left on device; the model is kept in .*\.laten") as caught:
        work.save(model, str(tmp_path / "m.laten"), folder)  # type: ignore[arg-type]
    (saved,) = model.saved
    assert str(saved) in str(caught.value) and saved.parent == tmp_path / (run or "temporary")


def test_a_full_disk_names_the_file(tmp_path):
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(DataError, match=r"x\.csv: cannot be written: No space left"), atomic(tmp_path / "x.csv"):
        fail()
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_overwritten_keeps_its_mode_and_its_link(tmp_path):
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("old")
    file.chmod(0o640)
    link.symlink_to("file")
    with atomic(link) as out:
        out.write(b"new")
    assert file.read_text() == "new" and link.is_symlink() and stat.S_IMODE(file.stat().st_mode) == 0o640
    mask = os.umask(0o027)
    try:
        with atomic(tmp_path / "fresh") as out:
            out.write(b"x")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "fresh").stat().st_mode) == 0o640
    with atomic(tmp_path / ("n" * 255)) as out:  # as long as a name can be
        out.write(b"x")
    assert {p.name[:6] for p in tmp_path.iterdir()} == {"file", "link", "fresh", "nnnnnn"}


def test_parts_of_killed_processes_are_swept(tmp_path):
    old, held_on, young = (tmp_path / f"{PREFIX}{i}{SUFFIX}" for i in range(3))
    for part in (old, held_on, young):
        part.write_text("half")
    for part in (old, held_on):
        os.utime(part, (time.time() - 2 * SETTLED,) * 2)
    with held_on.open("rb") as file:
        assert held(file)
        sweep(tmp_path)
        assert sorted(tmp_path.iterdir()) == [held_on, young]
    check_writable(tmp_path / "x")
    assert sorted(tmp_path.iterdir()) == [held_on, young]


def test_sigterm_elsewhere_leaves_nothing(laten, monkeypatch):
    def terminated(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr("laten.cli.work.fit.for_fit", terminated)
    before, files = signal.getsignal(signal.SIGTERM), set(Path().iterdir())
    ran = laten("fit", "people.csv")
    assert ran == (143, "", "laten: terminated\n")
    assert signal.getsignal(signal.SIGTERM) is before and set(Path().iterdir()) == files


WRITER = """
import sys
from laten.common.atomic_file import atomic
for _ in range(40):
    with atomic(sys.argv[1]) as file:
        file.write(sys.argv[2].encode() * 300_000)
"""


def test_two_writers_of_one_file_and_a_reader(tmp_path):
    """The reader sees what one of them wrote, whole."""
    path, seen = tmp_path / "m", set()
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), letter]) for letter in "ab"]
    while any(writer.poll() is None for writer in writers):
        if path.exists():
            found = path.read_bytes()
            assert len(found) == 300_000 and len(set(found)) == 1
            seen.add(found[:1])
    assert [writer.returncode for writer in writers] == [0, 0] and seen == {b"a", b"b"}
    assert [p.name for p in tmp_path.iterdir()] == ["m"]
