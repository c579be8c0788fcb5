"""The settings that suit one question better than the defaults, by the number of rows (`docs/en/tables.md`).

The figures behind them are in `docs/en/benchmarks.md`. Few rows keep the default plan, which stops early on
held-out rows.
"""

from typing import Any

FEW_ROWS, MANY_ROWS = 2_500, 20_000


def filling(rows: int) -> dict[str, Any]:
    """Return what suits filling holes: all rows are learned from, and means of small tables are exact."""
    if rows < FEW_ROWS:
        return {}
    plan = {"epochs": 60} if rows >= MANY_ROWS else {"epochs": 200, "draws": 1600}
    return {**plan, "batch_size": 256, "validation": 0.0}


def sampling(rows: int) -> dict[str, Any]:
    """Return what suits drawing rows: samples, unlike answers, need no practice with holes."""
    if rows < FEW_ROWS:
        return {"hide": False}
    return {"epochs": 60 if rows >= MANY_ROWS else 200, "batch_size": 256, "dropout": 0.0, "hide": False}


def finding(rows: int) -> dict[str, Any]:
    """Return what suits finding odd rows after a clean table: smooth, and linear in the tails, so that far is odd."""
    return {"numbers": "normal", "width": 128}


def distrusting() -> dict[str, Any]:
    """Return what suits finding odd rows among those of the fit: the oddest teach nothing, and find no room."""
    return {"trim": 0.3, "latent": 4, "width": 64, "epochs": 20, "validation": 0.0}
