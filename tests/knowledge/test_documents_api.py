"""Documents over HTTP: whoever may write puts and deletes them, whoever may read sees them."""

from pathlib import Path

from tests.knowledge.test_rights_api import callers

NOTE = {"id": "fees", "text": "A parking permit is forty euros.", "metadata": {"Team": "city"}}


async def test_an_owner_puts_shows_and_deletes(tmp_path: Path) -> None:
    async with callers(tmp_path) as c:
        first = (await c.send("alice", "POST", "handbook", NOTE)).json
        again = (await c.send("alice", "POST", "handbook", NOTE)).json
        assert (first["changed"], again["changed"], again["event"]) == (True, False, first["event"])
        changed = {**NOTE, "text": "A parking permit is fifty euros."}
        assert (await c.send("alice", "POST", "handbook", changed)).json["version"] == 2
        listed = (await c.send("alice", "GET", "handbook")).json
        assert [each["id"] for each in listed["data"]] == ["fees"]
        assert listed["data"][0]["metadata"] == {"team": "city"}
        assert listed["lag"]["events"] > 0  # nobody has made its vectors yet
        gone = await c.send("alice", "DELETE", "handbook?id=fees")
        assert gone.json["deleted"]
        assert (await c.send("alice", "GET", "handbook")).json["data"] == []
        store = tmp_path / "knowledge" / "stores" / "handbook"
        assert not any(b"parking" in path.read_bytes() for path in store.iterdir())


async def test_a_store_that_is_not_ones_own_is_no_store(tmp_path: Path) -> None:
    async with callers(tmp_path) as c:
        await c.send("alice", "POST", "handbook", NOTE)
        for method, query, body in (
            ("GET", "", None),
            ("POST", "", NOTE),
            ("DELETE", "?id=fees", None),
        ):
            hidden = await c.send("bob", method, f"handbook{query}", body)
            missing = await c.send("bob", method, f"nothing{query}", body)
            assert hidden.status == missing.status == 404
            assert str(hidden.json).replace("handbook", "nothing") == str(missing.json)
        await c.send("alice", "POST", "handbook/grants", {"who": "key:bob"})
        assert (await c.send("bob", "GET", "handbook")).status == 200
        assert (await c.send("bob", "POST", "handbook", NOTE)).status == 404  # it may only read


async def test_bad_documents_are_refused_by_name(tmp_path: Path) -> None:
    async with callers(tmp_path) as c:
        for body, param in (({"id": 5, "text": "a"}, "id"), ({"id": "a", "text": " "}, "text")):
            refused = await c.send("alice", "POST", "handbook", body)
            assert (refused.status, refused.json["error"]["param"]) == (400, param)
