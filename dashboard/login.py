"""Who may look: everybody on this machine while there are no keys, else whoever has an analyst's.

A key is shown once, at the login; what the browser keeps is a random word that stands for it until
the key is revoked, twelve hours go by, or the dashboard ends.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from pathlib import Path

from router.keys import Denied, Keyring, load_keys

COOKIE = "waggle"
_SECONDS = 12 * 3600.0
_MAY_LOOK = ("analyst", "admin")
_MOST = 10_000


class LoginRefused(Exception):
    """The message is for who tried."""


@dataclass
class LoginDoor:
    """Keys as the file has them now: one that is revoked ends what was opened with it."""

    file: Path | None = None
    clock: Callable[[], float] = time.monotonic
    _seen: tuple[int, int] | None = field(default=None, init=False)
    _ring: Keyring = field(default_factory=lambda: Keyring(()), init=False)
    _valid: frozenset[str] = field(default=frozenset(), init=False)
    _broken: bool = field(default=False, init=False)
    _open: dict[str, tuple[str, float]] = field(default_factory=dict, init=False)

    @property
    def locked(self) -> bool:
        self._look()
        return self._broken or self._ring.required

    def enter(self, key: str) -> str:
        """A word for the cookie. Raises `Refused`."""
        self._look()
        if self._broken:
            raise LoginRefused("The file of keys cannot be read: see the log of whoever runs this.")
        try:
            known = self._ring.identify(f"Bearer {key.strip()}")
        except Denied as denied:
            raise LoginRefused(denied.message) from None
        if not set(known.scopes) & set(_MAY_LOOK):
            raise LoginRefused(
                f"The key {known.name!r} may ask, but not look: make one with "
                f"`waggle keys new {known.name}-looks --scope analyst`."
            )
        now = self.clock()
        for word, (_, until) in list(self._open.items()):
            if until < now or len(self._open) >= _MOST:
                del self._open[word]
        word = secrets.token_urlsafe(24)
        self._open[word] = known.id, now + _SECONDS
        return word

    def admits(self, cookies: str) -> bool:
        if not self.locked:
            return True
        key_id, until = self._open.get(word_in(cookies), ("", 0.0))
        return key_id in self._valid and until > self.clock()

    def leave(self, cookies: str) -> None:
        self._open.pop(word_in(cookies), None)

    def _look(self) -> None:
        if self.file is None:
            return
        try:
            found = self.file.stat()
            seen = (found.st_mtime_ns, found.st_ino)
        except FileNotFoundError:
            seen = (0, 0)
        if seen == self._seen:
            return
        try:
            keys = load_keys(self.file)
        except ValueError:  # somebody broke the file: what was valid stays so, and nothing opens
            self._broken = True
            return
        self._seen, self._broken = seen, False
        self._ring = Keyring(keys)
        self._valid = frozenset(
            key.id for key in keys if not key.revoked and set(key.scopes) & set(_MAY_LOOK)
        )


def word_in(cookies: str) -> str:
    try:
        found = SimpleCookie(cookies).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found is not None else ""
