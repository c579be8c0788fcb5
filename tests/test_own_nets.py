"""Nets of the user's own: `guide_for` turns them round, a fitted model is saved and comes back with them."""

from dataclasses import dataclass, replace

import equinox as eqx
import jax
import numpy as np
import pytest

import laten as lt
from laten.common.types import Array, Key
from laten.network.model import build_model
from laten.network.nets.recipe import UNSIZED, Ends, size_of


class Gate(eqx.Module):
    """W2 (tanh(W1 x) · sigmoid(V x))."""

    inner: eqx.nn.Linear
    gate: eqx.nn.Linear
    outer: eqx.nn.Linear

    def __call__(self, x: Array) -> Array:
        return self.outer(jax.numpy.tanh(self.inner(x)) * jax.nn.sigmoid(self.gate(x)))


@dataclass(frozen=True)
class Gated:
    """A recipe with fields that `MLP` has not, which knows itself the other way round."""

    units: int
    turned: bool = False

    @property
    def size(self) -> tuple[int, int]:
        return self.units, 1

    def mirrored(self) -> "Gated":
        return replace(self, turned=not self.turned)

    def __call__(self, n_in: int, n_out: int, key: Key) -> Gate:
        keys = jax.random.split(key, 3)
        sizes = (n_in, self.units), (n_in, self.units), (self.units, n_out)
        return Gate(*(eqx.nn.Linear(*size, key=k) for size, k in zip(sizes, keys, strict=True)))


@dataclass(frozen=True)
class Plain:
    """A recipe that says nothing but how it is built."""

    units: int

    def __call__(self, n_in: int, n_out: int, key: Key) -> Gate:
        return Gated(self.units)(n_in, n_out, key)


def via_of(*nets) -> object:
    """The guide's net for a latent whose children have these nets."""
    children = {f"x{i}": lt.Normal(3).given("z", via=net) for i, net in enumerate(nets)}
    return lt.guide_for(lt.Network(z=lt.Normal(2), **children)).nodes["z"].via


def test_guides_use_a_recipe_of_ones_own_the_other_way_round():
    assert via_of(Gated(8)) == Gated(8, turned=True)
    assert via_of(Plain(8)) == Plain(8)


@pytest.mark.parametrize(
    "nets, largest",
    [
        ((lt.MLP(4), Gated(8)), Gated(8, turned=True)),
        ((Gated(8), lt.MLP(16)), lt.MLP(16)),
        ((Gated(8), lt.MLP(8, depth=2)), lt.MLP(8, depth=2)),
        ((lt.MLP(1), Plain(99)), lt.MLP(1)),  # it does not say how large it is
        ((lt.Linear(), Plain(1)), Plain(1)),
        ((lt.ResMLP(4, depth=1, dropout=0.5, activate_output=True),), lt.ResMLP(4, depth=2, dropout=0.5)),
    ],
)
def test_the_largest_net_is_taken(nets, largest):
    assert via_of(*nets) == largest


def test_sizes_are_in_order():
    sizes = [size_of(net) for net in (lt.Linear(), Plain(9), lt.MLP(1), lt.MLP((8, 4)), lt.ResMLP(9))]
    assert sizes == [(0, 0), UNSIZED, (1, 1), (8, 2), (9, 2)] and sizes == sorted(sizes)
    assert size_of(lt.Table(3)) == size_of(lt.MLP(7, depth=0)) == (0, 0)


@dataclass(frozen=True)
class Grid:
    """A decoder alone: it asks for shapes, and needs sites on a grid."""

    channels: int

    def between(self, ends: Ends, key: Key) -> eqx.nn.Linear:
        height, width = ends.shape
        assert ends.n_out == height * width, "one raw number a site"
        assert [slot.shape for slot in ends.inputs] == [(2,)]
        return eqx.nn.Linear(ends.n_in, ends.n_out, key=key)


@dataclass(frozen=True)
class OneWay(Grid):
    """It says itself that it fits one way."""

    def mirrored(self) -> None:
        return None

    @property
    def size(self) -> tuple[int, int]:
        return 99, 9


@pytest.mark.parametrize("recipe", [Grid(3), OneWay(3)])
def test_a_net_that_fits_the_decoder_alone_is_not_inherited_by_the_guide(recipe, tmp_path):
    network = lt.Network(z=lt.Normal(2), x=lt.Bernoulli((3, 4)).given("z", via=recipe))
    assert lt.guide_for(network).nodes["z"].via == lt.MLP()
    both = lt.Network(**network.nodes, y=lt.Normal(2).given("z", via=lt.MLP(7)))
    assert lt.guide_for(both).nodes["z"].via == lt.MLP(7)
    model = build_model(network, lt.guide_for(network), jax.random.key(0))
    assert model.p["x"].net.weight.shape == (12, 2)


def test_what_a_recipe_asserts_is_said_with_the_node():
    network = lt.Network(z=lt.Normal(3), x=lt.Bernoulli((3, 4)).given("z", via=Grid(3)))
    with pytest.raises(lt.DeclarationError, match=r"node 'x': its net Grid\(channels=3\) cannot be built"):
        build_model(network, lt.guide_for(network), jax.random.key(0))
    with pytest.raises(lt.DeclarationError, match="via must be a net"):
        lt.Normal(3).given("z", via=3)


def test_a_class_above_latents_sees_the_data_through_the_nets_between():
    network = lt.templates.mixture(lt.Normal(4), 3, latent=2, width=9)
    assert lt.guide_for(network).nodes["c"].via == lt.MLP(9)


@pytest.mark.trains
@pytest.mark.parametrize("recipe", [Gated(6), pytest.param(Plain(6), marks=pytest.mark.slow)])
def test_fitted_saved_and_loaded(recipe, tmp_path):
    x = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    network = lt.Network(z=lt.Normal(2), x=lt.Normal(3).given("z", via=recipe))
    vae = lt.VAE(network, epochs=2).fit({"x": x})
    vae.save(tmp_path / "m.laten")
    name = type(recipe).__name__
    with pytest.raises(lt.ModelFileError, match=f"uses '{name}'.*the class of that name"):
        lt.load(tmp_path / "m.laten")
    again = lt.load(tmp_path / "m.laten", parts={name: type(recipe)})
    assert again.guide_.nodes["z"].via == lt.guide_for(network).nodes["z"].via
    assert np.array_equal(again.transform({"x": x}), vae.transform({"x": x}))
    assert np.array_equal(again.impute({"x": x})["x"], x)
