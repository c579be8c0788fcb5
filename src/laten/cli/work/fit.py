"""`laten fit`: from data to a model file."""

import re
import secrets
import shlex
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from laten.cli.data_in_out import Source, check_output, column_named, for_fit, in_parts, note
from laten.cli.work.held_out import judged, set_apart, verdict
from laten.cli.work.run_file import remember
from laten.cli.work.together import Cluster, joined
from laten.common.errors import DataError, LatenError, ModelFileError, known
from laten.common.memory_size import bytes_of
from laten.common.sparse_rows import is_sparse
from laten.data.columns.cells import cells_of
from laten.data.columns.column import ASIDE, Column
from laten.data.constraint_text import parsed
from laten.data.files.in_parts import Parts
from laten.data.messages import did_you_mean, unknown
from laten.data.records import Plain
from laten.data.schema.enforce import impose, open_contract
from laten.data.schema.infer import infer_schema, tied
from laten.data.schema.schema import Schema
from laten.data.schema.worth_a_look import listing
from laten.estimator.parameters import check
from laten.estimator.plain_vae import PlainVAE
from laten.estimator.prepare import Prepared, prepare
from laten.estimator.prepare_parts import prepare_parts, sampled, windows_of, work_folder
from laten.training.checkpoints import Checkpoints
from laten.training.cluster import ending
from laten.training.interrupts import WAYS
from laten.training.objectives import Elbo, Iwae, Objective

INTERRUPTED, TERMINATED = 130, 143
ALONE = Cluster()
CODES = {"interrupted": INTERRUPTED, "terminated": TERMINATED}  # how training ended -> exit code


def fit(
    data: str,
    output: str | None,
    kind: Sequence[str] | None,
    schema: str | None,
    objective: str,
    draws: int | None,
    quiet: bool,
    constraint: Sequence[str] | None = None,
    no_constraint: Sequence[str] | None = None,
    run: str | None = None,
    inexact: bool = False,
    memory: str | None = None,
    devices: int | None = None,
    cluster: Cluster = ALONE,
    **options: Any,
) -> int:
    """Learn a model and write it.

    Args:
        data: Path or name.
        output: Model file; None: the data's name with another extension, in the current folder.
        kind: `column=kind` edits of the schema.
        schema: File of the schema to enforce; None: it is inferred.
        draws: Of the objective; None: its own default.
        quiet: Say nothing.
        constraint: What all rows keep.
        no_constraint: What was found, and is not to be kept.
        run: Folder in which the training is kept, and from which it goes on.
        inexact: Go on under other versions or on another machine too.
        memory: What may be taken: a table that needs more is read in parts.
        devices: How many of this process share the rows of each batch.
        cluster: The processes that train together.
        options: Parameters of `VAE`.
    Returns:
        0, or 130 when Ctrl-C ended training, 143 when SIGTERM did; the model is written in all cases.
    """
    path = output or f"{stem(data)}.laten"
    typed = {"data": data, "output": path, "kind": kind, "schema": schema, "objective": objective, "draws": draws}
    typed |= {"quiet": quiet, "constraint": constraint, "no_constraint": no_constraint, "memory": memory}
    typed |= {"devices": devices, **options}
    vae = PlainVAE(objective=goal_of(objective, draws), progress="quiet" if quiet else "auto", **options)
    check(vae)  # an option out of range is refused before data are read
    if run is not None and vae.keep == "all":
        raise LatenError("--run keeps one training, and --keep all makes several: leave out one of them")
    if data == "-" and (run is not None or cluster != ALONE):
        option = "--coordinator" if run is None else "--run"
        raise DataError(f"{option}: standard input cannot be read a second time; write it to a file first")
    with ExitStack() as stack:
        speaks, checkpoints = stack.enter_context(joined(cluster)), None
        quiet = quiet or not speaks
        if speaks:
            check_output(path, (), [data, schema])
        if run is not None and speaks:
            checkpoints = stack.enter_context(Checkpoints(run, not inexact))
            if not checkpoints.found():
                remember(run, typed)
        if (parts := in_parts(data, memory, kinds=kind or ())) is not None:
            edits = kind or (), schema, constraint or (), no_constraint or ()
            folder = stack.enter_context(work_folder(run if speaks else None))
            held = fit_parts(vae, parts, edits, folder, run, quiet, checkpoints, memory, devices)
            return ending(finish(vae, held, path, run, quiet) if speaks else CODES.get(vae.stopped_, 0))
        source = for_fit(data, kind or ())
        vae.schema = schema_of(source, kind or (), schema, constraint or (), no_constraint or ())
        prepared = prepare(source.data, vae)
        if not quiet:  # only now: data that cannot be used are one line, and nothing else
            describe(source, vae.schema, vae.binarise)
            begin(prepared, run, checkpoints)
        held = set_apart(source.data, prepared)
        del source  # the device has the rows
        vae.fit_prepared(prepared, checkpoints, tuple(WAYS), devices=devices)
        return ending(finish(vae, held, path, run, quiet) if speaks else CODES.get(vae.stopped_, 0))


def begin(prepared: Prepared, run: str | None, checkpoints: Checkpoints | None) -> None:
    """Say what is trained."""
    note(f"Network: {prepared.network.factors()}\n")
    if checkpoints is not None and checkpoints.found():
        note(f"Going on with the training in {run}.\n")


def fit_parts(
    vae: PlainVAE, parts: Parts, edits: tuple[Sequence[str], str | None, Sequence[str], Sequence[str]], folder: Path,
    run: str | None, quiet: bool, checkpoints: Checkpoints | None, memory: str | None, devices: int | None,
) -> Any:  # fmt: skip
    """Learn from a table that is larger than memory; return the rows that are held out.

    Args:
        edits: Of the schema, as `schema_of` takes them.
        folder: Where the encoded rows stand.
    """
    table = sampled(parts, folder)
    source = Source(table.frame, {}, {})
    vae.schema = schema_of(source, *edits)
    names = () if vae.schema is None else vae.schema.names
    declared = [str(parsed(text, names)) for text in edits[2]]
    prepared, held = prepare_parts(table, vae, bytes_of(memory), folder, declared)
    if not quiet:
        describe(source, vae.schema, vae.binarise, table.found.rows)
        begin(prepared, run, checkpoints)
    with windows_of(prepared):
        vae.fit_prepared(prepared, checkpoints, tuple(WAYS), devices=devices)
    vae.schema = None if vae.schema is None else vae.schema_
    return held


def finish(vae: PlainVAE, held: Any, path: str, run: str | None, quiet: bool) -> int:
    """Write a fitted model, say how good it is, and return the exit code."""
    code, found = CODES.get(vae.stopped_, 0), None
    if code:
        by, epochs = "Ctrl-C" if code == INTERRUPTED else "SIGTERM", int(vae.history_["epoch"].iloc[-1])
        note(f"Training ended by {by} after {epochs} epochs; the weights so far are kept.")
        if run is not None:
            note(f"To go on: laten resume {shlex.quote(run)}")
        save(vae, path, run)  # at once: there may be little time
    if code != TERMINATED:
        found = judged(vae, held)
        save(vae, path, run)
    if not quiet:
        note(verdict(vae, found))
        look(vae.schema)
    if not quiet or code:
        note(f"Wrote {path} ({Path(path).stat().st_size / 1000:.0f} kB).")
    return code


def save(vae: PlainVAE, path: str, run: str | None) -> None:
    """Write a model file; where that fails, write it elsewhere rather than lose it.

    Raises:
        ModelFileError: it is not where it was to be; the message says where it is.
    """
    try:
        return vae.save(path)
    except ModelFileError as error:
        failed = error
    for folder in filter(None, (run, tempfile.gettempdir())):
        spare = Path(folder) / f"model-{secrets.token_hex(4)}.laten"
        try:
            vae.save(spare)
        except ModelFileError:
            continue
        raise ModelFileError(f"{failed}; the model is kept in {spare}")
    raise failed


def goal_of(objective: str, draws: int | None) -> Objective | None:
    """Return the objective asked for; None leaves the evidence lower bound to `VAE`, with its own plan."""
    if objective == "elbo":
        return None if draws is None else Elbo(draws=draws)
    return Iwae() if draws is None else Iwae(draws)


def stem(data: str) -> str:
    """Return the name of data without folder and extensions: `folder/adult-*.csv.gz` -> `adult`."""
    return re.sub(r"[-_ ]*[*?\[].*", "", Path(data).name.split(".")[0]) or "model"


def schema_of(
    source: Source,
    kinds: Sequence[str],
    contract: str | None = None,
    constraints: Sequence[str] = (),
    forgotten: Sequence[str] = (),
) -> Schema | None:
    """Return the schema of a table, inferred or as a file says, and edited; None for arrays of images."""
    data = source.data
    if isinstance(data, dict) or (isinstance(data, np.ndarray) and data.ndim != 2):
        if kinds or contract or constraints or forgotten:
            option = "kind" if kinds else "schema" if contract else "constraint"
            raise DataError(f"--{option}: arrays have no columns whose kind could be set; leave it out")
        return None
    frame = data if isinstance(data, pd.DataFrame) else pd.DataFrame(data)
    if contract is not None:
        schema = impose(open_contract(Path(contract)), frame)
        if constraints:
            schema = tied(schema, cells_of(frame), (*schema.constraints, *constraints), search=False)
    else:
        schema = infer_schema(frame, kinds=taken_for(frame, kinds), constraints=constraints)
    for text in kinds:
        schema = with_kind(schema, text)
    if forgotten:
        every = "all" in forgotten
        schema = schema.without_constraints(*([] if every else (str(parsed(t, schema.names)) for t in forgotten)))
    _ = schema.blocks  # refuses a table of which nothing is left to model
    return schema


def taken_for(frame: pd.DataFrame, kinds: Sequence[str]) -> dict[str | int, str]:
    """Return the kinds that make columns with two sorts of cells unambiguous, because the user says what they are."""
    by_text = {str(n): n for n in frame.columns}
    typed = [(text.rpartition("=")[0], text.rpartition("=")[2].partition(":")[0]) for text in kinds]
    return {by_text[name]: kind for name, kind in typed if name in by_text and kind in ("categorical", *ASIDE)}


def with_kind(schema: Schema, text: str) -> Schema:
    """Edit a schema by `column=kind` or `column=kind:level,level,...`."""
    name, sign, kind = text.rpartition("=")
    if not sign or not name:
        raise DataError(f"--kind {text}: expected COLUMN=KIND, e.g. age=count")
    key = column_named(name, schema.names)
    if key not in schema.names:
        raise unknown("column", name, schema.names)
    kind, colon, levels = kind.partition(":")
    column = schema[key]
    try:
        return schema.with_kind(key, kind, levels_of(column, levels) if colon else None)
    except DataError as error:
        if kind == "ordinal" and not colon and "order of its levels" in str(error):
            some = ",".join(map(str, column.seen.values or ()))
            raise DataError(
                f"column {name!r}: the order of its levels is not known; say it: --kind '{name}=ordinal:{some}'"
            ) from None
        raise


def levels_of(column: Column, text: str) -> list[Plain]:
    """Return levels typed by the user as the column's own values."""
    seen = {str(v): v for v in column.seen.values or ()}
    levels = [part.strip() for part in text.split(",")]
    for level in levels:
        if level not in seen:
            raise DataError(
                f"column {column.name!r}: no cell holds {level!r}{did_you_mean(level, seen)}; its values: {known(seen)}"
            )
    return [seen[level] for level in levels]


def describe(source: Source, schema: Schema | None, binarise: str, rows: int | None = None) -> None:
    """Print what the model will learn from; `rows` are more than those of the source where that is a sample."""
    if schema is not None:
        how = "How each column is modelled (--kind COLUMN=KIND changes it)"
        note(f"{rows or source.rows} rows. {how}:\n\n{schema.table}\n")
        return
    array = next(iter(source.data.values())) if isinstance(source.data, dict) else source.data
    if is_sparse(array):
        zero = 1 - array.nnz / max(array.shape[0] * array.shape[1], 1)
        note(f"{array.shape[0]} rows of {array.shape[1]} counts, {zero:.0%} of them zero.")
        return
    sizes = " × ".join(map(str, array.shape[1:]))
    grey = "" if array.max(initial=0) <= 1 else f", grey pixels binarised: {binarise}"
    aside = f"; not used: {known(source.aside)}" if source.aside else ""
    note(f"{source.rows} arrays of {sizes}{grey}{aside}.")


def look(schema: Schema | None) -> None:
    """Print what of a table is worth a look."""
    found = "" if schema is None else listing(schema.worth_a_look, python=False)
    if found:
        note(f"\n{found}\n")
