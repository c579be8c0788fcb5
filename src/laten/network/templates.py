"""Ready-made networks: functions that write a declaration. Read one to learn how to write your own."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from laten.common.errors import DeclarationError, whole
from laten.families import (
    Bernoulli,
    Binned,
    Categorical,
    Deterministic,
    Family,
    FullNormal,
    Given,
    Informative,
    Laplace,
    LogNormal,
    NegativeBinomial,
    Node,
    Normal,
    NormalMixture,
    Poisson,
    Quantised,
)
from laten.families.binned import Points
from laten.network.image_templates import deep_image as deep_image
from laten.network.image_templates import pixels as pixels
from laten.network.nets.experts import Experts
from laten.network.nets.layers import MLP
from laten.network.nets.proportions import Proportions
from laten.network.network import Network
from laten.network.top_down import top_down as top_down


class Leaf(NamedTuple):
    """The columns of one node.

    Args:
        name: The node's.
        kind: binary, categorical, ordinal, count, bins or real.
        shape: Event shape.
        sizes: Number of classes or bins of each column.
        points: Of `bins`: features of each column's bins.
        informative: Cells may be missing because of their values.
        rank: Of `bins`: coefficients a column (`Binned`); None: a logit for each bin.
        waves: Of `bins`: features of each column that are functions of the net's too (`Binned`).
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    sizes: tuple[int, ...] = ()
    points: tuple[Points, ...] = ()
    informative: bool = False
    rank: int | None = None
    waves: tuple[int, ...] = ()


def family_of(leaf: Leaf) -> Family:
    """Choose the family of a block of columns of one kind.

    Raises:
        DeclarationError: a kind that is unknown.
    """
    shape = leaf.shape
    classes = leaf.sizes[0] if leaf.shape == () and leaf.sizes else leaf.sizes
    match leaf.kind:
        case "binary":
            return Bernoulli(shape)
        case "count":
            return NegativeBinomial(shape)
        case "real":
            return Normal(shape, scale="site")
        case "categorical":
            coded = Categorical(classes)
        case "ordinal":
            coded = Binned(classes, tuple(map(ranks, leaf.sizes)))
        case "bins":
            coded = Binned(classes, leaf.points, leaf.rank, leaf.waves)
        case _:
            raise DeclarationError(f"no family for columns of kind {leaf.kind!r}")
    return Informative(coded) if leaf.informative else coded


def ranks(levels: int) -> Points:
    """Place ordered levels at equal distances, with mean 0 and variance 1."""
    centre, step = (levels - 1) / 2, math.sqrt(12 / (levels**2 - 1)) if levels > 1 else 1.0
    return tuple(((k - centre) * step,) for k in range(levels))


def check_family(template: str, x: object, name: str = "x") -> None:
    """Check that what a template is told of a node is a family.

    Raises:
        DeclarationError: it is a size, a class, or something else.
    """
    if not isinstance(x, Family):
        raise DeclarationError(f"{template}: {name} must be a family such as lt.Bernoulli((28, 28)), not {x!r}")


def table(
    leaves: Sequence[Leaf], latent: int = 16, width: int = 256, components: int = 64, dropout: float = 0.1
) -> Network:
    """Declare p(z) and, through shared hidden layers, one node for each kind of column.

    Args:
        leaves: The nodes of the table.
        latent: Latent dimensions.
        width: Units of the hidden layers.
        components: Normals in the mixture that is the prior of z; 1: the standard normal, not learned.
        dropout: Share of hidden units left out while training.
    Raises:
        DeclarationError: a leaf of an unknown kind, or sizes below 1.
    """
    nodes: dict[str, Family | Node] = {
        "z": NormalMixture(latent, components) if components > 1 else Normal(latent),
        "hidden": Deterministic(width).given("z", via=MLP(width, dropout=dropout, activate_output=True)),
    }
    for leaf in leaves:
        nodes[leaf.name] = family_of(leaf).given("hidden")
    return Network(**nodes)


def images(shape: tuple[int, ...], latent: int = 20, width: int = 500, depth: int = 1) -> Network:
    """Declare p(z) p(x | z) for binary images, or grey ones read as intensities."""
    return Network(z=Normal(latent), x=Bernoulli(shape).given("z", via=MLP(width, depth)))


def semi_supervised(x: Family, classes: int, latent: int = 20, width: int = 500) -> Network:
    """Declare p(y) p(z) p(x | y, z): a label seen in some rows only (Kingma et al. 2014, model M2).

    Raises:
        DeclarationError: `x` is no family.
    """
    check_family("semi_supervised", x)
    return Network(y=Categorical(classes), z=Normal(latent), x=x.given("y", "z", via=MLP(width)))


def mixture(x: Family, components: int, latent: int = 10, width: int = 128) -> Network:
    """Declare p(c) p(z | c) p(x | z): clusters in the latent space, found by enumeration.

    Raises:
        DeclarationError: `x` is no family.
    """
    check_family("mixture", x)
    return Network(c=Categorical(components), z=Normal(latent).given("c"), x=x.given("z", via=MLP(width)))


def counts(
    x: Family | int, batches: int = 1, latent: int = 10, width: int = 128, depth: int = 1, dropout: float = 0.1
) -> Network:
    """Declare p(z) p(x | z, batch, library) for counts of molecules in cells (Lopez et al. 2018, scVI).

    The net says each gene's share, for a cell of these latents in this batch; the cell's library is their sum.

    Args:
        x: Number of genes, for `lt.NegativeBinomial(x, "site", total="library")`; or such a family, which
            `lt.ZeroInflated` may wrap.
        batches: Of the covariate "batch", a code from 0 in each row; 1: there is none.
        latent: Latent dimensions.
        width, depth, dropout: Of the hidden layers.
    Raises:
        DeclarationError: a family that is not of shares of the library, or sizes below 1.
    """
    whole("counts: batches", batches, error=DeclarationError)
    nodes: dict[str, Family | Node] = {"library": Given(LogNormal(1))}
    if batches > 1:
        nodes["batch"] = Given(Categorical(batches))
    net = MLP(width, depth, dropout=dropout)
    x = x if isinstance(x, Family) else NegativeBinomial(x, "site", total="library")
    if x.beside != "library":
        raise DeclarationError(
            f"counts: x must share out the library, as lt.NegativeBinomial({x.n_sites}, 'site', total='library') does, "
            f"not {x!r}"
        )
    return Network(**nodes, z=Normal(latent), x=x.given("z", *reversed(nodes), via=net))


def ladder(x: Family, latents: Sequence[int] = (20, 10), width: int = 200, depth: int = 1) -> Network:
    """Declare p(z_L) ... p(z1 | z2) p(x | z1): several layers of latents, `latents[0]` next to the data.

    Args:
        width, depth: Of the hidden layers between two levels.
    Raises:
        DeclarationError: no layer, or sizes below 1.
    """
    check_family("ladder", x)
    if not isinstance(latents, Sequence) or not latents:
        raise DeclarationError(f"ladder: latents are those of each layer, such as (20, 10), not {latents!r}")
    nodes: dict[str, Family | Node] = {}
    net = MLP(width, depth)
    for level in range(len(latents), 0, -1):
        above = f"z{level + 1}"
        z = Normal(latents[level - 1])
        nodes[f"z{level}"] = z.given(above, via=net) if above in nodes else z
    return Network(**nodes, x=x.given("z1", via=net))


def conditional(x: Family, given: Family | int, latent: int = 20, width: int = 200) -> Network:
    """Declare p(z) p(x | c, z): rows given what each says of itself, a class or numbers (Sohn et al. 2015).

    Raises:
        DeclarationError: `x` is no family.
    """
    check_family("conditional", x)
    return Network(c=Given(given), z=Normal(latent), x=x.given("c", "z", via=MLP(width)))


def multiview(views: Mapping[str, Family], latent: int = 20, width: int = 200) -> tuple[Network, Network]:
    """Declare p(z) p(a | z) p(b | z) ... and its guide, a product of experts (Wu & Goodman 2018).

    Rows may lack whole views: fit with `hide=True`, so that the guide meets every subset.

    Args:
        views: Node -> its family.
    Returns:
        Network and guide.
    Raises:
        DeclarationError: views that are no families by node, or a view named "z".
    """
    if not isinstance(views, Mapping) or not views or "z" in views:
        raise DeclarationError(
            "multiview: views are families by node, none of them named 'z', such as "
            f"{{'a': lt.Normal(12), 'b': lt.Bernoulli((28, 28))}}, not {views!r}"
        )
    for name, family in views.items():
        check_family("multiview", family, repr(name))
    leaves = {name: family.given("z", via=MLP(width)) for name, family in views.items()}
    guide = Network(z=Normal(latent).given(*views, via=Experts(MLP(width))))
    return Network(z=Normal(latent), **leaves), guide


def factor_analysis(columns: int, latent: int = 2, scale: str = "site") -> tuple[Network, Network]:
    """Declare factor analysis, x = W z + noise of each column's own size, with a guide that holds its exact posterior.

    Args:
        scale: "shared": one size of noise (`ppca`).
    Returns:
        Network and guide.
    """
    network = Network(z=Normal(latent), x=Normal(columns, scale=scale).given("z"))
    return network, Network(z=FullNormal(latent).given("x"))


def ppca(columns: int, latent: int = 2) -> tuple[Network, Network]:
    """Declare probabilistic principal components (Tipping & Bishop 1999); return network and guide."""
    return factor_analysis(columns, latent, scale="shared")


def sparse(x: Family, latent: int = 64) -> Network:
    """Declare p(z) p(x | z) of sparse coding: a linear picture of many latents, few of them far from zero.

    Raises:
        DeclarationError: `x` is no family.
    """
    check_family("sparse", x)
    return Network(z=Laplace(latent), x=x.given("z"))


def topic(words: int, topics: int = 20, width: int = 100) -> tuple[Network, Network]:
    """Declare counts of words by topics, of which each row has shares (after Srivastava & Sutton 2017).

    The logarithm of a word's rate is linear in the shares: topics multiply, as experts do. Rows should be of about the
    same length. Fit with `lt.Elbo(warmup=0.3)`; at first the topics are alike.

    Returns:
        Network and guide.
    """
    share = Deterministic(topics).given("z", via=Proportions())
    network = Network(z=Normal(topics), share=share, x=Poisson(words).given("share"))
    return network, Network(z=Normal(topics).given("x", via=MLP(width)))


def vq(x: Family, sites: int = 16, codes: int = 64, dim: int = 8, width: int = 200) -> Network:
    """Declare p(c) p(x | e_c): latents from a codebook of vectors (van den Oord et al. 2017).

    Raises:
        DeclarationError: `x` is no family.
    """
    check_family("vq", x)
    return Network(z=Quantised(sites, dim, codes), x=x.given("z", via=MLP(width)))
