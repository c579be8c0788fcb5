"""Ready-made networks: functions that write a declaration. Read one to learn how to write your own."""

from collections.abc import Sequence

from laten.errors import DeclarationError
from laten.families import Bernoulli, Categorical, Deterministic, Family, NegativeBinomial, Node, Normal, Ordinal
from laten.nets import MLP
from laten.network import Network

Block = tuple[str, str, tuple[int, ...], tuple[int, ...]]  # node name, kind, event shape, sizes of classes


def family_of(kind: str, shape: tuple[int, ...], sizes: tuple[int, ...]) -> Family:
    """The family of a block of columns of one kind."""
    classes = sizes[0] if shape == () else sizes
    match kind:
        case "binary":
            return Bernoulli(shape)
        case "categorical":
            return Categorical(classes)
        case "ordinal":
            return Ordinal(classes)
        case "count":
            return NegativeBinomial(shape)
        case "real":
            return Normal(shape)
        case _:
            raise DeclarationError(f"no family for columns of kind {kind!r}")


def table(blocks: Sequence[Block], latent: int = 16, width: int = 128) -> Network:
    """p(z) and, through a shared hidden layer, one node for each kind of column.

    Args:
        blocks: For each node: name, kind, event shape, sizes of its classes.
        latent: Latent dimensions.
        width: Units of the hidden layers.
    """
    nodes: dict[str, Family | Node] = {
        "z": Normal(latent),
        "hidden": Deterministic(width).given("z", via=MLP(width, activate_output=True)),
    }
    for name, kind, shape, sizes in blocks:
        nodes[name] = family_of(kind, shape, sizes).given("hidden")
    return Network(**nodes)


def images(shape: tuple[int, ...], latent: int = 20, width: int = 500, depth: int = 1) -> Network:
    """p(z) p(x | z) for binary images, or grey ones read as intensities."""
    return Network(z=Normal(latent), x=Bernoulli(shape).given("z", via=MLP(width, depth)))


def semi_supervised(x: Family, classes: int, latent: int = 20, width: int = 500) -> Network:
    """p(y) p(z) p(x | y, z): a label seen in some rows and inferred in the others (Kingma et al. 2014, model M2)."""
    return Network(y=Categorical(classes), z=Normal(latent), x=x.given("y", "z", via=MLP(width)))


def mixture(x: Family, components: int, latent: int = 10, width: int = 128) -> Network:
    """p(c) p(z | c) p(x | z): clusters in the latent space, found by enumeration."""
    return Network(c=Categorical(components), z=Normal(latent).given("c"), x=x.given("z", via=MLP(width)))


def ladder(x: Family, latents: Sequence[int] = (20, 10), width: int = 200) -> Network:
    """p(z_L) ... p(z1 | z2) p(x | z1): several layers of latents, `latents[0]` next to the data."""
    nodes: dict[str, Family | Node] = {}
    for level in range(len(latents), 0, -1):
        above = f"z{level + 1}"
        z = Normal(latents[level - 1])
        nodes[f"z{level}"] = z.given(above, via=MLP(width)) if above in nodes else z
    return Network(**nodes, x=x.given("z1", via=MLP(width)))
