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
import time
from pathlib import Path
from typing import Any

import numpy as np

import laten as lt
from benchmarks.jobs import Peer, PeerFailedError, machine, run

PEER = Peer("pgmpy", "classical_pgmpy.py", "pgmpy")
LEAST = 1e-30  # of a probability, where a guide never drew a state


def questions_of(network: lt.DiscreteNetwork, count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Random questions whose evidence is possible."""
    rng, names = np.random.default_rng(seed), np.array(list(network.states))
    rows, found = network.sample(count, seed=seed), []
    for i in range(count):
        order = rng.permutation(names)
        seen = int(rng.integers(0, len(names)))
        asked = [str(n) for n in order[seen : seen + int(rng.integers(1, 3))]]
        given = {str(n): rows[n].iloc[i] for n in order[:seen]}
        found.append({"targets": asked, "given": given, "states": [network.states[n] for n in asked]})
    return found


def beside_pgmpy(path: Path, network: lt.DiscreteNetwork, questions: list[dict[str, Any]]) -> None:
    """Prints a line of part 1."""
    began = time.perf_counter()
    ours = [network.query(q["targets"], q["given"]).to_numpy() for q in questions]
    ms = 1000 * (time.perf_counter() - began) / len(questions)
    line = f"{path.stem:<12}{len(network.states):>10}{ms:>14.2f}"
    try:
        theirs, report = run(PEER, {}, {"bif": path.read_text(), "questions": questions}, threads=1)
    except PeerFailedError as error:
        print(f"{line}   pgmpy: {error}")
        return
    worst = max(float(np.abs(p - theirs[f"q{i}"]).max()) for i, p in enumerate(ours))
    peer_ms = 1000 * report["seconds"]["query"] / len(questions)
    print(f"{line}{peer_ms:>14.2f}{worst:>16.1e}   pgmpy {report['versions']['pgmpy']}", flush=True)


def beside_exact(name: str, network: lt.DiscreteNetwork, questions: list[dict[str, Any]], steps: int) -> None:
    """Prints a line of part 2."""
    began = time.perf_counter()
    guide = network.learn_guide(steps)
    learned = time.perf_counter() - began
    kl, size, off = [], [], []
    for i, q in enumerate(questions):
        exact, found = network.query(q["targets"], q["given"]).to_numpy(), guide.query(q["targets"], q["given"], seed=i)
        p, ours = exact[exact > 0], np.maximum(found.to_numpy()[exact > 0], LEAST)
        kl.append(float(np.sum(p * np.log(p / ours))))
        size.append(found.attrs["effective_sample_size"])
        off.append(abs(found.attrs["log_evidence"] - network.log_evidence(q["given"])))
    print(
        f"{name:<12}{learned:>10.0f}{np.mean(kl):>14.1e}{np.max(kl):>14.1e}{np.mean(off):>16.5f}{np.max(off):>12.5f}"
        f"{np.median(size):>14.0f}{np.min(size):>10.0f}",
        flush=True,
    )


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--networks", default="asia,cancer,earthquake,survey,sachs,alarm")
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--guide", type=int, default=0, metavar="STEPS")
    options = parser.parse_args()
    paths = [options.folder / f"{name}.bif" for name in options.networks.split(",")]
    networks = {path: lt.read_bif(path) for path in paths}
    asked = {path: questions_of(network, options.questions) for path, network in networks.items()}
    print(f"{options.questions} questions each, {machine()}\n")
    if not options.guide:
        print(f"{'network':<12}{'variables':>10}{'laten ms':>14}{'pgmpy ms':>14}{'largest |Δp|':>16}")
        for path, network in networks.items():
            beside_pgmpy(path, network, asked[path])
        return
    print(f"guide: {options.guide} steps, 500 draws a state; KL and errors of log p(evidence) in nats")
    print(
        f"{'network':<12}{'learn s':>10}{'mean KL':>14}{'max KL':>14}{'mean |Δlog p|':>16}{'max':>12}"
        f"{'median ESS':>14}{'min':>10}"
    )
    for path, network in networks.items():
        beside_exact(path.stem, network, asked[path], options.guide)


if __name__ == "__main__":
    main()
