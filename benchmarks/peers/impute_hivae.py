"""HI-VAE (Nazabal et al. 2020), written again in PyTorch: the authors' code needs TensorFlow 1, which is gone.

Run by `benchmarks.tables.imputation` under the interpreter of `$LATEN_PEERS/pyod` (`setup.sh`; it has PyTorch).

After `model_HIVAE_inputDropout` of `probabilistic-learning/HI-VAE` (MIT), and its script's settings: all maps linear,

    q(s | x) q(z | x, s)      x: observed cells, standardised (pos: log(1 + x) first; count: log x), 0 where hidden
    p(s) = 1/K, p(z | s) = N(A s, I), y = B z in parts y_d, p(x_d | y_d, s) normal, log-normal, Poisson, categorical or
    ordinal (a threshold model), variances and thresholds from s alone

with Gumbel-softmax for s, its temperature falling by 0.01 an epoch; batch 100, Adam 0.001, 200 epochs. Cells are filled
at the most probable s and the mean of z, as there; numbers by their mean, ordinals by their median, which err less than
the modes used there. One thing differs: standardisation is by all rows, not batch by batch.
"""

import numpy as np
import torch
from exchange import Arrays, Clock, serve
from torch import nn
from torch.nn.functional import softmax, softplus


class Table:
    """The table as tensors: what the encoder sees, and targets by kind."""

    def __init__(self, X: np.ndarray, kinds: list[str]):
        self.index = {k: [i for i, kind in enumerate(kinds) if kind in k.split()] for k in KINDS}
        seen = ~np.isnan(X)
        self.seen = torch.tensor(seen)
        self.levels = [np.unique(c[~np.isnan(c)]) for c in X.T]
        self.shift = np.array(
            [1.0 if k == "count" and v[0] == 0 else 0.0 for k, v in zip(kinds, self.levels, strict=True)]
        )
        value, parts = np.zeros(X.shape), []
        self.centre, self.scale = np.zeros(len(kinds)), np.ones(len(kinds))
        for i, kind in enumerate(kinds):
            x, there = np.where(seen[:, i], X[:, i], self.levels[i][0]), seen[:, i, None]
            if kind in ("cat", "ordinal"):
                code = np.searchsorted(self.levels[i], x)
                value[:, i] = code
                at = np.arange(len(self.levels[i]))
                parts.append(there * (code[:, None] == at if kind == "cat" else code[:, None] >= at))
                continue
            x = np.log1p(x) if kind == "pos" else x + self.shift[i]
            if kind != "count":
                self.centre[i], self.scale[i] = x[seen[:, i]].mean(), max(x[seen[:, i]].std(), 1e-3)
                x = (x - self.centre[i]) / self.scale[i]
            value[:, i] = x
            parts.append(there * (np.log(x) if kind == "count" else x)[:, None])
        self.value = torch.tensor(value, dtype=torch.float32)
        self.inputs = torch.tensor(np.hstack(parts), dtype=torch.float32)


KINDS = ("real pos", "count", "cat", "ordinal")


def weights(*shape: int) -> nn.Parameter:
    """Small normal weights, as there."""
    return nn.Parameter(0.05 * torch.randn(*shape))


class HIVAE(nn.Module):
    """The model; `s`, `z`, `y` are numbers of dimensions (y: of each column)."""

    def __init__(self, table: Table, s: int, z: int, y: int):
        super().__init__()
        self.table, width, columns = table, table.inputs.shape[1], table.value.shape[1]
        self.s_of_x, self.z_of_xs = nn.Linear(width, s), nn.Linear(width + s, 2 * z)
        self.z_of_s, self.y_of_z = nn.Linear(s, z), nn.Linear(z, columns * y)
        self.from_y, self.from_s, self.second = nn.ParameterDict(), nn.ParameterDict(), nn.ParameterDict()
        self.sizes = {k: [len(table.levels[i]) for i in table.index[k]] for k in ("cat", "ordinal")}
        for kind, index in table.index.items():
            most = max(self.sizes["cat"], default=1) if kind == "cat" else 1
            self.from_y[kind], self.from_s[kind] = weights(len(index), y, most), weights(len(index), s, most)
            most = max(self.sizes["ordinal"], default=2) - 1 if kind == "ordinal" else 1
            self.second[kind] = weights(len(index), s, most)

    def guess(self, inputs: torch.Tensor, temperature: float | None):
        """s, z and the divergences; without a temperature the most probable s and the mean of z."""
        log_pi = torch.log_softmax(self.s_of_x(inputs), 1)
        if temperature is None:
            s = nn.functional.one_hot(log_pi.argmax(1), log_pi.shape[1]).float()
        else:
            noise = -torch.log(-torch.log(torch.rand_like(log_pi).clamp(1e-9, 1 - 1e-7)))
            s = softmax((log_pi.clamp(min=-13.8) + noise) / temperature, 1)
        mean, log_var = self.z_of_xs(torch.cat([inputs, s], 1)).chunk(2, 1)
        log_var = log_var.clamp(-15, 15)
        z = mean if temperature is None else mean + torch.exp(log_var / 2) * torch.randn_like(mean)
        kl_s = (log_pi.exp() * log_pi).sum(1) + np.log(log_pi.shape[1])
        kl_z = 0.5 * (log_var.exp() + (mean - self.z_of_s(s)) ** 2 - log_var - 1).sum(1)
        return s, z, kl_s + kl_z

    def parameters_of(self, s: torch.Tensor, z: torch.Tensor) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
        """By kind: the natural parameter from y and s, and the second one from s alone."""
        y = self.y_of_z(z).reshape(len(z), self.table.value.shape[1], -1)
        out = {}
        for kind, index in self.table.index.items():
            first = torch.einsum("bdk,dkc->bdc", y[:, index], self.from_y[kind])
            first = first + torch.einsum("bs,dsc->bdc", s, self.from_s[kind])
            out[kind] = first, torch.einsum("bs,dsc->bdc", s, self.second[kind])
        return out

    def classes(self, kind: str, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        """log-probabilities of classes, `(rows, columns, levels)`."""
        sizes = torch.tensor(self.sizes[kind])
        if kind == "cat":
            logits = first - first[:, :, :1]
            beyond = torch.arange(logits.shape[2]) >= sizes[:, None]
            return torch.log_softmax(logits.masked_fill(beyond, -1e9), 2)
        below = torch.sigmoid(torch.cumsum(softplus(second), 2) - first)
        below = below.masked_fill(torch.arange(below.shape[2]) >= sizes[:, None] - 1, 1.0)
        ends = torch.zeros_like(below[:, :, :1]), torch.ones_like(below[:, :, :1])
        return torch.log((torch.cat([below, ends[1]], 2) - torch.cat([ends[0], below], 2)).clamp(min=1e-6))

    def log_prob(self, given: dict, value: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        """log p(observed cells), `(rows,)`."""
        total = torch.zeros(len(value))
        for kind, index in self.table.index.items():
            if not index:
                continue
            (first, second), x = given[kind], value[:, index]
            if kind == "real pos":
                variance = softplus(second[:, :, 0]).clamp(1e-3, 1e20)
                cell = -0.5 * ((x - first[:, :, 0]) ** 2 / variance + torch.log(2 * np.pi * variance))
            elif kind == "count":
                rate = softplus(first[:, :, 0]).clamp(min=1e-6)
                cell = x * torch.log(rate) - rate - torch.lgamma(x + 1)
            else:
                cell = self.classes(kind, first, second).gather(2, x.long()[:, :, None])[:, :, 0]
            total = total + (cell * seen[:, index]).sum(1)
        return total


@torch.no_grad()
def filled(model: HIVAE, table: Table, X: np.ndarray, kinds: list[str]) -> np.ndarray:
    """The table with its holes filled."""
    s, z, _ = model.guess(table.inputs, None)
    given, out = model.parameters_of(s, z), X.copy()
    for kind, index in table.index.items():
        if not index:
            continue
        first, second = given[kind]
        for at, i in enumerate(index):
            if kind == "real pos":
                guess = first[:, at, 0].numpy() * table.scale[i] + table.centre[i]
                variance = table.scale[i] ** 2 * softplus(second[:, at, 0]).numpy()
                guess = np.expm1(guess + variance / 2) if kinds[i] == "pos" else guess
                guess = np.clip(guess, table.levels[i][0], table.levels[i][-1])
            elif kind == "count":
                guess = softplus(first[:, at, 0]).numpy() - table.shift[i]
            else:
                p = model.classes(kind, first, second)[:, at].exp().numpy()
                code = p.argmax(1) if kind == "cat" else (p.cumsum(1) < 0.5).sum(1)
                guess = table.levels[i][np.minimum(code, len(table.levels[i]) - 1)]
            out[:, i] = np.where(np.isnan(X[:, i]), guess, X[:, i])
    return out


def work(arrays: Arrays, arguments: dict, clock: Clock) -> Arrays:
    """Learns from the holed table and fills it."""
    torch.manual_seed(arguments["seed"])
    X, kinds = arrays["X"], arguments["kinds"]
    with clock("fit"):
        table = Table(X, kinds)
        model = HIVAE(table, arguments["s"], arguments["z"], arguments["y"])
        adam = torch.optim.Adam(model.parameters(), lr=1e-3)
        for epoch in range(arguments["epochs"]):
            order = torch.randperm(len(X))
            for rows in order[: len(X) // 100 * 100].reshape(-1, 100):
                s, z, divergence = model.guess(table.inputs[rows], max(1 - 0.01 * epoch, 1e-3))
                log_prob = model.log_prob(model.parameters_of(s, z), table.value[rows], table.seen[rows])
                loss = (divergence - log_prob).mean()
                adam.zero_grad()
                loss.backward()
                adam.step()
    arguments["notes"]["bound"] = -float(loss)
    with clock("fill"):
        return {"X": filled(model, table, X, kinds)}


if __name__ == "__main__":
    serve(work, ("torch", "numpy"))
