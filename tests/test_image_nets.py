"""Nets of images: convolutions against `jax.lax`, what a net sees and writes, the declarations that are refused."""

import io
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import laten as lt
from laten.network.model import build_model
from laten.network.nets.convolution import around, by_library, by_products, cells, pixels, same, strided, transposed
from laten.network.nets.grids import written
from laten.network.nets.recipe import Ends, Slot, build, call

LAYOUT = ("NHWC", "HWIO", "NHWC")


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def library(x, weight, stride=1):
    return jax.lax.conv_general_dilated(x, weight, (stride, stride), "SAME", dimension_numbers=LAYOUT)


def library_transposed(x, weight, stride=1):
    return jax.lax.conv_transpose(x, weight, (stride, stride), "SAME", dimension_numbers=LAYOUT, transpose_kernel=True)


def agree(ours, theirs, *arguments):
    """Values and gradients of two functions of arrays are the same."""

    def all_of(f):
        value, back = jax.vjp(f, *arguments)
        return value, *back(normal(*value.shape, seed=9))

    for a, b in zip(*(jax.jit(lambda f=f: all_of(f))() for f in (ours, theirs)), strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, atol=2e-5 * float(np.abs(b).max()))


@pytest.mark.parametrize("way", [by_products, by_library])
@pytest.mark.parametrize("k, channels", [pytest.param(1, 3, marks=pytest.mark.slow), (3, 3), (2, 40)])
def test_a_convolution_is_the_librarys(way, k, channels):
    x, weight = normal(3, 6, 5, channels), normal(k, k, channels, 4, seed=1)
    padded = lambda image, w: way(around(image, (k - 1) // 2, k // 2), w)  # noqa: E731
    agree(lambda x, w: jax.vmap(padded, (0, None))(x, w), library, x, weight)


@pytest.mark.parametrize("k, s", [(3, 1), (4, 2), pytest.param(9, 3, marks=pytest.mark.slow)])
def test_strides_and_their_transposes_are_the_librarys(k, s):
    weight = normal(k, k, 3, 4, seed=1)
    down, up = partial(strided, stride=s), partial(transposed, stride=s)
    agree(jax.vmap(down, (0, None)), partial(library, stride=s), normal(2, 12, 18, 3), weight)
    agree(jax.vmap(up, (0, None)), partial(library_transposed, stride=s), normal(2, 12 // s, 18 // s, 4), weight)


def test_a_turned_kernel_is_another_convolution():
    x, weight = normal(6, 5, 3), normal(3, 3, 3, 4, seed=1)
    assert np.abs(same(x, weight) - same(x, weight[::-1])).max() > 0.1


def test_cells_and_pixels_undo_each_other():
    x = normal(6, 9, 2)
    squares = cells(x, 3)
    assert squares.shape == (2, 3, 18)
    np.testing.assert_array_equal(squares[1, 2], x[3:6, 6:9].ravel())
    np.testing.assert_array_equal(pixels(squares, 3), x)


def test_raw_numbers_are_all_of_the_first_kind_and_then_of_the_second():
    image = normal(2, 3, 10)  # two numbers at each site of five channels
    raw = written(image, (2, 3, 5))
    np.testing.assert_array_equal(raw[:30].reshape(2, 3, 5), image[..., :5])
    np.testing.assert_array_equal(raw[30:].reshape(2, 3, 5), image[..., 5:])


X, Z, H = Slot("x", (8, 12), 96, False), Slot("z", (5,), 5, False), Slot("h", (4, 6, 16), 384, False)
BUILT = [
    pytest.param(lt.Conv((4, 8)), (X,), (5,), 10, marks=pytest.mark.slow),
    (lt.Conv((4, 8)), (X, Z), (5,), 10),
    (lt.Conv((4,)), (X._replace(n=192, hidden=True),), (4, 6, 3), 144),
    pytest.param(lt.Conv((4,), kernel=3, stride=1), (X, X._replace(name="y")), (8, 12), 96, marks=pytest.mark.slow),
    pytest.param(lt.Deconv((8, 4)), (Z,), (8, 12), 96, marks=pytest.mark.slow),
    (lt.Deconv((8,)), (Z, H), (8, 12, 3), 576),
    pytest.param(lt.Residual(16, 2), (X,), (4, 6, 16), 384, marks=pytest.mark.slow),
    (lt.Residual(16, 2), (H, Z), (8, 12), 96),
    (lt.Residual(16, 1, patch=4), (X,), (5,), 10),
    pytest.param(lt.Residual(16, 1, patch=4), (Z,), (8, 12), 192, marks=pytest.mark.slow),
    pytest.param(
        lt.Residual(16, 0, kernel=1), (H, X._replace(n=192, hidden=True)), (4, 6, 2), 96, marks=pytest.mark.slow
    ),
]


@pytest.mark.parametrize("recipe, inputs, shape, n_out", BUILT, ids=lambda part: repr(part)[:40])
def test_a_net_is_built_between_its_ends(recipe, inputs, shape, n_out):
    """Every input moves the output, and every weight has a gradient."""
    ends = Ends(inputs, shape, n_out)
    net, x = build(recipe, ends, jax.random.key(0), "x"), normal(ends.n_in)
    loss = lambda n, x: jnp.sum(jnp.square(call(n, x, None) - 1))  # noqa: E731
    by_weights, by_x = jax.jit(jax.grad(loss, (0, 1)))(net, x)
    assert np.isfinite(by_x).all() and (by_x != 0).mean() > 0.99
    assert all(np.abs(g).max() > 0 for g in jax.tree.leaves(by_weights))


def test_a_convolution_moves_with_the_image():
    ends = Ends((X,), (4, 6), 24)
    net = build(lt.Conv((4,)), ends, jax.random.key(0), "z")
    image = np.zeros((8, 12), np.float32)
    image[2:4, 2:4] = normal(2, 2)
    there, moved = (np.reshape(net(np.roll(image, by, (0, 1)).ravel()), (4, 6)) for by in ((0, 0), (2, 4)))
    np.testing.assert_allclose(np.roll(there, (1, 2), (0, 1)), moved, atol=1e-6)


def test_a_deep_net_adds_to_what_goes_through():
    """Blocks whose weights are zero leave a hidden layer as it is."""
    net = build(lt.Residual(16, 2), Ends((H,), (4, 6, 16), 384), jax.random.key(0), "h")
    h = normal(384)
    np.testing.assert_array_equal(net.__call__(h) == h, np.zeros(384, bool))
    still = jax.tree.map(jnp.zeros_like, net)
    np.testing.assert_array_equal(still(h), h)


def test_one_step_of_adam_moves_a_vector_by_the_root_of_the_tokens():
    """Adam moves all weights by one rate; the sum over 24 tokens must not move 24 times as far."""
    net = build(lt.Residual(16, 0), Ends((H,), (5,), 10), jax.random.key(0), "z")
    slope = jax.jit(jax.grad(lambda n: n(normal(384))[0]))(net)
    assert 0.5 * 16 * np.sqrt(24) < np.abs(slope.last.weight[:, 0]).sum() < 16 * np.sqrt(24)


PARENT = lt.Normal(5)
REFUSED = [
    (lt.Bernoulli((30, 28)), lt.Deconv(), r"multiples of 4, but the image has 30 × 28 pixels; crop to 28 × 28, or pad "
     r"to 32 × 28: np.pad\(image, \(\(1, 1\), \(0, 0\)\)\)"),
    (lt.Bernoulli((3, 28)), lt.Residual(patch=4), r"patch=4 needs .* 3 × 28 pixels; pad to 4 × 28"),
    (lt.Bernoulli(784), lt.Deconv(), r"the child must be an image \(height, width\["),
    (lt.Bernoulli((8, 8)), lt.Conv(), r"its parents are no image \(height, width\): \{'z': \(5,\)\}"),
    (lt.Bernoulli(784), lt.Residual(), "neither a parent nor the child is an image"),
]  # fmt: skip


@pytest.mark.parametrize("x, net, words", REFUSED)
def test_an_image_that_does_not_fit_is_refused(x, net, words):
    network = lt.Network(z=PARENT, x=x.given("z", via=net))
    guide = lt.Network(z=PARENT.given("x"))
    with pytest.raises(lt.DeclarationError, match=f"node 'x': its net .*{words}"):
        build_model(network, guide, jax.random.key(0))


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: lt.Conv(()), "channels are those of each layer"),
        (lambda: lt.Conv((0, 4)), r"channels\[0\]"),
        (lambda: lt.Conv((4,), kernel=3), "kernel=3 must be a multiple of stride=2"),
        (lambda: lt.Deconv((4,), activation="step"), "unknown activation 'step'"),
        (lambda: lt.Residual(0), "width"),
        (lambda: lt.Residual(4, depth=-1), "depth"),
        (lambda: lt.Residual(4, patch=0), "patch"),
        (lambda: lt.templates.deep_image(lt.Bernoulli((30, 28))), "deep_image: patch=4 needs sides .* crop to 28 × 28"),
        (lambda: lt.templates.deep_image(lt.Bernoulli(784)), "is no image"),
        (lambda: lt.templates.pixels(np.zeros((0, 4, 4))), "pixels: images must be an array"),
        (lambda: lt.Mixture(lt.Normal(()), 2, together=True), "together=True needs an axis"),
    ],
)  # fmt: skip
def test_what_cannot_be_declared(make, words):
    with pytest.raises(lt.DeclarationError, match=words):
        make()


def test_encoders_are_the_mirror_of_decoders():
    network = lt.Network(z=PARENT, x=lt.Bernoulli((8, 8)).given("z", via=lt.Deconv((8, 4))))
    assert lt.guide_for(network).nodes["z"].via == lt.Conv((4, 8))
    assert repr(lt.Conv((4, 8), stride=1)) == "Conv((4, 8), stride=1)"
    assert lt.Deconv((8, 4)).mirrored().mirrored() == lt.Deconv((8, 4))
    assert lt.Residual(8).mirrored() == lt.Residual(8)


FITTED = {
    "convolutions": (lt.Network(z=lt.Normal(3), x=lt.Bernoulli((8, 8)).given("z", via=lt.Deconv((8, 4)))), None),
    "tokens": (lt.Network(z=lt.Normal(3), x=lt.Bernoulli((8, 8)).given("z", via=lt.Residual(8, 1, patch=4))), None),
    "deep": lt.templates.deep_image(lt.Bernoulli((8, 8)), depth=2, width=8, latent=3, components=3),
}


def fitted(network, guide):
    """A model of images whose lower half repeats the upper one, and rows of which every second lacks a line."""
    x = (normal(64, 8, 8) > 0).astype(np.float32)
    x[:, :4] = x[:, 4:]
    holes = x.copy()
    holes[::2, 0] = np.nan
    return lt.VAE(network, guide, epochs=1, validation=0).fit({"x": holes}), x, holes


@pytest.mark.trains
def test_a_model_file_holds_the_nets():
    network, guide = FITTED["tokens"]
    vae, _, holes = fitted(network, guide)
    file = io.BytesIO()
    vae.save(file)
    again = lt.load(io.BytesIO(file.getvalue()))
    assert again.network_ == network
    np.testing.assert_array_equal(again.transform({"x": holes}), vae.transform({"x": holes}))


@pytest.mark.trains
@pytest.mark.slow
@pytest.mark.parametrize("network, guide", FITTED.values(), ids=FITTED)
def test_images_with_holes_are_fitted_saved_and_filled(network, guide, tmp_path):
    vae, x, holes = fitted(network, guide)
    vae.save(tmp_path / "m.laten")
    filled = lt.load(tmp_path / "m.laten").impute({"x": holes})["x"]
    np.testing.assert_array_equal(filled[1::2], x[1::2])
    np.testing.assert_array_equal(filled[::2, 1:], x[::2, 1:])
    assert ((filled >= 0) & (filled <= 1)).all()


@pytest.mark.parametrize(
    "images, family",
    [
        (np.eye(4)[None], lt.Bernoulli((4, 4))),
        (np.arange(16, dtype=np.uint8).reshape(1, 4, 4), lt.DiscretizedLogistic((4, 4))),
        (np.full((2, 4, 4, 3), 200, np.uint8), lt.Mixture(lt.DiscretizedLogistic((4, 4, 3)), 5, together=True)),
        (np.arange(16).reshape(1, 4, 4) - 3, lt.DiscretizedLogistic((4, 4), 16, -3)),
        (normal(2, 4, 4), lt.Normal((4, 4), scale="shared")),
    ],
)
def test_pixels_have_the_family_of_their_values(images, family):
    assert lt.templates.pixels(images) == family
