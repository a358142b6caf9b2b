"""`python -m experiments.reuse.verifier.calibrate`: calibrate the verifier's probability.

The slope and the shift come from pairs that people wrote and that no guard refuses: the suite of
`experiments/reuse` and the half of the blind pairs that was looked at. They are stored beside the
trained parameters.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from experiments.reuse.suite import pairs
from router.reuse.guards import compare
from router.reuse.verifier import verifier_of

BLIND = Path("tests/reuse/blind")
STORED = Path("router/reuse/verifier.npz")


def written() -> list[tuple[str, str, bool]]:
    """The pairs that people wrote and that may be looked at, without those that a guard refuses."""
    listed = [
        (pair.stored, pair.later, pair.same) for name in ("seen", "unseen") for pair in pairs(name)
    ]
    for line in (BLIND / "natural.seen.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        listed.append((row["stored"], row["asked"], row["same"]))
    return [pair for pair in listed if compare(pair[0], pair[1]).likeness == "open"]


def fitted(logits: np.ndarray, same: np.ndarray) -> tuple[float, float]:
    """Slope and shift of Platt's scaling, with his correction for few pairs."""
    yes, no = same.sum(), (~same).sum()
    wanted = np.where(same, (yes + 1) / (yes + 2), 1 / (no + 2))

    def loss(values: np.ndarray) -> float:
        z = values[0] * logits + values[1]
        return float(np.mean(np.logaddexp(0, z) - wanted * z))

    slope, shift = minimize(loss, np.array([1.0, 0.0])).x
    return float(slope), float(shift)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", default="var/reuse/encoders")
    options = parser.parse_args()
    listed = written()
    logits = verifier_of(options.home).logits([(a, b) for a, b, _ in listed])
    same = np.array([answer for _, _, answer in listed])
    slope, shift = fitted(logits, same)
    stored = dict(np.load(STORED))
    stored["calibration"] = np.array([slope, shift], dtype=np.float32)
    np.savez_compressed(STORED, **stored)
    probability = 1 / (1 + np.exp(-(slope * logits + shift)))
    print(f"slope {slope:.3f}, shift {shift:.3f}, {len(listed)} pairs, {same.sum()} the same")
    for low, high in ((0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 0.9), (0.9, 1)):
        band = (probability >= low) & (probability < high)
        print(f"{low:.1f} to {high:.1f}: {band.sum():4d} pairs, {same[band].sum():4d} the same")


if __name__ == "__main__":
    main()
