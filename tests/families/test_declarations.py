"""Wrong declarations are refused with words that say what was wrong, what was expected and what came."""

from collections.abc import Callable

import numpy as np
import pytest

import laten.families as lf
from laten.common.errors import DeclarationError

WRONG: list[tuple[Callable[[], object], str]] = [
    (lambda: lf.Normal(0), r"Normal: sizes must be at least 1, not 0"),
    (lambda: lf.Normal(2.5), r"Normal: size must be a whole number or a tuple of them, not 2\.5"),
    (lambda: lf.Normal("20"), r"Normal: size must be a whole number or a tuple of them, not '20'"),
    (lambda: lf.Normal(True), r"Normal: size must be a whole number .* not True"),
    (lambda: lf.Normal((3, -1)), r"Normal: sizes must be at least 1, not \(3, -1\)"),
    (
        lambda: lf.Normal(3, scale="global"),
        r"Normal: scale must be 'net', 'site', 'shared' or a positive number, not 'global'",
    ),
    (lambda: lf.Normal(3, scale=-1.0), r"Normal: scale must be .* not -1\.0"),
    (lambda: lf.Normal(3, scale=float("nan")), r"Normal: scale must be .* not nan"),
    (lambda: lf.StudentT(3, scale=0), r"StudentT: scale must be .* not 0"),
    (lambda: lf.StudentT(None), r"StudentT: size must be a whole number .* not None"),
    (lambda: lf.LogNormal(3, scale=None), r"LogNormal: scale must be .* not None"),
    (lambda: lf.Bernoulli((28, 28.0)), r"Bernoulli: size must be a whole number .* not \(28, 28\.0\)"),
    (lambda: lf.Categorical(()), r"Categorical: each column needs at least 1 classes, not \(\)"),
    (lambda: lf.Categorical((3, 0)), r"Categorical: sizes must be at least 1, not \(3, 0\)"),
    (lambda: lf.Ordinal((3, 1)), r"Ordinal: each column needs at least 2 classes, not \(3, 1\)"),
    (lambda: lf.Ordinal(3, scale=2.0), r"Ordinal: scale must be 'net' or 'site', not 2\.0"),
    (lambda: lf.Poisson(-1), r"Poisson: sizes must be at least 1, not -1"),
    (
        lambda: lf.NegativeBinomial(3, dispersion="gene"),
        r"NegativeBinomial: dispersion must be 'net' or 'site', not 'gene'",
    ),
    (lambda: lf.DiscretizedLogistic(3, levels=1), r"DiscretizedLogistic: levels must be at least 2, not 1"),
    (lambda: lf.DiscretizedLogistic(3, levels=2.5), r"DiscretizedLogistic: levels must be a whole number, not 2\.5"),
    (lambda: lf.DiscretizedLogistic(3, low=2**24), r"not exact in float32"),
    (lambda: lf.Mixture(lf.Bernoulli(3), 2), r"Mixture: component must be a family of numbers .* not Bernoulli\(3\)"),
    (lambda: lf.Mixture(lf.Given(3), 2), r"Mixture: component must be a family of numbers .* not Given\(3\)"),
    (lambda: lf.Mixture(lf.Relative(3), 2), r"Mixture: component must be a family of numbers .* not Relative\(3\)"),
    (lambda: lf.Mixture(lf.Normal(3), 0), r"Mixture: k must be at least 1, not 0"),
    (lambda: lf.Mixture(lf.Normal(3), 2.0), r"Mixture: k must be a whole number, not 2\.0"),
    (lambda: lf.Deterministic("many"), r"Deterministic: size must be a whole number .* not 'many'"),
    (lambda: lf.Bernoulli(784).states(), r"Bernoulli\(784\) has more than \d+ states; they cannot be listed"),
    (lambda: lf.Bernoulli(3).quantile(np.zeros(3), 0.5), r"Bernoulli\(3\) has no quantile function; draw samples"),
    (lambda: lf.Categorical(3).cdf(np.zeros(3), 1), r"Categorical\(3\) has no cumulative distribution function"),
    (lambda: lf.Normal(3).given(5), r"parents are names of nodes, not 5"),
    (lambda: lf.Normal(3).given("z", "z"), r"a parent is named twice"),
    (lambda: lf.Normal(3).given("z", via=500), r"via must be a net"),
]


@pytest.mark.parametrize(("declare", "words"), WRONG, ids=[words[:40] for _, words in WRONG])
def test_wrong_declarations(declare: Callable[[], object], words: str) -> None:
    with pytest.raises(DeclarationError, match=words):
        declare()


def test_reprs_read_like_the_call() -> None:
    written = [
        "Normal(20)",
        "Normal(20, scale='site')",
        "Normal((), scale=0.5)",
        "Bernoulli((28, 28))",
        "Categorical(10)",
        "Categorical((10,))",
        "Categorical((8, 3, 41))",
        "Ordinal((5, 3), scale='net')",
        "NegativeBinomial(5, dispersion='site')",
        "DiscretizedLogistic((8, 8), levels=17)",
        "Mixture(Normal(12), 5)",
        "Mixture(StudentT(12, scale='site'), 5)",
        "Deterministic(64)",
    ]
    for text in written:
        assert repr(eval(text, dict(lf.FAMILIES))) == text


def test_numpy_numbers_and_lists_make_the_same_declaration() -> None:
    assert lf.Normal(np.int64(3), scale=np.float32(0.5)) == lf.Normal(3, scale=0.5)
    assert lf.Normal([2, 3]) == lf.Normal((2, 3))
    assert lf.Categorical([2, np.int32(3)]) == lf.Categorical((2, 3))
    assert type(lf.Categorical(np.int32(3)).sizes) is int
    assert lf.Categorical(3) != lf.Categorical((3,))
    assert lf.Normal(3) != lf.LogNormal(3)


def test_guides_share_the_support() -> None:
    assert lf.StudentT(4).guide() == lf.Mixture(lf.StudentT(4), 3).guide() == lf.Normal(4)
    assert lf.LogNormal(4, scale="site").guide() == lf.Mixture(lf.LogNormal(4), 3).guide() == lf.LogNormal(4)
    for family in (lf.Bernoulli(4), lf.Categorical((2, 3)), lf.Poisson(2), lf.DiscretizedLogistic(2)):
        assert family.guide() == family
