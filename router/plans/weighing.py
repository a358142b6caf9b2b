"""Which of several equal backends a request is sent to: a draw by their weights. Pure.

The draw follows from the request's id alone, so it can be repeated. Requests of a session that its
caller names stay together, since a server remembers the beginning of a prompt.
"""

import math
from collections.abc import Mapping
from hashlib import blake2b

from router.config.backends import AnyBackend
from router.config.plans import Ask
from router.domain import Request

_RANGE = float(2**64)


def in_turn(plan: Ask, request: Request, backends: Mapping[str, AnyBackend]) -> tuple[str, ...]:
    """The backends of a plan in the order in which they are tried: the equals first, as drawn."""
    if not plan.equals:
        return plan.backends
    unit = request.session if request.session_given else request.id
    drawn = sorted(plan.alike, key=lambda name: _rank(unit, name, backends[name].weight))
    return tuple(dict.fromkeys((*drawn, *plan.fallback)))


def _rank(unit: str, name: str, weight: float) -> float:
    """The least rank comes first, with a chance of the weight's share in all weights."""
    digest = blake2b(f"{unit} {name}".encode(), digest_size=8).digest()
    uniform = (int.from_bytes(digest) + 1) / (_RANGE + 1)
    return -math.log(uniform) / weight
