"""Looking for what to propose, and carrying out what an owner or an admin decided."""

import logging
import sqlite3

import duckdb

from router.config.config import Config
from router.keys import load_keys
from router.knowledge.house.archive import CannotMove, archive, stale
from router.knowledge.house.making import documents_for, make, name_for
from router.knowledge.house.merging import merge
from router.knowledge.house.overlap import merges
from router.knowledge.house.proposals import HouseFinding, HouseProposal, ProposalBook, ProposalKind
from router.knowledge.house.recurring import recurring
from router.knowledge.house.requesters import Requesters
from router.knowledge.opening import StoreShelf
from router.knowledge.rights.reader import Reader
from router.knowledge.rights.tables import FILE
from router.telemetry.store.catalog import CATALOG_FILE

_log = logging.getLogger("waggle")
_ALL = Reader("", "", "", admin=True)


def look(shelf: StoreShelf, config: Config) -> int:
    """Look at all stores and at telemetry, and write down what is to be proposed; how many
    proposals are new. What cannot be read is left as it was."""
    book, stores = ProposalBook(shelf.rights), config.knowledge
    present = (shelf.folder / FILE).is_file()  # a machine without a store needs no file of rights
    findings = [
        _unread(each.name, each.owner, f"{each.since}", each.days)
        for each in stale(shelf, _ALL, {n: own.stale_days for n, own in stores.items()})
    ]
    kinds: list[ProposalKind] = ["archive", "merge"]
    findings += merges(shelf, stores)
    if (config.telemetry_folder / CATALOG_FILE).is_file():
        try:
            requesters = Requesters(load_keys(config.keys_file))
            findings += recurring(
                config.telemetry_folder,
                requesters,
                lambda subject: book.decided_evidence("store", subject) if present else set(),
                shelf.rights.wall(),
            )
            kinds.append("store")
        except (duckdb.Error, ValueError) as error:  # the catalog is being replaced, or the keys
            _log.warning("telemetry is looked at again later, for stores to propose: %s", error)
    return book.note(findings, kinds) if findings or present else 0


def accept(
    shelf: StoreShelf,
    config: Config,
    reader: Reader,
    number: int,
    *,
    by: str,
    name: str | None = None,
    folder: str | None = None,
) -> str:
    """Carry out a proposal; what became of it, in words. Raises `NoSuchProposal`, `CannotMove`."""
    book = ProposalBook(shelf.rights)
    proposal = book.waiting(reader, number)
    finding = proposal.finding
    match finding.kind:
        case "archive":
            archive(shelf, reader, finding.subject, by=by)
            done = (
                f"{finding.subject} is archived. Back: waggle knowledge restore {finding.subject}"
            )
        case "merge":
            small, large = finding.about["small"], finding.about["large"]
            merge(shelf, reader, small, large, by=by)
            done = (
                f"{small} is archived, and what fed it feeds {large}. A plan that asks {small} "
                f"finds nothing there now. Back: waggle knowledge restore {small}"
            )
        case "store":
            done = _make(shelf, config, proposal, name=name, folder=folder, by=by)
    book.close(proposal, "accepted", by)
    return done


def refuse(shelf: StoreShelf, reader: Reader, number: int, *, by: str) -> None:
    """Never propose this again for the same evidence. Raises `NoSuchProposal`."""
    book = ProposalBook(shelf.rights)
    book.close(book.waiting(reader, number), "refused", by)


def _make(
    shelf: StoreShelf,
    config: Config,
    proposal: HouseProposal,
    *,
    name: str | None,
    folder: str | None,
    by: str,
) -> str:
    finding = proposal.finding
    requesters = Requesters(load_keys(config.keys_file))
    try:
        documents = documents_for(finding, config.telemetry_folder, requesters, shelf.rights.wall())
    except (duckdb.Error, sqlite3.Error) as error:
        raise CannotMove(f"telemetry cannot be read at the moment: {error}") from None
    named = name or name_for(config, finding)
    make(shelf, config, finding, documents, name=named, folder=folder, by=by)
    fed = f"documents: {len(documents)}" if documents else f"fed by {folder}"
    return f"The store {named} is made: {fed}; plan ask-{named}. It answers after: waggle reload"


def _unread(name: str, owner: str, since: str, days: int) -> HouseFinding:
    about = {"purpose": f"archive {name}, which nobody has read for {days} days", "days": days}
    return HouseFinding("archive", name, owner, "", about, [f"{name} unread since {since}"])
