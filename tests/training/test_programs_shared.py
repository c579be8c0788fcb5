"""What compiles anew and what does not: the text of the lowered loop is what the compilation cache looks at."""

from typing import Any

import jax
import numpy as np
import pandas as pd
import pytest

import laten as lt
from laten.estimator.prepare import prepare
from laten.network.dropout import dropout_of, with_dropout
from laten.training.epochs import train
from laten.training.loop import Loop

pytestmark = pytest.mark.trains

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {"a": RNG.gamma(2, size=180), "b": RNG.normal(size=180).round(1), "c": RNG.choice(list("xyz"), 180)}
)
FOLDS = [FRAME.drop(FRAME.index[k::3]) for k in range(3)]
SCHEMA = lt.infer_schema(FRAME)


class LoweredError(Exception):
    """Leaves a training before its first compiled call."""


def stop(loop: Loop, arguments: tuple) -> None:
    raise LoweredError(loop.run.lower(*arguments).as_text())


def program(frame: pd.DataFrame, **options: Any) -> str:
    """The lowered loop of a fit."""
    vae = lt.VAE(**{"schema": SCHEMA, "width": 8, "latent": 2, "validation": 0.0, "epochs": 40, **options})
    made = prepare(frame, vae)
    with pytest.raises(LoweredError) as found:
        train(made.task, made.settings, on_call=stop)
    return str(found.value)


def test_a_grid_over_folds_is_one_program():
    grid = [
        {},
        {"learning_rate": 1e-2, "warmup": 0.0, "clip": None, "epochs": 3, "seed": 3},
        {"dropout": 0.4, "epochs": 900, "patience": 1},
    ]
    assert len({program(fold, **options) for fold, options in zip(FOLDS, grid, strict=True)}) == 1


@pytest.mark.parametrize("other", [{"dropout": 0.0}, {"schema": None}])
def test_another_network_is_another_program(other):
    assert program(FOLDS[1], **other) != program(FOLDS[0], **other | {"dropout": 0.1})


def test_dropout_given_as_arrays_is_that_of_the_declaration():
    network = lt.Network(z=lt.Normal(3), x=lt.Normal(4).given("z", via=lt.MLP(200, dropout=0.25)))
    model = lt.network.model.build_model(network, lt.guide_for(network), jax.random.key(0))
    assert [int(x) for x in dropout_of(model)] == [64, 64]
    z, key = np.ones(3, np.float32), jax.random.key(1)
    net = model.p["x"].net
    told = with_dropout(model, dropout_of(model)).p["x"].net
    other = with_dropout(model, [np.asarray(200, np.uint32)] * 2).p["x"].net
    assert np.array_equal(net(z, key), told(z, key)) and not np.array_equal(net(z, key), other(z, key))
    assert np.array_equal(net(z), other(z))  # outside training all units stay
