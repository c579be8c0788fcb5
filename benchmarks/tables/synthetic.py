"""Synthetic tables: TVAE, CTGAN, TabularARGN and laten learn from 90 % of a table and are measured against all of it.

    python -m benchmarks.tables.synthetic --peers TVAE CTGAN                      # they take hours: into the record
    python -m benchmarks.tables.synthetic                                         # the table, with what the record has
    python -m benchmarks.tables.synthetic --sets california_housing --peers "TVAE, 30 epochs"

The rows are split 90/10 by chance, seed 0; each method draws `--draws` tables as long as the training rows. Shape and
pair errors (per cent, against the training rows) are laten's own, which are sdmetrics 0.11.1's: `laten.synthetic`;
"pairs, shared bins" is the second with both tables cut at the same edges. Utility: AUROC on the hold-out of boosted
trees learned from the synthetic rows. Nearest record: the median distance of as many synthetic rows as are held out to
their nearest training row, over that of the hold-out rows: below 1 is closer to the training rows than new people are.
"closer than 5 %": the share of synthetic rows nearer than the nearest twentieth of the hold-out; 5 is right. The row
"real" is a bootstrap of the training rows (utility: the training rows themselves), "hold-out" the held-out rows.

A missing category is made a level, "?", and rows with missing numbers are left out, because the peers take no holes.
"""

import time
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

import laten as lt
from benchmarks.peers.exchange import Arrays
from benchmarks.runner import Peer, Run, footer, laten_options, parser, show
from laten.synthetic.coded_tables import code
from laten.synthetic.pairs import pair_errors
from laten.synthetic.shapes import shape_errors

WORKER = "synthesize.py"
PEERS = (
    Peer("TVAE", WORKER, "sdv", {"method": "TVAE", "epochs": 300}, slow=True),
    Peer("CTGAN", WORKER, "sdv", {"method": "CTGAN", "epochs": 300}, slow=True),
    Peer("TVAE, 30 epochs", WORKER, "sdv", {"method": "TVAE", "epochs": 30}, slow=True),
    Peer("TabularARGN", WORKER, "mostlyai", {"method": "TabularARGN", "epochs": 100}, slow=True),
)
SETS = {
    "adult": ("adult_train.csv.gz", "class"),
    "california_housing": ("california_housing.csv.gz", "ocean_proximity"),
}


class Table(NamedTuple):
    """Training and held-out rows of a set, and the column that is to be predicted."""

    name: str
    train: pd.DataFrame
    test: pd.DataFrame
    target: str


def classes_of(frame: pd.DataFrame) -> list[str]:
    """Return the columns that are no numbers."""
    return [c for c in frame if frame[c].dtype.kind not in "if"]


def load(folder: Path, name: str, rows: int | None) -> Table:
    """Read a set by name."""
    file, target = SETS[name]
    frame = pd.read_csv(folder / "tables" / file)
    classes = classes_of(frame)
    frame[classes] = frame[classes].astype(object).fillna("?").astype(str)
    frame = frame.dropna().sample(frac=1, random_state=0, ignore_index=True)[:rows]
    if rows:  # so few that a class may be in one part only
        common = frame[target].value_counts()
        frame = frame[frame[target].isin(common.index[common >= 20])].reset_index(drop=True)
    kept = round(0.9 * len(frame))
    return Table(name, frame[:kept].reset_index(drop=True), frame[kept:].reset_index(drop=True), target)


def plain(frame: pd.DataFrame) -> Arrays:
    """Return a frame's columns as arrays of numbers or of text."""
    classes = classes_of(frame)
    return {c: frame[c].to_numpy().astype(str) if c in classes else frame[c].to_numpy() for c in frame}


def errors(train: pd.DataFrame, other: pd.DataFrame) -> dict[str, float]:
    """Return mean errors of columns and of pairs, per cent."""
    classes = classes_of(train)
    schema = lt.infer_schema(train).with_kinds({c: "categorical" if c in classes else "real" for c in train})
    layout, coded = code({"real": train, "other": other}, schema)
    (pairs,) = pair_errors(layout, coded["real"], [coded["other"]])
    shapes = shape_errors(layout, coded["real"], coded["other"])
    found = {"shapes": shapes, "pairs": pairs.own, "pairs, shared bins": pairs.same}
    return {name: 100 * float(np.nanmean(x)) for name, x in found.items()}


def utility(train: pd.DataFrame, test: pd.DataFrame, target: str) -> float:
    """Return the AUROC on real rows of trees learned from `train`, of several classes the mean over them."""
    classes = classes_of(test.drop(columns=target))
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, encoded_missing_value=np.nan)
    model = make_pipeline(
        make_column_transformer((encoder, classes), remainder="passthrough", verbose_feature_names_out=False),
        HistGradientBoostingClassifier(categorical_features=list(range(len(classes))), random_state=0),
    )
    chance = model.fit(train.drop(columns=target), train[target]).predict_proba(test.drop(columns=target))
    known = list(enumerate(model.classes_))
    return float(np.mean([roc_auc_score(test[target] == k, chance[:, i]) for i, k in known[len(known) == 2 :]]))


def nearest(rows: pd.DataFrame, records: pd.DataFrame) -> np.ndarray:
    """Return distances to the nearest record: Σ |difference| / range of numbers, plus 1 for each other class."""
    classes, parts = classes_of(records), []
    for c in records:
        asked, kept = rows[c], records[c]
        if c in classes:
            levels = pd.unique(pd.concat([kept, asked]).astype(str))
            pair = [
                pd.Categorical(x.astype(str), levels).codes[:, None] == np.arange(len(levels)) for x in (asked, kept)
            ]
            parts.append([x / 2 for x in pair])
        else:
            width = max(kept.max() - kept.min(), 1e-12)
            parts.append([(x.to_numpy(float) - kept.min())[:, None] / width for x in (asked, kept)])
    asked, kept = (np.hstack(side).astype(np.float32) for side in zip(*parts, strict=True))
    found = NearestNeighbors(n_neighbors=1, metric="manhattan", algorithm="brute").fit(kept)
    return found.kneighbors(asked)[0][:, 0]


def measured(table: Table, synthetic: pd.DataFrame, whole: pd.DataFrame | None = None) -> dict[str, float]:
    """Return every measure of one synthetic table; `whole`: what to learn from instead."""
    held = nearest(table.test, table.train)
    drawn = nearest(synthetic[: len(table.test)], table.train)
    return {
        **errors(table.train, synthetic),
        "utility": utility(synthetic if whole is None else whole, table.test, table.target),
        "nearest record": float(np.median(drawn) / np.median(held)),
        "closer than 5 %": 100 * float((drawn < np.quantile(held, 0.05)).mean()),
    }


def over(table: Table, drawn: list[pd.DataFrame]) -> dict[str, float]:
    """Return means over tables drawn, and the deviations of the two errors."""
    frame = pd.DataFrame([measured(table, d) for d in drawn])
    return {**frame.mean().to_dict(), **{f"sd {c}": float(frame[c].std()) for c in ("shapes", "pairs")}}


def ours(table: Table, draws: int, options: dict) -> dict:
    """Fit laten to the training rows, then draw."""
    warnings.simplefilter("ignore", lt.LatenWarning)
    began = time.perf_counter()
    vae = lt.VAE(**options).fit(table.train)
    fitted = time.perf_counter()
    drawn = [vae.sample(len(table.train), seed=seed) for seed in range(1, draws + 1)]
    seconds = {"fit": fitted - began, "sample": time.perf_counter() - fitted}
    return {**over(table, drawn), "seconds": seconds, "when": "now"}


def compared(run: Run, table: Table) -> pd.DataFrame:
    """Return every method's line for one table."""
    n, draws = len(table.train), run.options.draws
    again = table.train.sample(n, replace=True, random_state=1, ignore_index=True)
    lines = {
        "real": {**measured(table, again, table.train), "seconds": {}, "when": "now"},
        "hold-out": {**measured(table, table.test), "utility": np.nan, "seconds": {}, "when": "now"},
    }
    names = [f"c{i}" for i in range(table.train.shape[1])]
    arrays = dict(zip(names, plain(table.train).values(), strict=True))
    arguments = {"seed": 0, "rows": n, "draws": draws} | ({"epochs": 1} if run.options.quick else {})

    def score(answer: Arrays) -> dict[str, float]:
        frame = pd.DataFrame({c: answer[k] for c, k in zip(table.train, names, strict=True)})
        return over(table, [frame[i * n : (i + 1) * n].reset_index(drop=True) for i in range(draws)])

    lines |= run.lines(table.name, arrays, arguments, score)
    if not run.options.no_laten:
        lines["laten"] = ours(
            table, draws, ({"epochs": 2} if run.options.quick else {}) | laten_options(run.options.option)
        )
    shown = {}
    for method, line in lines.items():
        fit, sample = (line["seconds"].get(part, np.nan) for part in ("fit", "sample"))
        numbers = {name: x for name, x in line.items() if isinstance(x, float)}
        shown[method] = {**numbers, "fit s": fit, "sample s": sample / draws, "from": line["when"][:10]}
    return pd.DataFrame.from_dict(shown, orient="index")


def main() -> None:
    """Run the sets and print a table for each."""
    asked = parser(__doc__, PEERS, record=True)
    asked.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    asked.add_argument("--draws", type=int, default=3, help="synthetic tables a method")
    run = Run("synthetic", asked.parse_args(), PEERS)
    for name in run.options.sets:
        table = load(run.options.data, name, 1500 if run.options.quick else None)
        title = f"{name}: {len(table.train)} training rows, {len(table.test)} held out"
        show(title, compared(run, table), 3)
    print(footer(run.versions))


if __name__ == "__main__":
    main()
