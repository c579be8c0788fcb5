"""Column shapes and pair trends by sdmetrics itself, to check `benchmarks/tables/fidelity.py`.

Run by `benchmarks.tables.synthetic --check` under the interpreter of `$LATEN_PEERS/sdv`. Arrays in: `real_a`,
`synthetic_a` for each column a. Out: the two scores.
"""

import numpy as np
import pandas as pd
from exchange import Arrays, Clock, serve
from sdmetrics.reports.single_table import QualityReport


def work(arrays: Arrays, arguments: dict, clock: Clock) -> Arrays:
    """The scores of the quality report."""
    tables = [
        pd.DataFrame({n.removeprefix(side): x for n, x in arrays.items() if n.startswith(side)})
        for side in ("real_", "synthetic_")
    ]
    kinds = {c: "numerical" if tables[0][c].dtype.kind in "if" else "categorical" for c in tables[0]}
    metadata = {"columns": {c: {"sdtype": k} for c, k in kinds.items()}}
    report = QualityReport()
    with clock("score"):
        report.generate(*tables, metadata, verbose=False)
    return {"scores": report.get_properties()["Score"].to_numpy(float), "n": np.array(len(kinds))}


if __name__ == "__main__":
    serve(work, ("sdmetrics",))
