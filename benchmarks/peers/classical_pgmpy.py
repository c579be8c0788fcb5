"""pgmpy's variable elimination: posteriors of a network read from BIF text, for a list of questions.

Run by `benchmarks.classical`. Arguments: `bif`, the text; `questions`, each with `targets`, `given`, and `states` (of
the targets, in the order that the answer is wanted in). The answer: `q0`, `q1`, …, flat arrays of probabilities.
"""

import tempfile
from pathlib import Path

import numpy as np
from exchange import Arrays, Clock, serve
from pgmpy.inference import VariableElimination
from pgmpy.readwrite import BIFReader


def work(arrays: Arrays, arguments: dict, clock: Clock) -> Arrays:
    """Answers the questions."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.bif"
        path.write_text(arguments["bif"])
        with clock("read"):
            inference = VariableElimination(BIFReader(str(path)).get_model())
    found = {}
    for i, question in enumerate(arguments["questions"]):
        targets = question["targets"]
        with clock("query"):
            factor = inference.query(targets, question["given"] or None, show_progress=False)
        table = np.transpose(factor.values, [factor.variables.index(t) for t in targets])
        for axis, (target, states) in enumerate(zip(targets, question["states"], strict=True)):
            table = np.take(table, [factor.state_names[target].index(s) for s in states], axis)
        found[f"q{i}"] = table.ravel()
    return found


if __name__ == "__main__":
    serve(work, ("pgmpy",))
