"""Estimators of log p(x) against exact values, and ranks against uniform, on linear-Gaussian worlds.

    python -m benchmarks.audit                         # 2, 10 and 50 latents; about ten minutes on two busy cores
    python -m benchmarks.audit --latents 2 --guides near
    laten audit MODEL DATA --only bdmc --rows 100      # the sandwich of any model file

P is known: x = Wz + b + noise, W with orthogonal columns, so that the posterior is a diagonal normal. The guide is that
posterior made wrong on purpose (`near`, `far`; docs/en/audit.md), or both are learned by `fit` (`trained`). Ranks are
compared with uniform ones for the exact posterior, and for one 20 % too narrow.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pandas as pd

import laten as lt
from benchmarks.runner import footer, options_of, show

SIGMA, COLUMNS = 0.7, {2: 5, 10: 20, 50: 100}


def known(latents: int, slope: float = 1.0, shift: float = 0.0, log_sd: float = 0.0) -> tuple[lt.VAE, np.ndarray]:
    """Return a model with known weights, and 100 rows of its world.

    The guide's means are `slope` times the posterior's plus `shift` standard deviations; its log-scales `log_sd` more.
    """
    rng, columns = np.random.default_rng(0), COLUMNS[latents]
    u, s, _ = np.linalg.svd(rng.normal(size=(columns, latents)), full_matrices=False)
    w, b = u * s, rng.normal(size=columns)
    noise = SIGMA * rng.normal(size=(100, columns))
    x = (rng.normal(size=(100, latents)) @ w.T + b + noise).astype(np.float32)
    p = lt.Network(z=lt.Normal(latents), x=lt.Normal(columns, scale=SIGMA).given("z"))
    vae = lt.VAE(p, epochs=1).fit({"x": x})
    variance = 1 / (1 + s**2 / SIGMA**2)
    to_mean = w * variance / SIGMA**2  # (columns, latents): the posterior's mean is (x - b) times this
    scales = 7 * np.arctanh((0.5 * np.log(variance) + log_sd) / 7)
    offset = np.concatenate([shift * np.sqrt(variance) - slope * b @ to_mean, scales])
    weight = np.concatenate([slope * to_mean, np.zeros_like(w)], axis=1)
    values = [jnp.asarray(a, jnp.float32) for a in (w.T, b, weight, offset)]

    def places(m: lt.Model) -> list:
        return [part for side in (m.p["x"], m.q["z"]) for part in (side.net.layers[0].weight, side.constants)]

    vae.model_ = eqx.tree_at(places, vae.model_, values)
    return vae, x


def trained(latents: int) -> tuple[lt.VAE, np.ndarray]:
    """Return a model learned from 5000 rows of the world, and 100 others."""
    rows = known(latents)[0].sample(5100, seed=1)["x"]
    p = lt.Network(z=lt.Normal(latents), x=lt.Normal(COLUMNS[latents], scale="site").given("z"))
    vae = lt.VAE(p, lt.guide_for(p), epochs=60, learning_rate=3e-3, validation=0).fit({"x": rows[100:]})
    return vae, rows[:100]


GUIDES = {
    "near": lambda latents: known(latents, 1.0, 0.1, 0.1),
    "far": lambda latents: known(latents, 0.95, 0.1, 0.1),
    "trained": trained,
}


def main() -> None:
    """Audit each world, and print how far each estimator is from exact log p(x)."""
    choices = {"latents": sorted(COLUMNS), "guides": GUIDES}
    options = options_of(__doc__, choices, latents=[2, 10, 50], rows=100, bridges=500, guides=[*GUIDES]).parse_args()
    off, ranks = {}, {}
    for latents in options.latents:
        for name in options.guides:
            vae, x = GUIDES[name](latents)
            only = ["bounds", "exact", "ais", "bdmc"] + (["hmc"] if latents < 5 else [])
            found = vae.audit({"x": x}, only, rows=options.rows, bridges=options.bridges)
            exact, simulated = found["exact"], found.simulated
            line = {n: found[n] - exact for n in ("ELBO", "IWAE 5000", "AIS", "posterior samples") if n in found}
            line |= {f"BDMC {n}": (simulated[n] - simulated["exact"]).mean() for n in ("lower", "upper")}
            off[latents, name] = {"log p": exact, **line, "BDMC gap": found["BDMC gap"]}
        for name, log_sd in (("posterior", 0.0), ("too narrow", float(np.log(0.8)))):
            vae, x = known(latents, log_sd=log_sd)
            found = vae.audit({"x": x}, ["sbc"], rows=options.rows)
            ranks[latents, name] = {n: found[n] for n in ("SBC p-value", "SBC p-value, resampled")}
    for title, lines, digits in (("nats a row from exact log p", off, 4), ("ranks", ranks, 6)):
        show(title, pd.DataFrame.from_dict(lines, orient="index").rename_axis(["latents", "guide"]), digits)
    print(footer())


if __name__ == "__main__":
    main()
