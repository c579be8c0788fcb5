"""What pages about images start from: some digits, and a network for them."""

import laten as lt

data = {"x": lt.read("digits")["x"][:200]}
network = lt.Network(z=lt.Normal(2), x=lt.Bernoulli((8, 8)).given("z", via=lt.MLP(64)))
