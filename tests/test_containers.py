"""Any container of a table: the same answers as of a pandas frame, in the same container, types and order."""

import io
import sys
import types

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import sparse

import laten as lt
from laten.data.containers import containers

pytestmark = [pytest.mark.trains, pytest.mark.filterwarnings("ignore::laten.common.errors.LatenWarning")]

RNG = np.random.default_rng(0)
N = 60
WHOLE = pd.DataFrame(
    {
        "count": RNG.integers(0, 60, N),
        "size": RNG.normal(170, 9, N).round(1),
        "city": RNG.choice(["Bonn", "Kiel"], N),
        "day": pd.Timestamp("2024-03-01") + pd.to_timedelta(RNG.integers(0, 90, N), unit="D"),
        "member": RNG.random(N) < 0.4,
    }
)
ARROW = {"count": pa.int16(), "size": pa.float32(), "city": pa.string(), "day": pa.date32(), "member": pa.bool_()}
HOLED = WHOLE.mask(RNG.random(WHOLE.shape) < 0.1)
SMALL = {"latent": 2, "width": 8, "epochs": 2, "draws": 5}


def arrow_table() -> pa.Table:
    return pa.table({n: pa.array(HOLED[n].tolist(), t, from_pandas=True) for n, t in ARROW.items()})


@pytest.fixture(scope="module")
def fitted() -> lt.VAE:
    return lt.VAE(**SMALL).fit(arrow_table())


def records(table: pa.Table) -> list[dict]:
    return [{k: v for k, v in row.items() if v is not None} for row in table.to_pylist()]


SAME = {  # how a table becomes this container, and the container a table again
    "table": (lambda t: t, lambda x: x),
    "batch": (lambda t: t.to_batches()[0], lambda x: pa.Table.from_batches([x])),
    "columns": (lambda t: t.to_pydict(), lambda x: pa.table(x, arrow_table().schema)),
    "records": (records, lambda x: pa.Table.from_pylist(x, arrow_table().schema)),
    "pandas": (
        lambda t: t.to_pandas(types_mapper=pd.ArrowDtype),
        lambda x: pa.Table.from_pandas(x, arrow_table().schema),
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_answers_come_in_the_container_of_the_rows(fitted, name):
    there, back = SAME[name]
    given, scores = there(arrow_table()), fitted.score_samples(arrow_table())
    assert np.array_equal(fitted.score_samples(given), scores)
    filled, table = fitted.impute(given), arrow_table()
    assert type(filled) is type(given)
    made = back(filled)
    assert made.column_names == table.column_names and made.schema.types == table.schema.types
    assert sum(c.null_count for c in made.columns) == 0 < sum(c.null_count for c in table.columns)
    for old, new in zip(table.to_pylist(), made.to_pylist(), strict=True):
        assert {k: new[k] for k, v in old.items() if v is not None} == {k: v for k, v in old.items() if v is not None}
    assert type(fitted.transform(given)) is type(given)
    assert len(fitted.predict(given, "city")) == N
    assert type(fitted.conditional(given, ["city"], samples=1).samples[0]) is type(given)


@pytest.mark.parametrize("name", [*SAME, "polars", "lazy"])
def test_schemas_and_quality_take_the_containers_of_fit(name):
    pl = pytest.importorskip("polars") if name in ("polars", "lazy") else None
    more = {"polars": lambda t: pl.from_arrow(t), "lazy": lambda t: pl.from_arrow(t).lazy()}
    there = (SAME[name][0] if name in SAME else more[name])(arrow_table())
    schema, plain = lt.infer_schema(there), lt.infer_schema(HOLED)
    kinds = {c.name: c.kind for c in schema.columns}
    assert kinds == {c.name: c.kind for c in plain.columns}
    assert not schema.check(there).broken and [f.what for f in schema.check(HOLED.drop(columns="city"))] == ["lacking"]
    found, same = (lt.quality(real, real, rows=40) for real in (there, SAME["pandas"][0](arrow_table())))
    assert found["column shapes"] == same["column shapes"] == 0 and found.frame.equals(same.frame)


def test_schemas_and_quality_take_matrices():
    matrix = RNG.normal(size=(60, 2))
    for array in (matrix, sparse.csr_matrix(matrix), matrix.tolist()):
        schema = lt.infer_schema(array)
        assert schema.names == (0, 1) and not schema.check(array).broken
        assert lt.quality(array, matrix, rows=40)["column shapes"] == 0
    with pytest.raises(lt.DataError, match="two dimensions"):
        lt.infer_schema(matrix[:, 0])


def test_columns_in_another_order_are_found_by_name(fitted):
    """Today a table of numbers is no matrix: names are kept, and count."""
    table = arrow_table()
    turned = table.select(table.column_names[::-1])
    assert np.array_equal(fitted.score_samples(turned), fitted.score_samples(table))
    numbers = table.select(["size", "count"])
    vae = lt.VAE(**SMALL).fit(numbers)
    assert vae.schema_.names == ("size", "count") and list(vae.feature_names_in_) == ["size", "count"]
    assert np.array_equal(vae.score_samples(numbers.select(["count", "size"])), vae.score_samples(numbers))


def test_samples_come_in_what_was_fitted_also_from_a_file(fitted, tmp_path):
    rows = fitted.sample(4)
    assert rows.schema.types == arrow_table().schema.types and rows.column_names == arrow_table().column_names
    fitted.save(tmp_path / "m.laten")
    assert lt.load(tmp_path / "m.laten").sample(4).equals(rows)
    held = io.BytesIO()
    fitted.save(held)
    assert held.getvalue() == (tmp_path / "m.laten").read_bytes()
    assert lt.load(io.BytesIO(held.getvalue())).sample(4).equals(rows)


def test_polars_frames_lazy_ones_and_their_types():
    pl = pytest.importorskip("polars")
    frame = pl.from_arrow(arrow_table()).with_columns(
        pl.col("city").cast(pl.Enum(["Bonn", "Kiel", "Ulm"])), pl.col("day").cast(pl.Datetime("ms", "Europe/Berlin"))
    )
    vae = lt.VAE(**SMALL).fit(frame)
    filled = vae.impute(frame)
    assert filled.schema == frame.schema and sum(filled.null_count().row(0)) == 0
    assert vae.sample(3).schema == frame.schema
    assert vae.reconstruct(frame).schema == frame.schema
    lazy = vae.impute(frame.lazy())
    assert isinstance(lazy, pl.LazyFrame) and lazy.collect().equals(filled)
    assert vae.predict(frame, "city").dtype == frame["city"].dtype
    holed = frame.with_columns(pl.lit(float("nan")).alias("size"))
    assert vae.impute(holed)["size"].is_finite().all()  # NaN is a hole, as in pandas


def test_structured_arrays_come_back():
    given = np.array(list(zip(WHOLE["count"], WHOLE["size"], WHOLE["city"], strict=True)), "i2, f4, S5")
    vae = lt.VAE(**SMALL).fit(given)
    assert vae.schema_.names == ("f0", "f1", "f2")
    assert np.array_equal(vae.impute(given), given) and vae.sample(2).dtype == given.dtype
    turned = vae.impute(given.view(np.recarray)[["f2", "f0", "f1"]])
    assert turned.dtype.names == ("f2", "f0", "f1")


def test_a_dictionary_of_series_keeps_each_kind():
    given = {
        "a": WHOLE["size"],
        "b": WHOLE["city"].tolist(),
        "c": WHOLE["count"].to_numpy(),
        "d": pa.array(WHOLE["member"]),
    }
    back = containers.taken_table(given)
    kinds = {name: type(values) for name, values in back.rows(back.data).items()}
    assert kinds == {"a": pd.Series, "b": list, "c": np.ndarray, "d": pa.ChunkedArray}
    holed = containers.taken_table({"a": [1, None, 3], "b": [True, None, False]})
    assert holed.rows(holed.data) == {"a": [1, None, 3], "b": [True, None, False]}  # whole numbers stay so


def test_sparse_matrices_are_filled_within_bounds(monkeypatch):
    dense = np.where(RNG.random((N, 3)) < 0.5, 0.0, RNG.normal(size=(N, 3)))
    vae = lt.VAE(**SMALL).fit(sparse.csr_matrix(dense))
    assert np.array_equal(vae.score_samples(sparse.coo_array(dense)), vae.score_samples(dense))
    filled = vae.impute(sparse.csr_matrix(dense))
    assert isinstance(filled, sparse.csr_matrix) and np.array_equal(filled.toarray(), dense)
    of_node = lt.VAE(lt.Network(z=lt.Normal(1), x=lt.Normal(3).given("z")), epochs=1).fit(
        {"x": sparse.csr_matrix(dense)}
    )
    assert np.array_equal(of_node.score_samples(sparse.csr_matrix(dense)), of_node.score_samples({"x": dense}))
    monkeypatch.setattr(containers, "MOST_BYTES", 100)
    with pytest.raises(lt.LatenError, match="sparse matrix of shape"):
        vae.score_samples(sparse.csr_matrix(dense))


class AnnData:
    """As much of AnnData as laten reads."""

    def __init__(self, X):
        self.X, self.var_names, self.shape, self.n_obs = X, ["g0", "g1"], X.shape, len(X)

    def to_df(self):
        return pd.DataFrame(self.X, [f"cell{i}" for i in range(len(self.X))], self.var_names)

    def copy(self):
        return AnnData(self.X.copy())


def test_anndata_keeps_its_other_parts(monkeypatch):
    module = types.ModuleType("anndata")
    module.AnnData = AnnData
    monkeypatch.setitem(sys.modules, "anndata", module)
    monkeypatch.setattr(AnnData, "__module__", "anndata")
    given = AnnData(np.where(RNG.random((N, 2)) < 0.1, np.nan, RNG.normal(size=(N, 2))))
    vae = lt.VAE(**SMALL).fit(given)
    filled = vae.impute(given)
    assert isinstance(filled, AnnData) and np.isfinite(filled.X).all() and np.isnan(given.X).any()
    assert vae.transform(given).index[0] == "cell0"


def test_arrays_where_frames_were_fitted_and_the_reverse_go_by_position():
    frame = WHOLE[["count", "size"]]
    vae, plain = (lt.VAE(**SMALL).fit(x) for x in (frame, frame.to_numpy()))
    with pytest.warns(UserWarning, match="X does not have valid feature names, but VAE was fitted with"):
        assert np.array_equal(vae.score_samples(frame.to_numpy()), vae.score_samples(frame))
    with pytest.warns(UserWarning, match="X has feature names, but VAE was fitted without feature names"):
        filled = plain.impute(frame.set_index("size", drop=False))
    assert list(filled.columns) == ["count", "size"] and list(filled.index) == list(frame["size"])
    with pytest.raises(lt.LatenError, match="X has 1 features, but VAE is expecting 2 features as input"):
        vae.score_samples(frame[["size"]].to_numpy())


@pytest.mark.slow
def test_a_matrix_of_objects_is_a_table_of_its_columns():
    given = HOLED[["size", "city"]].astype(object).to_numpy()
    vae = lt.VAE(**SMALL).fit(given)
    filled, seen = vae.impute(given), pd.notna(given)
    assert [c.kind for c in vae.schema_.columns] == ["real", "binary"]
    assert np.array_equal(filled[seen], given[seen]) and pd.notna(filled).all()


def test_masked_cells_of_a_matrix_are_holes():
    numbers = np.ma.masked_array(RNG.normal(size=(N, 2)), RNG.random((N, 2)) < 0.2)
    vae = lt.VAE(**SMALL).fit(numbers)
    with_nan = np.where(numbers.mask, np.nan, numbers.data)
    assert np.array_equal(vae.score_samples(numbers), vae.score_samples(with_nan))
    assert not np.array_equal(vae.score_samples(numbers), vae.score_samples(numbers.data))  # control


@pytest.mark.slow
def test_conditional_samples_of_a_matrix_are_arrays():
    numbers = RNG.normal(size=(N, 3))
    found = lt.VAE(**SMALL).fit(numbers).conditional(numbers[:3], [1], samples=2)
    assert [x.shape for x in found.samples] == [(3, 1), (3, 1)]
    assert not np.array_equal(*found.samples)


BAD = [
    ([[1, 2], [3]], ["row 1 has 1 cells"]),
    ({"a": [1, 2], "b": [1]}, ["different lengths", "'b': 1"]),
    ({"a": pd.Series([1, 2]), "b": pd.Series([1, 2], [1, 2])}, ["row labels"]),
    (np.zeros(3, [("a", float, 2)]), ["'a'", "(2,)"]),
]


@pytest.mark.parametrize(("data", "words"), BAD, ids=range(len(BAD)))
def test_containers_that_cannot_be(data, words):
    with pytest.raises(lt.LatenError) as caught:
        lt.VAE(epochs=1).fit(data)
    for word in words:
        assert word in str(caught.value)


def test_evidence_is_a_dictionary(fitted):
    with pytest.raises(lt.LatenError, match=r"given: expected a dict .* conditional\(X"):
        fitted.sample(2, given=pd.DataFrame({"city": ["Bonn"]}))


# -- intervals --------------------------------------------------------------------------------------------------------


def test_intervals_come_back_as_what_they_came_as(tmp_path):
    """A dtype of intervals, Python objects, categories: filled, drawn, given and kept in a file."""
    x = RNG.normal(50, 20, 120)
    cut = pd.Series(pd.cut(x, [-200, 20, 40, 60, 300]))
    left = pd.Series(pd.cut(x, [-np.inf, 20.5, 60, np.inf], right=False))
    frame = pd.DataFrame(
        {
            "x": x.round(1),
            "cut": cut,
            "whole": pd.arrays.IntervalArray(cut.astype(object).tolist()),
            "left": pd.arrays.IntervalArray(left.astype(object).tolist()),
            "objects": cut.astype(object),
        }
    )
    vae = lt.VAE(**SMALL).fit(frame)
    assert [vae.schema_[n].kind for n in ("cut", "whole", "left", "objects")] == ["ordinal"] * 4
    assert vae.schema_["left"].levels == ("[-inf, 20.5)", "[20.5, 60)", "[60, inf)")
    vae.save(tmp_path / "m.laten")
    for model in (vae, lt.load(tmp_path / "m.laten")):
        rows = model.sample(50)
        assert rows.dtypes.drop("objects").equals(frame.dtypes.drop("objects"))
        assert all(set(rows[n]) <= set(frame[n]) for n in ("cut", "whole", "left", "objects"))
    holed = frame.mask(RNG.random(frame.shape) < 0.3)  # pandas makes objects of whole intervals with holes
    filled = vae.impute(holed)
    assert not filled.isna().any(axis=None) and filled.dtypes.equals(holed.dtypes)
    assert all(all(isinstance(v, pd.Interval) for v in filled[n]) for n in ("whole", "left", "objects"))
    assert filled.where(holed.notna(), None).astype(object).equals(holed.where(holed.notna(), None).astype(object))
    other = pd.Series(pd.arrays.IntervalArray(holed["whole"].tolist()))  # and floats where the holes are known
    assert str(other.dtype) == "interval[float64, right]"
    assert np.array_equal(vae.score_samples(holed.assign(whole=other)), vae.score_samples(holed))
    drawn = vae.sample(20, given={"whole": pd.Interval(20, 40), "left": [pd.Interval(20.5, 60, "left"), "[60, inf)"]})
    assert set(drawn["whole"]) == {pd.Interval(20, 40)} and set(drawn["left"]) <= {*frame["left"]} - {left.min()}
