"""Error of imputation on the tables of HI-VAE (Nazabal et al. 2020), with its masks and its rule: peers and laten.

    python -m benchmarks.tables.imputation                                        # three sets, two masks, quick peers
    python -m benchmarks.tables.imputation --peers hyperimpute --no-laten         # a slow peer, into the record
    python -m benchmarks.tables.imputation --sets wine --masks Missing50_{1..3} --option "latent=8"

A folder a set (`probabilistic-learning/HI-VAE`) holds `data.csv`, `data_types.csv` and `masks.npz`. Cells of the mask
are hidden; methods see what is left of all rows, and fill them; cells that were never there are not scored. Error of a
column: share of wrong classes; |difference of ranks| / number of classes; root mean square error / range. The figure is
the mean over columns.

Peers are told each column's kind: `benchmarks/peers/impute_*.py` say how. `lt.Imputer()` has no options, and is told by
the table: classes are pandas categories. `--option` adds `lt.VAE(...)`, with a schema, and `--average` four of them
averaged. "fit" is the time of learning from the holed table (for methods that cannot but fill the table they learn
from, all of their time), "fill" that of filling it with what was learned. The ratio is to the best peer of the case.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

import laten as lt
from benchmarks.peers.encoding import CLASSES
from benchmarks.runner import AVERAGE, Peer, Run, footer, laten_options, parser, show

KINDS = {"cat": "categorical", "ordinal": "ordinal", "count": "count", "pos": "positive", "real": "real"}
TREES = "impute_sklearn.py", ""
PEERS = (
    Peer("IterativeImputer", *TREES, {"side": "linear", "rounds": 10}),
    Peer("boosted trees, one pass", *TREES, {"side": "boosted", "rounds": 1}),
    Peer("boosted trees, rounds", *TREES, {"side": "boosted", "rounds": 4}, slow=True),
    Peer("hyperimpute", "impute_hyperimpute.py", "hyperimpute", {"seconds": 3600}, slow=True),
)
OURS = ("lt.Imputer()", "lt.VAE(...)", "4 averaged")


@dataclass(frozen=True)
class Case:
    """A table with holes."""

    name: str  # set and mask
    truth: pd.DataFrame  # columns c0, c1, ...
    kinds: list[str]  # cat, ordinal, count, pos or real, by column
    classes: list[int]  # how many, by column
    hidden: np.ndarray  # cells to fill, (rows, columns)

    @property
    def holed(self) -> pd.DataFrame:
        """What methods see."""
        return self.truth.mask(self.hidden)

    @property
    def typed(self) -> pd.DataFrame:
        """What methods see, classes as pandas categories: ordered ones in order."""
        frame = self.holed
        for name, kind in zip(frame, self.kinds, strict=True):
            if kind in CLASSES:
                levels = np.sort(frame[name].dropna().unique())
                frame[name] = frame[name].astype(pd.CategoricalDtype(levels, ordered=kind == "ordinal"))
        return frame

    @property
    def schema(self) -> lt.Schema:
        """The declared kinds; where the cells do not allow one (zeros in a positive column), the column is real."""
        schema = lt.infer_schema(self.holed)
        for name, kind in zip(self.truth.columns, self.kinds, strict=True):
            try:
                schema = schema.with_kind(name, KINDS[kind])
            except lt.LatenError:
                schema = schema.with_kind(name, "real")
        return schema


def load(folder: Path, mask: str, rows: int | None = None) -> Case:
    """Read a set and one of its masks, e.g. `Missing20_1`; `rows`: the first ones only."""
    frame = pd.read_csv(folder / "data.csv", header=None)
    frame.columns = [f"c{i}" for i in frame.columns]
    with np.load(folder / "masks.npz") as packed:
        hidden = np.unpackbits(packed[mask], count=frame.size).reshape(frame.shape).astype(bool)
    hidden &= frame.notna().to_numpy()
    types = pd.read_csv(folder / "data_types.csv")
    return Case(f"{folder.name} {mask}", frame[:rows], list(types["type"]), list(types["nclass"]), hidden[:rows])


def errors(case: Case, filled: np.ndarray) -> list[float]:
    """Return the error of each column by the rule above, for a filled table `(rows, columns)`."""
    out = []
    for i, kind in enumerate(case.kinds):
        true = case.truth.iloc[:, i].to_numpy(float)
        t, g = true[case.hidden[:, i]], filled[case.hidden[:, i], i]
        if kind == "cat":
            error = np.mean(t != g)
        elif kind == "ordinal":
            error = np.mean(np.abs(t - g)) / int(case.classes[i])
        else:
            error = np.sqrt(np.mean((t - g) ** 2)) / (np.nanmax(true) - np.nanmin(true))
        out.append(float(error))
    return out


def mean_mode(case: Case) -> np.ndarray:
    """Fill each hole by its column's mean, or mode for classes."""
    columns = zip(case.holed.items(), case.kinds, strict=True)
    fill = {n: x.mode()[0] if kind in CLASSES else x.mean() for (n, x), kind in columns}
    return case.holed.astype(float).fillna(fill).to_numpy()


def ours(case: Case, model: lt.Imputer | lt.VAE) -> dict:
    """Fit a side of laten to the holed table, then fill it."""
    vae, holed = isinstance(model, lt.VAE), case.holed if isinstance(model, lt.VAE) else case.typed
    began = time.perf_counter()
    model.fit(holed)
    fitted = time.perf_counter()
    # unrounded, as the peers give it: the error is a mean square
    filled = model.impute(holed, statistic="mean") if vae else model.transform(holed)
    seconds = {"fit": fitted - began, "fill": time.perf_counter() - fitted}
    return {"columns": errors(case, filled.astype(float).to_numpy()), "seconds": seconds, "when": "now"}


def sides(case: Case, options: argparse.Namespace) -> dict[str, lt.Imputer | lt.VAE]:
    """Return laten's sides: without options, and as told."""
    short = {"epochs": 2} if options.quick else {}
    told = laten_options(options.option)
    # the error is a mean square: means as they are, not rounded to the column's digits
    plain = {"lt.Imputer()": lt.Imputer(lt.VAE(**short) if short else None, statistic="mean")}
    own = {"schema": case.schema, **short, **told}
    found = {**plain, "lt.VAE(...)": lt.VAE(**own)} if told or options.average else plain
    return {**found, "4 averaged": lt.VAE(**own, **AVERAGE)} if options.average else found


def compared(case: Case, run: Run) -> pd.DataFrame:
    """Return error, ratio to the best peer, seconds and origin, by method."""
    arguments = {"kinds": case.kinds, "seed": 0}
    if run.options.quick:
        arguments |= {"rounds": 1, "seconds": 1, "epochs": 2}
    lines = {"mean/mode": {"columns": errors(case, mean_mode(case)), "seconds": {}, "when": "now"}}
    arrays = {"X": case.holed.to_numpy(float)}
    lines |= run.lines(case.name, arrays, arguments, lambda answer: {"columns": errors(case, answer["X"])})
    if not run.options.no_laten:
        lines |= {name: ours(case, model) for name, model in sides(case, run.options).items()}
    rows = {}
    for name, line in lines.items():
        times = {f"{part} s": line["seconds"].get(part, np.nan) for part in ("fit", "fill")}
        rows[name] = {"error": np.mean(line["columns"]), "to best peer": np.nan, **times, "from": line["when"][:10]}
    table = pd.DataFrame.from_dict(rows, orient="index")
    table["to best peer"] = table["error"] / table["error"].drop(list(OURS), errors="ignore").min()
    if run.options.columns:
        names = [f"{c}:{k}" for c, k in zip(case.truth.columns, case.kinds, strict=True)]
        table = table.join(pd.DataFrame({n: line["columns"] for n, line in lines.items()}, index=names).T)
    return table


def main() -> None:
    """Run the cases and print a table for each, and one over all: of several masks of one share the median."""
    asked = parser(__doc__, PEERS, record=True)
    asked.add_argument("--sets", nargs="+", default=("adult", "wine", "default_credit"))
    asked.add_argument("--masks", nargs="+", default=("Missing20_1", "Missing50_1"))
    asked.add_argument("--average", action="store_true", help="also lt.VAE(..., restarts=4, keep='all')")
    asked.add_argument("--columns", action="store_true", help="also the error of each column")
    run = Run("imputation", asked.parse_args(), PEERS)
    found: dict[str, pd.Series] = {}
    for name in run.options.sets:
        for mask in run.options.masks:
            case = load(run.options.data / "hivae" / name, mask, 500 if run.options.quick else None)
            table = compared(case, run)
            show(case.name, table)
            found[case.name] = table["error"]
    every = pd.DataFrame(found)
    shares = every.columns.str.rsplit("_", n=1).str[0]
    frame = every.T.groupby(list(shares), sort=False).agg(lambda column: column.median(skipna=False)).T
    frame["mean"], peers = frame.mean(axis=1, skipna=False), frame.index.difference(OURS)
    for name in set(OURS) & set(frame.index):
        frame.loc[f"{name} to the best"] = frame.loc[name] / frame.loc[peers].min()
    show(f"mean error over columns ({len(run.options.masks)} masks in all)", frame.sort_values("mean"))
    print(footer(run.versions))


if __name__ == "__main__":
    main()
