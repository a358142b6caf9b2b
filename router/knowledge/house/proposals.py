"""What housekeeping proposes, to whom, and what became of it; kept in the file of rights.

Each step is an event under the store "": proposed, accepted, refused, withdrawn. A proposal holds
names, counts and hashes, and no words of a request, an answer or a store. What was refused
is never proposed again for the same evidence.
"""

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import orjson

from router.knowledge.rights.reader import Reader
from router.knowledge.rights.rights import Rights
from router.knowledge.rights.rows import add_event
from router.value import value

ProposalKind = Literal["store", "merge", "archive"]
WAITING = "waiting"
_COLUMNS = (
    "number, at, kind, subject, owner, locale, about, evidence, state, decided_by, decided_at"
)


class NoSuchProposal(LookupError):
    """No waiting proposal has this number for this reader."""


@value
class HouseFinding:
    """What a look found. `subject` is what the proposal is about, and `evidence` the hashes of what
    speaks for it; `about` is shown to whoever may see the proposal."""

    kind: ProposalKind
    subject: str
    owner: str  # the name of the key whose consent it needs now; empty: the admins
    locale: str
    about: Mapping[str, Any]
    evidence: Sequence[str]

    @property
    def stores(self) -> tuple[str, ...]:
        """The existing stores whose future the proposal decides."""
        match self.kind:
            case "archive":
                return (self.subject,)
            case "merge":
                return self.about["small"], self.about["large"]
        return ()


@value
class HouseProposal:
    number: int
    at: float
    finding: HouseFinding
    state: str
    decided_by: str = ""
    decided_at: float | None = None

    def decided_for(self, reader: Reader) -> bool:
        """Whether the reader may accept or refuse it."""
        return reader.admin or bool(reader.name and reader.name == self.finding.owner)

    def shows_to(self, reader: Reader) -> bool:
        """Whether the reader may see it: a new store is announced to its locale, and what becomes
        of stores that exist is their owner's business."""
        finding = self.finding
        announced = finding.kind == "store" and bool(reader.locale)
        return self.decided_for(reader) or (announced and reader.locale == finding.locale)

    def shown(self, reader: Reader) -> dict[str, Any]:
        finding = self.finding
        fields = {
            "number": self.number,
            "kind": finding.kind,
            "subject": finding.subject,
            "owner": finding.owner or "the admins",
            "locale": finding.locale,
            "state": self.state,
            "at": self.at,
            **finding.about,
            "may_decide": self.decided_for(reader) and self.state == WAITING,
        }
        decided = {"decided_by": self.decided_by, "decided_at": self.decided_at}
        return fields | (decided if self.decided_at is not None else {})


class ProposalBook:
    def __init__(self, rights: Rights) -> None:
        self.rights = rights

    def listed(self, reader: Reader, *, waiting: bool = True) -> list[HouseProposal]:
        """The proposals that the reader may see, the newest first."""
        where = f"state = '{WAITING}'" if waiting else "1"
        rows = self._where(f"{where} order by number desc limit 1000", ())
        return [each for each in rows if each.shows_to(reader)]

    def waiting(self, reader: Reader, number: int) -> HouseProposal:
        """A proposal that this reader may decide. Raises `NoSuchProposal`."""
        for each in self._where(f"number = ? and state = '{WAITING}'", (number,)):
            if each.decided_for(reader):
                return each
        raise NoSuchProposal(number)

    def decided_evidence(self, kind: ProposalKind, subject: str) -> set[str]:
        """The evidence on which somebody has decided already."""
        rows = self._where(
            "kind = ? and subject = ? and state in ('accepted', 'refused')", (kind, subject)
        )
        return {hash_ for each in rows for hash_ in each.finding.evidence}

    def note(self, findings: Iterable[HouseFinding], kinds: Collection[ProposalKind]) -> int:
        """Write down what a whole look for these kinds found, and withdraw what it found no more.
        How many proposals are new."""
        now, new = self.rights.wall(), 0
        with self.rights.changing() as connection:
            before = {
                (each.finding.kind, each.finding.subject): each
                for each in self._where(f"state = '{WAITING}'", ())
                if each.finding.kind in kinds
            }
            for finding in findings:
                earlier = before.pop((finding.kind, finding.subject), None)
                if earlier is None:
                    new += self._propose(connection, finding, now)
                elif earlier.finding != finding:
                    connection.execute(
                        "update proposals set owner = ?, locale = ?, about = ?, evidence = ? "
                        "where number = ?",
                        (*_given(finding)[2:], earlier.number),
                    )
            for gone in before.values():
                self._close(connection, gone, "withdrawn", "the same look, later", now)
        return new

    def close(
        self, proposal: HouseProposal, state: Literal["accepted", "refused"], by: str
    ) -> None:
        """Write down what was decided. Raises `NoSuchProposal` if somebody was faster."""
        with self.rights.changing() as connection:
            self._close(connection, proposal, state, by, self.rights.wall())

    def _propose(self, connection: sqlite3.Connection, finding: HouseFinding, now: float) -> int:
        decided = self.decided_evidence(finding.kind, finding.subject)
        if decided.issuperset(finding.evidence):
            return 0
        cursor = connection.execute(
            "insert into proposals (at, kind, subject, owner, locale, about, evidence, state, "
            "decided_by) values (?, ?, ?, ?, ?, ?, ?, ?, '')",
            (now, *_given(finding), WAITING),
        )
        proposal = HouseProposal(int(cursor.lastrowid or 0), now, finding, WAITING)
        add_event(connection, now, "", "proposed", "housekeeping", _detail(proposal))
        return 1

    def _close(
        self,
        connection: sqlite3.Connection,
        proposal: HouseProposal,
        state: str,
        by: str,
        now: float,
    ) -> None:
        closed = connection.execute(
            "update proposals set state = ?, decided_by = ?, decided_at = ? "
            f"where number = ? and state = '{WAITING}'",
            (state, by, now, proposal.number),
        )
        if not closed.rowcount:
            raise NoSuchProposal(proposal.number)
        add_event(connection, now, "", state, by, _detail(proposal))

    def _where(self, where: str, values: Sequence[Any]) -> list[HouseProposal]:
        rows = self.rights.looking.execute(
            f"select {_COLUMNS} from proposals where {where}", values
        )
        return [self._owned_now(_proposal_in(row)) for row in rows]

    def _owned_now(self, proposal: HouseProposal) -> HouseProposal:
        """The proposal for the owner that its stores have now; for the admins if they have several:
        whoever gave a store away has no say in what becomes of it."""
        finding = proposal.finding
        owners = {
            "" if (ownership := self.rights.ownership(store)) is None else ownership.owner
            for store in finding.stores
        }
        if not owners:
            return proposal
        owner = owners.pop() if len(owners) == 1 else ""
        return replace(proposal, finding=replace(finding, owner=owner))


def _given(finding: HouseFinding) -> tuple[str, ...]:
    about, evidence = orjson.dumps(dict(finding.about)), orjson.dumps(list(finding.evidence))
    return (
        *(finding.kind, finding.subject, finding.owner, finding.locale),
        *(about.decode(), evidence.decode()),
    )


def _proposal_in(row: Sequence[Any]) -> HouseProposal:
    number, at, kind, subject, owner, locale, about, evidence, state, by, decided_at = row
    finding = HouseFinding(
        kind, subject, owner, locale, orjson.loads(about), tuple(orjson.loads(evidence))
    )
    return HouseProposal(number, at, finding, state, by, decided_at)


def _detail(proposal: HouseProposal) -> dict[str, Any]:
    """What an event says of a proposal; the operator's pages show it."""
    finding = proposal.finding
    names = ("purpose", "saving", "rows")
    figures = {name: finding.about[name] for name in names if name in finding.about}
    about = {"proposes": finding.kind, "subject": finding.subject, "owner": finding.owner}
    return {"proposal": proposal.number, **about, "locale": finding.locale, **figures}
