"""What is passed through arrives as it was sent, through the official client and byte for byte."""

import asyncio
import io

import openai
import orjson
import pytest

from router.config.config import Config
from router.keys import new_key
from router.telemetry.rows import request_row
from tests.rig import rig
from tests.upstream import Upstream, completion
from tests.waiting import until

TEXT = """
backends:
  words: {{kind: openai, base_url: "{url}", model: gpt-words, capabilities: [completions, moderations, rerank],
          price: {{input: 1, output: 2, search: 0.002}}, retry: {{times: 0}}}}
  free: {{kind: openai, base_url: "{url}", capabilities: [moderations], price: {{input: 0, output: 0}},
         retry: {{times: 0}}}}
  draw: {{kind: openai, base_url: "{url}", model: painter, capabilities: [image_generation],
         price: {{input: 0, output: 0, image: 0.04}}, retry: {{times: 0}}}}
  ears: {{kind: openai, base_url: "{url}", model: whisper, capabilities: [transcription],
         price: {{input: 0, output: 0, minute: 0.006}}, retry: {{times: 0}}}}
  voice: {{kind: openai, base_url: "{url}", model: tts, capabilities: [speech],
          price: {{input: 0, output: 0, characters: 15}}, retry: {{times: 0}}}}
  cheap-voice: {{kind: openai, base_url: "{url}", model: tts-mini, capabilities: [speech],
                price: {{input: 0, output: 0, characters: 5}}, retry: {{times: 0}}}}
  dark-voice: {{kind: openai, base_url: "{url}", model: tts-x, capabilities: [speech], retry: {{times: 0}}}}
  chat: {{kind: openai, base_url: "{url}"}}
plans: {{p: {{ask: chat}}, loud: {{ask: voice}}}}
"""  # noqa: E501
OLD = pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # the client says so
AUDIO = bytes(range(256)) * 400
PNG = b"\x89PNG\r\n\x1a\n--not a boundary\r\n" + bytes(range(256)) * 20


async def script(wire):
    """A model server that draws, speaks, listens, ranks and moderates."""
    path = wire.path.removeprefix("/v1")
    if path == "/completions":
        await complete(wire)
    elif path == "/moderations":
        result = {"flagged": False, "categories": {}, "category_scores": {}}
        await wire.json({"id": "modr-1", "model": "m", "results": [result]})
    elif path == "/rerank":
        results = [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}]
        await wire.json({"id": "r", "results": results, "usage": {"total_tokens": 42}})
    elif path.startswith("/images/"):
        await wire.json({"created": 1, "data": [{"b64_json": "AAAA"}, {"b64_json": "BBBB"}]})
    elif path == "/audio/speech":
        wire.head(content_type="audio/mpeg", transfer_encoding="chunked")
        for at in range(0, len(AUDIO), 10_000):
            await wire.chunk(AUDIO[at : at + 10_000])
        await wire.chunk(b"")
    elif b"srt" in wire.body:
        await wire.json(b"1\n00:00:00,000 --> 00:00:01,000\nBees.\n", content_type="text/plain")
    else:
        usage = {"type": "duration", "seconds": 30}
        await wire.json({"text": "Bees dance.", "usage": usage})


async def complete(wire):
    if not wire.fields.get("stream"):
        choice = {"index": 0, "text": "a dance", "logprobs": None, "finish_reason": "stop"}
        await wire.json(completion() | {"object": "text_completion", "choices": [choice]})
        return
    wire.events()
    base = {"id": "c", "object": "text_completion", "created": 1, "model": "m"}
    for text, finish in (("one ", None), ("two", None), ("", "stop")):
        choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": finish}
        await wire.event(base | {"choices": [choice]})
    await wire.event(base | {"choices": [], "usage": completion()["usage"]})
    await wire.event(b"[DONE]")
    await wire.chunk(b"")


def client(r, key="none"):
    return openai.AsyncOpenAI(base_url=r.url + "/v1", api_key=key, max_retries=0)


class Passed:
    """A router over one upstream, which a test talks to."""

    def __init__(self, script=script, keys=()):
        self.upstream, self.keys = Upstream(script), keys

    async def __aenter__(self):
        self.stack = [self.upstream.listening()]
        up = await self.stack[0].__aenter__()
        self.stack.append(rig(TEXT.format(url=up.url), keys=self.keys))
        self.rig = await self.stack[1].__aenter__()
        return self.rig, up

    async def __aexit__(self, *error):
        for context in reversed(self.stack):
            await context.__aexit__(*error)


def row(r):
    return request_row(r.journal.traces[-1])


async def test_a_completion_is_answered_and_streamed_with_its_cost():
    async with Passed() as (r, up), client(r) as c:
        whole = await c.completions.create(model="words", prompt="What do bees do?")
        stream = await c.completions.create(model="auto", prompt="x", stream=True)
        chunks = [chunk async for chunk in stream]
    assert whole.choices[0].text == "a dance"
    assert whole.usage.cost == pytest.approx((100 * 1 + 50 * 2) / 1e6)
    assert "".join(chunk.choices[0].text for chunk in chunks if chunk.choices) == "one two"
    assert chunks[-1].usage.cost == whole.usage.cost
    assert [wire.fields["model"] for wire in up.seen] == ["gpt-words", "gpt-words"]
    assert up.seen[1].fields["stream_options"] == {"include_usage": True}
    assert (row(r)["gen_ai_operation_name"], row(r)["backend"]) == ("completions", "words")


async def test_moderations_ask_the_cheapest_backend_though_no_model_is_named():
    async with Passed() as (r, _up), client(r) as c:
        answer = await c.moderations.with_raw_response.create(input="is this bad?")
    assert answer.parse().results[0].flagged is False
    assert answer.headers["x-waggle-backend"] == "free"
    assert answer.headers["x-waggle-strategy"] == "by_price"
    assert answer.headers["x-waggle-cost-usd"] == "0"
    assert "usage" not in orjson.loads(answer.content)  # the body is the backend's own
    assert row(r)["strategy"] == "by_price"
    assert row(r)["gen_ai_operation_name"] == "moderations"


@OLD
async def test_images_cost_what_their_number_costs():
    async with Passed() as (r, up), client(r) as c:
        made = await c.images.with_raw_response.generate(model="draw", prompt="a bee", n=2)
        edited = await c.images.with_raw_response.edit(image=("b.png", PNG), prompt="a hat")
        varied = await c.images.create_variation(model="painter", image=("b.png", PNG))
    assert [image.b64_json for image in made.parse().data] == ["AAAA", "BBBB"]
    assert made.headers["x-waggle-cost-usd"] == edited.headers["x-waggle-cost-usd"] == "0.08"
    assert len(varied.data) == 2
    assert [wire.path for wire in up.seen] == [
        "/v1/images/generations", "/v1/images/edits", "/v1/images/variations"
    ]  # fmt: skip
    assert PNG in up.seen[1].body
    assert b'name="model"\r\n\r\npainter\r\n' in up.seen[1].body


async def test_speech_arrives_byte_for_byte_and_in_pieces():
    async with Passed() as (r, _up), client(r) as c:
        async with c.audio.speech.with_streaming_response.create(
            model="voice", voice="alloy", input="Bees dance." * 100
        ) as answer:
            pieces = [piece async for piece in answer.iter_bytes()]
            headers = answer.headers
        whole = await c.audio.speech.create(model="auto", voice="alloy", input="Bees.")
    assert b"".join(pieces) == AUDIO == whole.content
    assert len(pieces) > 1
    assert headers["content-type"] == "audio/mpeg"
    assert row(r)["cost_usd"] == pytest.approx(5 * 5 / 1e6)
    assert row(r)["backend"] == "cheap-voice"
    assert row(r)["answer_bytes"] == len(AUDIO)


@OLD
async def test_a_sound_is_transcribed_and_its_form_changes_in_the_model_alone():
    async with Passed() as (r, up), client(r) as c:
        text = await c.audio.transcriptions.create(
            model="ears", file=("s.mp3", AUDIO), language="en"
        )
        cost = row(r)["cost_usd"]
        srt = await c.audio.translations.create(
            model="whisper", file=("s.mp3", AUDIO), response_format="srt"
        )
    assert text.text == "Bees dance."
    assert cost == pytest.approx(0.003)  # half a minute
    assert "-->" in srt
    assert row(r)["cost_usd"] is None  # the answer says no duration
    sent = up.seen[0]
    boundary = sent.headers["content-type"].partition("boundary=")[2].encode()
    assert sent.body.count(boundary) == 4
    assert AUDIO in sent.body
    assert b"whisper" in sent.body
    assert b"ears" not in sent.body


async def test_rerank_passes_through_and_costs_a_search():
    async with Passed() as (r, up):
        body = {"model": "words", "query": "bees", "documents": ["a", "b"], "future": 1}
        answer = await r.post("/v1/rerank", body)
    assert [each["index"] for each in answer.json["results"]] == [1, 0]
    assert answer.headers["x-waggle-cost-usd"] == "0.002"
    assert up.seen[0].fields["future"] == 1


async def test_the_next_backend_answers_where_the_cheapest_fails():
    async def failing(wire):
        if wire.fields["model"] == "tts-mini":
            await wire.json({"error": {"message": "down"}}, status=500)
        else:
            await script(wire)

    async with Passed(failing) as (r, _up), client(r) as c:
        answer = await c.audio.speech.with_raw_response.create(
            model="auto", voice="a", input="Bees."
        )
    assert answer.content == AUDIO
    assert answer.headers["x-waggle-attempts"] == "2"
    assert row(r)["backend"] == "voice"


async def test_a_refusal_of_the_backend_is_the_callers_answer():
    async def refusing(wire):
        await wire.json({"error": {"message": "no such voice", "code": "bad_voice"}}, status=400)

    async with Passed(refusing) as (r, _), client(r) as c:
        for asking in (
            c.audio.speech.create(model="voice", voice="x", input="a"),
            c.images.generate(model="draw", prompt="a"),
            c.completions.create(model="words", prompt="a"),
        ):
            with pytest.raises(openai.BadRequestError, match="no such voice"):
                await asking
        assert row(r)["error_type"] == "refused_by_backend"


async def test_a_sound_that_breaks_off_is_never_taken_for_whole():
    async def breaking(wire):
        wire.head(content_type="audio/mpeg", transfer_encoding="chunked")
        await wire.chunk(AUDIO[:5000])
        wire.close()

    async with Passed(breaking) as (r, _), client(r) as c:
        with pytest.raises(openai.APIConnectionError):
            await c.audio.speech.create(model="voice", voice="x", input="a")
        assert (row(r)["status"], row(r)["error_type"]) == (502, "stream_broken")


async def test_a_stream_of_events_passes_with_its_usage_counted():
    async def events(wire):
        wire.events()
        for at in range(3):
            await wire.event({"type": "image_generation.partial_image", "b64_json": "A" * at})
        usage = {"input_tokens": 7, "output_tokens": 11, "total_tokens": 18}
        await wire.event({"type": "image_generation.completed", "b64_json": "B", "usage": usage})
        await wire.chunk(b"")

    async with Passed(events) as (r, _), client(r) as c:
        stream = await c.images.generate(model="draw", prompt="a", stream=True, partial_images=2)
        kinds = [event.type async for event in stream]
    assert kinds[-1] == "image_generation.completed"
    assert len(kinds) == 4
    assert row(r)["gen_ai_usage_output_tokens"] == 11
    assert row(r)["cost_usd"] == 0.04


@pytest.mark.parametrize(
    ("path", "body", "status", "shown"),
    [
        ("/v1/completions", {"model": "auto"}, 400, "`prompt` must be"),
        ("/v1/completions", {"model": "auto", "prompt": "x", "stream": 3}, 400, "`stream`"),
        ("/v1/completions", {"model": "chat", "prompt": "x"}, 404, "completes texts"),
        ("/v1/completions", {"model": "p", "prompt": "x"}, 400, "cannot do completions"),
        ("/v1/completions", {"prompt": "x"}, 400, "`model` must be a string"),
        ("/v1/rerank", {"model": "auto", "query": [1], "documents": []}, 400, "`query` must be"),
        ("/v1/moderations", {}, 400, "`input` must be"),
        ("/v1/moderations", {"input": "x", "model": "nobody"}, 404, "does not exist"),
        ("/v1/images/generations", {"prompt": ""}, 400, "an empty string"),
        ("/v1/audio/speech", {"model": "auto", "input": {}}, 400, "`input` must be"),
    ],
)
async def test_a_wrong_request_is_told_what_to_mend(path, body, status, shown):
    async with Passed() as (r, up):
        answer = await r.post(path, body)
        assert answer.status == status, answer.json
        assert shown in answer.json["error"]["message"]
        assert up.seen == []


def form(*parts, boundary="xyz", end="--"):
    pieces = [f"--{boundary}\r\n{head}\r\n\r\n".encode() + body + b"\r\n" for head, body in parts]
    return b"".join(pieces) + f"--{boundary}{end}\r\n".encode()


NAME = 'Content-Disposition: form-data; name="{}"'
FILE = (NAME.format("file") + '; filename="a.mp3"', b"sound")
MODEL = (NAME.format("model"), b"ears")


@pytest.mark.parametrize(
    ("body", "kind", "shown"),
    [
        (form(MODEL), "multipart/form-data; boundary=xyz", "needs a file in the field `file`"),
        (form(FILE), "multipart/form-data; boundary=xyz", "`model` must be a string"),
        (form(FILE, MODEL, MODEL), "multipart/form-data; boundary=xyz", "more than once"),
        (form(FILE, (MODEL[0] + '; filename="m"', b"x")), "multipart/form-data; boundary=xyz",
         "must be a text, not a file"),
        (form(FILE, MODEL), "multipart/form-data", "`Content-Type` must name a boundary"),
        (form(FILE, MODEL), "multipart/form-data; boundary=abc", "begin with its boundary"),
        (form(FILE, MODEL)[:-8], "multipart/form-data; boundary=xyz", "last boundary is missing"),
        (form(FILE, MODEL, end="x"), "multipart/form-data; boundary=xyz", "must end its line"),
        (form(FILE, ("X: y", b"")), "multipart/form-data; boundary=xyz", "Part 2 of the form"),
        (form(*[FILE] * 200), "multipart/form-data; boundary=xyz", "more than 128 parts"),
        (form(FILE, (MODEL[0] + "\r\n" + MODEL[0], b"x")), "multipart/form-data; boundary=xyz",
         "must have one header"),
        (form(FILE, MODEL, (NAME.format("prompt"), b"x" * 2**21)),
         "multipart/form-data; boundary=xyz", "at most 1048576 bytes"),
        (b"", "multipart/form-data; boundary=xyz", "begin with its boundary"),
    ],
)  # fmt: skip
async def test_a_malformed_form_is_refused_by_its_rule(body, kind, shown):
    async with Passed() as (r, up):
        headers = {"content-type": kind, "authorization": "Bearer none"}
        url = r.url + "/v1/audio/transcriptions"
        async with r.client.post(url, data=io.BytesIO(body), headers=headers) as answer:
            error = (await answer.json())["error"]
        assert answer.status == 400
        assert shown in error["message"]
        assert up.seen == []


async def test_no_web_page_can_send_a_form_to_a_service_without_keys():
    kind = {"content-type": "multipart/form-data; boundary=xyz"}
    async with Passed() as (r, up):
        url = r.url + "/v1/audio/transcriptions"
        for page in ({}, {"sec-fetch-site": "same-site"}, {"origin": "https://evil.example"}):
            async with r.client.post(url, data=form(FILE, MODEL), headers=kind | page) as answer:
                assert answer.status == 403
        assert up.seen == []
        signed = kind | {"authorization": "Bearer none"}
        async with r.client.post(url, data=form(FILE, MODEL), headers=signed) as answer:
            assert answer.status == 200


async def test_a_key_is_held_to_its_plans_and_its_dollars():
    text, key = new_key("app", "", plans=("loud",), limits={"dollars_per_day": 0.02})
    async with Passed(keys=(key,)) as (r, up), client(r, text) as c:
        answer = await c.audio.speech.with_raw_response.create(
            model="auto", voice="a", input="x" * 1000
        )
        assert answer.headers["x-waggle-backend"] == "voice"  # the only one of its plans
        with pytest.raises(openai.PermissionDeniedError, match="may not use `cheap-voice`"):
            await c.audio.speech.create(model="cheap-voice", voice="a", input="x")
        with pytest.raises(openai.RateLimitError):
            await c.audio.speech.create(model="auto", voice="a", input="x" * 1000)
        assert len(up.seen) == 1


@OLD
async def test_where_the_cost_of_an_answer_is_unknown_the_key_is_charged_what_was_likely():
    text, key = new_key("app", "", limits={"dollars_per_day": 1})
    async with Passed(keys=(key,)) as (r, _), client(r, text) as c:
        for _ in range(2):
            await c.audio.translations.create(
                model="ears", file=("s.mp3", AUDIO), response_format="srt"
            )
        (account,) = r.engine.allowances._accounts.values()
        spent = sum(account.usd.values())
    minutes = len(AUDIO) / (16_000 * 60)
    assert spent == pytest.approx(2 * minutes * 0.006, rel=0.05)


async def test_an_unknown_price_is_no_price_of_zero():
    async with Passed() as (r, _), client(r) as c:
        answer = await c.audio.speech.with_raw_response.create(
            model="dark-voice", voice="a", input="x"
        )
        assert "x-waggle-cost-usd" not in answer.headers
        assert row(r)["cost_usd"] is None
        refused = await r.post(
            "/v1/audio/speech",
            {"model": "auto", "input": "x" * 1000, "voice": "a"},
            x_waggle_max_cost="0.001",
        )
    assert refused.status == 400
    assert "dark-voice: has no known price" in refused.json["error"]["message"]
    assert "voice: costs about $0.015" in refused.json["error"]["message"]


async def test_a_caller_who_leaves_ends_the_call():
    async def forever(wire):
        wire.head(content_type="audio/mpeg", transfer_encoding="chunked")
        await wire.chunk(b"first")
        await asyncio.Event().wait()

    async with Passed(forever) as (r, _up), client(r) as c:
        async with c.audio.speech.with_streaming_response.create(
            model="voice", voice="x", input="a"
        ) as answer:
            async for piece in answer.iter_bytes():
                assert piece == b"first"
                break
        await until(lambda: r.journal.traces)
    assert row(r)["status"] == 499


async def test_this_machine_ranks_by_its_own_encoder(encoders):
    text = f'backends: {{e: {{kind: encoder, encoders: "{encoders}"}}, g: {{kind: generator}}}}\n'
    async with rig(text + "plans: {q: {ask: g}}") as r:
        documents = ["The bond market fell.", "Bees dance to show flowers.", {"text": "A car."}]
        body = {"model": "auto", "query": "How do bees tell of flowers?", "documents": documents}
        answer = await r.post("/v1/rerank", body | {"top_n": 2, "return_documents": True})
        wrong = await r.post("/v1/rerank", body | {"documents": ["x", 3]})
    results = answer.json["results"]
    assert results[0]["index"] == 1
    assert len(results) == 2
    assert results[0]["document"] == {"text": "Bees dance to show flowers."}
    assert 1 >= results[0]["relevance_score"] > results[1]["relevance_score"] >= 0
    assert answer.headers["x-waggle-cost-usd"] == "0"
    assert "documents[1] must be a text" in wrong.json["error"]["message"]


def test_a_kind_that_cannot_do_it_is_refused_in_the_configuration():
    raw = {
        "backends": {"g": {"kind": "generator", "capabilities": ["chat", "speech"]}},
        "plans": {"p": {"ask": "g"}},
    }
    with pytest.raises(ValueError, match="capabilities = speech: a backend of this kind cannot"):
        Config.model_validate(raw)
