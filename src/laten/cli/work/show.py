"""`laten info | plot`: what is in a model file, in words and in pictures."""

from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd

from laten.answers.references import References
from laten.cli.data_in_out import Source, check_output, for_model, wrote
from laten.common.errors import LatenError, harmless
from laten.data.messages import unknown
from laten.data.rows.views import ArrayView
from laten.estimator.plain_vae import PlainVAE, load
from laten.inference.diagnostics import digits, figure, gain
from laten.plots import plot_history, plot_latents, plot_manifold, plot_reconstructions, plot_samples
from laten.plots.canvas import FORMATS

NEED_DATA = ("reconstructions", "latents")


def info(model: str, svg: str | None) -> None:
    """Describe a model on standard output; `svg` also draws its network there."""
    check_output(svg, (".svg",), [model])
    vae = load(model)
    weights = [np.size(x) for x in jax.tree.leaves((vae.model_.p, vae.model_.q)) if hasattr(x, "dtype")]
    print(f"{model}: {Path(model).stat().st_size / 1000:.0f} kB, {sum(weights)} weights\n")
    print(harmless(f"Network  {vae.network_}\n\nGuide    {vae.guide_}\n").replace("\n  ", "\n           "))
    print(harmless(f"Data\n{data_of(vae)}\n\nTraining\n{training_of(vae)}"))
    if svg is not None:
        view = vae.view_
        blocks = () if isinstance(view, ArrayView) else view.schema.blocks
        vae.network_.draw(path=svg, columns={b.node: b.names for b in blocks})
    wrote(svg)


def data_of(vae: PlainVAE) -> str:
    """Describe the schema, or the arrays by node."""
    view = vae.view_
    if not isinstance(view, ArrayView):
        ties = "; ".join(map(str, view.schema.ties))
        return view.schema.table + (f"\n\nKept in samples and filled cells: {ties}" if ties else "")
    ways = {"intensity": ", grey pixels binarised anew at each visit", "fixed": ", grey pixels binarised once"}
    shapes = {n: " × ".join(map(str, view.specs[n].shape)) or "one" for n in view.nodes}
    return "\n".join(f"{n}: {shapes[n]} {view.specs[n].what}{ways.get(view.visit.get(n, ''), '')}" for n in view.nodes)


def training_of(vae: PlainVAE) -> str:
    """Describe how training went, from the history in the file."""
    ways = {"plan": "as planned", "early": "early", "interrupted": "by Ctrl-C", "terminated": "by SIGTERM"}
    history = vae.history_
    if not len(history):
        return "no epoch was finished"
    last = history.iloc[-1]
    lines = [f"{int(last['epoch'])} epochs, {int(last['step'])} steps, ended {ways.get(vae.stopped_, vae.stopped_)}"]
    lines[0] += f"; objective {vae.objective or 'the evidence lower bound'}, seed {vae.one_seed}"
    if "train_bound" not in history:
        hidden = ", of rows with cells hidden at random" if vae.presentation_.hide else ""
        lines.append(f"training bound {last['bound']:.3f} nats a row in the last epoch{hidden}")
    if "valid_bound" in history:
        best = history[history["kept"]].iloc[-1]
        alike = f"training rows {best['train_bound']:.3f}; " if "train_bound" in history else ""
        lines.append(
            f"held-out bound {best['valid_bound']:.3f} nats a row in the best epoch, {int(best['epoch'])}, from which "
            f"the weights are; {alike}KL {best['kl']:.2f}, {int(best['active_units'])} active units"
        )
    lines += held_out_of(vae.references_)
    for name, words in (("skipped", "steps were not finite and skipped"), ("rollbacks", "roll-backs")):
        if name in history and history[name].sum():
            lines.append(f"{int(history[name].sum())} {words}")
    return "\n".join(lines)


def held_out_of(references: References | None) -> list[str]:
    """Describe log p of the held-out rows and of the references, from the file."""
    if references is None or not len(references.held_out):
        return []
    value, rows = float(references.held_out.mean()), len(references.held_out)
    error = float(references.held_out.std(ddof=1) / rows**0.5) if rows > 1 else float("nan")
    more = "".join(f"; {gain(value - x)} {name}" for name, x in references.beside.items())
    return [f"held-out log p {value:.{digits(error)}f} ± {figure(error)} nats a row over {rows} rows{more}"]


def plot(model: str, data: str | None, what: str, output: str, colour: str | None, seed: int | None) -> None:
    """Write a picture."""
    check_output(output, FORMATS, [model, data])
    if data is None and what in NEED_DATA:
        raise LatenError(f"--what {what} needs rows to show: laten plot {model} DATA --what {what} -o {output}")
    vae = load(model)
    source = Source(None, {}, {}) if data is None else for_model(vae, data)
    rows = source.data
    match what:
        case "history":
            plot_history(vae, output)
        case "samples":
            plot_samples(vae, data=rows, path=output, seed=seed or 0)
        case "reconstructions":
            plot_reconstructions(vae, rows, path=output)
        case "latents":
            plot_latents(vae, rows, coloured(source, colour), output, seed=seed or 0)
        case "manifold":
            plot_manifold(vae, data=rows, path=output)
    wrote(output)


def coloured(source: Source, colour: str | None) -> Any:
    """Return what colours the rows: a column's name, or an array of the file (its `label`, when it has one)."""
    if not isinstance(source.data, dict):
        return colour
    colour = "label" if colour is None and "label" in source.aside else colour
    if colour is None:
        return None
    if colour not in source.aside:
        raise unknown("array", colour, source.aside)
    return pd.Series(list(source.aside[colour]), name=colour)
