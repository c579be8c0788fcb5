"""p(any | any) on a world whose true conditionals are known: the simulated clinic.

    python -m benchmarks.tables.queries [--train 20000] [--test 1000] [--quick]

`laten` is fitted to rows with holes. Then, for held-out rows without holes and for every column in turn, it is asked
for the column given 1, 3 and half of the other columns, chosen anew for each row. Three figures:

- log p(true value | evidence) of the model, less that of the true conditional, in nats a value (0 is perfect);
- share of true numbers inside the model's central 90 % intervals, and inside the true ones;
- expected calibration error of predicted class probabilities, of the model and of the true ones (whose error is the
  noise of so many rows): 10 bins of the top class's probability, |accuracy - confidence| weighted by rows (Guo et al.
  2017).
"""

import argparse
import time

import numpy as np
import pandas as pd

import laten as lt
from laten.data.datasets.simulated_clinic import Clinic, clinic

SIZES = {"1": 1, "3": 3, "half": 7}
BINS = 10


def evidence(frame: pd.DataFrame, column: str, size: int, rng: np.random.Generator) -> pd.DataFrame:
    """A copy in which each row keeps `size` other columns, chosen at random, and the column itself."""
    others = [c for c in frame if c != column]
    kept = np.argsort(rng.random((len(frame), len(others))), axis=1) < size
    return frame.assign(**{c: frame[c].where(kept[:, i]) for i, c in enumerate(others)})


def true_log_density(world: Clinic, seen: pd.DataFrame, column: str) -> np.ndarray:
    """`(rows,)` exact log p(value | the row's other observed cells), nats."""
    return world.log_prob(seen) - world.log_prob(seen.drop(columns=column))


def calibration_error(proba: pd.DataFrame, truth: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Confidence of the top class and whether it was right, by row."""
    top = proba.to_numpy().argmax(axis=1)
    right = np.array([str(proba.columns[k]) for k in top]) == truth.astype(str).to_numpy()
    return proba.to_numpy().max(axis=1), right


def expected_calibration_error(confidence: np.ndarray, right: np.ndarray) -> float:
    """Mean over rows of |accuracy - confidence| in bins of confidence."""
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [abs(right[place == b].mean() - confidence[place == b].mean()) * (place == b).sum() for b in set(place)]
    return float(sum(gaps) / len(place))


def asked(vae: lt.VAE, world: Clinic, test: pd.DataFrame, sizes: dict[str, int], draws: int) -> pd.DataFrame:
    """One line a column and size of evidence."""
    rng, lines = np.random.default_rng(1), []
    proba: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {name: [] for name in sizes}
    truths: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {name: [] for name in sizes}
    for column in test:
        for name, size in sizes.items():
            seen = evidence(test, column, size, rng)
            found = vae.conditional(seen, [column], draws=draws)
            truth = true_log_density(world, seen, column)
            line = {"column": column, "given": name, "laten": found.log_density.mean(), "true": truth.mean(),
                    "ess": float(np.median(found.effective_sample_size))}  # fmt: skip
            exact = world.conditional(seen, column)
            if isinstance(exact, np.ndarray):
                pair = calibration_error(vae.predict_proba(seen, column), test[column])
                levels = world.columns[column].levels
                proba[name].append(pair)
                truths[name].append(calibration_error(pd.DataFrame(exact, columns=list(levels)), test[column]))
            else:
                blind = seen.assign(**{column: np.nan if test[column].dtype.kind != "M" else pd.NaT})
                low, high = (f[column] for f in vae.impute_interval(blind, 0.9))
                line["inside"] = float(((test[column] >= low) & (test[column] <= high)).mean())
                value = test[column].to_numpy()
                low, high = exact.quantile(0.05), exact.quantile(0.95)
                if value.dtype.kind == "M":
                    value = (value - np.datetime64(0, "s")) / np.timedelta64(1, "D")
                line["true inside"] = float(((value >= low) & (value <= high)).mean())
            lines.append(line)
    table = pd.DataFrame(lines)
    table["gap"] = table["laten"] - table["true"]
    for name in sizes:
        print(
            f"given {name}: expected calibration error {pooled(proba[name]):.4f} (true ones {pooled(truths[name]):.4f})"
        )
    ours, exact = ([p for name in sizes for p in found[name]] for found in (proba, truths))
    print(f"all: expected calibration error {pooled(ours):.4f} (true ones {pooled(exact):.4f})")
    return table


def pooled(pairs: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """Expected calibration error over the rows of all pairs."""
    return expected_calibration_error(*(np.concatenate(x) for x in zip(*pairs, strict=True)))


def main() -> None:
    """Fits, asks and prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--train", type=int, default=20_000)
    parser.add_argument("--test", type=int, default=1_000)
    parser.add_argument("--draws", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="few rows and epochs: does it run?")
    parser.add_argument("--option", action="append", default=[], help="name=value of lt.VAE, as Python")
    options = parser.parse_args()
    extra = {k: eval(v, {"lt": lt}) for k, v in (o.split("=", 1) for o in options.option)}
    if options.quick:
        options.train, options.test, extra = 1_000, 50, {"epochs": 20, **extra}
    world = Clinic()
    train, test = clinic(options.train, options.seed), clinic(options.test, options.seed + 1_000, holes=False)
    began = time.perf_counter()
    vae = lt.VAE(**extra).fit(train)
    fitted = time.perf_counter() - began
    table = asked(vae, world, test, SIZES, options.draws)
    print(table.round(4).to_string())
    mean = table.groupby("given", sort=False)[["laten", "true", "gap", "inside", "true inside"]].mean()
    print(mean.round(4).to_string())
    held = vae.log_likelihood(test, 500)
    print(f"held-out rows: log p {held.value:.3f}, truth {world.log_prob(test).mean():.3f}")
    print(
        f"all: gap {table['gap'].mean():.4f} nats a value, 90 % intervals cover {table['inside'].mean():.1%} "
        f"(true ones {table['true inside'].mean():.1%}); fit {fitted:.0f} s, "
        f"{time.perf_counter() - began - fitted:.0f} s for {len(table) * len(test)} questions"
    )


if __name__ == "__main__":
    main()
