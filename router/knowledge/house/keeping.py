"""Housekeeping by itself: a look now and then, in the one process that learns."""

import logging
import sqlite3
import time
from collections.abc import Callable

from router.config.config import Config
from router.knowledge.house.deciding import look
from router.knowledge.opening import StoreShelf
from router.knowledge.rights.rights import Rights

_log = logging.getLogger("waggle")
_EVERY_SECONDS = 900.0


class Housekeeping:
    def __init__(
        self,
        config: Config,
        wall: Callable[[], float],
        *,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """`steady`: the time between two looks, which a simulated wall clock does not shorten."""
        self.config, self._wall, self._steady = config, wall, steady
        self._looked_at = steady()

    def turn(self) -> None:
        """Look for what is to be proposed, if it is time. What fails is tried at the next look."""
        if self._steady() - self._looked_at < _EVERY_SECONDS:
            return
        self._looked_at = self._steady()
        folder = self.config.knowledge_folder
        shelf = StoreShelf(folder, Rights(folder, wall=self._wall))
        try:
            look(shelf, self.config)
        except (OSError, sqlite3.Error) as error:
            _log.warning("nothing is proposed about stores at this turn: %s", error)
        finally:
            shelf.close()
