"""Where conversations live: a router's own memory of it, kept in step with the other routers.

A provider's prompt cache is worth more than most routing decisions, so a conversation stays where
it began. Each router hears of the others' conversations a fraction of a second later.
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
        return home if home is not None and now - home.at < seconds else None

    def settle(self, session: str, home: Home) -> None:
        self._keep(session, home)
        self._untold[session] = home

    def hear(self, homes: Mapping[str, Home]) -> None:
        for session, home in homes.items():
            known = self._homes.get(session)
            if known is None or known.at < home.at:
                self._keep(session, home)

    @property
    def has_news(self) -> bool:
        return bool(self._untold)

    def untold(self) -> dict[str, Home]:
        told, self._untold = self._untold, {}
        return told

    def tell_again(self, homes: Mapping[str, Home]) -> None:
        """These did not arrive; what has been settled since is newer."""
        self._untold = {**homes, **self._untold}

    def _keep(self, session: str, home: Home) -> None:
        self._homes[session] = home
        self._homes.move_to_end(session)
        if len(self._homes) > _MOST:
            self._homes.popitem(last=False)
