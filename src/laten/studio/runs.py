"""Trainings that a later studio finds again: one folder for the data that they learn from, in the user's state folder.

It holds the checkpoints of `fit(run=...)`, what was chosen, and what was shown of each epoch; never the data. What has
ended by itself leaves nothing.
"""

import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from laten.common.atomic_file import atomic
from laten.studio.column_edits import restored, said_of

ABOUT, SHOWN = "studio.json", "epochs.jsonl"
MOST = 8  # trainings that are kept


def home() -> Path:
    """Return where studios keep their trainings; `LATEN_STUDIO` names another folder."""
    if told := os.environ.get("LATEN_STUDIO"):
        return Path(told).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "laten" / "studio"
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "laten" / "studio"
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "laten" / "studio"


def folder_of(data: Any, root: Path) -> Path:
    """Return the folder of trainings on these data: a table or an array."""
    if isinstance(data, pd.DataFrame):
        texts = [str(c) for c in data] + [str(t) for t in data.dtypes]
        cells = pd.util.hash_pandas_object(data.map(str) if has_objects(data) else data, index=False)
        found = hashlib.sha256(json.dumps(texts).encode() + cells.to_numpy().tobytes())
    else:
        array = np.ascontiguousarray(data)
        found = hashlib.sha256(f"{array.shape} {array.dtype}".encode() + array.tobytes())
    return root / found.hexdigest()[:20]


def has_objects(data: pd.DataFrame) -> bool:
    """Say whether cells may be of any type, such as lists, which cannot be hashed."""
    return any(pd.api.types.is_object_dtype(t) for t in data.dtypes)


def begin(folder: Path, about: Mapping[str, Any]) -> None:
    """Empty a run folder, whose lock the caller holds, for another training; the oldest of too many folders go."""
    for path in folder.iterdir():
        if path.name.startswith("checkpoint-") or path.name in (ABOUT, SHOWN):
            path.unlink(missing_ok=True)
    with atomic(folder / ABOUT) as file:
        file.write(json.dumps({**about, "begun": time.time()}).encode())
    others = [f for f in folder.parent.iterdir() if f != folder and (f / ABOUT).is_file()]
    for old in sorted(others, key=lambda f: (f / ABOUT).stat().st_mtime)[: max(0, len(others) + 1 - MOST)]:
        end(old)


def end(folder: Path) -> None:
    """Remove a run folder."""
    shutil.rmtree(folder, ignore_errors=True)


def unfinished(folder: Path | None) -> dict[str, Any] | None:
    """Return what was chosen for a training that has not ended by itself, with its `records`; None: there is none."""
    if folder is None or not any(folder.glob("checkpoint-*")):
        return None
    try:
        about = json.loads((folder / ABOUT).read_bytes())
        lines = (folder / SHOWN).read_text().splitlines() if (folder / SHOWN).is_file() else []
        records = [json.loads(line) for line in lines if line.endswith("}")]
        return {"network": None, **about, "kinds": restored(about["kinds"]), "records": records}
    except (OSError, ValueError, TypeError, LookupError, AttributeError):
        return None


def told(folder: Path | None) -> dict[str, Any] | None:
    """Return what the page says of a training that has not ended by itself; None: there is none."""
    found = unfinished(folder)
    last = found["records"][-1] if found and found["records"] else {}
    return found and {"options": found["options"], "kinds": said_of(found["kinds"]), "begun": found["begun"],
                      "epoch": last.get("epoch"), "epochs": last.get("epochs")}  # fmt: skip


def tell(folder: Path, record: Mapping[str, Any]) -> None:
    """Keep what was shown of an epoch."""
    with (folder / SHOWN).open("a") as file:
        file.write(json.dumps(record) + "\n")
