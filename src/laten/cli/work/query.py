"""`laten query`: probabilities of variables given others, as a table."""

import pandas as pd

from laten.classical.bif import is_bif
from laten.classical.discrete import DiscreteNetwork, read_bif
from laten.classical.question import Asked, parse_question
from laten.cli.data_in_out import TABLES, check_output, column_named, note, put
from laten.cli.evidence import evidence
from laten.common.errors import DataError
from laten.data.rows.views import TableView
from laten.estimator.plain_vae import PlainVAE, load


def query(network: str, question: str, output: str | None) -> None:
    """Write p(targets | given), a state (or joint state) a row."""
    check_output(output, TABLES, [network])
    asked = parse_question(question)
    if is_bif(network):
        found = exactly(read_bif(network), question, asked)
    else:
        found = by_guide(load(network), network, asked)
    put(found.map(lambda p: float(f"{p:.12g}")).reset_index(), output)  # past that it is rounding


def exactly(network: DiscreteNetwork, question: str, asked: Asked) -> pd.Series:
    """Return the exact answer; say how probable the evidence is."""
    found = network.query(question)
    if asked.given:
        note(f"Exact. log p(evidence) = {network.log_evidence(asked.given):.6f} nats.")
    return found


def by_guide(vae: PlainVAE, file: str, asked: Asked) -> pd.Series:
    """Return a fitted model's answer about one column of classes."""
    given = evidence(vae, [f"{name}={value}" for name, values in asked.given.items() for value in values])
    if len(asked.targets) != 1 or not isinstance(vae.view_, TableView):
        raise DataError(
            f"{file}: a fitted model answers about one column; "
            f"for several columns, draw rows: laten sample {file} -n 10000 --given COLUMN=VALUE"
        )
    (target, wanted), names = next(iter(asked.targets.items())), vae.view_.schema.names
    name = column_named(target, names)
    if name in given:
        raise DataError(f"column {name!r} is both a target and given; remove it from one of the two")
    row = pd.DataFrame([{n: None for n in names if n != name}])
    found = vae.predict_proba(row, name, given=given).iloc[0]
    p = pd.Series(found.to_numpy(), pd.Index(found.index.astype(str), name=target), name="p")
    note("By importance sampling from the guide: an estimate.")
    if wanted:
        unknown = [w for w in wanted if w not in p.index]
        if unknown:
            raise DataError(f"column {name!r} has no level {unknown[0]!r}; known: {list(p.index)}")
        p = p.loc[list(wanted)]
    return p
