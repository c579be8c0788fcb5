"""Counts of cells: sparse rows, shares of a total, what is expressed, and where."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import sparse

import laten as lt
from laten.common.sparse_rows import SparseRows, sparse_rows
from laten.families.column_moments import moments
from laten.inference import asking
from laten.network.conditional import Parent
from laten.network.model import build_model

pytestmark = pytest.mark.filterwarnings("ignore:log-likelihood")  # fits are short

RNG = np.random.default_rng(0)
N, GENES = 160, 12
GROUP, BATCH = RNG.integers(0, 2, N), RNG.integers(0, 2, N)
SHARES = np.repeat(RNG.dirichlet(np.full(GENES, 5.0), size=1), 2, axis=0)
SHARES[1, :4] *= 6  # what the groups differ by
SHARES /= SHARES.sum(1, keepdims=True)
DEPTH = RNG.integers(40, 400, N)
LOUDER = np.where(np.arange(GENES) == 5, 6.0, 1.0)  # gene 5 is louder in batch 1
RATES = SHARES[GROUP] * np.where(BATCH[:, None] == 1, LOUDER, 1.0)
COUNTS = RNG.poisson(DEPTH[:, None] * RATES / RATES.sum(1, keepdims=True))
CSR = sparse.csr_matrix(COUNTS)
ARRAYS = {"x": CSR, "batch": BATCH}
FEW = {"epochs": 3, "seed": 1}


def network(batches: int = 2) -> lt.Network:
    return lt.templates.counts(GENES, batches, latent=2, width=16)


@pytest.fixture(scope="module")
def fitted() -> lt.VAE:
    return lt.VAE(network(), epochs=120, batch_size=32, learning_rate=1e-2).fit(ARRAYS)


def test_sparse_rows_are_the_dense_ones():
    dense = COUNTS.copy()
    dense[[0, 7, -1]] = 0  # rows without entries, at the ends too
    matrix = sparse.csr_matrix(dense)
    rows = sparse_rows(matrix.data, matrix.indices, matrix.indptr, (3, 4))
    assert rows.shape == (N, 3, 4) and len(rows) == N and rows.values.dtype == np.uint8
    for index in (slice(3, 9), np.array([5, 0, 5, N - 1]), dense.sum(1) > 150):
        found = rows[index]
        assert np.array_equal(np.asarray(found), dense[index].reshape(-1, 3, 4)) and isinstance(found, SparseRows)
    chosen = np.array([9, 0, 7, N - 1, 9], np.int32)
    made = jax.jit(lambda rows, index: rows.dense(index))(rows, chosen)
    assert made.dtype == jnp.float32 and np.array_equal(made, dense[chosen].reshape(-1, 3, 4))
    for mine, theirs in zip(moments(rows), moments(dense), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-12)
    assert np.array_equal(rows.totals(), dense.sum(1))
    large = sparse_rows(np.array([70_000.0]), np.array([1]), np.array([0, 1]), (2,))
    assert np.asarray(large).tolist() == [[0, 70_000]]


def test_sparse_counts_are_fitted_and_asked_as_dense_ones():
    thin, full = (lt.VAE(network(), **FEW).fit({"x": x, "batch": BATCH}) for x in (CSR, COUNTS.astype(np.float32)))
    np.testing.assert_allclose(thin.history_["bound"], full.history_["bound"], rtol=1e-5)
    for vae in (thin, full):
        np.testing.assert_allclose(vae.score_samples(ARRAYS), full.score_samples({**ARRAYS, "x": COUNTS}), rtol=1e-4)
    filled = thin.impute(ARRAYS)
    assert (filled["x"] != CSR).nnz == 0


@pytest.mark.slow
def test_sparse_counts_with_weights_of_rows():
    assert np.isfinite(lt.VAE(network(), **FEW).fit(ARRAYS, sample_weight=np.arange(N) % 3).score(ARRAYS))


def test_the_matrix_is_never_filled(monkeypatch):
    largest = []
    fill = SparseRows.__array__
    monkeypatch.setattr(SparseRows, "__array__", lambda rows, *a, **k: largest.append(len(rows)) or fill(rows, *a, **k))
    monkeypatch.setattr(asking, "SITES", 16 * GENES)
    monkeypatch.setattr(type(CSR), "toarray", None)
    vae = lt.VAE(network(1), **FEW).fit(CSR)  # bare: the one array that is no input
    assert vae.transform(CSR).shape == (N, 2) and vae.score_samples(CSR, draws=4).shape == (N,)
    assert 0 < max(largest) <= 16


def test_totals_that_are_not_given_are_sums(fitted, tmp_path):
    told = {**ARRAYS, "library": COUNTS.sum(1)}
    assert np.array_equal(fitted.score_samples(told), fitted.score_samples(ARRAYS))
    deeper = fitted.score_samples({**ARRAYS, "library": 4 * COUNTS.sum(1)})
    assert (deeper < fitted.score_samples(ARRAYS)).all()
    drawn = fitted.sample(300, {"batch": 1, "library": 1000.0}, seed=0)["x"]
    assert abs(drawn.sum(1).mean() / 1000 - 1) < 0.05
    fitted.save(tmp_path / "m.laten")
    assert np.array_equal(lt.load(tmp_path / "m.laten").score_samples(ARRAYS), fitted.score_samples(ARRAYS))


def test_the_net_does_not_see_the_total_and_the_family_gets_it_as_it_is():
    model = build_model(network(), lt.guide_for(network()), jax.random.key(0))
    x, batch, z = model.p["x"], jnp.int32(1), jnp.float32([0.3, -0.2])
    raws = [x.raw({"z": z, "batch": batch, "library": jnp.float32([total])}, {}) for total in (100.0, 3000.0)]
    assert np.array_equal(raws[0][:-1], raws[1][:-1]) and x.constants.shape == (2 * GENES,)
    means = [float(x.family.mean(raw).sum()) for raw in raws]
    np.testing.assert_allclose(means, [100, 3000], rtol=1e-5)
    np.testing.assert_allclose(x.family.shares(raws[0]), x.family.mean(raws[0]) / 100, rtol=1e-5)


def test_expression_has_no_depth_and_can_be_of_another_batch(fitted):
    own = fitted.expression(ARRAYS)
    np.testing.assert_allclose(own.sum(1), 10_000, rtol=1e-4)
    alike = GROUP == 0
    assert abs(np.corrcoef(own[alike, 2], DEPTH[alike])[0, 1]) < 0.5 < np.corrcoef(COUNTS[:, 2], DEPTH)[0, 1]
    as_one = fitted.expression(ARRAYS, {"batch": 1})
    np.testing.assert_allclose(as_one[BATCH == 1], own[BATCH == 1], rtol=1e-4)
    moved = as_one[BATCH == 0] / own[BATCH == 0]
    assert np.median(moved[:, 5]) > 2.5 and 0.4 < np.median(moved[:, 7]) < 1.2


def test_what_differs_between_groups_is_found(fitted):
    part = lambda which: {"x": CSR[which], "batch": BATCH[which]}  # noqa: E731
    names, told = [f"g{i}" for i in range(GENES)], {"given": {"batch": 0}, "pairs": 300}
    found = fitted.differential_expression(part(GROUP == 1), part(GROUP == 0), names=names, change=0.8, **told)
    truth = np.log2(SHARES[1] / SHARES[0])
    assert (found["probability"][:4] > 0.7).all() and np.abs(found["log2_fold_change"][:4] - truth[:4]).max() < 0.5
    same = fitted.differential_expression(part(GROUP == 0), part(GROUP == 0), change=0.8, **told)  # the control
    assert same["probability"].max() < 0.4 and same["log2_fold_change"].abs().max() < 0.3
    halves = [part((GROUP == 0) & (b == BATCH)) for b in (1, 0)]
    raw, corrected = (fitted.differential_expression(*halves, given, pairs=300) for given in (None, {"batch": 0}))
    assert raw.loc[5, "log2_fold_change"] > 1 and abs(corrected.loc[5, "log2_fold_change"]) < 0.6


def test_what_cannot_be_is_refused(fitted):
    plain = lt.VAE(lt.Network(z=lt.Normal(2), x=lt.Poisson(GENES).given("z")), **FEW).fit(CSR)
    wrong = {
        "row 0, column 0.*for other numbers declare": sparse.csr_matrix([[0.5] * GENES]),
        r"got -1": sparse.csr_matrix([[-1] * GENES]),
        r"\.toarray\(\) on it first: NaN then marks": sparse.csr_matrix([[np.nan] * GENES]),
        rf"expected a sparse matrix of shape \(n, {GENES}\)": sparse.csr_matrix([[1, 2]]),
    }
    for words, matrix in wrong.items():
        with pytest.raises(lt.DataError, match=words):
            plain.score_samples(matrix)
    for call, words in (
        (lambda: plain.expression(CSR), "counts that are shares of a total"),
        (lambda: fitted.expression(ARRAYS, {"x": np.zeros(GENES)}), "'x' is no input"),
        (lambda: fitted.differential_expression(ARRAYS, ARRAYS, names=["a"], pairs=1), "1 names for 12 sites"),
        (lambda: lt.Poisson(3, total=4), "total is the name"),
        (lambda: lt.ZeroInflated(lt.Normal(3)), "must be one of counts"),
        (lambda: lt.Poisson(3).shares(jnp.zeros(3)), "has no total"),
        (lambda: built(x=lt.Poisson(3, total="size").given("z")), "'size' must be one of its parents"),
        (lambda: built(x=lt.Poisson(3, total="z").given("z")), "another one says the rest"),
        (lambda: built(y=lt.Normal(1), x=lt.Poisson(3, total="z").given("y", "z")), "one number that no row hides"),
    ):
        with pytest.raises(lt.LatenError, match=words):
            call()


def built(**nodes):
    declared = lt.Network(z=lt.Normal(2), **nodes)
    return build_model(declared, lt.guide_for(declared), jax.random.key(0))


@pytest.mark.slow
def test_the_template_and_a_latent_depth():
    """Its library may be observed or a latent; zeros may be more than the counts explain."""
    assert network().factors() == "p(z) p(x | z, batch, library)"
    assert lt.guide_for(network()).factors("q") == "q(z | library, batch, x)"
    inflated = lt.templates.counts(lt.ZeroInflated(lt.NegativeBinomial(GENES, "site", total="library")), 2, 2, 16)
    latent = lt.Network(
        library=lt.LogNormal(1).learned(), z=lt.Normal(2), x=lt.Poisson(GENES, total="library").given("z", "library")
    )
    for declared, data in ((inflated, ARRAYS), (latent, CSR)):
        vae = lt.VAE(declared, **FEW).fit(data)
        assert np.isfinite(vae.score(data))
    proposed = lt.VAE(**FEW, latent=2, width=16).fit({"x": CSR}).network_
    assert proposed.nodes["x"] == lt.templates.counts(GENES, 1, 2, 16).nodes["x"]
    assert Parent("library", lt.Given(lt.LogNormal(1)), False).n_features == 1


@pytest.mark.filterwarnings("ignore")  # of what it writes
def test_cells_are_read_from_anndata(tmp_path):
    anndata = pytest.importorskip("anndata")
    if hasattr(anndata.settings, "allow_write_nullable_strings"):  # pandas 3 has no other text
        anndata.settings.allow_write_nullable_strings = True
    plates = np.where(BATCH == 1, "two", "one")
    cells = anndata.AnnData(CSR.astype(np.float32), obs={"plate": plates}, layers={"twice": 2 * CSR})
    cells.write_h5ad(tmp_path / "cells.h5ad")
    cells.write_zarr(tmp_path / "cells.zarr")
    for source in (cells, tmp_path / "cells.h5ad", str(tmp_path / "cells.zarr")):
        found = lt.read_cells(source, batch="plate")
        assert found.batches == ("one", "two") and len(found.genes) == GENES and len(found.cells) == N
        assert (found.arrays["x"] != CSR).nnz == 0 and np.array_equal(found.arrays["batch"], BATCH)
    assert (lt.read_cells(cells, layer="twice").arrays["x"] != 2 * CSR).nnz == 0
    assert (lt.read(tmp_path / "cells.h5ad")["x"] != CSR).nnz == 0
    dense = anndata.AnnData(COUNTS.astype(np.float32))
    dense.write_h5ad(tmp_path / "dense.h5ad")
    assert (lt.read_cells(tmp_path / "dense.h5ad").arrays["x"] != CSR).nnz == 0
    for call, words in (
        (lambda: lt.read_cells(cells, batch="plat"), "plate"),
        (lambda: lt.read_cells(cells, layer="thrice"), "twice"),
        (lambda: lt.read_cells(cells, batch="plate", batches=("one",)), "is of batch 'two'"),
        (lambda: lt.read_cells(tmp_path / "none.h5ad"), "no such file"),
        (lambda: lt.read_cells(CSR), "expected AnnData"),
    ):
        with pytest.raises(lt.DataError, match=words):
            call()
