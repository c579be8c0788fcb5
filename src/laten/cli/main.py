"""The entry `laten`: exit codes, and one line for whatever is wrong.

| exit code | means |
|---|---|
| 0 | done (also when the reader of standard output stopped reading, as `head` does) |
| 1 | `laten schema --check`: the rows break the contract |
| 2 | bad input: exactly one line on standard error |
| 75 | a process of the same training was lost: start all of them again |
| 130 | interrupted by Ctrl-C |
| 143 | ended by SIGTERM |

Results go to standard output or to `-o`; progress, notes and warnings to standard error.
"""

import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

import typer

from laten.cli.questions import app
from laten.cli.wording import in_options
from laten.common.errors import LatenError, LatenWarning, harmless

DONE, BAD_INPUT, INTERRUPTED, TERMINATED = 0, 2, 130, 143
# Wherever this version of typer keeps its click.
Refused: Any = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: What was typed after `laten`; None takes it from the process.
    Returns:
        The exit code.
    """
    with plain_warnings(), ends_on_sigterm():
        try:
            code = app(args=None if arguments is None else list(arguments), prog_name="laten", standalone_mode=False)
            sys.stdout.flush()
        except LatenError as error:
            return refuse(str(error))
        except Refused as error:
            return refuse(
                f"{error.format_message().rstrip('.')}; see {error.ctx.command_path if error.ctx else 'laten'} --help"
            )
        except BrokenPipeError:
            return hang_up()
        except SystemExit as error:  # what typer makes of a broken pipe
            if isinstance(error.__context__, BrokenPipeError):
                return hang_up()
            if error.code != TERMINATED:
                raise
            code = TERMINATED
        except OSError as error:
            return refuse(f"{error.filename or 'file system'}: {error.strerror or error}")
        except KeyboardInterrupt:
            code = INTERRUPTED
    if code in (INTERRUPTED, TERMINATED):
        print("laten: interrupted" if code == INTERRUPTED else "laten: terminated", file=sys.stderr)
    return int(code or DONE)


def refuse(message: str) -> int:
    """Say on one line what is wrong."""
    print(f"laten: {harmless(in_options(' '.join(message.split())))}", file=sys.stderr)
    return BAD_INPUT


def hang_up() -> int:
    """Close standard output, which nobody reads any more, so that Python does not complain when it ends."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return DONE


@contextmanager
def ends_on_sigterm() -> Iterator[None]:
    """Leave a command on SIGTERM as on Ctrl-C, so that nothing half-written stays behind."""
    before = signal.getsignal(signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread() or before is not signal.SIG_DFL:
        yield
        return

    def leave(number: int, frame: object) -> NoReturn:
        raise SystemExit(TERMINATED)

    signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def plain_warnings() -> Iterator[None]:
    """Show a `LatenWarning` as one line without source code; other libraries' stay quiet unless `python -W` asks."""

    def show(message: Warning | str, *origin: object, **more: object) -> None:
        print(f"laten: warning: {harmless(in_options(' '.join(str(message).split())))}", file=sys.stderr)

    with warnings.catch_warnings():
        if not sys.warnoptions:
            warnings.simplefilter("ignore")
        warnings.simplefilter("always", LatenWarning)
        warnings.showwarning = show
        yield


if __name__ == "__main__":
    sys.exit(main())
