"""Watches telemetry for what an operator must know, and sends it to the webhook.

One process does this for the whole service, in a thread of its own, and no request waits for it.
It reads the events that routers and the learner wrote down. A file remembers how far it read, and
what is still to be sent: so a kill loses nothing that was written down, and repeats at most the
alert that was under way (its `x-waggle-alert-id` is the same again).

Not covered: an event that never reached the journal, because its writer was killed first; more than
a hundred alerts that wait; an alert that the webhook does not take for a day.
"""

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import orjson

from router.alerts.alert import Alert, payload
from router.alerts.outbox import Outbox
from router.alerts.rules import ErrorCount, alert_of, error_alert
from router.alerts.webhook import NotSent, Webhook
from router.config.alerts import Alerts
from router.config.config import Config
from router.domain import Event
from router.files import write_durably
from router.telemetry.store.catalog import CATALOG_FILE

_log = logging.getLogger("waggle")
ALERTS_FILE = "alerts.json"
_TURN_SECONDS = 2.0
_MOST_EVENTS = 2_000
_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 300.0  # seconds between two tries
_GIVE_UP_SECONDS = 86_400.0


class AlertWatch:
    def __init__(
        self,
        settings: Alerts,
        telemetry: Path,
        folder: Path,
        *,
        service: str,
        open_webhook: Callable[[Alerts], Webhook | None] = Webhook.of,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
        runs: bool = True,
    ) -> None:
        """`runs`: whether a thread calls `turn`; else the caller does."""
        self._telemetry, self._path = telemetry, folder / ALERTS_FILE
        self._service, self._open = service, open_webhook
        self._wall, self._steady = wall, steady
        self._runs = runs
        self._outbox: Outbox | None = None
        self._tries, self._next_try = 0, float("-inf")
        self._read_at: tuple[tuple[str, int], ...] = ()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.reconfigure(settings)

    def reconfigure(self, settings: Alerts) -> None:
        self._settings = settings
        try:
            self._webhook = self._open(settings)
        except (LookupError, ValueError) as error:
            _log.error("no alert can be sent: %s", error)
            self._webhook = None
        if self._webhook is not None and self._thread is None and self._runs:
            self._thread = threading.Thread(target=self._run, name="alerts", daemon=True)
            self._thread.start()

    def close(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(2)

    def _run(self) -> None:
        while not self._stop.wait(_TURN_SECONDS):
            try:
                self.turn()
            except Exception:
                _log.exception("alerts could not be looked at, and are again")

    def turn(self) -> None:
        """Read what is new, and send what waits, as far as the webhook takes it."""
        webhook = self._webhook
        if webhook is None:
            return
        before = self._outbox if self._outbox is not None else self._restored()
        now, quiet = self._wall(), self._settings.quiet_seconds
        try:
            stamp = self._stamp()
            news = stamp != self._read_at or before.errors_high
            outbox = self._after_news(before, now) if news else before
            outbox, self._read_at = outbox.turns(now=now, quiet=quiet), stamp
        except duckdb.Error as error:  # the catalog is missing, or is just being replaced
            _log.debug("alerts are read later: %s", error)
            outbox = before.turns(now=now, quiet=quiet)
        self._keep(outbox)
        while outbox.waiting and self._steady() >= self._next_try:
            outbox = self._after_sending(webhook, outbox)

    def _after_news(self, outbox: Outbox, now: float) -> Outbox:
        settings = self._settings
        with duckdb.connect(
            str(self._telemetry / CATALOG_FILE), read_only=True, config={"threads": 1}
        ) as con:
            if not self._path.exists():  # alerts begin with the events that come from now on
                return replace(outbox, marks=_newest(con))
            marks = dict(outbox.marks)
            for writer, n, event in _events_after(con, outbox.marks):
                marks[writer] = max(marks.get(writer, 0), n)
                alert = alert_of(event, settings)
                if alert is not None and now - event.at <= _GIVE_UP_SECONDS:
                    outbox = outbox.hears(alert, now=now, quiet=settings.quiet_seconds)
            count = _errors(con, settings.error_seconds)
        alert = error_alert(count, settings, high=outbox.errors_high, now=now)
        if alert is not None:
            outbox = outbox.hears(alert, now=now, quiet=settings.quiet_seconds)
            outbox = replace(outbox, errors_high=alert.state == "high")
        return replace(outbox, marks=marks)

    def _after_sending(self, webhook: Webhook, outbox: Outbox) -> Outbox:
        """Send the oldest alert; if the webhook does not take it, try again after a pause."""
        alert, now = outbox.waiting[0], self._wall()
        body = payload(alert, self._service)
        try:
            webhook.send(body, alert_id=id_of(alert), now=now)
        except NotSent as error:
            self._tries += 1
            pause = min(_FIRST_PAUSE * 2 ** (self._tries - 1), _LONGEST_PAUSE)
            self._next_try = self._steady() + pause
            if now - alert.at <= _GIVE_UP_SECONDS:
                _log.warning("an alert was not taken, again in %.0f s: %s", pause, error)
                return outbox
            _log.error("an alert of %s is given up: %s", alert.kind, error)
        self._tries, self._next_try = 0, float("-inf")
        outbox = outbox.without_first()
        self._keep(outbox)
        return outbox

    def _stamp(self) -> tuple[tuple[str, int], ...]:
        """A value that changes whenever a row is written; it costs far less than a query."""
        folders = (self._telemetry / "journal" / table for table in ("events", "requests"))
        entries = [entry for folder in folders if folder.is_dir() for entry in folder.iterdir()]
        return tuple(sorted((entry.name, _size(entry)) for entry in entries))

    def _restored(self) -> Outbox:
        try:
            return read_outbox(self._path) or Outbox()
        except ValueError:
            _log.error("%s cannot be read: alerts begin anew", self._path)
            self._path.replace(self._path.with_suffix(".unreadable"))
            return Outbox()

    def _keep(self, outbox: Outbox) -> None:
        if outbox != self._outbox:
            write_durably(self._path, orjson.dumps(outbox.written()))
        self._outbox = outbox


def read_outbox(path: Path) -> Outbox | None:
    """The kept outbox; None if there is none. Raises `ValueError` if it cannot be read."""
    try:
        return Outbox.read(orjson.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} holds no alerts: move it away, and alerts begin anew") from error


def service_name(config: Config) -> str:
    """Which Waggle an alert comes from."""
    return f"{config.server.host}:{config.server.port}, {config.data}"


def id_of(alert: Alert) -> str:
    """The alert's id. An alert that is sent again has the same id, so a receiver can drop it."""
    return hashlib.sha256(f"{alert.key} {alert.at}".encode()).hexdigest()[:32]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # it was sealed meanwhile
        return 0


def _newest(con: duckdb.DuckDBPyConnection) -> Mapping[str, int]:
    return dict(con.execute("SELECT writer, max(n) FROM all_events GROUP BY writer").fetchall())


def _events_after(
    con: duckdb.DuckDBPyConnection, marks: Mapping[str, int]
) -> Iterator[tuple[str, int, Event]]:
    """The next events beyond these marks, the oldest first."""
    rows = con.execute(
        "SELECT writer, n, event_id, epoch_us(ts) / 1e6, kind, subject, state, detail "
        "FROM all_events "
        "WHERE n > coalesce(map_extract_value(?::MAP(VARCHAR, BIGINT), writer), 0) "
        f"ORDER BY writer, n LIMIT {_MOST_EVENTS}",
        [dict(marks)],
    ).fetchall()
    for writer, n, id_, at, kind, subject, state, detail in sorted(rows, key=lambda row: row[3]):
        fields: Any = orjson.loads(detail) if detail else {}
        details = fields if isinstance(fields, dict) else {}
        yield writer, n, Event(id_, at, kind, subject or "", state or "", details)


def _errors(con: duckdb.DuckDBPyConnection, seconds: float) -> ErrorCount:
    row = con.execute(
        "SELECT count(*), count(*) FILTER (status >= 500) FROM all_requests "
        "WHERE ts > utc_now() - to_seconds(?) AND status IS NOT NULL",
        [seconds],
    ).fetchone()
    return ErrorCount(*row) if row is not None else ErrorCount(0, 0)
