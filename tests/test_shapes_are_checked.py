"""The shapes that annotations name are held to what arrives: `conftest.py` has installed the check."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import TypeCheckError

from laten.answers.audit.annealing import anneal


def test_a_shape_that_an_annotation_forbids_is_refused():
    for scale in (jnp.ones(3), jnp.ones((2, 2))):  # points have two coordinates
        with pytest.raises(TypeCheckError, match="scale"):
            anneal(None, jax.random.key(0), jnp.ones((4, 2)), scale, None, np.ones(3))
