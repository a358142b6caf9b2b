"""How far the vectors of each store are behind its changes, for telemetry: when it changed."""

import logging
import sqlite3

from router.config.config import Config
from router.knowledge.opening import NoSuchStore, StoreShelf
from router.knowledge.rights.rights import Rights
from router.knowledge.rights.rows import RightsNews
from router.knowledge.stored import Lag
from router.knowledge.vectors import StoreVectors

_log = logging.getLogger("waggle")


class LagWatch:
    """Several processes may watch: what two of them saw alike is one event."""

    def __init__(self, rights: Rights) -> None:
        self._rights = rights
        self._shelf: StoreShelf | None = None
        self._noted: dict[str, tuple[int, int]] = {}

    def news(self, config: Config) -> list[RightsNews]:
        """The lag of each store whose changes or vectors went on since the last look."""
        if not config.knowledge:
            return []
        if self._shelf is None or self._shelf.folder != config.knowledge_folder:
            self._shelf = StoreShelf(config.knowledge_folder, self._rights)
        now, news = self._rights.wall(), []
        for name in config.knowledge:
            lag = self._lag(self._shelf, name)
            if lag is None or self._noted.get(name) == (lag.newest, lag.reached):
                continue
            self._noted[name] = lag.newest, lag.reached
            detail = {"lag_seconds": round(lag.seconds, 3), "behind": lag.events}
            id_ = f"lag {name} {lag.newest} {lag.reached}"
            news.append(RightsNews(id_, now, name, "lag", detail | {"newest": lag.newest}))
        return news

    def _lag(self, shelf: StoreShelf, name: str) -> Lag | None:
        try:
            return StoreVectors(shelf.kept(name)).lag() if shelf.exists(name) else None
        except NoSuchStore:
            return None
        except (OSError, sqlite3.Error):
            _log.exception("telemetry lacks the lag of the store %s", name)
            return None
