"""Works the figures of the family `probability` out again, in another way than the programs."""

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.judging import chance_games, counting, distributions, impossible_games

EXPECTED: Mapping[str, Callable[..., Mapping[str, Any]]] = {
    **distributions.EXPECTED,
    **counting.EXPECTED,
    **chance_games.EXPECTED,
}
IMPOSSIBLE: Mapping[str, Callable[..., str]] = {
    **distributions.IMPOSSIBLE,
    **counting.IMPOSSIBLE,
    **impossible_games.IMPOSSIBLE,
}
