"""Print digests of weights, scores and samples of three small fits: two checkouts that agree print the same.

    python tools/same_answers.py
    PYTHONPATH=OTHER/src python tools/same_answers.py

`digits`, `wine` and `clinic`, three epochs each from seed 7. A change that moves code must not move a digit.
"""

import hashlib
import warnings

import jax
import numpy as np

import laten as lt


def digest(*parts: object) -> str:
    """Return a short digest of arrays and frames, bit for bit."""
    found = hashlib.sha256()
    for part in parts:
        found.update(part.to_csv().encode() if hasattr(part, "to_csv") else np.asarray(part).tobytes())
    return found.hexdigest()[:16]


def main() -> None:
    """Print a line a set."""
    warnings.simplefilter("ignore")
    for name in ("digits", "wine", "clinic"):
        data = lt.read(name)
        data = data["x"] if isinstance(data, dict) else data
        vae = lt.VAE(epochs=3, seed=7).fit(data)
        some, table = data[:64], hasattr(data, "columns")
        filled = digest(vae.impute(some)) if table else "-"
        print(
            f"{name:8} weights {digest(*jax.tree.leaves(vae.model_))}  scores {digest(vae.score_samples(some))}  "
            f"latents {digest(vae.transform(some))}  samples {digest(vae.sample(20))}  filled {filled}"
        )


if __name__ == "__main__":
    main()
