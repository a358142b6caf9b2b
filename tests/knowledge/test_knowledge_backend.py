"""A backend answers from what its caller may read: with citations, from passages and from rows."""

from itertools import count
from pathlib import Path
from typing import Any

import orjson
import pytest

from router.backends.cited_passages import CitedPassage, best_passages
from router.backends.knowledge_backend import PERHAPS, UNKNOWN, KnowledgeBackend
from router.config.backends import KnowledgeSettings
from router.config.config import Config
from router.config.knowledge import StoreSettings
from router.domain import CHAT, Call, Fault
from router.keys import new_key, save_keys
from router.knowledge.feeding.folder import FolderFeed
from router.knowledge.opening import StoreShelf
from router.knowledge.rights.declaring import declare
from router.knowledge.rights.grants import Terms
from router.knowledge.rights.reader import Reader
from router.knowledge.rows.query_log import QueryLog
from router.knowledge.vectors import StoreVectors
from router.routing.claims import Claims
from router.routing.store_claims import StoreClaims
from tests.waiting import until

ADMIN = Reader("", "", "", admin=True)
PERMIT = "A residential parking permit costs forty euros a year and is renewed every January."
QUESTION = "How much does a residential parking permit cost?"


@pytest.fixture
def home(tmp_path: Path, encoder) -> Path:
    shelf = StoreShelf(tmp_path / "knowledge")
    stores = {}
    for name in ("city", "shop"):
        folder = tmp_path / name
        folder.mkdir()
        stores[name] = StoreSettings(folder=str(folder), visible="public")
    (tmp_path / "city" / "parking.md").write_text(f"---\nteam: traffic\n---\n# Parking\n{PERMIT}\n")
    (tmp_path / "city" / "pool.md").write_text("# Pool\nThe outdoor pool opens at seven in June.\n")
    (tmp_path / "shop" / "orders.csv").write_text(
        "id,city,total\n1,Madrid,10\n2,Lima,5\n3,Madrid,7\n"
    )
    declare(shelf.rights, stores, lambda _: "")
    for name, settings in stores.items():
        FolderFeed(shelf.kept(name), Path(settings.folder or ""), keep=2).look()
        vectors = StoreVectors(shelf.kept(name))
        vectors.use(encoder)
        while vectors.fill(encoder):
            pass
    shelf.close()
    return tmp_path


def settings_in(home: Path, encoders: Path) -> KnowledgeSettings:
    return KnowledgeSettings(
        kind="knowledge",
        stores=("city", "shop"),
        home=str(home / "knowledge"),
        keys=str(home / "keys.json"),
        encoders=str(encoders),
    )


@pytest.fixture
def ask(home: Path, encoders):
    async def answer(*questions: str, **more: object):
        backend = KnowledgeBackend(settings_in(home, encoders))
        messages = [{"role": "user", "content": text} for text in questions]
        body = orjson.dumps({"messages": messages, **more})
        try:
            async with backend.send(Call(CHAT, body, False, "r1")) as reply:
                content = orjson.loads(b"".join([piece async for piece in reply.body]))
        finally:
            await backend.close()
        return content["choices"][0]["message"]["content"], content["knowledge"]

    return answer


async def test_a_passage_answers_with_its_citation(ask) -> None:
    text, report = await ask(QUESTION)
    assert PERMIT in text
    assert "[1] city: parking.md, Parking" in text
    first = report["citations"][0]
    assert (first["store"], first["document"], first["version"]) == ("city", "parking.md", 1)


async def test_rows_answer_with_their_query(ask) -> None:
    text, report = await ask("How many orders are from Madrid?")
    assert text.startswith("2")
    assert "SELECT" in report["rows"]["sql"]
    assert report["citations"][0]["store"] == "shop"


async def test_what_no_store_holds_is_not_answered(ask) -> None:
    text, report = await ask("Who won the chess olympiad of 1972?")
    assert (text, report["found"], report["citations"]) == (UNKNOWN, False, [])


async def test_a_request_chooses_stores_and_filters(ask) -> None:
    other = {"knowledge": {"where": {"team": "pool"}}}
    assert (await ask(QUESTION, **other))[0] == UNKNOWN
    same = {"knowledge": {"stores": ["city"], "where": {"team": "traffic"}}}
    assert PERMIT in (await ask(QUESTION, **same))[0]
    for wrong in ({"stores": ["secret"]}, {"where": "team"}, {"wher": {}}):
        with pytest.raises(Fault) as refused:
            await ask(QUESTION, knowledge=wrong)
        assert refused.value.kind == "bad_request"


async def test_a_filter_holds_for_rows_too_or_is_refused_by_name(ask) -> None:
    question = "How many orders are there?"
    text, report = await ask(question, knowledge={"where": {"city": "madrid"}})
    assert (text.split()[0], "`city` is Madrid" in report["rows"]["reading"]) == ("2", True)
    text, report = await ask(question, knowledge={"where": {"team": "traffic"}})
    assert not report["found"]
    assert "`where.team` is no column of orders" in text


async def test_a_caller_without_a_right_learns_nothing(ask, home: Path) -> None:
    save_keys(home / "keys.json", [new_key("alice", "")[1]])
    with pytest.raises(Fault) as refused:
        await ask(QUESTION)
    assert "parking" not in refused.value.detail


@pytest.fixture
def config(home: Path, encoders) -> Config:
    backends = {"desk": settings_in(home, encoders).model_dump()}
    return Config.model_validate(
        {"server": {"data": str(home)}, "backends": backends, "plans": {"p": {"ask": "desk"}}}
    )


def test_a_store_claims_its_question_for_whoever_may_read_it(home: Path, config: Config) -> None:
    claims = StoreClaims()
    claims.warm(config)
    assert claims.of(config, QUESTION, "")["desk"] > 0.65
    assert claims.of(config, "How many orders are from Madrid?", "")["desk"] == 1.0
    assert not QueryLog(home / "knowledge" / "stores" / "shop").queries()  # no use of the store
    assert claims.of(config, "Who won the chess olympiad of 1972?", "")["desk"] < 0.65
    assert claims.of(config, "How many days were left?", "")["desk"] == 0.0
    save_keys(home / "keys.json", [new_key("alice", "")[1]])
    assert claims.of(config, QUESTION, "")["desk"] == 0.0


async def test_a_store_is_read_for_claims_beside_the_decisions(config: Config) -> None:
    claims = StoreClaims()
    assert claims.of(config, QUESTION, "")["desk"] == 0.0
    await until(lambda: claims.of(config, QUESTION, "")["desk"] > 0.65)


async def test_a_store_that_comes_later_claims_its_first_question(
    home: Path, config: Config, tmp_path: Path
) -> None:
    (home / "knowledge").rename(tmp_path / "elsewhere")
    claims = StoreClaims()
    claims.warm(config)
    (tmp_path / "elsewhere").rename(home / "knowledge")
    assert not claims.read(config)
    await until(lambda: claims.read(config))
    assert claims.of(config, QUESTION, "")["desk"] > 0.65


async def test_a_service_begins_with_the_claims_of_its_stores(config: Config) -> None:
    claims = Claims()
    await claims.begin(config, wait_seconds=600.0)
    assert claims._stores.of(config, QUESTION, "")["desk"] > 0.65


async def test_a_store_whose_vectors_are_not_made_yet_is_read_all_the_same(
    home: Path, config: Config, encoder
) -> None:
    store = StoreShelf(home / "knowledge").kept("city")
    with store.changing() as connection:
        connection.execute("insert into pending select passage, 1, 0 from vectors")
        connection.execute("delete from vectors")
    claims = StoreClaims()
    claims.warm(config)
    assert claims.read(config)
    assert claims.of(config, QUESTION, "")["desk"] < 0.65  # its words alone make nothing sure
    while StoreVectors(store).fill(encoder):
        pass
    assert not claims.read(config)
    await until(lambda: claims.read(config))
    assert claims.of(config, QUESTION, "")["desk"] > 0.65
    store.close()


def test_once_claims_take_too_long_the_other_stores_claim_nothing(config: Config) -> None:
    claims = StoreClaims(clock=count(step=0.06).__next__)
    claims.warm(config)
    assert claims.of(config, QUESTION, "")["desk"] > 0.65  # the first store
    assert claims.of(config, "How many orders are from Madrid?", "")["desk"] == 0.0  # the second


async def test_a_grant_that_is_used_up_says_when_it_may_be_used_again(home: Path, encoders) -> None:
    _, key = new_key("bob", "")
    save_keys(home / "keys.json", [key])
    shelf = StoreShelf(home / "knowledge")
    private = StoreSettings(folder=str(home / "city"), visible="private")
    declare(shelf.rights, {"city": private, "shop": private}, lambda _: "")
    shelf.rights.grant(ADMIN, "city", "key:bob", Terms(rate=1), by="test")
    shelf.close()
    backend = KnowledgeBackend(settings_in(home, encoders))
    body = orjson.dumps({"messages": [{"role": "user", "content": QUESTION}]})
    call = Call(CHAT, body, False, "r1", key_id=key.id)
    try:
        async with backend.send(call):
            pass
        with pytest.raises(Fault) as refused:
            async with backend.send(call):
                pass
    finally:
        await backend.close()
    assert refused.value.kind == "rate_limited"
    assert refused.value.retry_after > 60


async def test_an_answer_comes_and_names_why_it_was_not_ranked_again(home: Path, encoders) -> None:
    settings = settings_in(home, encoders).model_copy(update={"rerank": str(home / "missing")})
    backend = KnowledgeBackend(settings)
    body = orjson.dumps({"messages": [{"role": "user", "content": QUESTION}]})
    try:
        async with backend.send(Call(CHAT, body, False, "r1")) as reply:
            content = orjson.loads(b"".join([piece async for piece in reply.body]))
    finally:
        await backend.close()
    assert PERMIT in content["choices"][0]["message"]["content"]
    assert "holds no model" in content["knowledge"]["rerank"]


async def test_a_store_held_in_memory_answers_nobody_whose_right_is_gone(home, encoders) -> None:
    (_, ann), (_, bob) = new_key("ann", "2026-01-01"), new_key("bob", "2026-01-01")
    save_keys(home / "keys.json", [ann, bob])
    shelf = StoreShelf(home / "knowledge")
    private = StoreSettings(owner="ann", visible="private")
    declare(shelf.rights, {"city": private, "shop": private}, lambda _: "")
    number = shelf.rights.grant(ADMIN, "city", "key:bob", Terms(), by="test").number
    backend = KnowledgeBackend(settings_in(home, encoders))

    async def answer(key_id: str) -> str:
        body = orjson.dumps({"messages": [{"role": "user", "content": QUESTION}]})
        async with backend.send(Call(CHAT, body, False, "r1", key_id=key_id)) as reply:
            return b"".join([piece async for piece in reply.body]).decode()

    try:
        assert PERMIT in await answer(bob.id)
        shelf.rights.revoke(ADMIN, number, by="test")
        assert PERMIT in await answer(ann.id)  # held for its owner
        with pytest.raises(Fault) as refused:
            await answer(bob.id)
        assert PERMIT not in str(refused.value)
        shelf.kept("city").remove("parking.md", by="test")
        assert "forty euros" not in await answer(ann.id)
    finally:
        await backend.close()
        shelf.close()


async def answered(
    settings: KnowledgeSettings, question: str, key_id: str = "", **more: object
) -> tuple[str, Any]:
    backend = KnowledgeBackend(settings)
    body = orjson.dumps({"messages": [{"role": "user", "content": question}], **more})
    try:
        async with backend.send(Call(CHAT, body, False, "r1", key_id=key_id)) as reply:
            content = orjson.loads(b"".join([piece async for piece in reply.body]))
    finally:
        await backend.close()
    return content["choices"][0]["message"]["content"], content["knowledge"]


async def test_what_is_not_sure_is_given_as_unsure_and_is_no_answer(home: Path, encoders) -> None:
    settings = settings_in(home, encoders).model_copy(update={"enough": 1.0})
    text, report = await answered(settings, QUESTION)
    assert text.startswith(f"{PERHAPS}\n\n{PERMIT}")
    assert "Source: [1] city: parking.md" in text
    assert (report["found"], report["citations"]) == (False, [])
    assert report["perhaps"][0]["document"] == "parking.md"
    text, report = await answered(settings, QUESTION, for_writer=True)
    assert (text, "perhaps" in report) == (UNKNOWN, False)
    never = settings.model_copy(update={"perhaps": 1.0})
    assert (await answered(never, QUESTION))[0] == UNKNOWN


async def test_rows_offer_what_they_say_without_a_verb_and_it_is_no_answer(
    home: Path, encoders
) -> None:
    settings, question = settings_in(home, encoders), "how many orders did we put on in Madrid"
    text, report = await answered(settings, question)
    assert text.startswith(f"{UNKNOWN} I do not know what `put` means here.")
    assert (report["found"], report["citations"]) == (False, [])
    rows = report["perhaps"][0]["rows"]
    assert (rows["left_out"], rows["rows"]) == (["put"], [[2]])
    assert rows["sql"] in text
    text, report = await answered(settings, question, for_writer=True)
    assert (text, "perhaps" in report) == (UNKNOWN, False)
    sure = settings.model_copy(update={"enough": 0.0})
    _, report = await answered(sure, question)
    assert (report["found"], "perhaps" in report) == (True, False)


async def test_what_must_be_cited_is_never_given_as_unsure(home: Path, encoders) -> None:
    _, key = new_key("bob", "")
    save_keys(home / "keys.json", [key])
    shelf = StoreShelf(home / "knowledge")
    private = StoreSettings(folder=str(home / "city"), visible="private")
    declare(shelf.rights, {"city": private, "shop": private}, lambda _: "")
    for store in ("city", "shop"):
        shelf.rights.grant(ADMIN, store, "key:bob", Terms(must_cite=True), by="test")
    shelf.close()
    settings = settings_in(home, encoders)
    assert PERMIT in (await answered(settings, QUESTION, key.id))[0]
    unsure = settings.model_copy(update={"enough": 1.0})
    assert (await answered(unsure, QUESTION, key.id))[0] == UNKNOWN
    verb = "how many orders did we put on in Madrid"
    assert (await answered(unsure, verb, key.id))[0] == UNKNOWN


async def test_stores_that_both_answer_are_merged_and_cited_for_whoever_reads_them(
    home: Path, encoders, encoder
) -> None:
    other = "A parking permit for a shop costs ninety euros a year."
    (home / "shop" / "permits.md").write_text(f"# Parking permits\n{other}\n")
    _, bob = new_key("bob", "")
    shelf = StoreShelf(home / "knowledge")
    store = shelf.kept("shop")
    FolderFeed(store, home / "shop", keep=2).look()
    vectors = StoreVectors(store)
    while vectors.fill(encoder):
        pass
    settings = settings_in(home, encoders).model_copy(update={"passages": 5})
    text, report = await answered(settings, "How much does a parking permit for a shop cost?")
    cited = [(each["n"], each["store"], each["document"]) for each in report["citations"]]
    assert text.startswith(f"{other}\n\nSource: [1] shop: permits.md, Parking permits")
    (city,) = [n for n, name, document in cited if (name, document) == ("city", "parking.md")]
    assert f"{PERMIT}\n\nSource: [{city}] city: parking.md" in text
    assert text.count("Source: [") == 2  # one of each store
    again = await answered(settings, "How much does a parking permit for a shop cost?")
    assert again == (text, report)
    save_keys(home / "keys.json", [bob])
    private = StoreSettings(visible="private")
    declare(shelf.rights, {"city": private, "shop": private}, lambda _: "")
    shelf.rights.grant(ADMIN, "shop", "key:bob", Terms(), by="test")
    shelf.close()
    text, report = await answered(
        settings, "How much does a parking permit for a shop cost?", bob.id
    )
    assert {each["store"] for each in report["citations"]} == {"shop"}
    assert "city" not in text


def test_of_stores_that_say_the_same_one_is_given() -> None:
    hits = [
        CitedPassage(store, "d.md", 1, "", "", text, "", "d.md", sure)
        for store, text, sure in (
            ("a", "Four euros.", 0.9),
            ("b", "Four euros.", 0.9),
            ("c", "Five euros.", 0.9),
            ("d", "Rain.", 0.4),
        )
    ]
    text = best_passages(hits, 0.65)
    assert (text.count("Four euros."), "[3] c: d.md" in text, "Rain" in text) == (1, True, False)
