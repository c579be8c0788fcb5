"""P as the guide sees it: raw parameters and hidden layers of its nodes, computed when first asked for, and kept.

A guide's node may be told of a hidden layer of P, or start from what P says of the same node (`lt.Relative`). Both can
be computed as soon as all that they depend on is known: observed, or drawn by the guide before. What was computed once
is not computed again when P is walked.
"""

from collections.abc import Mapping

from laten.common.errors import DeclarationError
from laten.common.types import Array, Values
from laten.network.conditional import Conditional
from laten.network.network import Keys, Network, no_key


class Look:
    """Ask P for a node's raw parameters or a hidden layer.

    Args:
        weights: P's.
        values: What is known of P's nodes; the guide adds what it draws.
        net_key, noise: As in `Network.walk`.
    """

    def __init__(
        self,
        network: Network,
        weights: Mapping[str, Conditional],
        values: Values,
        net_key: Keys = no_key,
        noise: Keys = no_key,
    ) -> None:
        self.network, self.weights, self.values = network, weights, dict(values)
        self.net_key, self.noise = net_key, noise
        self.ready: dict[str, Array] = {}

    def raw(self, name: str) -> Array:
        """Return a node's raw parameters `(n_raw,)` under P.

        Raises:
            DeclarationError: something that they depend on is not known.
        """
        for above in self.network.stochastic_parents(name):
            if above not in self.values:
                raise DeclarationError(
                    f"the guide looks at P's {name!r}, which depends on {above!r}: that must be observed in the row, "
                    "or drawn by the guide before"
                )
        return self.network.ask(self.weights, name, self.values, self.ready, self.net_key, self.noise)

    def layer(self, name: str) -> Array:
        """Return the value of a hidden layer of P, of its shape."""
        self.raw(name)
        return self.values[name]


class Known(dict[str, Array]):
    """Values that the guide looks at: evidence, what it has drawn, and hidden layers of P when they are asked for."""

    def __init__(self, values: Values, look: Look) -> None:
        super().__init__(values)
        self.look = look

    def __missing__(self, name: str) -> Array:
        return self.look.layer(name)
