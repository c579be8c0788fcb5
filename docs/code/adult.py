"""What pages about adults start from: a small simulated census, a model of it, and both as files."""

from pathlib import Path

import numpy as np
import pandas as pd

import laten as lt

rng = np.random.default_rng(0)
n = 300
age = rng.integers(17, 80, n)
income = np.round(np.exp(rng.normal(9.8 + 0.01 * age, 0.4)), 0)
df = pd.DataFrame(
    {
        "age": age,
        "job": rng.choice(["clerk", "cook", "nurse"], n),
        "hours per week": rng.integers(1, 5, n),
        "income": income,
        "class": np.where(income > np.median(income), "more", "less"),
    }
)
df.loc[rng.random(n) < 0.1, "income"] = np.nan
real, holdout, held_out, new = df[:200], df[200:], df[200:260], df[260:]
vae = lt.VAE(latent=4, width=32, epochs=10).fit(df)
synthetic = vae.sample(200)
vae.save("adult.laten")
for name, rows in {"adult": df, "new": new, "holes": new, "real": real, "synthetic": synthetic}.items():
    rows.to_csv(f"{name}.csv", index=False)
Path("people.csv").write_bytes(
    "Export of people;;\n;;\nname;age;income\nJosé;34;1.234,5\nJürgen;51;2.345,6\n".encode("cp1252")
)
