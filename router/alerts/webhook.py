"""Sends one alert to the webhook, signed, and says what came of it.

The signature is made as Slack and Stripe make theirs: HMAC-SHA256 over the time and the body, so a
body that is sent again later can be refused by its time. Only http and https are spoken, and no
redirect is followed. The operator chose the address, so any is allowed, also one on this machine:
whoever sets the environment of the service can let it post there.

No error repeats the address or the secret: the address of a webhook is often a secret itself.
"""

import hashlib
import hmac
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from router.config.alerts import Alerts
from router.config.environment import proxy_for, read_secret

SIGNATURE, TIMESTAMP, ALERT_ID = "x-waggle-signature", "x-waggle-timestamp", "x-waggle-alert-id"
_SECONDS = 10.0
_MOST_BYTES = 65_536


class NotSent(Exception):
    """The webhook did not take the alert."""


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """The signature of a body that is sent at this time (seconds since 1970, as text)."""
    content = b"v1:" + timestamp.encode() + b":" + body
    return "v1=" + hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()


def verified(
    secret: str, timestamp: str, body: bytes, given: str, *, now: float, tolerance: float = 300.0
) -> bool:
    """Whether a signature is right and not too old: for whoever receives alerts."""
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        return False
    fresh = abs(now - int(timestamp)) <= tolerance
    return hmac.compare_digest(signature(secret, timestamp, body), given) and fresh


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """A redirect is an error, so that alerts go only where the operator sends them."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """The address and the secret are read from the environment, and shown nowhere."""

    url: str
    secret: str

    @classmethod
    def of(cls, settings: Alerts, read: Callable[[str], str] = read_secret) -> "Webhook | None":
        """The configured webhook. Raises `ValueError` or `LookupError` if it cannot be one."""
        if settings.url is None:
            return None
        url = read(settings.url).strip()
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("alerts.url must be an address with http:// or https:// and a host")
        return cls(url, read(settings.secret) if settings.secret is not None else "")

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    def send(self, body: bytes, *, alert_id: str, now: float) -> None:
        """Send a body. Raises `NotSent`."""
        timestamp = str(int(now))
        headers = {
            "content-type": "application/json",
            "user-agent": "waggle",
            ALERT_ID: alert_id,
            TIMESTAMP: timestamp,
        }
        if self.secret:
            headers[SIGNATURE] = signature(self.secret, timestamp, body)
        proxy = proxy_for(self.url)
        opener = urllib.request.OpenerDirector()
        for handler in (
            urllib.request.ProxyHandler({"http": proxy, "https": proxy} if proxy else {}),
            urllib.request.HTTPHandler(),
            urllib.request.HTTPSHandler(),
            urllib.request.HTTPErrorProcessor(),
            urllib.request.HTTPDefaultErrorHandler(),
            _NoRedirect(),
        ):
            opener.add_handler(handler)
        request = urllib.request.Request(self.url, body, headers, method="POST")
        try:
            with opener.open(request, timeout=_SECONDS) as answer:
                answer.read(_MOST_BYTES)
        except urllib.error.HTTPError as error:
            error.close()
            raise NotSent(f"{self.host} answered {error.code}") from None
        except urllib.error.URLError as error:
            raise NotSent(f"{self.host}: {_kind_of(error.reason)}") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NotSent(f"{self.host}: {_kind_of(error)}") from None


def _kind_of(reason: object) -> str:
    """What went wrong, without the words of the error, which may hold the address."""
    return type(reason).__name__ if isinstance(reason, Exception) else "cannot be reached"
