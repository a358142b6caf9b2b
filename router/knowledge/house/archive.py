"""Taking a store that nobody reads out of the way, whole, and bringing it back as it was.

An archived store is its folder, moved from `stores` to `archived`: nobody reads or feeds it, its
owner and its grants stay. Each move is an event, written before the folder moves.

Not covered: a move that a kill prevented after its event; the same command moves it then.
"""

import datetime as dt
import shutil
from collections.abc import Mapping

from router.files import sync_folder
from router.knowledge.merged import take_out, target_of, unmark
from router.knowledge.opening import StoreShelf
from router.knowledge.rights.reader import Reader
from router.knowledge.rights.rows import add_event
from router.value import value

_DAY = 86_400.0


class CannotMove(Exception):
    """The store is not where it would have to be; the message says so."""


@value
class StaleStore:
    """A store that nobody has read for some days; `since`: its last read, or its declaration."""

    name: str
    owner: str
    since: dt.date
    days: int


def stale(
    shelf: StoreShelf, owner: Reader, days_of: Mapping[str, float | None]
) -> list[StaleStore]:
    """The stores of this owner that nobody has read for their days, the longest unread first.
    `days_of`: the days of each store by its name; a store without days is never stale."""
    rights, now = shelf.rights, shelf.rights.wall()
    stores = []
    for name, days in days_of.items():
        ownership = rights.ownership(name)
        if days is None or ownership is None or not ownership.is_owner(owner):
            continue
        if not shelf.exists(name):
            continue
        reads = [use["day"] for use in rights.uses(name) if use["reads"]]
        (declared,) = rights.looking.execute(
            "select max(at) from events where store = ? and kind in ('declared', 'restored')",
            (name,),
        ).fetchone()
        moments = [dt.datetime.fromisoformat(f"{day}T00:00+00:00").timestamp() for day in reads]
        since = max((declared or now, *moments))
        if now - since >= days * _DAY:
            last = dt.datetime.fromtimestamp(since, dt.UTC).date()
            stores.append(StaleStore(name, ownership.owner, last, int((now - since) / _DAY)))
    return sorted(stores, key=lambda store: (-store.days, store.name))


def archive(shelf: StoreShelf, owner: Reader, name: str, *, by: str) -> None:
    """Move a store out of the way. Raises `NotOwner`, `CannotMove`."""
    shelf.rights.check_owner(shelf.rights.looking, owner, name)
    if shelf.is_archived(name):
        raise CannotMove(f"{name} is archived already")
    if not shelf.exists(name):
        raise CannotMove(f"{name} holds nothing yet")
    _move(shelf, owner, name, "archived", by)


def restore(shelf: StoreShelf, owner: Reader, name: str, *, by: str) -> None:
    """Bring an archived store back. Raises `NotOwner`, `CannotMove`."""
    shelf.rights.check_owner(shelf.rights.looking, owner, name)
    if not shelf.is_archived(name):
        raise CannotMove(f"{name} is not archived")
    if shelf.exists(name):
        raise CannotMove(f"there is another store {name} in its place")
    into = target_of(shelf, name)
    # An index that was being built while the store moved is left without a store.
    shutil.rmtree(shelf.place(name), ignore_errors=True)
    _move(shelf, owner, name, "restored", by)
    unmark(shelf, name)
    if into is not None and shelf.exists(into):
        take_out(shelf.kept(into), name)


def _move(shelf: StoreShelf, owner: Reader, name: str, kind: str, by: str) -> None:
    rights = shelf.rights
    with rights.changing() as connection:
        rights.check_owner(connection, owner, name)
        add_event(connection, rights.wall(), name, kind, by, {})
    ways = (shelf.place(name), shelf.archive_place(name))
    source, target = ways if kind == "archived" else reversed(ways)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    source.rename(target)
    sync_folder(target.parent)
    sync_folder(source.parent)
