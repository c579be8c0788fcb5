"""Error of imputation on a table of the HI-VAE benchmark, with its own masks and its own rule (Nazabal et al. 2020).

    python -m benchmarks.imputation --data FOLDER/adult --mask Missing20_1

The folder holds `data.csv`, `data_types.csv` and `masks.npz`. Cells of the mask are hidden, the model is fitted to what
is left of all rows, and fills them. Error of a column: share of wrong classes; |difference of ranks| / number of
classes; root mean square error / range. The figure is the mean over columns. Mean and mode imputation stand beside it.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd

import laten as lt
from laten.errors import LatenError

KINDS = {"cat": "categorical", "ordinal": "ordinal", "count": "count", "pos": "positive", "real": "real"}


def load(folder: Path, mask: str) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray]:
    """The table, its declared types, and the cells to hide (those that have a value)."""
    frame = pd.read_csv(folder / "data.csv", header=None)
    frame.columns = [f"c{i}" for i in frame.columns]
    types = pd.read_csv(folder / "data_types.csv")
    packed = np.load(folder / "masks.npz")
    hidden = np.unpackbits(packed[mask], count=frame.size).reshape(frame.shape).astype(bool)
    return frame, types, hidden & frame.notna().to_numpy()


def schema_of(frame: pd.DataFrame, types: pd.DataFrame) -> lt.Schema:
    """The declared kinds; where the cells do not allow one (zeros in a positive column), the inferred kind stays."""
    schema = lt.infer_schema(frame)
    for name, kind in zip(frame.columns, types["type"], strict=True):
        try:
            schema = schema.with_kind(name, KINDS[kind])
        except LatenError:
            schema = schema.with_kind(name, "real")
    return schema


def errors(truth: pd.DataFrame, filled: pd.DataFrame, hidden: np.ndarray, types: pd.DataFrame) -> np.ndarray:
    """Error of each column by the rule above."""
    out = []
    for i, (name, kind) in enumerate(zip(truth.columns, types["type"], strict=True)):
        true, guess = (f[name].to_numpy(float) for f in (truth, filled))
        t, g = true[hidden[:, i]], guess[hidden[:, i]]
        if kind == "cat":
            out.append(float(np.mean(t != g)))
        elif kind == "ordinal":
            out.append(float(np.mean(np.abs(t - g)) / int(types["nclass"].iloc[i])))
        else:
            out.append(float(np.sqrt(np.mean((t - g) ** 2)) / (np.nanmax(true) - np.nanmin(true))))
    return np.array(out)


def mean_mode(holed: pd.DataFrame, types: pd.DataFrame) -> pd.DataFrame:
    """Each hole by its column's mean, or mode for classes."""
    fill = {
        n: holed[n].mode()[0] if k in ("cat", "ordinal") else holed[n].mean()
        for n, k in zip(holed, types["type"], strict=True)
    }
    return holed.astype(float).fillna(fill)


def main() -> None:
    """Fits, fills and prints the table of errors."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--mask", default="Missing20_1")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--option", action="append", default=[], help="name=value of lt.VAE, as Python")
    options = parser.parse_args()
    truth, types, hidden = load(options.data, options.mask)
    holed = truth.mask(hidden)
    schema = schema_of(holed, types)
    extra = {k: eval(v, {"lt": lt}) for k, v in (o.split("=", 1) for o in options.option)}
    vae = lt.VAE(schema=schema, epochs=options.epochs, **extra)
    began = time.perf_counter()
    vae.fit(holed)
    fitted = time.perf_counter() - began
    filled = vae.impute(holed)
    done = time.perf_counter() - began - fitted
    guesses = {"mean/mode": mean_mode(holed, types), "laten": filled}
    found = {name: errors(truth, guess, hidden, types) for name, guess in guesses.items()}
    table = pd.DataFrame({"type": types["type"].to_numpy(), **found})
    print(table.round(4).to_string())
    print(
        f"mean error: laten {table['laten'].mean():.4f}, mean/mode {table['mean/mode'].mean():.4f}; "
        f"fit {fitted:.0f} s ({vae.history_['epoch'].iloc[-1]} epochs), impute {done:.0f} s"
    )


if __name__ == "__main__":
    main()
