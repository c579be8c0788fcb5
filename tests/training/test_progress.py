import io
import sys

import pytest

from laten.common.errors import LatenError
from laten.training.progress import Pace, duration, number, progress, thousands


class Clock:
    """Seconds that pass when told."""

    now = 100.0

    def __call__(self):
        return self.now


class Terminal(io.StringIO):
    def isatty(self):
        return True


def record(epoch, epochs=50, **more):
    plain = {"epoch": epoch, "step": 10 * epoch, "bound": -101.237, "term_x": -90.0, "skipped": 0, "rollbacks": 0}
    return plain | {"rows": 6000, "epochs": epochs, "seconds": 0.2} | more


HELD_OUT = {"valid_bound": -103.4, "kl": 18.251, "active_units": 14}


def test_plain_line_says_everything_on_one_line():
    out = io.StringIO()
    with progress("plain", out) as report:
        report(record(6))
        report(record(7, **HELD_OUT, skipped=2, rollbacks=1))
    assert out.getvalue() == (
        "epoch  6/50  bound -101.24\n"
        "epoch  7/50  bound -101.24  held-out -103.40  KL 18.25  active 14  30 000 rows/s  skipped 2  roll-backs 1"
        "  ETA 0:09\n"
    )


def test_plain_line_without_held_out_rows():
    out = io.StringIO()
    with progress("plain", out) as report:
        report(record(1, 1))
    assert out.getvalue() == "epoch 1/1  bound -101.24  30 000 rows/s\n"


def test_plain_lines_are_two_seconds_apart_and_the_last_one_is_written():
    out, clock = io.StringIO(), Clock()
    with progress("plain", out, clock) as report:
        for epoch in range(1, 50):
            report(record(epoch))
            clock.now += 0.2
    lines = [int(line.split("/")[0].removeprefix("epoch")) for line in out.getvalue().splitlines()]
    assert lines == [1, 11, 21, 31, 41, 49]


def test_plain_lines_become_rarer_in_long_runs():
    out, clock = io.StringIO(), Clock()
    with progress("plain", out, clock) as report:
        for epoch in range(1, 20_001):
            report(record(epoch, 20_000))
            clock.now += 1.0
    assert 50 < len(out.getvalue().splitlines()) < 200


def test_last_line_is_written_once_and_also_after_an_error():
    out, clock = io.StringIO(), Clock()
    with pytest.raises(RuntimeError), progress("plain", out, clock) as report:
        report(record(1))
        report(record(2))
        raise RuntimeError
    assert out.getvalue().count("\n") == 2
    assert "epoch  2/50" in out.getvalue()


def test_quiet_writes_nothing(capsys):
    with progress("quiet") as report:
        report(record(1))
    assert capsys.readouterr() == ("", "")


def test_standard_error_is_the_default_and_standard_output_stays_clean(capsys):
    with progress("plain") as report:
        report(record(1))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("epoch  1/50")


@pytest.mark.parametrize(
    ("stream", "term", "live"),
    [(Terminal(), "xterm", True), (Terminal(), "dumb", False), (io.StringIO(), "xterm", False)],
)
def test_auto_is_live_on_a_terminal_only(monkeypatch, stream, term, live):
    monkeypatch.setenv("TERM", term)
    with progress("auto", stream) as report:
        report(record(1))
    assert ("\x1b[" in stream.getvalue()) is live


def test_rich_shows_figures_bar_and_end(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    out, clock = Terminal(), Clock()
    stdout = sys.stdout
    with progress("rich", out, clock) as report:
        assert sys.stdout is stdout
        for epoch in (1, 2):
            report(record(epoch, **HELD_OUT))
        clock.now += 75
    last = out.getvalue()[out.getvalue().rindex("epoch 2/50") :]
    assert "━" in last
    assert "1:15 · stopped" in last
    assert "held-out -103.40 · KL 18.25 · active 14 · 30 000 rows/s" in last


def test_rich_without_an_epoch_leaves_no_spinner(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    out = Terminal()
    with pytest.raises(RuntimeError), progress("rich", out):
        raise RuntimeError
    assert out.getvalue().rstrip().endswith("\x1b[?25h")  # the cursor is back


def test_first_epoch_compiles_and_does_not_count():
    pace = Pace()
    pace.add(record(1, seconds=10.0))
    assert pace.rate(record(1)) == pace.left(record(1)) == ""
    for epoch, seconds in enumerate((0.2, 0.2, 5.0), 2):
        pace.add(record(epoch, seconds=seconds))
    assert pace.rate(record(4)) == "30 000 rows/s"
    assert pace.left(record(4, 54)) == "ETA 0:10"
    assert pace.left(record(54, 54)) == ""


def test_rate_follows_the_last_epochs():
    pace = Pace()
    for epoch in range(1, 60):
        pace.add(record(epoch, seconds=1.0 if epoch < 30 else 0.5))
    assert pace.rate(record(59, 60)) == "12 000 rows/s"


def test_unknown_kind():
    words = r"progress must be one of \['auto', 'rich', 'plain', 'quiet'\], not 'loud'"
    with pytest.raises(LatenError, match=words), progress("loud"):
        pass


@pytest.mark.parametrize(
    ("function", "x", "text"),
    [
        (number, -101.237, "-101.24"),
        (number, -1234.5, "-1234.5"),
        (number, -12345.6, "-12346"),
        (number, float("nan"), "nan"),
        (thousands, 3.14, "3.1"),
        (thousands, 312.4, "312"),
        (thousands, 30_412, "30 400"),
        (thousands, 1_234_567, "1 230 000"),
        (duration, 0.2, "0:00"),
        (duration, 75, "1:15"),
        (duration, 3700, "1:01:40"),
    ],
)
def test_numbers_in_words(function, x, text):
    assert function(x) == text
