"""Counts of cells, as AnnData holds them in memory, in `.h5ad` files and in Zarr folders; matrices stay sparse."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from laten.common.errors import DataError, known
from laten.common.sparse_rows import is_sparse
from laten.data.messages import unknown

FILES = (".h5ad", ".zarr")
ROWS = 4096  # of a dense matrix in a file that are read at once


class SingleCells(NamedTuple):
    """Counts of cells, ready for `lt.templates.counts`.

    Args:
        arrays: Node -> array: `x`, the counts `(cells, genes)`, sparse; and `batch`, a code for each cell, where asked.
        genes: Their names.
        cells: Their names.
        batches: Names of the batches, in the order of their codes; empty where none were asked for.
    """

    arrays: dict[str, Any]
    genes: tuple[str, ...]
    cells: tuple[str, ...]
    batches: tuple[Any, ...] = ()


def read_cells(
    source: Any, batch: str | None = None, *, layer: str | None = None, batches: tuple[Any, ...] = ()
) -> SingleCells:
    """Read counts of cells for a network of counts.

    Args:
        source: An AnnData object, or the path of a `.h5ad` file or a `.zarr` folder. Needs `laten[cells]`.
        batch: Column of `obs` with the batch of each cell; None: there are no batches.
        layer: Where the counts are; None: `X`.
        batches: Names of batches in the order of their codes, of an earlier file; empty: sorted, as they are here.
    Raises:
        DataError: no such file, layer or column; a batch that is not among `batches`, or a cell without one.

    >>> import laten as lt
    >>> # cells = lt.read_cells("blood.h5ad", batch="plate")
    >>> # network = lt.templates.counts(len(cells.genes), len(cells.batches))
    >>> # vae = lt.VAE(network).fit(cells.arrays)
    """
    data = opened(source) if isinstance(source, str | Path) else source
    if not hasattr(data, "obs") or not hasattr(data, "var_names"):
        raise DataError(f"expected AnnData or the path of a {' or '.join(FILES)}, got {type(source).__name__}")
    if layer is not None and layer not in data.layers:
        raise unknown("layer", layer, data.layers.keys())
    found = {"x": sparse_of(data.X if layer is None else data.layers[layer])}
    names: tuple[Any, ...] = ()
    if batch is not None:
        if batch not in data.obs:
            raise unknown("column of obs", batch, data.obs.columns)
        names = tuple(batches) or tuple(sorted(pd.unique(data.obs[batch].dropna()), key=str))
        codes = pd.Index(names).get_indexer(data.obs[batch])
        if (codes < 0).any():
            first = int(np.argmax(codes < 0))
            raise DataError(
                f"cell {data.obs_names[first]!r} is of batch {data.obs[batch].iloc[first]!r}, which is none of "
                f"{known(names)}: leave such cells out"
            )
        found["batch"] = codes
    return SingleCells(found, tuple(map(str, data.var_names)), tuple(map(str, data.obs_names)), names)


def opened(path: str | Path) -> Any:
    """Open a file of AnnData: its counts stay on the disk, where that can be."""
    try:
        import anndata
    except ImportError:
        raise DataError("reading .h5ad and .zarr needs anndata: pip install 'laten[cells]'") from None
    path = Path(path)
    if not path.exists():
        raise DataError(f"{path}: no such file")
    try:
        return anndata.read_zarr(path) if path.suffix == ".zarr" else anndata.read_h5ad(path, backed="r")
    except Exception as error:  # whatever HDF5 or Zarr makes of damage
        raise DataError(f"{path}: cannot be read as AnnData: {error}; is it damaged or cut off?") from error


def sparse_of(counts: Any) -> Any:
    """Return counts as a sparse matrix in memory; a dense one in a file is read some rows at a time."""
    if hasattr(counts, "to_memory"):  # sparse, in a file
        counts = counts.to_memory()
    if is_sparse(counts):
        return counts.tocsr()
    from scipy import sparse

    parts = [sparse.csr_matrix(counts[i : i + ROWS]) for i in range(0, counts.shape[0], ROWS)]
    return sparse.vstack(parts, format="csr")
