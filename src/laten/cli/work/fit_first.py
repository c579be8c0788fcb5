"""Where a model file is asked for, data may be given: a model for the question is fitted to them first."""

from pathlib import Path

import numpy as np

from laten.cli.data_in_out import Source, check_images, check_output, for_fit, for_model, note
from laten.cli.reading import told
from laten.cli.work.fit import stem
from laten.common.errors import DataError
from laten.estimator.model_file import is_model
from laten.estimator.plain_vae import PlainVAE, load


def asked(
    command: str, model: str, data: str | None, output: str | None, save: str | None, loaded: PlainVAE | None = None
) -> tuple[PlainVAE, Source, np.ndarray | None]:
    """Return the model, the rows to ask it about, and how usual each is where a detector was fitted to them.

    Args:
        command: `outliers` or `impute`.
        model: A model file; without `data` it may be data, and a model is fitted to it.
        data: The rows, or None.
        output: Where the answer goes: images fit no table, which is said before the fit.
        save: Where to keep a model that is fitted.
        loaded: The model, where it was read already.
    """
    if data is None and is_model(model):
        raise DataError(f"{model}: is a model; say which rows to look at: laten {command} {model} DATA")
    if data is not None:
        no_fit(model, save)
        vae = loaded or load(model)
        return vae, for_model(vae, data), None
    return fitted(command, model, output, save)


def to_draw_from(model: str, output: str | None, save: str | None) -> PlainVAE:
    """Return a model to draw rows from, read from a file or fitted to data."""
    if not is_model(model):
        return fitted("sample", model, output, save)[0]
    no_fit(model, save)
    typed = next((name for name in told()[0]), None)
    if typed is not None:
        raise DataError(f"--{typed}: says how data are read, but {model} is a model; leave it out")
    return load(model)


def no_fit(model: str, save: str | None) -> None:
    """Refuse to keep a model that is no new one."""
    if save is not None:
        raise DataError(f"--save {save}: keeps a model that is fitted first, but {model} is one already; leave it out")


def fitted(command: str, data: str, output: str | None, save: str | None) -> tuple[PlainVAE, Source, np.ndarray | None]:
    """Fit what suits the question to data, say so, and keep it where that is asked for."""
    check_output(save, ())
    if save is not None and Path(save).exists() and Path(data).exists() and Path(save).samefile(data):
        raise DataError(f"--save {save}: is the data; give the model another name")
    source = for_fit(data)
    check_images(source, output)
    what = {
        "outliers": "a detector of odd rows",
        "impute": "a model that fills cells",
        "sample": "a model to draw from",
    }
    kept = f"--save {stem(data)}.laten keeps it" if save is None else f"{save} keeps it"
    note(f"No model is given: {what[command]} is fitted to {data} first; {kept}.")
    from laten.cli.work import faces

    usual = None
    if command == "outliers":
        vae, usual = faces.detected(source.data)
    else:
        vae = (faces.for_filling if command == "impute" else faces.for_drawing)(source.data)
    if save is not None:
        vae.save(save)
    return vae, source, usual
