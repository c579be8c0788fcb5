"""Code blocks of all pages are run before the pages are built: two pages at once, each in a namespace of its own.

Zensical renders one page after the other, in one process, so it would leave a core idle. It is handed what each block
printed, and puts that into the page (`docs/code/run_block.py`).
"""

import io
import linecache
import multiprocessing
import os
import subprocess
import sys
import traceback
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from markdown import Markdown

from docsite.common import DOCS, ROOT, SiteError, shown
from docsite.figures import figure_numbers

CODE = DOCS / "code"
PAGES_AT_ONCE = 2
QUICK = 500  # steps of a training whose epochs are not said, after `<!-- setup: quick -->`
PATHS = [str(ROOT / "src"), str(ROOT), str(CODE)]
ENVIRONMENT = {
    "PYTHONPATH": os.pathsep.join(PATHS),
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    "BASH_ENV": str(CODE / "strict.sh"),
    "EDITOR": "true",
    # most programs run once, on few rows: compile them quickly, not well
    "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
}


@dataclass
class Ran:
    """What blocks printed and their seconds of processor, by place; and what was wrong with one."""

    printed: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    fault: str = ""


def run_pages(pages: dict[Path, Path], numbers: Path) -> Ran:
    """Run the blocks of pages, each page in the folder beside it; meanwhile train the models of moving figures.

    Raises:
        SiteError: a block failed. Each page stops at its first; the message names all.
    """
    texts = {page: page.read_text() for page in pages}
    asked = {page: text.count('exec="1"') for page, text in texts.items()}
    longest = sorted((page for page in pages if asked[page]), key=lambda page: -asked[page])
    spawn = multiprocessing.get_context("spawn")  # JAX has threads, which a fork would lose
    every, faults = Ran(), []
    with ProcessPoolExecutor(PAGES_AT_ONCE, spawn, find_modules, (PATHS,)) as pool:
        figures = [pool.submit(figure_numbers, numbers)] if any("data-figure=" in t for t in texts.values()) else []
        waited = {pool.submit(run_page, texts[page], pages[page]): page for page in longest}
        for done in as_completed(waited):
            ran = done.result()
            every.printed |= ran.printed
            every.seconds |= ran.seconds
            faults += [ran.fault] if ran.fault else []
            print(f"{sum(ran.seconds.values()):6.1f} s, {shown(waited[done])}", file=sys.stderr)
        for done in figures:
            done.result()
    if faults:
        raise SiteError("\n".join(faults))
    return every


def find_modules(paths: list[str]) -> None:
    """Let a process find what pages import; it starts with the paths of the process that starts it."""
    sys.path[:0] = paths


def run_page(text: str, folder: Path) -> Ran:
    """Run the blocks of a page in a folder, from top to bottom, until one fails."""
    ran, module = Ran(), ModuleType("page")
    sys.modules["page"] = module  # classes of a page look there for their names
    folder.mkdir(parents=True)
    (folder / "docs").symlink_to(DOCS)
    for source, language, options in blocks_of(text):
        place, began = options["id"], worked()
        quick = QUICK if options["quick"] == "1" else None
        before = training_steps(quick)
        try:
            with chdir(folder):
                for name in filter(None, options["setup"].split(",")):
                    run_python((CODE / f"{name}.py").read_text(), module, str(CODE / f"{name}.py"))
                if language == "python":
                    ran.printed[place] = run_python(source, module, place)
                else:
                    ran.printed[place] = run_shell(source, options["returncode"], quick)
        except Exception:
            ran.fault = fault_of(place, source)
            break
        finally:
            training_steps(before)
        ran.seconds[place] = worked() - began
    return ran


def worked() -> float:
    """Return the seconds of processor that this process and its children have taken."""
    return sum(os.times()[:4])


def blocks_of(text: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Return source, language and options of the blocks of a page that are run, with what they include."""
    from run_block import validator  # beside the code of the pages, where Zensical finds it

    found = []

    def note(source: str, language: str, css_class: str, options: dict[str, Any], md: Any, **others: Any) -> str:
        found.append((source, language, options))
        return ""

    fences = [{"name": name, "class": name, "validator": validator, "format": note} for name in ("python", "bash")]
    Markdown(
        extensions=["pymdownx.snippets", "pymdownx.superfences"],
        extension_configs={
            "pymdownx.snippets": {"base_path": [str(CODE)], "check_paths": True, "dedent_subsections": True},
            "pymdownx.superfences": {"custom_fences": fences},
        },
    ).convert(text)
    return found


def training_steps(steps: int | None) -> int:
    """Let trainings whose epochs are not said take so many steps; return how many they took before."""
    from laten.training import settings as training

    before = training.AUTO_STEPS
    training.AUTO_STEPS = steps or before
    return before


def run_python(source: str, module: ModuleType, name: str) -> str:
    """Run code in a module's namespace; return what it printed."""
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()):
        exec(compile(source, name, "exec", dont_inherit=True), vars(module))
    return out.getvalue()


def run_shell(source: str, wanted: int, quick: int | None) -> str:
    """Run commands, after `docs/code/strict.sh`; return what they printed."""
    command, own = ["bash", "-c", source], {"QUICK_STEPS": str(quick)} if quick else {}
    done = subprocess.run(
        command, env={**os.environ, **own}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode != wanted:
        raise RuntimeError(f"exit status {done.returncode}\n{done.stdout}")
    return done.stdout


def fault_of(place: str, source: str) -> str:
    """Return place and reason of the error that is being handled."""
    error = sys.exception()
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == place]
    where = f" (its line {lines[-1]})" if lines else ""
    said = traceback.format_exception_only(error)[-1].strip()
    return f"{place}{where}: {said}\n{traceback.format_exc()[-1500:]}"
