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
from typing import Any, BinaryIO, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import msgspec
import numpy as np
import safetensors.numpy

from laten.common import random
from laten.common.atomic_file import atomic
from laten.common.bounded_reading import door
from laten.common.errors import DataError, LatenError, ModelFileError, known
from laten.common.numerics import on_device
from laten.common.types import Key
from laten.data import records
from laten.estimator.former_formats import FORMAT, migrated
from laten.estimator.model_parts import DAMAGE, JSON, REFERENCES, WEIGHTS, Tensors, called, declared_fits, parts_of
from laten.families import FAMILIES, Node
from laten.families.flows import FLOWS
from laten.network.model import Model, build_model
from laten.network.nets import NETS
from laten.network.network import Network
from laten.network.uncertain_weights import is_uncertain, uncertain
from laten.training.objectives import OBJECTIVES

TYPES: dict[str, type] = {**FAMILIES, **FLOWS, **NETS, **OBJECTIVES, "Node": Node}
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
    members: records.Whole = 0  # of an average; 0: it is none


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
    declared: tuple[Literal["network", "guide"], ...] | None = None


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
                f"lt.load(path, parts={{{name!r}: {name}}})"
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
        **({"members": model.members} if model.members else {}),
    }
    text = json.dumps(head, ensure_ascii=False, indent=1, allow_nan=True).encode()
    try:
        whole = atomic(Path(path)) if isinstance(path, str | os.PathLike) else nullcontext(path)
        with whole as file, zipfile.ZipFile(file, "w") as archive:
            archive.writestr(zipfile.ZipInfo(JSON, STAMP), text, zipfile.ZIP_DEFLATED)
            archive.writestr(zipfile.ZipInfo(WEIGHTS, STAMP), safetensors.numpy.save(arrays))
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
    name = called(path)
    found, weights, beside = parts_of(path)
    try:
        with door("it is damaged: {}. Take another copy, or fit again", *DAMAGE, error=ModelFileError):
            head = records.read(of_this_format(found), Head, JSON)
            network, guide = (rebuilt(part, own) for part in (head.network, head.guide))
            if not isinstance(network, Network) or not isinstance(guide, Network):
                raise ModelFileError("network or guide is missing")
            model = filled(outline(network, guide, head, weights), weights.arrays())
            return model, records.read(head.about, About, "about"), beside.arrays()
    except ModelFileError as error:
        raise ModelFileError(f"{name!r}: {error}") from error
    except LatenError as error:
        raise ModelFileError(f"{name!r} is damaged: {error}") from error


def of_this_format(found: dict[str, Any]) -> dict[str, Any]:
    """Return `model.json` as this version writes it.

    Raises:
        ModelFileError: it is of a newer format, or says none.
    """
    version = found.get("format")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise ModelFileError(f"model.json says format {version!r:.40}, which never was; the file is damaged")
    if version > FORMAT:
        raise ModelFileError(
            f"it is of format {version}; this version of laten reads up to {FORMAT}: upgrade with pip install -U laten"
        )
    return migrated(found, version)


def outline(network: Network, guide: Network, head: Head, weights: Tensors) -> Model:
    """Return a model without weights, whose shapes are those of the file.

    Raises:
        ModelFileError: weights are missing, not expected, or of another shape.
    """
    for part in (network, guide):
        declared_fits(part, weights)
    if head.members and not all(shape[:1] == (head.members,) for shape in weights.shapes.values()):
        raise ModelFileError(f"it is of {head.members} models, but has not so many weights of each kind")

    def build(key: Key) -> Model:
        model = build_model(network, guide, key, head.hidden)
        model = replace(model, p=uncertain(model.p)) if head.uncertain else model
        return widened(model, head.members) if head.members else model

    skeleton: Model = eqx.filter_eval_shape(build, random.key(0))
    wanted = named_arrays((skeleton.p, skeleton.q))
    if set(wanted) != set(weights.shapes):
        odd = sorted(set(wanted) ^ set(weights.shapes))
        raise ModelFileError(f"weights do not fit the declaration: {known(odd, 4)} are missing or not expected")
    for name, like in wanted.items():
        if weights.shapes[name] != like.shape:
            raise ModelFileError(f"weight {name!r} has shape {weights.shapes[name]}; expected {like.shape}")
    return skeleton


def widened(model: Model, members: int) -> Model:
    """Return the average of copies of a model, of which the shapes alone count."""
    arrays, rest = eqx.partition((model.p, model.q), eqx.is_array)
    wide = jax.tree.map(lambda x: jnp.broadcast_to(x, (members, *x.shape)), arrays)
    p, q = eqx.combine(wide, rest)
    return replace(model, p=p, q=q, members=members)


def filled(skeleton: Model, weights: Mapping[str, np.ndarray]) -> Model:
    """Return a model whose arrays are `weights`."""
    wanted = named_arrays((skeleton.p, skeleton.q))
    for name, like in wanted.items():
        if weights[name].dtype != like.dtype:
            raise ModelFileError(f"weight {name!r} has type {weights[name].dtype}; expected {like.dtype}")
    structure = jax.tree.structure((skeleton.p, skeleton.q))
    p, q = jax.tree.unflatten(structure, [on_device(weights[name]) for name in wanted])
    return replace(skeleton, p=p, q=q)
