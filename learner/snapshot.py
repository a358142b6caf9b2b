"""Writes a bandit to a snapshot and reads it back, to the last bit: JSON under a checksum.

Plain JSON with readable keys can be read years later without this code, and floats are read back
unchanged. A snapshot that is damaged, or holds something that is not a number, is refused with the
reason; it never becomes an untrained bandit.
"""

from hashlib import blake2b
from typing import Any

import numpy as np
import orjson

from learner.bandit_learner import Bandit
from learner.deciding import BanditSettings
from learner.drift import Detectors
from learner.evidence import ArmSums, Evidence
from learner.expense import Expenses
from learner.foretold import Foretold
from learner.heirs import Heirs
from learner.insight import Ledger
from learner.model import Model
from learner.policy import Arm
from learner.pooling import BELIEFS, Belief
from learner.rows import Rows

FORMAT = 1


class UnreadableSnapshot(ValueError):
    """The content is not a snapshot, or is damaged; the message says why."""


def written(bandit: Bandit, **beside: Any) -> bytes:
    """The whole state of a bandit as a snapshot, with further values of the caller in `beside`."""
    size = len(bandit.evidence.names)
    names, means = bandit.watching
    body = orjson.dumps(
        {
            "format": FORMAT,
            "features": bandit.features,
            "learned": bandit.learned,
            "names": list(bandit.evidence.names),
            "arms": {
                arm: {
                    "precision": sums.precision[np.triu_indices(size)].tolist(),  # upper triangle
                    "natural_mean": sums.natural.tolist(),
                    "squares": sums.squares,
                    "weight": sums.weight,
                }
                for arm, sums in bandit.evidence.arms.items()
            },
            "expenses": bandit.expenses.state(),
            "detectors": bandit.detectors.state(),
            "watching": {"names": list(names), "means": {a: m.tolist() for a, m in means.items()}},
            "bursts": bandit.bursts,
            "recent_ids": bandit.recent_ids,
            "rows": bandit.rows.state(),
            "ledger": bandit.ledger.state(),
            "foretold": bandit.foretold.state(),
            "model": None if bandit.model is None else bandit.model.state(),
            "grown_at": bandit.grown_at,
            "heirs": bandit.heirs.state(),
            **beside,
        },
        option=orjson.OPT_NON_STR_KEYS,
    )
    digest = blake2b(body, digest_size=16).hexdigest()
    return b'{"checksum":"' + digest.encode() + b'","bandit":' + body + b"}\n"


def opened(content: bytes) -> dict[str, Any]:
    """The values in a snapshot, after its checksum and its format have been checked."""
    try:
        whole = orjson.loads(content)
        checksum, body = whole["checksum"], whole["bandit"]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise UnreadableSnapshot(f"it is not a snapshot: {error}") from None
    start = content.index(b'"bandit":') + len(b'"bandit":')
    raw_body = content[start : content.rindex(b"}")]
    if blake2b(raw_body, digest_size=16).hexdigest() != checksum:
        raise UnreadableSnapshot("its checksum does not hold: some of its bytes were changed")
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        raise UnreadableSnapshot(f"its format is {body.get('format')!r}, and this reads {FORMAT}")
    return body


def read(
    content: bytes, settings: BanditSettings | None = None, beliefs: tuple[Belief, ...] = BELIEFS
) -> Bandit:
    body = opened(content)
    try:
        return _bandit(body, settings or BanditSettings(), beliefs)
    except UnreadableSnapshot:
        raise
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise UnreadableSnapshot(f"it lacks something that a bandit needs: {error!r}") from None


def _bandit(body: dict[str, Any], settings: BanditSettings, beliefs: tuple[Belief, ...]) -> Bandit:
    names = {name: at for at, name in enumerate(body["names"])}
    arms = {Arm(arm): _sums(arm, state, len(names)) for arm, state in body["arms"].items()}
    bandit = Bandit(
        body["features"],
        settings,
        beliefs,
        Evidence(names, arms),
        Expenses.restored(body["expenses"]),
        Detectors.restored(body["detectors"]),
        {Arm(arm): float(left) for arm, left in body["bursts"].items()},
        body["learned"],
    )
    if "rows" in body:  # older snapshots have none: answers are kept from now on
        bandit.rows = Rows.restored(body["rows"])
        bandit.ledger = Ledger(*map(float, body["ledger"]))
        bandit.foretold = Foretold.restored(body["foretold"])
        bandit.model = Model.restored(body["model"]) if body["model"] else None
        bandit.grown_at = int(body["grown_at"])
    if "heirs" in body:
        bandit.heirs = Heirs.restored(body["heirs"])
    watching = body["watching"]
    means = {Arm(arm): np.array(mean) for arm, mean in watching["means"].items()}
    bandit.resume({n: at for at, n in enumerate(watching["names"])}, means, body["recent_ids"])
    return bandit


def _sums(arm: str, state: dict[str, Any], size: int) -> ArmSums:
    upper = np.array(state["precision"], dtype=np.float64)
    natural = np.array(state["natural_mean"], dtype=np.float64)
    totals = np.array([state["squares"], state["weight"]], dtype=np.float64)
    if not all(np.isfinite(part).all() for part in (upper, natural, totals)):
        raise UnreadableSnapshot(f"the sums of `{arm}` hold something that is no number")
    if state["weight"] < 0:
        raise UnreadableSnapshot(f"`{arm}` has a negative weight, {state['weight']}")
    if len(natural) != size:
        raise UnreadableSnapshot(f"it lacks {size - len(natural)} of the numbers of `{arm}`")
    precision = np.zeros((size, size))
    precision[np.triu_indices(size)] = upper
    precision += np.triu(precision, 1).T
    return ArmSums(precision, natural, state["squares"], state["weight"])
