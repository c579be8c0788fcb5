"""`laten demo`: two models from embedded data, told as a story of figures; models and pictures are left in a folder.

A fifth of the rows is held out here, before any fit: every log p(x) is on rows that were never seen. `clinic` comes
from a known world, so that its true log p(x), the true values of its holes and the best possible guesses of them can
stand beside ours.
"""

import textwrap
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from laten.common.errors import LatenError, LatenWarning
from laten.data.datasets.clinic_columns import ClassesGiven
from laten.data.datasets.embedded import load
from laten.data.datasets.simulated_clinic import Clinic, clinic
from laten.data.files.write import write
from laten.data.rows.tables import hidden_cells
from laten.estimator.vae import VAE
from laten.inference.diagnostics import UNRELIABLE, LogLikelihood
from laten.plots import plot_history, plot_latents, plot_manifold, plot_reconstructions, plot_samples

DRAWS = 500  # a row, for log p(x)
HELD_OUT = 0.2
SHOWN = ("age", "ward", "nights", "crp", "pain", "admitted")  # columns of which a filled cell is shown


def demo(folder: str) -> None:
    """Fit `digits` and `clinic`, print the results, and leave models and pictures in `folder`."""
    began, out = time.perf_counter(), Path(folder)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LatenError(f"{folder}: cannot be a folder: {error.strerror}; choose another with --folder") from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LatenWarning)  # what they warn of is told below in its place
        digits(out)
        table(out)
    say(f"\nDone in {time.perf_counter() - began:.0f} s. In {out}/:")
    for start in ("digits", "clinic"):
        names = "  ".join(p.name for p in sorted(out.glob(f"{start}*")))
        say(textwrap.fill(names, 110, initial_indent="  ", subsequent_indent="  "))
    say(f"Go on: laten info {out}/clinic.laten · laten sample {out}/clinic.laten -n 5 --given ward=cardiac")


def say(text: str) -> None:
    """Print now, not when a buffer is full."""
    print(text, flush=True)


def split(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return row numbers to learn from, and to hold out."""
    order = np.random.default_rng(0).permutation(rows)
    held = round(HELD_OUT * rows)
    return np.sort(order[held:]), np.sort(order[:held])


def timed(fit: Callable[[], VAE]) -> tuple[VAE, str]:
    """Return a fitted model, and in words how the fit went."""
    began = time.perf_counter()
    vae = fit()
    return vae, f"{vae.history_['epoch'].iloc[-1]} epochs in {time.perf_counter() - began:.0f} s"


def figure(found: LogLikelihood, grey: str = "") -> str:
    """Describe an estimate of log p(x) in words: what it is, its two errors, and how far to trust it."""
    trust = "enough draws" if found.pareto_k <= UNRELIABLE else "with more draws log p(x) would rise a little"
    over, within = f"{found.rows_error:.2f} over rows", f"{found.standard_error:.3f} from {found.draws} draws a row"
    return (
        f"  log p(x) = {found.value:.2f} nats a row, mean of {len(found.per_row)} rows never seen{grey}\n"
        f"             standard error {over}, {within}\n"
        f"             Pareto k {found.pareto_k:.2f} (19 rows in 20 are below; up to 0.7 is sound): {trust}"
    )


def digits(out: Path) -> None:
    """Fit images: 16 latents for the figures, 2 for a map and a manifold."""
    data = load("digits")
    assert isinstance(data, dict)
    train, held = split(len(data["x"]))
    seen, unseen = {"x": data["x"][train]}, {"x": data["x"][held]}
    say(f"DIGITS  {len(data['x'])} handwritten digits of 8 × 8 grey pixels; {len(held)} are held out.")
    vae, how = timed(lambda: VAE(latent=16, width=200, epochs=300, batch_size=100).fit(seen))
    say(f"  {vae.network_.factors()}, guide {vae.guide_.factors('q')}: 16 latents, {how}.")
    say(figure(vae.log_likelihood(unseen, DRAWS), ", pixels binarised anew at each visit"))
    vae.save(out / "digits.laten")
    vae.network_.draw(path=str(out / "digits_network.svg"))
    plot_history(vae, out / "digits_history.png")
    plot_samples(vae, 100, path=out / "digits_samples.png")
    plot_reconstructions(vae, unseen, 10, out / "digits_reconstructions.png")
    flat, how = timed(lambda: VAE(latent=2, width=200, epochs=400, batch_size=100, learning_rate=3e-3).fit(seen))
    found = flat.log_likelihood(unseen, DRAWS)
    say(f"  With 2 latents, to look at: {found.value:.2f} nats a row, Pareto k {found.pareto_k:.2f}, same rows, {how}.")
    flat.save(out / "digits_2d.laten")
    labels = pd.Series(data["label"][held], name="digit")
    plot_latents(flat, unseen, labels, out / "digits_latents.png")
    plot_manifold(flat, 15, path=out / "digits_manifold.png")


def table(out: Path) -> None:
    """Fit a mixed table with holes, from a known world."""
    frame, world = clinic(), Clinic()
    train, held = (frame.iloc[rows] for rows in split(len(frame)))
    rows, columns = frame.shape
    empty = frame.isna().to_numpy().mean()
    say(
        f"\nCLINIC  {rows} simulated patients, {columns} columns, {empty:.0%} of cells empty; {len(held)} are held out."
    )
    vae, how = timed(lambda: VAE(latent=8, epochs=250, batch_size=100).fit(train))
    kinds = pd.Series([c.kind for c in vae.schema_.columns]).value_counts()
    say(f"  Columns taken for: {', '.join(f'{n} {kind}' for kind, n in kinds.items())}.")
    say(f"  {vae.network_.factors()}: 8 latents, {how}.")
    found, true = vae.log_likelihood(held, DRAWS), world.log_prob(held)
    gap = true - found.per_row
    say(figure(found, ", their seen cells"))
    say(f"  The truth: {true.mean():.2f} nats a row for the same cells, by the world they were drawn from;")
    say(f"             {gap.mean():.2f} ± {gap.std(ddof=1) / np.sqrt(len(gap)):.2f} nats a row are left to learn.")
    vae.save(out / "clinic.laten")
    columns = {block.node: block.names for block in vae.schema_.blocks}
    vae.network_.draw(path=str(out / "clinic_network.svg"), columns=columns)
    filled = vae.impute(frame)
    write(filled, out / "clinic_filled.csv")
    tell_holes(vae, frame, filled, train, held)
    plot_history(vae, out / "clinic_history.png")
    plot_samples(vae, data=held, path=out / "clinic_samples.png")
    plot_latents(vae, frame, "pain", out / "clinic_latents.png")


def tell_holes(vae: VAE, frame: pd.DataFrame, filled: pd.DataFrame, train: pd.DataFrame, held: pd.DataFrame) -> None:
    """Print some filled cells, and the error of the filling beside a naive one and the best possible one."""
    truth, rows = clinic(holes=False), held.index
    hidden = hidden_cells(vae.schema_, frame)
    total = int(hidden.to_numpy().sum())
    say(f"\nHOLES   All {total} empty cells filled, in clinic_filled.csv. A few of them, in held-out rows:")
    say(f"  {'patient':>7}  {'column':<10}{'filled with':<14}{'was in truth':<14}")
    for name in SHOWN:
        row = hidden.loc[rows].index[hidden.loc[rows, name]][0]
        say(f"  {row:>7}  {name:<10}{cell(filled.loc[row, name]):<14}{cell(truth.loc[row, name]):<14}")
    world, cells = Clinic(), hidden.loc[rows]
    guesses = {
        "the model": coded(world, filled.loc[rows]),
        "mean or mode of the column": naive(world, train),
        "the exact conditionals of the known world: best on average": oracle(world, held),
    }
    count = int(cells.to_numpy().sum())
    say(f"  Error of a filled cell, mean over columns, on the {count} empty cells of held-out rows:")
    for words, guess in guesses.items():
        say(f"    {imputation_error(world, coded(world, truth.loc[rows]), guess, cells):.3f}  {words}")
    say("  (classes: share wrong; ordered classes: steps off / levels; numbers and dates: RMSE / range)")


def cell(value: object) -> str:
    """Return a cell as text: dates as days, fractions to one digit."""
    if isinstance(value, pd.Timestamp):
        return str(value.date())
    return f"{value:.1f}" if isinstance(value, float) else str(value)


Guess = dict[str, np.ndarray]  # column -> (rows,) or one number for all: codes of classes, numbers, days


def coded(world: Clinic, frame: pd.DataFrame) -> Guess:
    """Return cells as numbers."""
    return {name: column.parse(frame[name]) for name, column in world.columns.items()}


def naive(world: Clinic, train: pd.DataFrame) -> Guess:
    """Return the mean of each column of numbers, the most frequent class of the others."""
    seen = {name: x[~np.isnan(x)] for name, x in coded(world, train).items()}
    classes = {name: isinstance(column, ClassesGiven) for name, column in world.columns.items()}
    return {n: np.asarray(np.bincount(x.astype(int)).argmax() if classes[n] else x.mean()) for n, x in seen.items()}


def oracle(world: Clinic, frame: pd.DataFrame) -> Guess:
    """Return the exact mean, most probable class or median level, given the other seen cells of the row."""
    best: Guess = {}
    for name, column in world.columns.items():
        found = world.conditional(frame, name)
        if not isinstance(found, np.ndarray):
            best[name] = found.mean
        elif isinstance(column, ClassesGiven) and column.form == "ordered":
            best[name] = (found.cumsum(axis=1) < 0.5).sum(axis=1)
        else:
            best[name] = found.argmax(axis=1)
    return best


def imputation_error(world: Clinic, truth: Guess, guess: Guess, hidden: pd.DataFrame) -> float:
    """Return the mean over columns of the error at hidden cells, from 0 to 1 (as Nazabal et al. 2020 count it)."""
    errors = []
    for name, column in world.columns.items():
        at = hidden[name].to_numpy(bool)
        if not at.any():
            continue
        true, off = truth[name], (np.broadcast_to(guess[name], at.shape) - truth[name])[at]
        if not isinstance(column, ClassesGiven):
            errors.append(np.sqrt(np.square(off).mean()) / (true.max() - true.min()))
        elif column.form == "ordered":
            errors.append(np.abs(off).mean() / len(column.levels))
        else:
            errors.append((off != 0).mean())
    return float(np.mean(errors))
