"""What `benchmarks.device` counts and times: products by hand, convolutions that are one, several models at once."""

from argparse import Namespace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from benchmarks.device import SIDE, Convolutions, alone, cases, side_by_side, trained

pytestmark = pytest.mark.trains

BRIEF = Namespace(precision="float32", seconds=0.001, quick=True, copies=[1, 2])


def test_the_operations_of_a_step_are_those_of_its_products_and_little_less_than_xla_counts():
    wide = next(each for each in cases(quick=True) if each.name.startswith("784-4096"))
    layers = [(784, 64), (64, 64), (64, 128), (64, 64), (64, 64), (64, 784)]
    by_hand = 2 * wide.batch * (3 * sum(a * b for a, b in layers) - 784 * 64)
    assert trained(wide, 1, BRIEF)[1] == by_hand
    counted = trained(wide, 1, BRIEF, by_xla=True)[1]
    assert by_hand < counted < 1.3 * by_hand


def test_tables_have_a_line_for_each_net_and_number_of_models():
    small = [each for each in cases(quick=True) if each.name.startswith("30-64-8, batch 64")]
    one, many = alone(small, BRIEF), side_by_side(small, BRIEF)
    assert one["rows/s"].iloc[0] == pytest.approx(64_000 / one["ms a step"].iloc[0], rel=0.01)
    assert list(many.index) == [(small[0].name, 1), (small[0].name, 2)]
    step = many["ms a step"].to_numpy()
    assert many["gain"].to_numpy() == pytest.approx([1, 2 * step[0] / step[1]])


def test_convolutions_see_what_is_near():
    """A pixel moves what the last layer sees of its own corner alone; the way back puts a corner where it belongs."""
    down = Convolutions(up=False)(SIDE**2, 3, jax.random.key(0))
    first, second = (layer for layer in down.layers if isinstance(layer, eqx.nn.Conv2d))

    def seen(image):
        return second(jax.nn.relu(first(image)))

    image = jnp.zeros((1, SIDE, SIDE))
    change = np.abs(seen(image.at[0, 1, 1].set(1.0)) - seen(image))
    assert np.flatnonzero(change.sum((0, 2)) > 0).tolist() == [0, 1]
    assert down(image.ravel()).shape == (3,)
    up = Convolutions(up=True)(3, SIDE**2, jax.random.key(1))
    assert up(jnp.ones(3)).shape == (SIDE**2,)
