"""Classical networks: exact posteriors beside pgmpy's, and the learned guide beside the exact ones.

    python -m benchmarks.classical FOLDER [--networks asia,alarm] [--questions 100] [--guide 4000]

FOLDER holds BIF files (asia, cancer, earthquake, survey, sachs, alarm). Questions are drawn at random: a row from the
network, a random share of its variables seen, one or two of the others asked for.

1. The largest difference between laten's and pgmpy's probabilities over all questions (both by variable elimination),
   and milliseconds a question. pgmpy runs in its own environment: `sh benchmarks/peers/setup.sh pgmpy`.
2. With `--guide STEPS`: a guide learned for that many steps answers the same questions by 500 weighted draws a state.
   Figures: mean and largest KL(exact ‖ guide's answer) and error of log p(evidence), in nats, and the effective draws.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import laten as lt
from benchmarks.runner import Peer, PeerFailedError, answer_of, footer, options_of, seconds_of, show

PEER = Peer("pgmpy", "classical_pgmpy.py", "pgmpy")
LEAST = 1e-30  # of a probability, where a guide never drew a state


def questions_of(network: lt.DiscreteNetwork, count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Draw questions whose evidence is possible."""
    rng, names = np.random.default_rng(seed), np.array(list(network.states))
    rows, found = network.sample(count, seed=seed), []
    for i in range(count):
        order = rng.permutation(names)
        seen = int(rng.integers(0, len(names)))
        asked = [str(n) for n in order[seen : seen + int(rng.integers(1, 3))]]
        given = {str(n): rows[n].iloc[i] for n in order[:seen]}
        found.append({"targets": asked, "given": given, "states": [network.states[n] for n in asked]})
    return found


def beside_pgmpy(path: Path, network: lt.DiscreteNetwork, questions: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a line of part 1."""
    ours: list[np.ndarray] = []
    seconds = seconds_of(lambda: ours.extend(network.query(q["targets"], q["given"]).to_numpy() for q in questions))
    line = {"variables": len(network.states), "laten ms": 1000 * seconds / len(questions)}
    options = argparse.Namespace(threads=1, limit=None)
    try:
        theirs, report = answer_of(PEER, {}, {"bif": path.read_text(), "questions": questions}, options)
    except PeerFailedError as error:
        print(f"pgmpy: {error}")
        return line
    worst = max(float(np.abs(p - theirs[f"q{i}"]).max()) for i, p in enumerate(ours))
    pgmpy = f"pgmpy {report['versions']['pgmpy']} ms"
    return {**line, pgmpy: 1000 * report["seconds"]["query"] / len(questions), "largest |Δp|": f"{worst:.1e}"}


def beside_exact(network: lt.DiscreteNetwork, questions: list[dict[str, Any]], steps: int) -> dict[str, Any]:
    """Return a line of part 2."""
    guides, kl, size, off = [], [], [], []
    learned = seconds_of(lambda: guides.append(network.learn_guide(steps)))
    for i, q in enumerate(questions):
        exact = network.query(q["targets"], q["given"]).to_numpy()
        found = guides[0].query(q["targets"], q["given"], seed=i)
        p, ours = exact[exact > 0], np.maximum(found.to_numpy()[exact > 0], LEAST)
        kl.append(float(np.sum(p * np.log(p / ours))))
        size.append(found.attrs["effective_sample_size"])
        off.append(abs(found.attrs["log_evidence"] - network.log_evidence(q["given"])))
    figures = {"mean KL": np.mean(kl), "max KL": np.max(kl), "mean |Δlog p|": np.mean(off), "max |Δlog p|": np.max(off)}
    return {"learn s": learned, **figures, "median ESS": np.median(size), "least ESS": np.min(size)}


def main() -> None:
    """Print one of the tables."""
    names = "asia,cancer,earthquake,survey,sachs,alarm"
    asks = options_of(__doc__, networks=names, questions=100, guide=0)
    asks.add_argument("folder", type=Path)
    options, lines = asks.parse_args(), {}
    for name in options.networks.split(","):
        path = options.folder / f"{name}.bif"
        network = lt.read_bif(path)
        asked, steps = questions_of(network, options.questions), options.guide
        lines[name] = beside_exact(network, asked, steps) if steps else beside_pgmpy(path, network, asked)
    part = f"; a guide of {options.guide} steps, 500 draws a state, nats" if options.guide else ""
    show(f"{options.questions} questions each{part}", pd.DataFrame.from_dict(lines, orient="index"), 6)
    print(footer())


if __name__ == "__main__":
    main()
