"""A bandit written down and read again, to the last bit: JSON under a checksum.

Plain JSON, whose keys say what they are, can be read years later without this code; floats are
written so that they come back the same. What cannot be read, or holds anything that is no number,
is refused with the reason, and never taken for a bandit that knows nothing.
"""

from hashlib import blake2b
from typing import Any

import numpy as np
import orjson

from learner.bandit_learner import Bandit
from learner.deciding import BanditSettings
from learner.drift import Detectors
from learner.evidence import BELIEFS, Belief, Evidence, Regression
from learner.expense import Expenses
from learner.policy import Arm

FORMAT = 1


class UnreadableSnapshot(ValueError):
    """This is no snapshot, or a damaged one; the message says why."""


def written(bandit: Bandit, **told: Any) -> bytes:
    """The whole state; `told` is kept beside it, for whoever finds the file."""
    size = len(bandit.evidence.names)
    arms = {}
    for arm, model in bandit.evidence.arms.items():
        precision, natural = model.sums(size)
        upper = precision[np.triu_indices(size)]
        arms[arm] = {
            "precision": upper.tolist(),  # the upper triangle, row by row
            "natural_mean": natural.tolist(),
            "squares": model.squares,
            "weight": model.weight,
        }
    names, means = bandit.watching
    body = orjson.dumps(
        {
            "format": FORMAT,
            "features": bandit.features,
            "learned": bandit.learned,
            "names": list(bandit.evidence.names),
            "arms": arms,
            "expenses": bandit.expenses.state(),
            "detectors": bandit.detectors.state(),
            "watching": {"names": list(names), "means": {a: m.tolist() for a, m in means.items()}},
            "bursts": bandit.bursts,
            "recent_ids": bandit.recent_ids,
            **told,
        },
        option=orjson.OPT_NON_STR_KEYS,
    )
    digest = blake2b(body, digest_size=16).hexdigest()
    return b'{"checksum":"' + digest.encode() + b'","bandit":' + body + b"}\n"


def opened(content: bytes) -> dict[str, Any]:
    """What a snapshot says, checked."""
    try:
        whole = orjson.loads(content)
        checksum, told = whole["checksum"], whole["bandit"]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise UnreadableSnapshot(f"it is not a snapshot: {error}") from None
    start = content.index(b'"bandit":') + len(b'"bandit":')
    body = content[start : content.rindex(b"}")]
    if blake2b(body, digest_size=16).hexdigest() != checksum:
        raise UnreadableSnapshot("its checksum does not hold: some of its bytes were changed")
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise UnreadableSnapshot(f"its format is {told.get('format')!r}, and this reads {FORMAT}")
    return told


def read(
    content: bytes, settings: BanditSettings | None = None, beliefs: tuple[Belief, ...] = BELIEFS
) -> Bandit:
    told = opened(content)
    try:
        return _bandit(told, settings or BanditSettings(), beliefs)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        if isinstance(error, UnreadableSnapshot):
            raise
        raise UnreadableSnapshot(f"it lacks what a bandit needs: {error!r}") from None


def _bandit(told: dict[str, Any], settings: BanditSettings, beliefs: tuple[Belief, ...]) -> Bandit:
    names = {name: at for at, name in enumerate(told["names"])}
    size = len(names)
    evidence = Evidence(names)
    for arm, state in told["arms"].items():
        upper = np.array(state["precision"], dtype=np.float64)
        natural = np.array(state["natural_mean"], dtype=np.float64)
        sums = (upper, natural, np.array([state["squares"], state["weight"]], dtype=np.float64))
        if not all(np.isfinite(part).all() for part in sums):
            raise UnreadableSnapshot(f"what it knows of `{arm}` holds something that is no number")
        if state["weight"] < 0:
            raise UnreadableSnapshot(f"`{arm}` has a negative weight, {state['weight']}")
        precision = np.zeros((size, size))
        precision[np.triu_indices(size)] = upper
        precision += np.triu(precision, 1).T
        model = evidence.arms[Arm(arm)] = Regression()
        model.know(names)
        model.restore(precision, natural, state["squares"], state["weight"])
    bandit = Bandit(
        told["features"],
        settings,
        beliefs,
        evidence,
        Expenses.restored(told["expenses"]),
        Detectors.restored(told["detectors"]),
        {Arm(arm): float(left) for arm, left in told["bursts"].items()},
        told["learned"],
    )
    watching = told["watching"]
    means = {Arm(arm): np.array(mean) for arm, mean in watching["means"].items()}
    bandit.resume({n: at for at, n in enumerate(watching["names"])}, means, told["recent_ids"])
    return bandit
