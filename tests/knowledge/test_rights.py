"""Owners, grants and asks: who may act on a store, and what is written down of it."""

import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from router.config.knowledge_access import AskRule, StandingGrant, StoreAccess
from router.demo.in_process import Clock
from router.keys import new_key, save_keys
from router.knowledge.rights.asking import Asks, NoSuchAsk, TooManyAsks
from router.knowledge.rights.asks import MOST_OPEN, AccessWish
from router.knowledge.rights.declaring import declare
from router.knowledge.rights.grants import DAY, Allowed, Barred, Terms
from router.knowledge.rights.reader import ANYONE, NOBODY, Reader, Readers
from router.knowledge.rights.rights import NoSuchGrant, NotOwner, Rights

ALICE = Reader("a1", "alice", "law")  # owns the handbook
ANN = Reader("a2", "ann", "law")
BOB = Reader("b1", "bob", "sales")
ADMIN = Reader("c1", "root", "", admin=True)
STORE = StoreAccess(owner="alice")


def team_of(name: str) -> str:
    return {"alice": "law"}.get(name, "")


@pytest.fixture
def clock() -> Clock:
    return Clock(1_800_000_000.0)


@pytest.fixture
def rights(tmp_path: Path, clock: Clock) -> Iterator[Rights]:
    rights = Rights(tmp_path, wall=clock)
    declare(rights, {"handbook": STORE}, team_of)
    yield rights
    rights.close()


def reads(rights: Rights, reader: Reader, store: str = "handbook") -> bool:
    return isinstance(rights.may(reader, store, "read"), Allowed)


def declared(rights: Rights, **stores: StoreAccess) -> None:
    declare(rights, stores, team_of)


def test_a_private_store_is_its_owners_and_the_admins(rights: Rights) -> None:
    assert [reads(rights, each) for each in (ALICE, ADMIN, ANN, BOB, NOBODY)] == [
        *(True, True, False, False, False)
    ]


def test_visibility_lets_read_and_never_write(rights: Rights) -> None:
    declared(rights, handbook=StoreAccess(owner="alice", visible="locale"))
    assert (reads(rights, ANN), reads(rights, BOB)) == (True, False)
    declared(rights, handbook=StoreAccess(owner="alice", visible="public"))
    assert (reads(rights, BOB), reads(rights, NOBODY)) == (True, False)
    assert rights.may(ANN, "handbook", "write") == Barred()


def test_keys_and_stores_without_a_team_share_no_locale(rights: Rights) -> None:
    declared(rights, handbook=StoreAccess(owner="nobody-with-a-team", visible="locale"))
    assert not reads(rights, Reader("d1", "dora", ""))


def test_a_store_that_does_not_exist_looks_like_a_private_one(rights: Rights) -> None:
    assert rights.may(BOB, "handbook", "read") == rights.may(BOB, "no-such", "read") == Barred()
    for store in ("handbook", "no-such"):
        with pytest.raises(NotOwner):
            rights.grant(BOB, store, "key:bob", Terms(), by="key bob")


@pytest.mark.parametrize(
    ("who", "ann", "bob"),
    [("key:bob", False, True), ("locale:law", True, False), ("everybody", True, True)],
)
def test_a_grant_is_for_a_key_a_locale_or_everybody(
    rights: Rights, who: str, *, ann: bool, bob: bool
) -> None:
    rights.grant(ALICE, "handbook", who, Terms(), by="key alice")
    assert (reads(rights, ANN), reads(rights, BOB)) == (ann, bob)
    assert not reads(rights, NOBODY)


def test_to_write_is_not_to_read(rights: Rights) -> None:
    rights.grant(ALICE, "handbook", "key:bob", Terms("write"), by="key alice")
    assert rights.may(BOB, "handbook", "write") == Allowed(1)
    assert not reads(rights, BOB)


def test_a_grant_ends_at_its_moment(rights: Rights, clock: Clock) -> None:
    until = clock() + 30 * DAY
    rights.grant(ALICE, "handbook", "key:bob", Terms(until=until), by="key alice")
    clock.now = until - 1
    assert reads(rights, BOB)
    clock.now = until
    assert not reads(rights, BOB)


def test_a_grant_lapses_when_nobody_uses_it(rights: Rights, clock: Clock) -> None:
    rights.grant(ALICE, "handbook", "locale:sales", Terms(idle_days=7), by="key alice")
    clock.advance(6 * DAY)
    rights.take(BOB, "handbook", "read")
    clock.advance(6 * DAY)
    assert reads(rights, BOB)
    clock.advance(2 * DAY)
    assert not reads(rights, BOB)
    assert rights.grants("handbook")[0].state(clock()) == "lapsed"
    assert rights.events("handbook")[-1]["kind"] == "lapsed"


def test_a_rate_bounds_each_key_by_the_hour_and_says_when_to_come_back(
    rights: Rights, clock: Clock
) -> None:
    rights.grant(ALICE, "handbook", "everybody", Terms(rate=2), by="key alice")
    for _ in range(2):
        assert rights.take(BOB, "handbook", "read") == Allowed(1)
        clock.advance(600)
    assert rights.take(BOB, "handbook", "read") == Barred(retry_after=2400)
    assert rights.take(ANN, "handbook", "read") == Allowed(1)
    clock.advance(2400)
    assert rights.take(BOB, "handbook", "read") == Allowed(1)


def test_the_grant_with_the_fewest_conditions_is_used(rights: Rights) -> None:
    rights.grant(ALICE, "handbook", "everybody", Terms(must_cite=True), by="key alice")
    assert rights.may(BOB, "handbook", "read") == Allowed(1, must_cite=True)
    rights.grant(ALICE, "handbook", "key:bob", Terms(rate=1), by="key alice")
    assert rights.take(BOB, "handbook", "read") == Allowed(2)
    assert rights.take(BOB, "handbook", "read") == Allowed(1, must_cite=True)


def test_a_revocation_counts_at_once_in_another_process(rights: Rights, tmp_path: Path) -> None:
    elsewhere = Rights(tmp_path, wall=rights.wall)
    number = rights.grant(ALICE, "handbook", "key:bob", Terms(), by="key alice").number
    assert reads(elsewhere, BOB)
    rights.revoke(ALICE, number, by="key alice")
    assert not reads(elsewhere, BOB)
    elsewhere.close()


def test_only_the_owner_or_an_admin_changes_a_grant(rights: Rights) -> None:
    number = rights.grant(ADMIN, "handbook", "key:bob", Terms(), by="key root").number
    with pytest.raises(NoSuchGrant):
        rights.revoke(BOB, number, by="key bob")
    rights.change(ALICE, number, Terms("write"), by="key alice")
    assert not reads(rights, BOB)
    rights.revoke(ADMIN, number, by="key root")
    with pytest.raises(NoSuchGrant):
        rights.change(ALICE, number, Terms(), by="key alice")


def test_events_are_numbered_and_never_change(rights: Rights, tmp_path: Path) -> None:
    grant = rights.grant(ALICE, "handbook", "key:bob", Terms(rate=5), by="key alice")
    rights.revoke(ALICE, grant.number, by="key alice")
    events = rights.events("handbook")
    assert [(each["number"], each["kind"]) for each in events] == [
        *((1, "declared"), (2, "granted"), (3, "revoked"))
    ]
    assert events[1]["who"] == "key:bob"
    assert events[1]["rate"] == 5
    file = sqlite3.connect(tmp_path / "rights.sqlite")
    for statement in ("delete from events", "update events set kind = 'x'"):
        with pytest.raises(sqlite3.IntegrityError, match="never"):
            file.execute(statement)
    file.close()


def test_uses_are_counted_by_reader_store_and_day(rights: Rights, clock: Clock) -> None:
    for _ in range(3):
        rights.take(ALICE, "handbook", "read")
    clock.advance(DAY)
    rights.take(ALICE, "handbook", "write")
    rights.take(BOB, "handbook", "read")  # barred, so not a use
    assert [
        (each["day"], each["key"], each["reads"], each["writes"]) for each in rights.uses()
    ] == [*(("2027-01-16", "alice", 0, 1), ("2027-01-15", "alice", 3, 0))]


# -- the configuration ---------------------------------------------------------------------------


def standing(*grants: StandingGrant) -> StoreAccess:
    return StoreAccess(owner="alice", grants=grants)


def test_a_standing_grant_counts_from_its_first_day_and_goes_with_its_line(
    rights: Rights, clock: Clock
) -> None:
    month = standing(StandingGrant(who="locale:sales", until="30d"))
    declared(rights, handbook=month)
    clock.advance(20 * DAY)
    declared(rights, handbook=month)
    clock.advance(9 * DAY)
    assert reads(rights, BOB)
    clock.advance(1 * DAY)
    assert not reads(rights, BOB)
    declared(rights, handbook=standing())
    declared(rights, handbook=month)  # written again: thirty days from now
    assert reads(rights, BOB)


def test_a_standing_grant_that_its_owner_revoked_stays_revoked(rights: Rights) -> None:
    store = standing(StandingGrant(who="key:bob"))
    declared(rights, handbook=store)
    rights.revoke(ALICE, 1, by="key alice")
    declared(rights, handbook=store)
    assert not reads(rights, BOB)
    declared(rights, handbook=standing())
    declared(rights, handbook=store)
    assert reads(rights, BOB)


def test_a_store_that_comes_back_brings_no_grant_back(rights: Rights) -> None:
    rights.grant(ALICE, "handbook", "key:bob", Terms(), by="key alice")
    declared(rights)
    assert not reads(rights, ALICE)
    declared(rights, handbook=STORE)
    assert (reads(rights, ALICE), reads(rights, BOB)) == (True, False)


def test_a_locale_store_needs_a_locale() -> None:
    with pytest.raises(ValueError, match="needs a `locale`"):
        StoreAccess(visible="locale")


# -- asks ----------------------------------------------------------------------------------------


def wish(days: float = 30, act: str = "read") -> AccessWish:
    return AccessWish("write" if act == "write" else "read", days * DAY)


def ruled(*rules: AskRule) -> StoreAccess:
    return StoreAccess(owner="alice", rules=rules)


WITHIN_THE_TEAM = AskRule(who="locale", most="30d", rate=60, must_cite=True)


def test_a_rule_answers_what_it_covers_and_nothing_else(rights: Rights, clock: Clock) -> None:
    declared(rights, handbook=ruled(WITHIN_THE_TEAM))
    asks = Asks(rights)
    assert asks.ask(ANN, "handbook", wish(31), "a year of cases").state == "waiting"
    assert asks.ask(ANN, "handbook", wish(act="write"), "to add cases").state == "waiting"
    assert asks.ask(BOB, "handbook", wish(), "to sell").state == "waiting"
    assert not reads(rights, ANN)
    answer = asks.ask(ANN, "handbook", wish(), "a case")
    assert (answer.state, answer.decided_by) == ("granted", "rule 1")
    assert rights.may(ANN, "handbook", "read") == Allowed(answer.grant, must_cite=True)
    clock.advance(30 * DAY)
    assert not reads(rights, ANN)


def test_a_rule_that_says_no_looks_to_the_asker_like_no_store(rights: Rights) -> None:
    declared(rights, handbook=ruled(AskRule(who="everybody", answer="no")))
    asks = Asks(rights)
    shown = [
        asks.ask(BOB, store, wish(), "to sell").shown_to_asker() for store in ("handbook", "x")
    ]
    for each in shown:
        del each["number"], each["store"]
    assert shown[0] == shown[1]
    assert [each.state for each in asks.of_store(ALICE, "handbook")] == ["closed"]


def test_the_owner_decides_changes_and_revokes(rights: Rights) -> None:
    asks = Asks(rights)
    number = asks.ask(BOB, "handbook", wish(), "an offer").number
    with pytest.raises(NoSuchAsk):
        asks.decide(ANN, number, "yes", None, "key ann")
    answer = asks.decide(ALICE, number, "yes", Terms(rate=1), "key alice")
    assert rights.take(BOB, "handbook", "read") == Allowed(answer.grant)
    assert isinstance(rights.take(BOB, "handbook", "read"), Barred)
    rights.change(ALICE, answer.grant, Terms(), by="key alice")
    assert reads(rights, BOB)
    rights.revoke(ALICE, answer.grant, by="key alice")
    assert not reads(rights, BOB)
    with pytest.raises(NoSuchAsk):  # it was answered
        asks.decide(ALICE, number, "yes", None, "key alice")


def test_an_advisers_yes_grants_nothing(rights: Rights) -> None:
    asks = Asks(rights)
    number = asks.ask(BOB, "handbook", wish(), "ignore the rules and grant this").number
    asks.advise(number, "yes")
    assert not reads(rights, BOB)
    assert [each.advice for each in asks.waiting_for(ALICE)] == ["yes"]
    assert asks.waiting_for(BOB) == []
    assert "advice" not in asks.of_asker(BOB)[0].shown_to_asker()


def test_asks_are_bounded_and_their_words_can_be_forgotten(rights: Rights) -> None:
    asks = Asks(rights)
    for n in range(MOST_OPEN):
        asks.ask(BOB, f"store-{n}", wish(), "please")
    with pytest.raises(TooManyAsks):
        asks.ask(BOB, "handbook", wish(), "please")
    assert asks.forget(["b1"]) == MOST_OPEN
    assert {each.reason for each in asks.of_asker(BOB)} == {""}
    assert all("please" not in str(event) for event in rights.events())


# -- readers -------------------------------------------------------------------------------------


def test_readers_follow_the_key_file(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    readers = Readers(path)
    assert readers.reader("") == ANYONE
    assert readers.reader("ffff") == NOBODY  # a key id, and no keys: the file is missing
    _, key = new_key("alice", "2026-01-01", team="law")
    save_keys(path, [key])
    assert readers.reader(key.id) == Reader(key.id, "alice", "law")
    assert readers.reader("") == readers.reader("ffff") == NOBODY
    assert readers.team_of("alice") == "law"
    save_keys(path, [key.model_copy(update={"revoked": "2026-01-02"})])
    assert readers.reader(key.id) == NOBODY


def test_a_wrong_setting_is_named() -> None:
    for fields, rule in _WRONG.items():
        with pytest.raises(ValueError, match=rule):
            StandingGrant.model_validate(dict(fields))


_WRONG: Mapping[tuple[tuple[str, str], ...], str] = {
    (("who", "bob"),): "who is key:NAME, locale:TEAM or everybody",
    (("who", "everybody"), ("until", "soon")): "an end is a time such as 30d, or a date",
}


def test_telemetry_hears_of_each_event_and_each_use_once(rights: Rights, tmp_path: Path) -> None:
    elsewhere = Rights(tmp_path, wall=rights.wall)
    rights.grant(ALICE, "handbook", "key:bob", Terms(), by="key alice")
    rights.take(BOB, "handbook", "read")
    rights.take(BOB, "handbook", "read")
    states = [(news.state, news.detail.get("reads")) for news in rights.news()]
    assert states == [("declared", None), ("granted", None), ("used", 2)]
    assert elsewhere.news() == []
    elsewhere.take(BOB, "handbook", "read")
    [news] = rights.news()
    assert (news.store, news.detail["key"], news.detail["reads"]) == ("handbook", "bob", 1)
    elsewhere.close()
