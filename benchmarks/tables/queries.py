"""p(any | any) on a world whose true conditionals are known: the simulated clinic.

    python -m benchmarks.tables.queries [--train 20000] [--test 1000] [--quick]

`laten` is fitted to rows with holes. Then, for held-out rows without holes and for every column in turn, it is asked
for the column given 1, 3 and half of the other columns, chosen anew for each row. Three figures: log p(true value |
evidence) of the model, less that of the true conditional, in nats a value; share of true numbers inside the model's
central 90 % intervals, and inside the true ones; expected calibration error of predicted class probabilities, of the
model and of the true ones (the noise of so many rows), in 10 bins of the top class's probability (Guo et al. 2017).
"""

import time

import numpy as np
import pandas as pd

import laten as lt
from benchmarks.runner import laten_options, parser, seconds_of, show
from laten.data.datasets.simulated_clinic import Clinic, clinic

SIZES, BINS = {"1": 1, "3": 3, "half": 7}, 10


def evidence(frame: pd.DataFrame, column: str, size: int, rng: np.random.Generator) -> pd.DataFrame:
    """Copy rows, each with `size` other columns, chosen at random, and the column itself."""
    others = [c for c in frame if c != column]
    kept = np.argsort(rng.random((len(frame), len(others))), axis=1) < size
    return frame.assign(**{c: frame[c].where(kept[:, i]) for i, c in enumerate(others)})


def calibration_error(rows: pd.DataFrame) -> float:
    """Return the mean over rows of |accuracy - confidence| in bins of confidence: the `chance` of the top class."""
    bins = np.minimum((rows["chance"] * BINS).astype(int), BINS - 1)
    means = rows[["chance", "right"]].astype(float).groupby(bins)
    gaps = (means["right"].mean() - means["chance"].mean()).abs()
    return float((gaps * means.size()).sum() / len(rows))


def asked(vae: lt.VAE, test: pd.DataFrame, draws: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a line a column and size of evidence, and the confidence of each row of a column of classes."""
    rng, world, lines, sure = np.random.default_rng(1), Clinic(), [], []
    for column in test:
        for name, size in SIZES.items():
            seen = evidence(test, column, size, rng)
            found, exact = vae.conditional(seen, [column], draws=draws), world.conditional(seen, column)
            truth = world.log_prob(seen) - world.log_prob(seen.drop(columns=column))
            line = {"column": column, "given": name, "laten": found.log_density.mean(), "true": truth.mean()}
            line["ess"] = float(np.median(found.effective_sample_size))
            if isinstance(exact, np.ndarray):
                true = pd.DataFrame(exact, columns=list(world.columns[column].levels), index=seen.index)
                for by, proba in (("laten", vae.predict_proba(seen, column)), ("truth", true)):
                    top = proba.columns.astype(str).to_numpy()[proba.to_numpy().argmax(axis=1)]
                    right = top == test[column].astype(str).to_numpy()
                    sure.append(pd.DataFrame({"chance": proba.max(axis=1), "right": right, "given": name, "by": by}))
            else:
                value, blind = test[column], seen.assign(**{column: seen[column].shift(len(seen))})
                line["inside"] = value.between(*(f[column] for f in vae.impute_interval(blind, 0.9))).mean()
                if value.dtype.kind == "M":
                    value = (value - pd.Timestamp(0)) / pd.Timedelta(days=1)
                line["true inside"] = value.between(exact.quantile(0.05), exact.quantile(0.95)).mean()
            lines.append(line)
    table = pd.DataFrame(lines)
    table["gap"] = table["laten"] - table["true"]
    return table, pd.concat(sure)


def main() -> None:
    """Fit, ask and print."""
    options = parser(__doc__, train=20_000, test=1_000, draws=500, seed=0).parse_args()
    extra = laten_options(options.option)
    if options.quick:
        options.train, options.test, extra = 1_000, 50, {"epochs": 20, **extra}
    train, test = clinic(options.train, options.seed), clinic(options.test, options.seed + 1_000, holes=False)
    vae = lt.VAE(**extra)
    fit = seconds_of(lambda: vae.fit(train))
    began = time.perf_counter()
    table, sure = asked(vae, test, options.draws)
    seconds = time.perf_counter() - began
    show("by column", table)
    figures = ["laten", "true", "gap", "inside", "true inside"]
    table.loc[len(table)] = {"given": "all", **table[figures].mean()}
    by_size = table.groupby("given", sort=False)[figures].mean()
    for by, rows in sure.groupby("by"):
        errors = {given: calibration_error(part) for given, part in rows.groupby("given")}
        by_size[f"calibration error, {by}"] = pd.Series({**errors, "all": calibration_error(rows)})
    show("means", by_size)
    held = vae.log_likelihood(test, 500)
    print(f"held-out rows: log p {held.value:.3f}, truth {Clinic().log_prob(test).mean():.3f}")
    print(f"fit {fit:.0f} s, {seconds:.0f} s for {(len(table) - 1) * len(test)} questions")


if __name__ == "__main__":
    main()
