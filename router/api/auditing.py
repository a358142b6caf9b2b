"""Writes what somebody asks the API to do to the audit log, before it is carried out."""

import asyncio
import datetime as dt
from collections.abc import Mapping
from typing import Any

from router.audit_log import Act, AuditLog
from router.keys import Key
from router.wire.errors import Unavailable


async def record_act(
    audit: AuditLog | None,
    key: Key,
    what: str,
    subject: str,
    *,
    wall: float,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write down an act of a key's owner. Raises `Unavailable` if the log cannot be written."""
    if audit is None:
        return
    act = Act(what, subject, {"key": key.id, "name": key.name}, after=after or {})
    at = dt.datetime.fromtimestamp(wall, dt.UTC).isoformat(timespec="seconds")
    try:
        await asyncio.to_thread(audit.record, act, at)
    except OSError as error:
        message = f"The audit log cannot be written, so nothing was done: {error.strerror}."
        raise Unavailable("audit_log", message) from None
