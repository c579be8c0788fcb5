"""Where a model file is asked for, data may be given: a detector is fitted to them first."""

from pathlib import Path

import numpy as np

from laten.cli.data_in_out import Source, for_fit, for_model, note
from laten.common.errors import DataError
from laten.estimator.plain_vae import PlainVAE, load


def asked(model: str, data: str | None) -> tuple[PlainVAE, Source, np.ndarray | None]:
    """Return the model, the rows to ask it about, and how usual each is where a detector was fitted to them.

    Args:
        model: A model file; without `data` it may be data, and a detector is fitted to it.
        data: The rows, or None.
    """
    if data is not None or Path(model).suffix == ".laten":
        vae = load(model)
        if data is None:
            raise DataError(f"{model}: is a model; name the rows to look at: laten outliers {model} DATA")
        return vae, for_model(vae, data), None
    source = for_fit(model)
    note(f"No model is given: a detector of odd rows is fitted to {model} first.")
    from laten.cli.work import detect

    vae, usual = detect.detected(source.data)
    return vae, source, usual
