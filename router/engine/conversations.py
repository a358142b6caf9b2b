"""A router's record of where each conversation lives, shared with the other routers.

A provider's prompt cache is worth more than most routing decisions, so a conversation stays where
it began. Routers exchange their records within about a second.
"""

from collections import OrderedDict
from collections.abc import Mapping

from router.domain import Home

_MOST = 50_000


class Homes:
    def __init__(self) -> None:
        self._homes: OrderedDict[str, Home] = OrderedDict()
        self._untold: dict[str, Home] = {}

    def find(self, session: str, *, now: float, seconds: float) -> Home | None:
        home = self._homes.get(session)
        return home if home is not None and abs(now - home.at) < seconds else None

    def settle(self, session: str, home: Home) -> None:
        self._keep(session, home)
        self._untold[session] = home

    def hear(self, homes: Mapping[str, Home]) -> None:
        """Take over the records of others, in the hive's order and not by their clocks. What the
        hive does not know yet is newer."""
        for session, home in homes.items():
            if session not in self._untold:
                self._keep(session, home)

    @property
    def has_news(self) -> bool:
        return bool(self._untold)

    def untold(self) -> dict[str, Home]:
        news, self._untold = self._untold, {}
        return news

    def tell_again(self, homes: Mapping[str, Home]) -> None:
        """Queue again the homes that did not reach the hive, unless newer homes are queued."""
        self._untold = {**homes, **self._untold}

    def _keep(self, session: str, home: Home) -> None:
        self._homes[session] = home
        self._homes.move_to_end(session)
        if len(self._homes) > _MOST:
            self._homes.popitem(last=False)
