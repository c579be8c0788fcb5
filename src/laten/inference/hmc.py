r"""Hamiltonian Monte Carlo over one vector: a few lines, constant memory, one example, any log-density.

A point $u$ gets a momentum $v\sim N(0, I)$; with gradient $g=\nabla\log f(u)$, scales $m$ and step $\epsilon$, leapfrog

$$v\leftarrow v+\tfrac\epsilon2 m\,g(u),\quad u\leftarrow u+\epsilon m\,v,\quad v\leftarrow v+\tfrac\epsilon2 m\,g(u)$$

is repeated, and the end accepted with probability $\min(1, e^{H_0-H_1})$, $H=-\log f+\tfrac12|v|^2$ (Neal 2011, "MCMC
using Hamiltonian dynamics", section 3). Each trajectory's step is $\epsilon$ times a number in (0.8, 1.2), so that none
comes round to where it began (Neal 2011, section 4.2). $\epsilon$ is found by dual averaging towards a wanted share of
acceptances (Hoffman & Gelman 2014, eq. 5-6) and held from then on. `nuts` is the no-U-turn sampler of blackjax.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from laten.common import random
from laten.common.errors import LatenError
from laten.common.types import Array, Key

LogDensity = Callable[[Array], Array]
LEAPFROGS, JITTER = 10, 0.2
GAMMA, DELAY, KAPPA = 0.05, 10.0, 0.75  # of dual averaging, as Hoffman & Gelman chose them


class Chain(NamedTuple):
    """Where a chain stands."""

    position: Array  # (d,)
    log_density: Array
    gradient: Array  # (d,)


class Adaptation(NamedTuple):
    """Dual averaging of the log-step."""

    log_step: Array
    log_average: Array
    excess: Array  # running mean of wanted minus found acceptance
    steps: Array


class Walk(NamedTuple):
    """What a chain left behind."""

    draws: Array  # (draws, d)
    acceptance: Array  # mean probability of acceptance
    step_size: Array


def init(log_density: LogDensity, position: Array) -> Chain:
    """Start a chain at a position `(d,)`."""
    return Chain(position, *jax.value_and_grad(log_density)(position))


def step(
    log_density: LogDensity, key: Key, chain: Chain, step_size: Array, scale: Array, leapfrogs: int = LEAPFROGS
) -> tuple[Chain, Array]:
    """Walk one trajectory, which leaves `log_density` invariant and is reversible.

    Args:
        log_density: `(d,)` -> scalar, up to a constant, in nats.
        scale: `(d,)` rough standard deviations of the coordinates.
    Returns:
        The chain, and the probability with which the trajectory's end was accepted (0 where it is not finite).
    """
    noise = random.normal(key, (chain.position.size + 2,))  # one call: random numbers compile slowly
    momentum, chance = noise[2:], jax.scipy.special.ndtr(noise[:2])
    move = step_size * (1 + JITTER * (2 * chance[0] - 1)) * scale

    def leap(_: int, state: tuple[Chain, Array]) -> tuple[Chain, Array]:
        at, v = state
        v = v + 0.5 * move * at.gradient
        after = init(log_density, at.position + move * v)
        return after, v + 0.5 * move * after.gradient

    end, v = jax.lax.fori_loop(0, leapfrogs, leap, (chain, momentum))
    gain = end.log_density - chain.log_density + 0.5 * (jnp.sum(jnp.square(momentum)) - jnp.sum(jnp.square(v)))
    acceptance = jnp.where(jnp.isfinite(gain), jnp.exp(jnp.minimum(gain, 0.0)), 0.0)
    accepted = chance[1] < acceptance
    return jax.tree.map(lambda new, old: jnp.where(accepted, new, old), end, chain), acceptance


def adapt(state: Adaptation, acceptance: Array, target: float, first: Array | float) -> Adaptation:
    """Take one step of dual averaging, which shrinks towards ten times the `first` step size."""
    n = state.steps + 1
    excess = state.excess + (target - acceptance - state.excess) / (n + DELAY)
    log_step = jnp.log(10 * jnp.asarray(first, jnp.float32)) - jnp.sqrt(n) / GAMMA * excess
    share = n**-KAPPA
    return Adaptation(log_step, share * log_step + (1 - share) * state.log_average, excess, n)


def sample(
    log_density: LogDensity,
    key: Key,
    start: Array,
    draws: int,
    *,
    warmup: int = 200,
    scale: Array | None = None,
    leapfrogs: int = LEAPFROGS,
    target: float = 0.8,
) -> Walk:
    """Walk one chain: the step size is adapted over `warmup` trajectories, then held for `draws` more.

    Args:
        log_density: `(d,)` -> scalar, up to a constant, in nats.
        start: `(d,)`.

    Other arguments:
        scale: `(d,)` rough standard deviations of the coordinates; None: ones.
        leapfrogs: Steps a trajectory.
        target: Wanted acceptance.
    """
    scale = jnp.ones_like(start) if scale is None else scale
    first = 0.5 * start.size**-0.25  # acceptance stays level in d when steps shrink so (Neal 2011, section 4.4)

    def walk(carry: tuple[Chain, Adaptation], xs: tuple[Key, Array]) -> tuple[tuple[Chain, Adaptation], Any]:
        (chain, state), (k, warm) = carry, xs
        step_size = jnp.exp(jnp.where(warm, state.log_step, state.log_average))
        chain, acceptance = step(log_density, k, chain, step_size, scale, leapfrogs)
        after = adapt(state, acceptance, target, first)
        state = jax.tree.map(lambda new, old: jnp.where(warm, new, old), after, state)
        return (chain, state), (chain.position, acceptance)

    keys, warm = random.split(key, warmup + draws), np.arange(warmup + draws) < warmup
    log_step = jnp.log(jnp.asarray(first, jnp.float32))
    carry = init(log_density, start), Adaptation(log_step, log_step, jnp.zeros(()), jnp.zeros(()))
    (_, state), (found, acceptance) = jax.lax.scan(walk, carry, (keys, jnp.asarray(warm)))
    return Walk(found[warmup:], acceptance[warmup:].mean(), jnp.exp(state.log_average))


def nuts(
    log_density: LogDensity, key: Key, start: Array, draws: int, *, warmup: int = 500, target: float = 0.8
) -> Walk:
    """Walk one long chain of the no-U-turn sampler (Hoffman & Gelman 2014), masses adapted too; by blackjax.

    Args:
        log_density: `(d,)` -> scalar, up to a constant, in nats.
        start: `(d,)`.
    Raises:
        LatenError: blackjax is not installed.
    """
    blackjax = no_u_turns()
    key_warm, key_draw = random.split(key)
    tuning = blackjax.window_adaptation(blackjax.nuts, log_density, target_acceptance_rate=target)
    (state, parameters), _ = tuning.run(key_warm, start, num_steps=warmup)
    move = blackjax.nuts(log_density, **parameters).step

    def walk(state: Any, k: Key) -> tuple[Any, tuple[Array, Array]]:
        state, info = move(k, state)
        return state, (state.position, info.acceptance_rate)

    _, (found, acceptance) = jax.lax.scan(walk, state, random.split(key_draw, draws))
    return Walk(found, acceptance.mean(), parameters["step_size"])


def no_u_turns() -> Any:
    """Return the extra that walks without U-turns."""
    try:
        import blackjax
    except ModuleNotFoundError as error:
        raise LatenError("NUTS needs blackjax: pip install 'laten[lab]'; or use the built-in 'hmc'") from error
    return blackjax
