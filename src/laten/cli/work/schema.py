"""`laten schema`: what the columns of a table are, as a contract; and whether other rows keep one."""

import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from laten.cli.data_in_out import TABLES, check_output, for_fit, note, read_table, show, wrote
from laten.cli.reading import told
from laten.cli.work.fit import look, schema_of
from laten.common.atomic_file import atomic
from laten.common.errors import DataError
from laten.data.rows.table_view import TableView
from laten.data.schema.check import check as compare
from laten.data.schema.enforce import open_contract
from laten.data.schema.schema import Schema
from laten.estimator.plain_vae import load

BROKEN = 1
USE = "a schema says what the columns of a table are"


def schema(
    data: str,
    output: str | None,
    kinds: Sequence[str],
    check: str | None,
    constraints: Sequence[str] = (),
    forgotten: Sequence[str] = (),
) -> int:
    """Propose a contract, or compare rows with one.

    Args:
        data: Path or name of a table.
        output: TOML file for the contract (a table for findings); None: standard output.
        kinds: `column=kind` edits of the proposal.
        check: A contract or a model file to compare the rows with; None: propose one.
        constraints: What all rows keep.
        forgotten: What was found, and is not to be kept.
    Returns:
        0, or 1 when the rows break the contract.
    """
    if check is not None:
        if kinds or constraints or forgotten:
            option = "kind" if kinds else "constraint" if constraints else "no-constraint"
            raise DataError(f"--{option} edits a proposal; with --check edit the file itself")
        return checked(data, check, output)
    check_output(output, (".toml",), [data])
    found = schema_of(for_fit(data, kinds), kinds, None, constraints, forgotten)
    if found is None:
        raise DataError(f"{data}: holds arrays; {USE}")
    text = found.to_toml()
    if output is None:
        sys.stdout.write(text)
        if told()[1]:
            look(found)
        return 0
    with atomic(output) as file:
        file.write(text.encode())
    note(found.table)
    look(found)
    note(f"\nWrote {output}. Edit it, then: laten fit {data} --schema {output}")
    return 0


def checked(data: str, agreed: str, output: str | None) -> int:
    """Show how rows differ from a contract, or from the schema of a model; 1 when a model refuses them."""
    check_output(output, TABLES, [data, agreed])
    schema = fitted_in(agreed)
    contract = open_contract(Path(agreed)) if schema is None else schema.contract
    found = compare(contract, read_table(data, USE, schema))
    show(found, found.frame, output)
    wrote(output)
    return BROKEN if found.broken else 0


def fitted_in(name: str) -> Schema | None:
    """Return the schema of the table that a model was fitted to; None for another file."""
    if not zipfile.is_zipfile(name):
        return None
    vae = load(name)
    if not isinstance(vae.view_, TableView):
        raise DataError(f"{name}: was fitted to arrays, which have no schema")
    return vae.schema_
