r"""The bound that every side is judged by, from its own encoder and decoder, in one float64 NumPy formula:

$$\frac1n\sum_x \log p(x\mid z) - \mathrm{KL}\big(N(\mu_x, \sigma_x^2)\,\Vert\,N(0, I)\big),\qquad
  z = \mu_x + \sigma_x\varepsilon,$$

in nats a row, one draw a row, the same $\varepsilon$ for every side with as many latents. A side that is fast because
it does less than it says has a lower bound than the others.
"""

from collections.abc import Callable

import numpy as np

LOG_2PI = np.log(2 * np.pi)


def bound(mean: np.ndarray, sd: np.ndarray, log_prob: Callable[[np.ndarray], np.ndarray], seed: int = 0) -> float:
    """The bound of rows whose q has this mean and spread `(rows, latents)`.

    `log_prob`: float32 draws `(rows, latents)` -> log p(x | z) `(rows,)`.
    """
    mean, sd = np.asarray(mean, np.float64), np.asarray(sd, np.float64)
    z = mean + sd * np.random.default_rng(seed).standard_normal(mean.shape)
    kl = 0.5 * np.sum(np.square(mean) + np.square(sd) - 1 - 2 * np.log(sd), axis=1)
    return float(np.mean(log_prob(z.astype(np.float32)) - kl))


def bernoulli(x: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """log p of zeros and ones `(rows, sites)`, by row."""
    logits = np.asarray(logits, np.float64)
    return np.sum(x * logits - np.logaddexp(0, logits), axis=1)


def normal(x: np.ndarray, mean: np.ndarray, sd: np.ndarray | float) -> np.ndarray:
    """log p of real numbers `(rows, sites)`, by row."""
    mean, sd = np.asarray(mean, np.float64), np.asarray(sd, np.float64)
    return np.sum(-0.5 * np.square((x - mean) / sd) - np.log(sd) - 0.5 * LOG_2PI, axis=1)


def classes(codes: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """log p of codes `(rows,)`, from the logits `(rows, classes)` of one column."""
    logits = np.asarray(logits, np.float64)
    top = logits.max(1, keepdims=True)
    return np.take_along_axis(logits, codes[:, None], 1)[:, 0] - top[:, 0] - np.log(np.exp(logits - top).sum(1))


def spans(matrix: np.ndarray, layout: np.ndarray, raw: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """log p of rows of a table's matrix `(rows, width)`, by row: normal numbers and indicators of classes.

    `layout` `(spans, 2)`: the width of each span of columns, and 1 where they are the indicators of one class. `raw`
    and `mean` `(rows, width)`: logits, where classes stand, means, where numbers stand; `sd` `(width,)` is theirs.
    """
    out, start = np.zeros(len(matrix)), 0
    for width, indicators in layout:
        part = slice(start, start + width)
        if indicators:
            out += classes(matrix[:, part].argmax(1), raw[:, part])
        else:
            out += normal(matrix[:, part], mean[:, part], sd[part])
        start += width
    return out


def importance(
    mean: np.ndarray, sd: np.ndarray, log_prob: Callable[[np.ndarray], np.ndarray], draws: int, seed: int = 0
) -> np.ndarray:
    """log p of rows by importance sampling from their q, nats `(rows,)`; arguments as of `bound`.

    The same noise for every side with as many latents.
    """
    mean, sd = np.asarray(mean, np.float64), np.asarray(sd, np.float64)
    rng, found = np.random.default_rng(seed), []
    for _ in range(draws):
        noise = rng.standard_normal(mean.shape)
        z = mean + sd * noise
        ratio = np.sum(np.log(sd) + 0.5 * np.square(noise) - 0.5 * np.square(z), axis=1)
        found.append(np.asarray(log_prob(z.astype(np.float32)), np.float64) + ratio)
    return np.logaddexp.reduce(found, axis=0) - np.log(draws)
