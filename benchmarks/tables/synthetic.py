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
"holes, points": the largest difference, over columns, between the share of empty cells and the training rows', in per
cent of the rows. "broken ties": the share of rows (per cent) that break a tie which all training rows keep: a column
that follows from another (of at most half as many values as rows).

For sets without holes of their own (`--holes` keeps them) a missing category is made a level, "?", and rows with
missing numbers are left out, because the peers take no holes. `lt.Synthesizer()` has no options; `--option` adds
`lt.VAE(...)`.
"""

import argparse
import time
import warnings
from itertools import combinations
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
    "titanic": ("titanic.csv", "survived"),
    "orders": ("", "returned"),  # made here
}
MOST_TIED = 0.5  # distinct values of a column that others may follow from, as a share of the rows


class Table(NamedTuple):
    """Training and held-out rows of a set, and the column that is to be predicted."""

    name: str
    train: pd.DataFrame
    test: pd.DataFrame
    target: str


def orders(rows: int = 20_000) -> pd.DataFrame:
    """Make a table with ties: city -> state, product -> price, gross = net + tax."""
    rng = np.random.default_rng(0)
    city, product = rng.zipf(1.5, rows) % 24, rng.integers(0, 12, rows)
    net = np.round(rng.gamma(2, 20 + 5 * product), 2)
    tax = np.round(net * np.where(city % 6 < 3, 0.07, 0.19), 2)
    return pd.DataFrame({
        "city": np.char.add("city ", city.astype(str)),
        "state": np.char.add("state ", (city % 6).astype(str)),
        "product": np.char.add("p", product.astype(str)),
        "price": np.array([9.9, 19.9, 4.5, 49.0, 99.0, 12.5, 7.0, 29.9, 3.2, 15.0, 65.0, 8.8])[product],
        "net": net,
        "tax": tax,
        "gross": np.round(net + tax, 2),
        "returned": np.where(rng.random(rows) < 1 / (1 + np.exp(2 - product / 6 - net / 200)), "yes", "no"),
    })  # fmt: skip


def classes_of(frame: pd.DataFrame) -> list[str]:
    """Return the columns that are no numbers."""
    return [c for c in frame if frame[c].dtype.kind not in "if"]


def load(folder: Path, name: str, rows: int | None, holes: bool = False) -> Table:
    """Read a set by name, with its holes or without."""
    file, target = SETS[name]
    frame = pd.read_csv(folder / "tables" / file) if file else orders()
    classes = classes_of(frame)
    texts = frame[classes].astype(object).where(frame[classes].notna())
    frame[classes] = texts.map(lambda v: v if pd.isna(v) else str(v)) if holes else texts.fillna("?").astype(str)
    frame = frame if holes else frame.dropna()
    frame = frame.sample(frac=1, random_state=0, ignore_index=True)[:rows]
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
            asked, kept = (x.astype(object).fillna("?").astype(str) for x in (asked, kept))
            levels = pd.unique(pd.concat([kept, asked]))
            pair = [pd.Categorical(x, levels).codes[:, None] == np.arange(len(levels)) for x in (asked, kept)]
            parts.append([x / 2 for x in pair])
        else:
            width = max(kept.max() - kept.min(), 1e-12)
            middle = (kept.max() + kept.min()) / 2  # where a number is missing
            parts.append([(x.fillna(middle).to_numpy(float) - kept.min())[:, None] / width for x in (asked, kept)])
    asked, kept = (np.hstack(side).astype(np.float32) for side in zip(*parts, strict=True))
    found = NearestNeighbors(n_neighbors=1, metric="manhattan", algorithm="brute").fit(kept)
    return found.kneighbors(asked)[0][:, 0]


def ties(train: pd.DataFrame) -> list[tuple[str, ...]]:
    """Return pairs `(a, b)` of which b follows from a, and triples `(a, b, c)` with a + b = c, in all training rows."""
    few = [c for c in train if 1 < train[c].nunique() <= MOST_TIED * len(train)]
    pairs = [(a, b) for a in few for b in few if a != b and train.groupby(a)[b].nunique().max() == 1]
    numbers = train[[c for c in train if c not in classes_of(train) and train[c].nunique() > 2]]
    return [
        *pairs,
        *((a, b, c) for a, b in combinations(numbers, 2) for c in numbers if follows(numbers, a, b, c).all()),
    ]


def follows(frame: pd.DataFrame, a: str, b: str, c: str) -> pd.Series:
    """Return where a + b = c, or one of them is missing."""
    off = (frame[a] + frame[b] - frame[c]).abs()
    return ~(off > 1e-6 * frame[c].abs().max())


def broken(train: pd.DataFrame, other: pd.DataFrame) -> float:
    """Return the share of rows that break a tie of the training rows, per cent."""
    bad = pd.Series(False, other.index)
    for tie in ties(train):
        if len(tie) == 3:
            bad |= ~follows(other, *tie)
        else:
            a, b = tie
            known = train.dropna(subset=[a, b]).drop_duplicates(a).set_index(a)[b]
            right = other[a].map(known)
            bad |= (
                other[a].notna() & other[b].notna() & right.notna() & (other[b].astype(object) != right.astype(object))
            )
    return 100 * float(bad.mean())


def measured(table: Table, synthetic: pd.DataFrame, whole: pd.DataFrame | None = None) -> dict[str, float]:
    """Return every measure of one synthetic table; `whole`: what to learn from instead."""
    held = nearest(table.test, table.train)
    drawn = nearest(synthetic[: len(table.test)], table.train)
    return {
        **errors(table.train, synthetic),
        "utility": utility(synthetic if whole is None else whole, table.test, table.target),
        "nearest record": float(np.median(drawn) / np.median(held)),
        "closer than 5 %": 100 * float((drawn < np.quantile(held, 0.05)).mean()),
        "holes, points": 100 * float((synthetic.isna().mean() - table.train.isna().mean()).abs().max()),
        "broken ties": broken(table.train, synthetic),
    }


def over(table: Table, drawn: list[pd.DataFrame]) -> dict[str, float]:
    """Return means over tables drawn, and the deviations of the two errors."""
    frame = pd.DataFrame([measured(table, d) for d in drawn])
    return {**frame.mean().to_dict(), **{f"sd {c}": float(frame[c].std()) for c in ("shapes", "pairs")}}


def ours(table: Table, draws: int, model: lt.Synthesizer | lt.VAE) -> dict:
    """Fit a side of laten to the training rows, then draw."""
    warnings.simplefilter("ignore", lt.LatenWarning)
    began = time.perf_counter()
    model.fit(table.train)
    fitted = time.perf_counter()
    drawn = [model.sample(len(table.train), seed=seed) for seed in range(1, draws + 1)]
    seconds = {"fit": fitted - began, "sample": time.perf_counter() - fitted}
    return {**over(table, drawn), "seconds": seconds, "when": "now"}


def sides(options: argparse.Namespace) -> dict[str, lt.Synthesizer | lt.VAE]:
    """Return laten's sides: without options, and as told."""
    short = {"epochs": 2} if options.quick else {}
    told = laten_options(options.option)
    plain = {"lt.Synthesizer()": lt.Synthesizer(lt.VAE(**short) if short else None)}
    return {**plain, "lt.VAE(...)": lt.VAE(**short, **told)} if told else plain


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

    lines |= {} if run.options.holes else run.lines(table.name, arrays, arguments, score)
    if not run.options.no_laten:
        lines |= {name: ours(table, draws, model) for name, model in sides(run.options).items()}
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
    asked.add_argument("--holes", action="store_true", help="keep the sets' holes; peers take none")
    run = Run("synthetic", asked.parse_args(), PEERS)
    for name in run.options.sets:
        table = load(run.options.data, name, 1500 if run.options.quick else None, run.options.holes)
        title = f"{name}: {len(table.train)} training rows, {len(table.test)} held out"
        show(title, compared(run, table), 3)
    print(footer(run.versions))


if __name__ == "__main__":
    main()
