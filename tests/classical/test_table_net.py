"""`lt.Table`: a row for each joint state of the parents, in any network."""

import itertools
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import laten as lt
from laten.common.errors import DeclarationError
from laten.estimator.model_file import declared, rebuilt


def test_each_joint_state_has_its_row():
    net = lt.Table((2, 3))(5, 4, jax.random.key(0))
    assert net.rows.shape == (6, 4)
    for i, (a, b) in enumerate(itertools.product(range(2), range(3))):
        x = jnp.concatenate([jax.nn.one_hot(a, 2), jax.nn.one_hot(b, 3)])
        np.testing.assert_array_equal(net(x), net.rows[i])
    slope = jax.jacobian(lambda net: net(x))(net).rows  # only the row that was seen learns
    np.testing.assert_array_equal(slope[:, 5], np.eye(4))
    assert not slope[:, :5].any()


def test_it_is_declared_saved_and_guided_like_any_net():
    network = lt.Network(
        h=lt.Categorical(2), k=lt.Categorical((3, 2)), x=lt.Categorical(3).given("h", "k", via=lt.Table((2, 3, 2)))
    )
    assert rebuilt(declared(network), {}) == network and "via Table((2, 3, 2))" in str(network)
    assert network.init(jax.random.key(0))["x"].net.rows.shape == (12, 3)
    assert lt.guide_for(network).nodes["h"].via == lt.Linear()


@pytest.mark.parametrize(
    ("declare", "words"),
    [
        (lambda: lt.Table(0), "sizes must be whole numbers of at least 1"),
        (lambda: lt.Table((2, 2.5)), "sizes must be whole numbers"),
        (
            lambda: lt.Network(z=lt.Normal(3), x=lt.Normal(1).given("z", via=lt.Table((2, 2)))).init(jax.random.key(0)),
            "node 'x': its net Table((2, 2)) cannot be built",
        ),
    ],
)
def test_what_it_cannot_be(declare, words):
    with pytest.raises(DeclarationError, match=re.escape(words)):
        declare()
