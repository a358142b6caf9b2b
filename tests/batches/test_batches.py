"""Files and batches through the official client: each line is answered once, for its own key."""

import asyncio
import json
from contextlib import asynccontextmanager

import openai
import pytest

from router.keys import new_key
from tests.rig import rig
from tests.upstream import Upstream, completion
from tests.waiting import until

TEXT = """
server: {{data: "{data}", files: {{largest_bytes: 20000, quota_bytes: 50000}},
         batches: {{concurrency: 3, lines: 60, open: 3}}}}
backends:
  up: {{kind: openai, base_url: "{url}", price: {{input: 1, output: 1}}, retry: {{times: 0}},
       capabilities: [chat, completions, embeddings], breaker: {{failures: 100}}}}
plans: {{p: {{ask: up}}}}
"""
CHAT = "/v1/chat/completions"


class Model:
    """A model server that answers with the prompt in capitals, when it is let."""

    def __init__(self):
        self.texts, self.at_once, self.most = [], 0, 0
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, wire):
        fields = wire.fields
        if "input" in fields:
            data = [{"object": "embedding", "index": 0, "embedding": [1.0]}]
            usage = {"prompt_tokens": 1, "total_tokens": 1}
            await wire.json({"object": "list", "data": data, "model": "m", "usage": usage})
            return
        if "prompt" in fields:
            choice = {"index": 0, "text": "hello", "finish_reason": "stop", "logprobs": None}
            await wire.json(completion() | {"choices": [choice]})
            return
        text = fields["messages"][-1]["content"]
        self.texts.append(text)
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            await self.open.wait()
        finally:
            self.at_once -= 1
        if text == "bad":
            await wire.json({"error": {"message": "no such thing"}}, status=400)
        else:
            await wire.json(completion(text.upper()))


@asynccontextmanager
async def service(folder, model=None, *, keys=(), more=lambda text: text, **clocks):
    """A router that carries out its batches, and its upstream."""
    async with Upstream(model or Model()).listening() as up:
        text = more(TEXT.format(data=folder, url=up.url))
        async with rig(text, keys=keys, **clocks) as r:
            working = asyncio.ensure_future(r.router.batches.keep_working())
            try:
                yield r
            finally:
                working.cancel()
                await r.router.batches.close()


def client(r, key="none"):
    return openai.AsyncOpenAI(base_url=r.url + "/v1", api_key=key, max_retries=0)


def line(number, text, **changes):
    body = {"model": "auto", "messages": [{"role": "user", "content": text}]}
    whole = {"custom_id": f"c{number}", "method": "POST", "url": CHAT, "body": body} | changes
    return json.dumps(whole).encode()


def lines_of(*texts):
    return b"\n".join(line(number, text) for number, text in enumerate(texts)) + b"\n"


async def upload(c, content, **more):
    return await c.files.create(file=("lines.jsonl", content), purpose="batch", **more)


async def begun(c, content, endpoint=CHAT, **more):
    file = await upload(c, content)
    return await c.batches.create(
        input_file_id=file.id, endpoint=endpoint, completion_window="24h", **more
    )


async def ended(c, batch):
    async def look():
        record = await c.batches.retrieve(batch.id)
        return record if record.status in ("completed", "failed", "cancelled", "expired") else None

    return await until(look, 60)


async def answers(c, file_id):
    content = await c.files.content(file_id)
    return {each["custom_id"]: each for each in map(json.loads, content.text.splitlines())}


async def test_a_batch_answers_every_line_and_tells_the_good_from_the_bad(tmp_path):
    async with service(tmp_path) as r, client(r) as c:
        batch = await begun(c, lines_of("one", "bad", "three"), metadata={"who": "me"})
        assert batch.status == "validating"
        record = await ended(c, batch)
        good = await answers(c, record.output_file_id)
        bad = await answers(c, record.error_file_id)
        files = await c.files.list()
    assert record.status == "completed"
    assert (record.request_counts.total, record.request_counts.completed) == (3, 2)
    assert record.request_counts.failed == 1
    assert record.metadata == {"who": "me"}
    assert record.in_progress_at <= record.finalizing_at <= record.completed_at
    texts = {name: each["response"]["body"]["choices"][0]["message"] for name, each in good.items()}
    assert {name: message["content"] for name, message in texts.items()} == {
        "c0": "ONE", "c2": "THREE"
    }  # fmt: skip
    assert good["c0"]["response"]["status_code"] == 200
    assert good["c0"]["cost_usd"] == 0.00015
    assert bad["c1"]["response"]["status_code"] == 400
    assert "no such thing" in bad["c1"]["error"]["message"]
    assert {each.purpose for each in files.data} == {"batch", "batch_output"}
    assert len(r.journal.traces) == 3
    assert not list(tmp_path.glob("batches/*/*.lines"))


async def test_a_batch_may_ask_for_embeddings(tmp_path):
    body = {"model": "up", "input": "x"}
    content = line(1, "", url="/v1/embeddings", body=body)
    async with service(tmp_path) as r, client(r) as c:
        record = await ended(c, await begun(c, content, "/v1/embeddings"))
        good = await answers(c, record.output_file_id)
    assert good["c1"]["response"]["body"]["data"][0]["embedding"] == [1.0]


@pytest.mark.parametrize(
    ("content", "code", "shown"),
    [
        (b"not json\n", "invalid_json_line", "not JSON"),
        (b"\n\n", "empty_file", "no request"),
        (line(1, "a", custom_id=""), "missing_required_parameter", "custom_id"),
        (line(1, "a") + b"\n" + line(1, "b"), "duplicate_custom_id", "line 1 as well"),
        (line(1, "a", url="/v1/embeddings"), "invalid_url", "the endpoint of the batch"),
        (line(1, "a", method="GET"), "invalid_method", "only POST"),
        (line(1, "a", body=[1]), "missing_required_parameter", "`body` must be an object"),
        (lines_of(*["a"] * 61), "too_many_requests", "server.batches.lines = 60"),
    ],
)
async def test_a_file_with_a_mistake_fails_before_anything_is_asked(tmp_path, content, code, shown):
    model = Model()
    async with service(tmp_path, model) as r, client(r) as c:
        record = await ended(c, await begun(c, content))
    assert record.status == "failed"
    assert record.errors.data[0].code == code
    assert shown in record.errors.data[0].message
    assert model.texts == []


@pytest.mark.parametrize(
    ("endpoint", "body"),
    [
        ("/v1/responses", {"model": "auto", "input": "hello"}),
        ("/v1/completions", {"model": "auto", "prompt": "hello"}),
        (
            "/v1/messages",
            {"model": "p", "max_tokens": 9, "messages": [{"role": "user", "content": "hello"}]},
        ),
    ],
)
async def test_a_batch_may_ask_every_door_for_answers(tmp_path, endpoint, body):
    content = line(1, "", url=endpoint, body=body)
    async with service(tmp_path) as r, client(r) as c:
        record = await ended(c, await begun(c, content, endpoint))
        good = await answers(c, record.output_file_id)
    assert good["c1"]["response"]["status_code"] == 200
    assert "HELLO" in json.dumps(good["c1"]["response"]["body"]).upper()


async def test_a_cancelled_batch_keeps_the_answers_that_it_has(tmp_path):
    model = Model()
    async with service(tmp_path, model) as r, client(r) as c:
        batch = await begun(c, lines_of("one", "two", "three"))
        await until(lambda: len(r.journal.traces) == 3)
        await ended(c, batch)
        model.open.clear()
        batch = await begun(c, lines_of("four", "five", "six", "seven"))
        await until(lambda: model.at_once == 3)
        cancelling = await c.batches.cancel(batch.id)
        record = await ended(c, batch)
    assert cancelling.status == "cancelling"
    assert record.status == "cancelled"
    assert record.cancelling_at
    assert record.cancelled_at
    assert record.output_file_id is None
    assert "seven" not in model.texts


async def test_a_batch_whose_time_is_over_says_so_for_each_line_that_is_left(tmp_path):
    model, shift = Model(), [0.0]
    model.open.clear()
    start = 1_800_000_000.0
    async with (
        service(tmp_path, model, wall=lambda: start + shift[0]) as r,
        client(r) as c,
    ):
        batch = await begun(c, lines_of("one", "two"))
        await until(lambda: model.at_once == 2)
        shift[0] = 24 * 3600 + 1
        record = await ended(c, batch)
        bad = await answers(c, record.error_file_id)
    assert record.status == "expired"
    assert {each["error"]["code"] for each in bad.values()} == {"batch_expired"}
    assert bad["c0"]["response"] is None


async def test_lines_are_bounded_and_let_the_callers_who_wait_go_first(tmp_path):
    model = Model()
    model.open.clear()
    async with service(tmp_path, model) as r, client(r) as c:
        first = await begun(c, lines_of(*"abcde"))
        second = await begun(c, lines_of(*"fghij"))
        await until(lambda: model.at_once == 3)
        model.open.set()
        await ended(c, first)
        await ended(c, second)
    assert model.most == 3
    assert sorted(model.texts) == list("abcdefghij")


async def test_a_batch_stays_within_the_dollars_of_its_key_and_waits_for_the_next_day(tmp_path):
    text, key = new_key("app", "", limits={"dollars_per_day": 0.0004})
    async with service(tmp_path, keys=(key,)) as r, client(r, text) as c:
        batch = await begun(c, lines_of(*"abcdefgh"))
        await until(lambda: len(r.journal.refusals) >= 3)
        waiting = await c.batches.cancel(batch.id)
        record = await ended(c, batch)
    spent = sum(trace.cost_usd for trace in r.journal.traces)
    assert waiting.status == "cancelling"
    assert spent <= 0.0004 + 0.00015
    assert (record.status, record.request_counts.failed) == ("cancelled", 0)
    assert record.request_counts.completed == len(r.journal.traces) < 8


async def test_a_limit_per_minute_makes_a_batch_wait_and_fails_no_line(tmp_path, monkeypatch):
    monkeypatch.setattr("router.batches.asking.LONGEST_WAIT_SECONDS", 0.01)
    text, key = new_key("app", "", limits={"requests_per_minute": 8})
    shift = [0.0]
    clocks = {"wall": lambda: 1.8e9 + shift[0], "steady": lambda: 1e6 + shift[0]}
    async with service(tmp_path, keys=(key,), **clocks) as r, client(r, text) as c:
        batch = await begun(c, lines_of(*"abcdefghij"))  # two requests are gone already
        await until(lambda: len(r.journal.traces) == 6 and r.journal.refusals)
        for _ in range(20):
            if len(r.journal.traces) == 10:
                break
            shift[0] += 61
            await until(lambda: len(r.journal.traces) == 10 or r.journal.refusals[-1])
        shift[0] += 61
        await until(lambda: len(r.journal.traces) == 10)
        shift[0] += 61
        record = await ended(c, batch)
    assert (record.request_counts.completed, record.request_counts.failed) == (10, 0)


async def test_nothing_of_one_key_is_seen_by_another(tmp_path):
    mine, my_key = new_key("mine", "")
    other, other_key = new_key("other", "")
    async with service(tmp_path, keys=(my_key, other_key)) as r:
        async with client(r, mine) as c, client(r, other) as d:
            batch = await begun(c, lines_of("one"))
            record = await ended(c, batch)
            assert (await d.files.list()).data == []
            assert (await d.batches.list()).data == []
            for call in (
                d.batches.retrieve(batch.id),
                d.batches.cancel(batch.id),
                d.files.content(record.output_file_id),
                d.files.retrieve(batch.input_file_id),
                d.files.delete(batch.input_file_id),
                d.batches.create(
                    input_file_id=batch.input_file_id, endpoint=CHAT, completion_window="24h"
                ),
            ):
                with pytest.raises(openai.NotFoundError):
                    await call
    assert {trace.request.key_id for trace in r.journal.traces} == {my_key.id}


async def test_a_key_that_is_revoked_asks_nothing_more(tmp_path):
    text, key = new_key("app", "")
    model = Model()
    model.open.clear()
    async with service(tmp_path, model, keys=(key,)) as r, client(r, text) as c:
        await begun(c, lines_of(*"abcdef"))
        await until(lambda: model.at_once == 3)
        r.router.admission.replace_keys([key.model_copy(update={"revoked": "today"})])
        model.open.set()
        await until(lambda: not r.router.batches.store.unfinished())
        (record,) = r.router.batches.store.all(key.id)
    assert (record.completed, record.failed) == (3, 3)


async def test_files_are_listed_in_pages_read_and_deleted(tmp_path):
    async with service(tmp_path) as r, client(r) as c:
        made = [await upload(c, b"%d\n" % number) for number in range(5)]
        pages = [each.id async for each in c.files.list(limit=2, order="asc")]
        assert sorted(pages) == sorted(each.id for each in made)
        assert (await c.files.content(made[2].id)).content == b"2\n"
        file = await c.files.retrieve(made[0].id)
        assert (file.filename, file.bytes, file.purpose) == ("lines.jsonl", 2, "batch")
        assert (await c.files.delete(made[0].id)).deleted
        with pytest.raises(openai.NotFoundError, match="no file"):
            await c.files.content(made[0].id)
        batches = [await begun(c, lines_of("x")) for _ in range(3)]
        for batch in batches:
            await ended(c, batch)
        listed = [each.id async for each in c.batches.list(limit=2)]
    assert sorted(listed) == sorted(each.id for each in batches)


async def test_a_file_may_be_deleted_while_its_batch_runs(tmp_path):
    model = Model()
    model.open.clear()
    async with service(tmp_path, model) as r, client(r) as c:
        batch = await begun(c, lines_of("one"))
        await until(lambda: model.at_once == 1)
        before = r.router.batches.store.held_bytes("")
        await c.files.delete(batch.input_file_id)
        assert r.router.batches.store.held_bytes("") == before + len(lines_of("one"))
        model.open.set()
        record = await ended(c, batch)
    assert record.request_counts.completed == 1


async def test_what_a_key_holds_is_bounded_and_ends_in_time(tmp_path):
    shift = [0.0]
    async with service(tmp_path, wall=lambda: 1.8e9 + shift[0]) as r, client(r) as c:
        with pytest.raises(openai.APIStatusError, match="largest_bytes = 20000"):
            await upload(c, b"x" * 25_000)
        kept = await upload(c, b"x" * 19_000)
        short = await upload(
            c, b"x" * 19_000, expires_after={"anchor": "created_at", "seconds": 3600}
        )
        with pytest.raises(openai.APIStatusError, match="quota_bytes = 50000"):
            await upload(c, b"x" * 19_000)
        shift[0] = 3601
        await upload(c, b"x" * 19_000)
        with pytest.raises(openai.NotFoundError):
            await c.files.retrieve(short.id)
        r.router.batches.files.tidy(1.8e9 + shift[0])
        left = sorted(path.name for path in tmp_path.glob("files/anyone/*.content"))
        assert f"{kept.id}.content" in left
        assert f"{short.id}.content" not in left
        modes = {path.stat().st_mode & 0o077 for path in tmp_path.glob("files/**/*")}
    assert modes == {0}


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"endpoint": "/v1/sql"}, "`endpoint` must be one of /v1/chat/completions"),
        ({"input_file_id": 7}, "`input_file_id` must be"),
        ({"input_file_id": "../../keys"}, "There is no file"),
        ({"completion_window": "24 hours"}, "`completion_window` must be 24h"),
        ({"completion_window": "999h"}, "up to 168h"),
        ({"metadata": {"a": 1}}, "`metadata` must have names"),
        ({"metadata": [1]}, "at most 16 texts"),
        ({"output_expires_after": {"seconds": 1}}, "from 3600 to"),
    ],
)
async def test_a_wrong_batch_is_told_what_to_mend(tmp_path, changes, shown):
    async with service(tmp_path) as r, client(r) as c:
        file = await upload(c, lines_of("x"))
        right = {"input_file_id": file.id, "endpoint": CHAT, "completion_window": "24h"}
        answer = await r.post("/v1/batches", right | changes)
        assert 400 <= answer.status < 500
        assert shown in answer.json["error"]["message"]


async def test_a_file_for_another_purpose_is_no_batch_and_a_foreign_purpose_no_file(tmp_path):
    async with service(tmp_path) as r, client(r) as c:
        other = await c.files.create(file=("a.txt", b"x"), purpose="user_data")
        with pytest.raises(openai.BadRequestError, match="purpose user_data"):
            await c.batches.create(input_file_id=other.id, endpoint=CHAT, completion_window="24h")
        with pytest.raises(openai.BadRequestError, match="`purpose` must be batch or user_data"):
            await c.files.create(file=("a.txt", b"x"), purpose="fine-tune")


async def test_too_many_batches_that_have_not_ended_are_refused(tmp_path):
    model = Model()
    model.open.clear()
    async with service(tmp_path, model) as r, client(r) as c:
        for _ in range(3):
            await begun(c, lines_of("x"))
        with pytest.raises(openai.RateLimitError, match=r"server\.batches\.open"):
            await begun(c, lines_of("x"))


async def test_a_second_process_carries_out_nothing_while_the_first_lives(tmp_path):
    async with service(tmp_path) as r, service(tmp_path) as s, client(s) as c:
        await until(lambda: r.router.batches.owns or s.router.batches.owns)
        owner, other = (r, s) if r.router.batches.owns else (s, r)
        await ended(c, await begun(c, lines_of("one")))
        assert len(owner.journal.traces) == 1
        assert other.journal.traces == []
        await owner.router.batches.close()
        await until(lambda: other.router.batches.owns or owner.router.batches.owns)
