"""No door leads around the guards: what is passed through, other dialects, and the memory."""

import io
import json

import aiohttp
import orjson
import pytest

from router.api.ask import AskEndpoint
from router.api.parse import parse_chat
from router.api.routes import Route, Routes
from router.telemetry.rows import request_row
from tests.guarded import Parrot, guarded
from tests.rig import rig
from tests.router.test_native import CONFIG, Door, script
from tests.upstream import Upstream
from tests.waiting import until

MAIL = "ann@example.org"
PII = "[{name: pii, kind: redact}]"
ABLE = """
backends:
  up: {{kind: openai, base_url: "{url}", model: up-1, price: {{input: 1, output: 2}},
        capabilities: [chat, completions, rerank, moderations, speech, transcription],
        retry: {{times: 0}}}}
plans: {{up: {{ask: up}}}}
"""


class Able:
    """A server of what is passed through, which repeats the words it was sent."""

    async def __call__(self, wire):
        if wire.path.endswith("/audio/transcriptions"):
            text = "[EMAIL_1]" if b"[EMAIL_1]" in wire.body else "nobody"
            await wire.json({"text": f"{text} called eve@example.com"})
            return
        if wire.path.endswith("/audio/speech"):
            await wire.json(b"\xff\xf3sound", content_type="audio/mpeg")
            return
        fields = wire.fields
        if wire.path.endswith("/completions"):
            if not fields.get("stream"):
                choice = {"index": 0, "text": fields["prompt"], "finish_reason": "stop"}
                await wire.json({"choices": [choice], "usage": {"prompt_tokens": 1}})
                return
            wire.events()
            for char in fields["prompt"]:
                await wire.event({"choices": [{"index": 0, "text": char, "finish_reason": None}]})
            await wire.event({"choices": [{"index": 0, "text": "", "finish_reason": "stop"}]})
            await wire.event(b"[DONE]")
            await wire.chunk(b"")
        elif wire.path.endswith("/rerank"):
            results = [
                {"index": n, "relevance_score": 1.0, "document": {"text": text}}
                for n, text in enumerate(fields["documents"])
            ]
            await wire.json({"results": results})
        else:
            await wire.json({"id": "m1", "results": [{"flagged": False}]})


def sent(upstream) -> str:
    return "\n".join(wire.body.decode("latin-1") for wire in upstream.seen)


async def test_completions_are_redacted_and_restored_whole_and_in_pieces():
    async with guarded(PII, Able(), config=ABLE) as (r, upstream):
        whole = await r.post("/v1/completions", {"model": "up", "prompt": f"To {MAIL}:"})
        streamed = await r.post(
            "/v1/completions", {"model": "up", "prompt": f"To {MAIL}:", "stream": True}
        )
    assert MAIL not in sent(upstream)
    assert whole.json["choices"][0]["text"] == f"To {MAIL}:"
    texts = [c["text"] for e in streamed.events if e != "[DONE]" for c in e["choices"]]
    assert "".join(texts) == f"To {MAIL}:"


async def test_documents_that_are_ranked_come_back_with_their_words():
    async with guarded(PII, Able(), config=ABLE) as (r, upstream):
        body = {"model": "up", "query": f"who is {MAIL}", "documents": [f"I am {MAIL}", "no"]}
        answer = await r.post("/v1/rerank", body)
        moderated = await r.post("/v1/moderations", {"model": "up", "input": MAIL})
    assert MAIL not in sent(upstream)
    assert answer.json["results"][0]["document"]["text"] == f"I am {MAIL}"
    assert moderated.status == 200


async def post_form(r, path, fields):
    form = aiohttp.FormData()
    for name, value in fields:
        form.add_field(name, value)
    form.add_field("file", io.BytesIO(b"RIFF"), filename="a.wav", content_type="audio/wav")
    signed = {"authorization": "Bearer none"}
    async with r.client.post(r.url + path, data=form, headers=signed) as answer:
        return answer.status, await answer.read()


async def test_each_text_of_a_form_is_redacted_also_one_that_stands_twice():
    guards = "[{name: pii, kind: redact, when: both}]"
    async with guarded(guards, Able(), config=ABLE) as (r, upstream):
        fields = [("model", "up"), ("prompt", MAIL), ("prompt", "hi"), ("language", "en")]
        status, body = await post_form(r, "/v1/audio/transcriptions", fields)
        spoken = await r.post("/v1/audio/speech", {"model": "up", "input": MAIL, "voice": "a"})
    assert status == 200, body
    assert (status, json.loads(body)["text"]) == (200, f"{MAIL} called [EMAIL]")
    assert MAIL not in sent(upstream)
    assert b"RIFF" in upstream.seen[0].body
    assert spoken.body == b"\xff\xf3sound"
    assert "pii=skipped" in spoken.headers["x-waggle-guard"]


async def test_a_transcript_can_be_blocked():
    guards = "[{name: words, kind: words, when: after, words: [called]}]"
    async with guarded(guards, Able(), config=ABLE) as (r, _):
        status, body = await post_form(r, "/v1/audio/transcriptions", [("model", "up")])
        row = request_row(r.journal.traces[-1])
        stream, refusal = await post_form(
            r, "/v1/audio/transcriptions", [("model", "up"), ("stream", "true")]
        )
    assert (status, json.loads(body)["error"]["code"]) == (422, "guardrail_blocked")
    assert (row["status"], row["guard"]) == (422, "words")
    assert (stream, "leave `stream` out" in json.loads(refusal)["error"]["message"]) == (400, True)


async def ask_native(guards, body, *, needs=(), path="messages"):
    async with Upstream(script).listening() as upstream:
        url = upstream.url.removesuffix("/v1")
        async with rig(CONFIG.format(url=url) + f"guardrails: {guards}\n") as r:
            ask = AskEndpoint(r.engine, r.router.admission, Door(path, needs=needs))
            routes = [*r.router.app.routes.all, Route(f"/{path}", {"POST": ask.post})]
            r.router.app.routes = Routes(routes)
            answer = await r.post(f"/{path}", body)
        return answer, upstream


@pytest.mark.parametrize("beside", [{}, {"metadata": {"user_id": MAIL}}])
async def test_the_callers_own_bytes_do_not_pass_with_what_was_redacted(beside):
    words = "hi" if beside else f"hi {MAIL}"
    body = {"model": "claude", "input": words, **beside}
    answer, upstream = await ask_native(PII, body)
    assert answer.status == 200
    assert MAIL not in sent(upstream)


async def test_the_callers_own_bytes_pass_where_no_guard_has_anything_to_say():
    body = orjson.dumps({"model": "claude", "input": "hi"})
    _, upstream = await ask_native(PII, body)
    assert upstream.seen[0].body == body.replace(b'"claude"', b'"claude-9"')


async def test_a_word_in_the_callers_own_bytes_alone_is_blocked():
    guards = "[{name: words, kind: words, words: [falcon]}]"
    body = {"model": "claude", "input": "hi", "metadata": {"project": "Falcon"}}
    answer, upstream = await ask_native(guards, body)
    assert (answer.status, answer.error["code"]) == (400, "guardrail_blocked")
    assert not upstream.seen


async def test_a_guard_of_answers_reads_the_answer_to_a_request_in_another_dialect():
    guards = "[{name: words, kind: words, when: after, words: [there]}]"
    answer, _ = await ask_native(guards, {"model": "claude", "input": "hi"})
    assert (answer.status, answer.error["code"]) == (422, "guardrail_blocked")


async def test_what_only_the_callers_own_bytes_say_is_refused_by_name():
    body = {"model": "gpt", "input": f"hi {MAIL}"}
    answer, upstream = await ask_native(PII, body, needs=("tools[0].type",), path="responses")
    assert answer.status == 400
    assert "`tools[0].type` can only be passed on as it was written" in answer.error["message"]
    assert not upstream.seen


MEMORY = """
backends:
  up: {{kind: openai, base_url: "{url}", model: up-1, price: {{input: 1, output: 2}},
        retry: {{times: 0}}}}
plans: {{up: {{ask: up}}}}
server: {{data: "DATA"}}
reuse: {{mode: exact, keep: all}}
"""


async def test_memory_keeps_placeholders_and_serves_each_caller_its_own_words(tmp_path):
    config = MEMORY.replace("DATA", str(tmp_path))
    async with guarded(PII, Parrot(), config=config) as (r, upstream):
        first = await r.chat(f"Dear {MAIL}", temperature=0)
        store = r.engine.recall.memory.store
        await until(lambda: sum(store.counts().values()) == 1)
        again = await r.chat("Dear bob@example.net", temperature=0)
        streamed = await r.chat("Dear eve@example.com", temperature=0, stream=True)
    stored = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    assert first.text == f"Dear {MAIL}"
    assert again.text == "Dear bob@example.net"
    assert [again.headers["x-waggle-reuse"], len(upstream.seen)] == ["exact", 1]
    assert MAIL.encode() not in stored
    assert b"eve@example.com" in streamed.body


async def test_a_count_of_tokens_sends_no_words_that_are_redacted():
    async with Upstream(script).listening() as upstream:
        url = upstream.url.removesuffix("/v1")
        async with rig(CONFIG.format(url=url) + f"guardrails: {PII}\n") as r:
            body = {"model": "claude", "messages": [{"role": "user", "content": f"hi {MAIL}"}]}
            answer = await r.post("/v1/messages/count_tokens", body)
    assert (answer.status, answer.headers["x-waggle-counted-by"]) == (200, "estimate")
    assert not upstream.seen


async def test_a_request_that_came_past_the_guards_reaches_no_backend():
    async with guarded(PII) as (r, upstream):
        body = orjson.dumps({"model": "up", "messages": [{"role": "user", "content": MAIL}]})
        request = parse_chat(body, {}, request_id="r1", key_id="")
        decision = r.engine.decide(request, backend="", allowed=())
        with pytest.raises(RuntimeError, match="came past the guards"):
            await r.engine.answer(request, decision)
    assert not upstream.seen


@pytest.mark.parametrize("stream", [False, True])
async def test_anthropics_dialect_gets_its_words_back_and_its_own_errors(stream: bool):
    guards = "[{name: pii, kind: redact}, {name: words, kind: words, words: [falcon]}]"
    async with guarded(guards) as (r, upstream):
        body = {"model": "up", "max_tokens": 9, "system": f"You serve {MAIL}", "stream": stream}
        ask = {**body, "messages": [{"role": "user", "content": f"hi {MAIL}"}]}
        answer = await r.post("/v1/messages", ask)
        ask = {**body, "messages": [{"role": "user", "content": "falcon"}]}
        blocked = await r.post("/v1/messages", ask)
    assert MAIL not in sent(upstream)
    if stream:
        events = [
            json.loads(e.partition("data: ")[2])
            for e in answer.body.decode().split("\n\n")
            if "data: {" in e
        ]
        text = "".join(
            e["delta"].get("text", "") for e in events if e["type"] == "content_block_delta"
        )
    else:
        text = answer.json["content"][0]["text"]
    assert text == f"hi {MAIL}"
    assert (blocked.status, blocked.json["type"]) == (400, "error")
    assert "guard `words` blocks" in blocked.json["error"]["message"]


@pytest.mark.parametrize("stream", [False, True])
async def test_responses_get_their_words_back(stream: bool):
    async with guarded(PII) as (r, upstream):
        body = {"model": "up", "input": f"hi {MAIL}", "instructions": f"serve {MAIL}"}
        answer = await r.post("/v1/responses", {**body, "stream": stream})
    assert MAIL not in sent(upstream)
    if stream:
        deltas = [e for e in answer.body.decode().split("\n\n") if "output_text.delta" in e]
        text = "".join(json.loads(e.partition("data: ")[2])["delta"] for e in deltas)
    else:
        text = answer.json["output"][0]["content"][0]["text"]
    assert text == f"hi {MAIL}"


@pytest.mark.parametrize("stream", [False, True])
async def test_the_schema_of_a_completion_is_checked_too(stream: bool):
    guards = "[{name: shape, kind: schema, when: after, schema: {type: object}}]"
    async with guarded(guards, Able(), config=ABLE) as (r, _):
        body = {"model": "up", "prompt": "no JSON", "stream": stream}
        answer = await r.post("/v1/completions", body)
        good = await r.post("/v1/completions", {**body, "prompt": "{}"})
    assert b"by its rule `it is not JSON`" in answer.body
    assert b"guardrail_blocked" not in good.body
