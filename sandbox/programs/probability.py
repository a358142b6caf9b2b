"""The programs of the family `probability`."""

from collections.abc import Mapping

from sandbox.programs import chance_games, counting, distributions

PROGRAMS: Mapping[str, str] = {
    **distributions.PROGRAMS,
    **counting.PROGRAMS,
    **chance_games.PROGRAMS,
}
