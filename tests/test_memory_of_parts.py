"""Memory of a fit in parts: it does not grow with the rows."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

WORK = """
import resource, sys
from pathlib import Path
from laten.data.files.open_parts import open_parts
from laten.estimator.plain_vae import PlainVAE
from laten.estimator.prepare_parts import prepare_parts, sampled
folder = Path(sys.argv[1])
prepared, _ = prepare_parts(sampled(open_parts(folder / "t.parquet"), folder), PlainVAE(), 2**28, folder)
windows = prepared.task.windows
rows = 0 if windows is None else sum(w.numbers.size for w in windows.round(0, 0, 1, 128))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, rows)
"""


def peak(folder: Path, million: float) -> tuple[float, int]:
    """Return the largest memory, MiB, of a process that prepares a fit to so many rows, and the rows of one pass."""
    rng, each = np.random.default_rng(0), 100_000
    frame = pd.DataFrame(rng.normal(size=(each, 8)).round(2), columns=list("abcdefgh")).assign(
        kind=rng.choice(["x", "y"], each)
    )
    table = pa.Table.from_pandas(frame)
    with parquet.ParquetWriter(folder / "t.parquet", table.schema) as writer:
        for _ in range(int(million * 10)):
            writer.write_table(table)
    done = subprocess.run([sys.executable, "-c", WORK, folder], capture_output=True, text=True, check=True)
    memory, rows = done.stdout.split()
    return float(memory), int(rows)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(tmp_path):
    (tmp_path / "few").mkdir()
    (tmp_path / "many").mkdir()
    few, _ = peak(tmp_path / "few", 1)
    many, rows = peak(tmp_path / "many", 5)
    assert rows == (5_000_000 - 2**16) // 128 * 128  # each once, in windows
    assert many < few + 80  # three windows of 16 MiB at most, and little else
    assert many < 1024
