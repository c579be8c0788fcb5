r"""Table 1 of Burda, Grosse & Salakhutdinov (2016): test -log p(x) of MNIST and active units, VAE and IWAE.

    python -m experiments.iwae.table1 --data FOLDER                           # one layer, a fiftieth of the schedule
    python -m experiments.iwae.table1 --data FOLDER --fraction 1 --seeds 5    # the paper's work, for days
    python -m experiments.iwae.table1 --data FOLDER --layers 2 --draws 1 50

As in the paper: 60 000 images binarised anew at each visit; one stochastic layer of 50 behind two layers of 200 tanh
units, or two of 100 and 50, with 200 and then 100 units between; Adam with epsilon 1e-4, minibatches of 20; rate
$10^{-3-i/7}$ for $3^i$ passes, i = 0..7, times `--fraction`; the mean bound of 5000 draws over the 10 000 test images.
With k draws the VAE averages k bounds, the IWAE is the bound of k weights. Not as there: weights start normal, scales
are bounded, and a test image is binarised once. A command that was stopped goes on with the next cell of its CSV file.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import optax
import pandas as pd
from benchmarks.mnist import images
from benchmarks.runner import DATA, options_of

import laten as lt

BATCH, PASSES = 20, 3280
PAPER = {
    (1, 1, "VAE"): (86.76, "19"), (1, 5, "VAE"): (86.47, "20"), (1, 50, "VAE"): (86.35, "20"),
    (1, 5, "IWAE"): (85.54, "22"), (1, 50, "IWAE"): (84.78, "25"),
    (2, 1, "VAE"): (85.33, "16+5"), (2, 5, "VAE"): (85.01, "17+5"), (2, 50, "VAE"): (84.78, "17+5"),
    (2, 5, "IWAE"): (83.89, "21+5"), (2, 50, "IWAE"): (82.90, "26+7"),
}  # fmt: skip


def declared(layers: int) -> lt.Network:
    """The paper's network; its guide is the one that `laten` derives, the same nets turned round."""
    wide, narrow = lt.MLP(200, depth=2, activation="tanh"), lt.MLP(100, depth=2, activation="tanh")
    pixels = lt.Bernoulli(784)
    if layers == 1:
        return lt.Network(h1=lt.Normal(50), x=pixels.given("h1", via=wide))
    h1 = lt.Normal(100).given("h2", via=narrow)
    return lt.Network(h2=lt.Normal(50), h1=h1, x=pixels.given("h1", via=wide))


def schedule(rows: int, fraction: float) -> tuple[int, optax.Schedule]:
    """Passes in all, and the rate at each step."""
    passes = [max(round(fraction * 3**i), 0) for i in range(8)]
    passes[-1] += max(round(fraction * PASSES), 1) - sum(passes)  # what rounding lost
    ends = np.cumsum(passes)[:-1] * (rows // BATCH)
    rates = [optax.constant_schedule(10 ** (-3 - i / 7)) for i in range(8)]
    return sum(passes), optax.join_schedules(rates, [int(end) for end in ends])


def cell(draws: int, method: str, seed: int, train: np.ndarray, test: np.ndarray, options: argparse.Namespace) -> dict:
    """Trains one cell of the table and measures it."""
    passes, rate = schedule(len(train), options.fraction)
    objective = lt.Iwae(draws) if method == "IWAE" else lt.Elbo(draws=draws)
    plan = {"epochs": passes, "batch_size": BATCH, "validation": 0, "clip": None, "seed": seed, "learning_rate": 1.0}
    began = time.perf_counter()
    vae = lt.VAE(declared(options.layers), objective=objective, optimizer=optax.adam(rate, eps=1e-4), **plan)
    vae.fit({"x": train})
    fitted = time.perf_counter()
    found = vae.log_likelihood({"x": test}, draws=options.test_draws)
    latents, active = vae.model_.latents, np.var(vae.transform({"x": test}), axis=0) > 0.01
    ends = np.cumsum([vae.guide_.nodes[n].family.n_sites for n in latents])[:-1]
    units = dict(zip(latents, (int(part.sum()) for part in np.split(active, ends)), strict=True))
    return {
        "nll": round(-found.value, 3),
        "active": "+".join(str(units[n]) for n in sorted(units)),
        "bound": round(float(vae.history_["bound"].iloc[-1]), 2),
        "passes": passes,
        "fit s": round(fitted - began),
        "score s": round(time.perf_counter() - fitted),
    }


def main() -> None:
    """Fills the table, cell by cell."""
    choices = {"layers": (1, 2), "methods": ("VAE", "IWAE")}
    sizes = {"layers": 1, "draws": [1, 5, 50], "seeds": 1, "test_draws": 5000, "rows": int, "out": Path("build/iwae")}
    asked = options_of(__doc__, choices, data=DATA, fraction=0.02, methods=["VAE", "IWAE"], **sizes)
    options = asked.parse_args()
    train, test = (x[: options.rows].reshape(-1, 784) for x in images(options.data / "mnist"))
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / f"table1-{options.layers}-{options.fraction:g}.csv"
    done = pd.read_csv(path, dtype={"active": str}).to_dict("records") if path.exists() else []
    cells = [(k, m, s) for k in options.draws for m in options.methods for s in range(options.seeds)]
    for draws, method, seed in cells:
        same = {"draws": draws, "method": method, "seed": seed}
        if (draws == 1 and method == "IWAE") or any(same.items() <= line.items() for line in done):
            continue  # one draw: the same objective
        done.append({**same, **cell(draws, method, seed, train, test, options)})
        paper, active = PAPER.get((options.layers, draws, method), (None, ""))
        done[-1] |= {"paper": paper, "paper's active": active}
        pd.DataFrame(done).to_csv(path, index=False)
        print(pd.DataFrame([done[-1]]).to_string(index=False), flush=True)
    print(pd.DataFrame(done).to_string(index=False))


if __name__ == "__main__":
    main()
