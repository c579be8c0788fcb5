"""Random tables in random notations → file → fit → impute: full cells come back to the letter, types and order too.

All but the network is real: reading, schema, encoding, draws to cells, writing. Draws are random values of the nodes,
so that every class and bin comes up.
"""

import csv
import io
from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from tests.cli.tables_in_the_wild import Table, later, tables, text_of

from laten.cli.data_in_out import for_fit
from laten.cli.work import ask, fit_first, impute
from laten.cli.work.fit import schema_of
from laten.common.errors import DataError
from laten.data.files.read import read
from laten.data.rows.views import view_from_json
from laten.estimator.plain_vae import PlainVAE
from laten.estimator.propose import propose

COUNT: Counter = Counter()
QUICK = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}


class Weightless:
    """A fitted model but for its network: nodes have random values."""

    def __init__(self, view) -> None:
        self.view_, self.schema_ = view, view.schema

    def values(self, rows: int, seed: int) -> dict[str, np.ndarray]:
        rng, found = np.random.default_rng(seed), {}
        for block in self.schema_.blocks:
            sizes = [2 if block.family_kind == "binary" else k for k in block.sizes]
            found[block.node] = np.stack([rng.integers(0, k, rows) for k in sizes], axis=1)
        return found

    def impute(self, data, samples=None, seed=None):
        self.view_.rows(data, partial=True)
        return self.view_.filled(data, self.view_.drawn(self.values(len(data), 1), 2, like=data))

    def sample(self, n, given=None, seed=None, holes=False):
        return self.view_.drawn(self.values(n, 3), 4)


def fitted(path) -> Weightless:
    """Fits a file, as the command does, up to the network; the view goes through JSON as in a model file."""
    source, vae = for_fit(str(path)), PlainVAE()
    vae.schema = schema_of(source, ())
    view, *_ = propose(source.data, vae)
    return Weightless(view_from_json(view.to_json()))


def rows_of(path, sep: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text("utf-8"), newline=""), delimiter=sep))


def changes(table: Table, new: list[list[str]]) -> list[tuple[str, str, str]]:
    """Full cells, and names, that are not as they were."""
    if [len(new), *map(len, new)] != [len(table.cells) + 1, *[len(table.names)] * (len(table.cells) + 1)]:
        return [("shape", str(len(table.cells)), str(len(new) - 1))]
    found = [("name", a, b) for a, b in zip(table.names, new[0], strict=True) if a != b]
    for was, full, now in zip(table.cells, table.full, new[1:], strict=True):
        found += [(n, a, b) for n, a, b, f in zip(table.names, was, now, full, strict=True) if f and a != b]
    return found


def round_trip(table: Table, folder, monkeypatch) -> None:
    data, batch = folder / "in.csv", folder / "batch.csv"
    data.write_bytes(table.raw)
    COUNT["tables"] += 1
    try:
        model = fitted(data)
    except DataError as error:
        COUNT["refused"] += 1
        COUNT[str(error).partition("in.csv")[2][:60]] += 1
        return
    monkeypatch.setattr(impute, "is_model", lambda path: True)
    monkeypatch.setattr(impute, "load", lambda path: model)
    monkeypatch.setattr(fit_first, "load", lambda path: model)
    imputed(model, table, data)
    some = later(table, COUNT["tables"])
    batch.write_bytes(some.raw)
    imputed(model, some, batch)
    sampled(model, folder / "drawn.csv")


def imputed(model: Weightless, table: Table, data) -> None:
    """Full cells of a file come back to the letter, in their types."""
    out = data.with_name("out.csv")
    impute.impute("m.laten", str(data), str(out), None, [], False, False, 0.9, None)
    found = changes(table, rows_of(out, table.sep))
    assert not found, found[:3]
    COUNT["cells"] += sum(map(sum, table.full))
    first, again = read(data, like=model), read(out, like=model)
    assert first.columns.tolist() == again.columns.tolist()
    for name in first:
        held = first[name].notna()
        assert first[name][held].tolist() == again[name][held].tolist(), name
        if held.all():
            assert first[name].dtype == again[name].dtype, name


def sampled(model: Weightless, path) -> None:
    """What is drawn is written so that the model reads the same values again."""
    ask.sample("m.laten", 20, [], str(path), None)
    drawn, made = model.sample(20), read(path, like=model)
    model.view_.rows(made, partial=True)
    for name in drawn:
        assert made[name].notna().all(), name
        notation = model.schema_[name].notation
        if drawn[name].dtype.kind in "fi":
            off = np.abs(made[name].to_numpy(float) - drawn[name].to_numpy(float))
            grain = np.abs(drawn[name]) * 10.0 ** (1 - notation.digits) if notation.style else 10.0**-notation.digits
            assert (off <= 0.51 * grain + 1e-9 * np.abs(drawn[name])).all(), name
        elif drawn[name].dtype.kind not in "mM":
            assert made[name].astype(str).tolist() == drawn[name].astype(str).tolist(), name
        elif model.schema_[name].seen.form == "date" and model.schema_[name].date.whole:
            assert made[name].tolist() == drawn[name].tolist(), name


@settings(max_examples=12, derandomize=True, **QUICK)
@given(table=tables())
def test_full_cells_stay_to_the_letter(table, tmp_path_factory):
    with pytest.MonkeyPatch.context() as monkeypatch:
        round_trip(table, tmp_path_factory.mktemp("t"), monkeypatch)


@pytest.mark.slow
def test_two_thousand_tables(tmp_path_factory):
    COUNT.clear()

    @settings(max_examples=2200, derandomize=True, **QUICK)
    @given(table=tables())
    def check(table):
        with pytest.MonkeyPatch.context() as monkeypatch:
            round_trip(table, tmp_path_factory.mktemp("t"), monkeypatch)

    check()
    print(f"\n{COUNT['tables']} tables, {COUNT['cells']} full cells, 0 changed; {COUNT['refused']} refused")
    print(COUNT.most_common(12))
    assert COUNT["tables"] - COUNT["refused"] >= 2000


def test_a_writer_that_changes_a_cell_is_caught(tmp_path, monkeypatch):
    """Control: one zero less, or two rows exchanged."""
    cells = [[f"{i % 7:05d}", f"{i * i / 7:.2f}"] for i in range(30)]
    table = Table(["a", "b"], cells, [[True, True]] * 30, ",", text_of([["a", "b"], *cells], ",").encode())
    round_trip(table, tmp_path, monkeypatch)
    right = impute.as_in_file

    def zeros(*told):
        out = right(*told)
        out.iloc[3, 0] = out.iloc[3, 0].lstrip("0")
        return out

    for wrong in (zeros, lambda *a: right(*a).iloc[[1, 0, *range(2, 30)]]):
        monkeypatch.setattr(impute, "as_in_file", wrong)
        with pytest.raises(AssertionError):
            imputed(fitted(tmp_path / "in.csv"), table, tmp_path / "in.csv")
