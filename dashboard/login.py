"""Decides who may look: with keys, only analysts who sign in; without keys, everybody.

The browser sends the key once, to sign in. Afterwards it sends a random word, which is valid until
the key is revoked, twelve hours have passed, or the dashboard ends.
"""

import math
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from http.cookies import CookieError, SimpleCookie
from pathlib import Path

from dashboard.guesses import Guesses
from router.keys import Denied, Keyring, load_keys

COOKIE = "waggle"
_SECONDS = 12 * 3600.0
_MAY_LOOK = ("analyst", "admin")
_MOST = 10_000


class LoginRefused(Exception):
    """The sign-in failed. The message tells the person who tried why."""

    def __init__(self, message: str, *, wait_seconds: float = 0.0) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds  # until the next try counts; 0 if it counts now


@dataclass
class LoginDoor:
    """Signs viewers in by the keys in the file. A key that is revoked there ends its sign-ins."""

    file: Path | None = None
    clock: Callable[[], float] = time.monotonic
    _seen: tuple[int, int] | None = field(default=None, init=False)
    _ring: Keyring = field(default_factory=lambda: Keyring(()), init=False)
    _valid: frozenset[str] = field(default=frozenset(), init=False)
    _broken: bool = field(default=False, init=False)
    _open: dict[str, tuple[str, float]] = field(default_factory=dict, init=False)
    _guesses: Guesses = field(default_factory=Guesses, init=False)

    @property
    def locked(self) -> bool:
        self._read_keys()
        return self._broken or self._ring.required

    def enter(self, key: str, *, address: str = "") -> str:
        """Sign in from this address, and return the word for the cookie. Raises `LoginRefused`."""
        self._read_keys()
        if self._broken:
            raise LoginRefused("The file of keys cannot be read: see the log of the dashboard.")
        key_id, now = self._ring.id_of(key), self.clock()
        wait = self._guesses.wait(address, key_id, now)
        if wait > 0:
            message = f"Too many wrong keys: try again in {math.ceil(wait)} s."
            raise LoginRefused(message, wait_seconds=wait)
        try:
            record = self._ring.identify(f"Bearer {key.strip()}")
        except Denied as denied:
            self._guesses.wrong(address, key_id, now)
            raise LoginRefused(denied.message) from None
        if not set(record.scopes) & set(_MAY_LOOK):
            raise LoginRefused(
                f"The key {record.name!r} may send requests, but not look: make a key with "
                f"`waggle keys new {record.name}-looks --scope analyst`."
            )
        for word, (_, until) in list(self._open.items()):
            if until < now or len(self._open) >= _MOST:
                del self._open[word]
        word = secrets.token_urlsafe(24)
        self._open[word] = record.id, now + _SECONDS
        return word

    def admits(self, cookies: str) -> bool:
        if not self.locked:
            return True
        key_id, until = self._open.get(word_in(cookies), ("", 0.0))
        return key_id in self._valid and until > self.clock()

    def leave(self, cookies: str) -> None:
        self._open.pop(word_in(cookies), None)

    def _read_keys(self) -> None:
        if self.file is None:
            return
        try:
            stat = self.file.stat()
            seen = (stat.st_mtime_ns, stat.st_ino)
        except FileNotFoundError:
            seen = (0, 0)
        if seen == self._seen:
            return
        try:
            keys = load_keys(self.file)
        except ValueError:  # the file is broken: earlier sign-ins stay valid, new ones fail
            self._broken = True
            return
        self._seen, self._broken = seen, False
        self._ring = Keyring(keys)
        self._valid = frozenset(
            key.id for key in keys if not key.revoked and set(key.scopes) & set(_MAY_LOOK)
        )


def word_in(cookies: str) -> str:
    try:
        cookie = SimpleCookie(cookies).get(COOKIE)
    except CookieError:
        return ""
    return cookie.value if cookie is not None else ""


def login_page(wrong: str) -> bytes:
    """The sign-in page. `wrong` says why the last attempt failed, or is empty."""
    alert = f'<p class="wrong" role="alert">{escape(wrong)}</p>' if wrong else ""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Waggle: sign in</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/assets/waggle.css"></head>
<body><main class="login"><h1>Waggle</h1>{alert}
<form method="post" action="/login"><label for="key">An analyst's key</label>
<input id="key" name="key" type="password" autocomplete="current-password" required autofocus>
<button type="submit">Sign in</button></form>
<p class="quiet">Make a key with <code>waggle keys new NAME --scope analyst</code>.</p>
</main></body></html>
""".encode()
