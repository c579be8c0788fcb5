"""Where a model file is asked for, data may be given: a model is fitted to them first, set as the question wants it."""

from pathlib import Path
from typing import Any

from laten.cli.data_in_out import Source, for_fit, for_model, note
from laten.common.errors import DataError
from laten.estimator.plain_vae import PlainVAE, load

ODD_ROWS: dict[str, Any] = {"latent": 4, "width": 64, "trim": 0.3, "epochs": 20, "validation": 0.0}


def asked(model: str, data: str | None) -> tuple[PlainVAE, Source]:
    """Return the model and the rows to ask it about.

    Args:
        model: A model file; without `data` it may be data, and the model is fitted to it.
        data: The rows, or None.
    """
    if data is not None or Path(model).suffix == ".laten":
        vae = load(model)
        if data is None:
            raise DataError(f"{model}: is a model; say which rows to look at: laten outliers {model} DATA")
        return vae, for_model(vae, data)
    source = for_fit(model)
    note(f"No model is given: one is fitted to {model} first, as odd rows among those of the fit ask for.")
    return PlainVAE(**ODD_ROWS).fit(source.data), source
