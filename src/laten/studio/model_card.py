"""What the page says of a fitted model: its name, its factors, how training ended, and what is worth a look."""

from collections.abc import Container
from typing import Any

from laten.classical.discrete import DiscreteNetwork
from laten.data.rows.views import TableView
from laten.estimator.plain_vae import PlainVAE
from laten.report import findings
from laten.report.figures import Figures
from laten.studio.as_json import plain


def model_card(vae: PlainVAE | DiscreteNetwork | None, name: str) -> dict[str, Any] | None:
    """Return it; `name` is the model's file."""
    if vae is None:
        return None
    if isinstance(vae, DiscreteNetwork):
        return {"name": name, "form": "exact", "factors": str(vae), "latents": []}
    history = vae.history_
    kept = history[history["kept"]].iloc[-1] if len(history) and history["kept"].any() else None
    names = [str(n) for n in vae.get_feature_names_out()]
    rules = (findings.training, findings.latents) if len(history) else ()
    judged = Figures(None, 0, history, vae.stopped_, 0, tuple(names), None)
    found: dict[str, Any] = plain(
        {
            "name": name, "form": "table" if isinstance(vae.view_, TableView) else "images", "latents": names,
            "factors": vae.network_.factors(), "stopped": vae.stopped_,
            "bound": None if kept is None else kept.get("bound"),
            "epoch": None if kept is None else kept.get("epoch"),
            "active": None if kept is None else kept.get("active_units"),
            "findings": [[f.level, f.text] for rule in rules for f in rule(judged)],
        }
    )  # fmt: skip
    return found


def unused(name: str, taken: Container[str]) -> str:
    """Return a name that no model has: `wine.laten`, `wine-2.laten`, ...."""
    stem, count, found = name.removesuffix(".laten"), 1, name
    while found in taken:
        count += 1
        found = f"{stem}-{count}.laten"
    return found
