"""Where `waggle knowledge grants` and its like read and write: the file of rights, or a service."""

import datetime as dt
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.markup import escape
from rich.table import Table

from router.cli.client import ServiceClient
from router.cli.context import CommandContext
from router.cli.terminal import CommandRefused, InputRefused, out
from router.config.config import Config
from router.knowledge.rights.asking import Asks, NoSuchAsk
from router.knowledge.rights.declaring import declare
from router.knowledge.rights.reader import Reader, Readers
from router.knowledge.rights.rights import NoSuchGrant, NotOwner, Rights
from router.knowledge.rights.tables import FILE

OPERATOR = Reader("", "", "", admin=True)  # whoever may use the data folder


@contextmanager
def rights_of(here: CommandContext) -> Iterator[Rights]:
    """The file of rights of this machine, with what the configuration in force says of stores."""
    config = here.config_in_force
    if not config.knowledge:
        mend = "write `knowledge: {NAME: {folder: ...}}`, or `waggle knowledge add`"
        raise CommandRefused("the configuration has no store of knowledge", mend)
    rights = Rights(config.knowledge_folder)
    try:
        if here.running is None:  # a running service declared its own configuration
            declare(rights, config.knowledge, Readers(config.keys_file).team_of)
        yield rights
    except (sqlite3.Error, OSError) as error:
        raise CommandRefused("the file of rights cannot be used", str(error)) from None
    finally:
        rights.close()


def forget_reasons(config: Config, key_ids: Sequence[str]) -> int:
    """Erase the reasons for access that these keys gave, and return their number."""
    if not (config.knowledge_folder / FILE).exists():
        return 0
    rights = Rights(config.knowledge_folder)
    try:
        return Asks(rights).forget(key_ids)
    except (sqlite3.Error, OSError) as error:
        raise CommandRefused("the reasons of asks for access are still kept", str(error)) from None
    finally:
        rights.close()


@contextmanager
def refusing(name: str) -> Iterator[None]:
    try:
        yield
    except NotOwner:
        mend = "`waggle check` shows what the configuration has, `waggle reload` brings it on"
        raise InputRefused(f"there is no store {name}", mend) from None
    except NoSuchGrant as missing:
        mend = f"see `waggle knowledge grants {name}`"
        raise InputRefused(f"{name} has no grant {missing} in force", mend) from None
    except NoSuchAsk as missing:
        mend = "`waggle knowledge grants` shows the asks that wait"
        raise InputRefused(f"no ask {missing} waits", mend) from None


def from_file(rights: Rights, name: str | None) -> dict[str, Any]:
    with refusing(name or ""):
        if name is not None:
            rights.check_owner(rights.looking, OPERATOR, name)
    now, asks = rights.wall(), Asks(rights).waiting_for(OPERATOR)
    return {
        "grants": [{"store": each.store, **each.shown(now)} for each in rights.grants(name)],
        "asks": [each.shown_to_owner() for each in asks if name in (None, each.store)],
        "events": _all_events(rights, name),
        "use": rights.uses(name),
    }


def _all_events(rights: Rights, name: str | None) -> list[Any]:
    events: list[Any] = []
    while more := rights.events(name, after=events[-1]["number"] if events else 0):
        events += more
    return events


def from_service(client: ServiceClient, name: str) -> dict[str, Any]:
    listed = send(client, "GET", f"{name}/grants", None)
    asks = send(client, "GET", f"{name}/asks", None)["data"]
    return {
        "grants": listed["data"],
        "asks": [each for each in asks if each["state"] == "waiting"],
        "events": send(client, "GET", f"{name}/grants?events=0", None)["data"],
        "use": listed["use"],
    }


def send(
    client: ServiceClient, method: str, path: str, body: Mapping[str, Any] | None
) -> dict[str, Any]:
    answer = client.send(method, f"/v1/knowledge/{path}", body)
    content: dict[str, Any] = json.loads(answer.body or b"{}")
    if answer.status >= 400:
        raise CommandRefused(str(content.get("error", {}).get("message", answer.status)))
    return content


def show_rows(rows: list[dict[str, Any]]) -> None:
    if not rows:
        out.print("There are none.")
        return
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = Table(*names, box=None)
    for row in rows:
        table.add_row(*(escape(_cell(name, row.get(name))) for name in names))
    out.print(table)


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name in ("at", "since", "used", "until") and isinstance(value, int | float):
        return f"{dt.datetime.fromtimestamp(value, dt.UTC):%Y-%m-%d %H:%M}"
    if name == "seconds":
        return f"{value / 86_400:.3g} days"
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


def line_of(shown: Mapping[str, Any]) -> str:
    names = ("who", "may", "until", "rate", "idle_days", "must_cite", "state")
    parts = ((name, shown.get(name)) for name in names)
    return ", ".join(f"{name} {_cell(name, value)}" for name, value in parts if value is not None)
