"""Model files: a zip of `model.json` (declaration, schema, history) and `weights.safetensors`. No code, no pickle.

What the model is compared with lies beside its weights, in `references.safetensors`; files of before have none.

Declarations are frozen dataclasses of numbers, strings, tuples and one another; they are written as
`{"type": name, field: value, ...}` and rebuilt through their own constructors, which check them again. Weights are
named by their path in the model. A file is written under a temporary name in the same folder, synced and renamed, so
that a half-written one never has the real name. The same model gives the same bytes.
"""

import json
import os
import zipfile
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import jax
import msgspec
import numpy as np
import safetensors
import safetensors.numpy

from laten.common import random
from laten.common.atomic_file import atomic
from laten.common.errors import DataError, LatenError, ModelFileError, known
from laten.common.numerics import on_device
from laten.data import records
from laten.families import FAMILIES, Node
from laten.network.model import Model, build_model
from laten.network.nets import NETS
from laten.network.network import Network
from laten.network.uncertain_weights import is_uncertain, uncertain
from laten.training.objectives import OBJECTIVES

FORMAT = 2  # 1: schemas and views of before records; `data` maps them
TYPES: dict[str, type] = {**FAMILIES, **NETS, **OBJECTIVES, "Node": Node}
REFERENCES = "references.safetensors"
STAMP = (1980, 1, 1, 0, 0, 0)  # zip entries carry no time, so that equal models are equal files
Option = bool | int | records.Finite | str | None


class Head(records.Record, frozen=True):
    """What `model.json` holds."""

    format: int
    network: dict[str, Any]
    guide: dict[str, Any]
    hidden: tuple[str, ...]
    about: dict[str, Any]
    uncertain: bool = False


class About(records.Record, frozen=True):
    """What a file says of a fit beside the model.

    Args:
        parameters: Options of the constructor.
        objective: As `declared` wrote it.
        view: As `view.to_json` wrote it.
        presentation: Fields of `Presentation`.
        stopped: How training ended.
        history: Columns of the table of epochs; NaN where a figure was not taken.
        restarts: Columns of the table of restarts.
        scores: Quantiles of the scores of rows of the fit, at equal steps.
        declared: Which of network and guide the user declared; None in files that do not say.
    """

    parameters: dict[str, Option]
    objective: dict[str, Any] | None
    view: dict[str, Any]
    presentation: dict[str, tuple[str, ...]]
    stopped: str
    history: dict[str, tuple[bool | int | float | str | None, ...]]
    restarts: dict[str, tuple[bool | int | float | str | None, ...]] = msgspec.field(default_factory=dict)
    scores: tuple[records.Finite, ...] = ()
    declared: tuple[str, ...] | None = None


def declared(value: Any) -> Any:
    """Return a declaration as plain JSON types.

    Raises:
        ModelFileError: a part that is no declaration, such as a net of the user's own that has no name.
    """
    if isinstance(value, Network):
        return {"type": "Network", "nodes": {name: declared(node) for name, node in value.nodes.items()}}
    if is_dataclass(value) and TYPES.get(type(value).__name__) is type(value):
        return {"type": type(value).__name__, **{f.name: declared(getattr(value, f.name)) for f in fields(value)}}
    if isinstance(value, tuple | list):
        return [declared(v) for v in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if callable(value) and hasattr(value, "__name__"):
        return {"type": "user", "name": value.__name__}
    if is_dataclass(value):
        options = {f.name: declared(getattr(value, f.name)) for f in fields(value)}
        return {"type": "user", "name": type(value).__name__, "options": options}
    raise ModelFileError(
        f"{value!r} cannot be written to a model file; families, nets and objectives of your own are frozen "
        "dataclasses, and a net may also be a named function (n_in, n_out, key) -> module"
    )


def rebuilt(value: Any, own: Mapping[str, Any]) -> Any:
    """Undo `declared`, through the constructors; `own` are the user's nets, families and objectives by name."""
    if isinstance(value, list):
        return tuple(rebuilt(v, own) for v in value)
    if not isinstance(value, dict):
        return value
    kind = value.get("type")
    if kind == "user":
        name, options = str(value.get("name")), value.get("options")
        if name not in own:
            raise ModelFileError(
                f"the model uses {name!r}, which is not of laten; hand over the function or the class of that name: "
                f"lt.load(path, nets={{{name!r}: {name}}}) if it is a net, families= if a family, objectives= if an "
                "objective"
            )
        return own[name] if options is None else own[name](**{k: rebuilt(v, own) for k, v in options.items()})
    if kind == "Network":
        return Network(**{name: rebuilt(node, own) for name, node in value.get("nodes", {}).items()})
    if kind not in TYPES:
        raise ModelFileError(f"unknown part {kind!r} in the model file; known: {known(TYPES)}")
    options = {k: rebuilt(v, own) for k, v in value.items() if k != "type"}
    try:
        return TYPES[kind](**options)
    except TypeError as error:
        raise ModelFileError(
            f"part {kind!r} of the model file has other fields than this version knows: {error}"
        ) from error


def named_arrays(tree: Any) -> dict[str, Any]:
    """Return the arrays of a pytree by their path, e.g. `p/x/net/layers/0/weight`."""
    leaves = jax.tree_util.tree_flatten_with_path(tree)[0]
    return {jax.tree_util.keystr(path, simple=True, separator="/"): leaf for path, leaf in leaves}


def called(path: str | os.PathLike | BinaryIO) -> str:
    """Return the name of a file, for messages."""
    return str(os.fspath(path)) if isinstance(path, str | os.PathLike) else "the open file"


def is_model(path: str) -> bool:
    """Say whether a file is a model, by its name or by what it holds."""
    if Path(path).suffix == ".laten" or not Path(path).is_file() or not zipfile.is_zipfile(path):
        return Path(path).suffix == ".laten"
    with zipfile.ZipFile(path) as archive:
        return "model.json" in archive.namelist()


def write(
    path: str | os.PathLike | BinaryIO,
    model: Model,
    about: Mapping[str, Any],
    references: Mapping[str, np.ndarray] | None = None,
) -> None:
    """Write a model file, atomically where a path is given.

    Args:
        about: The fields of `About`, in plain JSON types.
        references: Arrays of the models that it is compared with.
    Raises:
        ModelFileError: the folder cannot be written to.
    """
    arrays = {name: np.asarray(x) for name, x in sorted(named_arrays((model.p, model.q)).items())}
    head = {
        "format": FORMAT,
        "network": declared(model.network),
        "guide": declared(model.guide),
        "uncertain": is_uncertain(model.p),
        "hidden": sorted({p.name for c in model.q.values() for p in c.parents if p.hidden}),
        "about": about,
    }
    text = json.dumps(head, ensure_ascii=False, indent=1, allow_nan=True).encode()
    try:
        whole = atomic(Path(path)) if isinstance(path, str | os.PathLike) else nullcontext(path)
        with whole as file, zipfile.ZipFile(file, "w") as archive:
            archive.writestr(zipfile.ZipInfo("model.json", STAMP), text, zipfile.ZIP_DEFLATED)
            archive.writestr(zipfile.ZipInfo("weights.safetensors", STAMP), safetensors.numpy.save(arrays))
            if references:
                text = safetensors.numpy.save({n: np.ascontiguousarray(x) for n, x in sorted(references.items())})
                archive.writestr(zipfile.ZipInfo(REFERENCES, STAMP), text, zipfile.ZIP_DEFLATED)
    except (DataError, OSError) as error:
        raise ModelFileError(str(error)) from error


def read(path: str | os.PathLike | BinaryIO, own: Mapping[str, Any]) -> tuple[Model, About, dict[str, np.ndarray]]:
    """Read a model file, checking everything on the way.

    Returns:
        The model, what was kept about its fit, and the arrays of what it is compared with.
    Raises:
        ModelFileError: no such file, not a model file, truncated, of a newer version, or weights that do not fit the
            declaration.
    """
    found, weights, beside = parts(path)
    version = found.get("format")
    if not isinstance(version, int) or version > FORMAT:
        raise ModelFileError(
            f"{called(path)!r} is of format {version}; this version of laten reads up to {FORMAT}: "
            "upgrade with pip install -U laten"
        )
    try:
        head = records.read(found, Head, "model.json")
        network, guide = (rebuilt(part, own) for part in (head.network, head.guide))
        if not isinstance(network, Network) or not isinstance(guide, Network):
            raise ModelFileError("network or guide is missing")
        skeleton = build_model(network, guide, random.key(0), head.hidden)
        if head.uncertain:
            skeleton = replace(skeleton, p=uncertain(skeleton.p))
        return filled(skeleton, weights), records.read(head.about, About, "about"), beside
    except (KeyError, TypeError, AttributeError) as error:
        raise ModelFileError(f"{called(path)!r} is damaged: {error!r}. Take another copy, or fit again") from error
    except ModelFileError as error:
        raise ModelFileError(f"{called(path)!r}: {error}") from error
    except LatenError as error:
        raise ModelFileError(f"{called(path)!r} is damaged: {error}") from error


def parts(
    path: str | os.PathLike | BinaryIO,
) -> tuple[dict[str, Any], dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return the parts of a model file: declaration, weights, references (empty in files of before)."""
    if isinstance(path, str | os.PathLike) and not Path(path).exists():
        raise ModelFileError(f"there is no file {called(path)!r}")
    try:
        with zipfile.ZipFile(path) as archive:
            head = json.loads(archive.read("model.json"))
            weights = safetensors.numpy.load(archive.read("weights.safetensors"))
            there = REFERENCES in archive.namelist()
            beside = safetensors.numpy.load(archive.read(REFERENCES)) if there else {}
    except OSError as error:
        raise ModelFileError(f"cannot read {called(path)!r}: {error.strerror or error}") from error
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError, safetensors.SafetensorError) as error:
        raise ModelFileError(
            f"{called(path)!r} is not a model file, or is truncated ({error}). Model files are written by "
            "vae.save(path)"
        ) from error
    if not isinstance(head, dict):
        raise ModelFileError(f"{called(path)!r} is not a model file: its model.json holds no declaration")
    return head, weights, beside


def filled(skeleton: Model, weights: Mapping[str, np.ndarray]) -> Model:
    """Return a model whose arrays are `weights`."""
    wanted = named_arrays((skeleton.p, skeleton.q))
    if set(wanted) != set(weights):
        odd = sorted(set(wanted) ^ set(weights))
        raise ModelFileError(f"weights do not fit the declaration: {known(odd, 4)} are missing or not expected")
    for name, like in wanted.items():
        found = weights[name]
        if found.shape != like.shape or found.dtype != like.dtype:
            raise ModelFileError(
                f"weight {name!r} has shape {found.shape} and type {found.dtype}; "
                f"expected {like.shape} and {like.dtype}"
            )
    structure = jax.tree.structure((skeleton.p, skeleton.q))
    p, q = jax.tree.unflatten(structure, [on_device(weights[name]) for name in wanted])
    return replace(skeleton, p=p, q=q)
