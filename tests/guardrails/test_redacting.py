"""Personal data leaves in placeholders and comes back in the answer; no backend sees it."""

import json

import pytest

from router.telemetry.rows import request_row
from tests.guarded import Parrot, chunks_of, guarded, text_of

PII = "[{name: pii, kind: redact}]"
MAIL, PHONE, CARD, IBAN = (
    "ann@example.org",
    "+49 170 1234567",
    "4237 0473 0836 9147",
    "DE13889735663255933781",
)
WORDS = f"Write to {MAIL} or call {PHONE}; card {CARD}, IBAN {IBAN}."
SECRETS = (MAIL, PHONE, CARD, IBAN)


async def test_a_backend_sees_placeholders_and_the_caller_sees_the_words():
    async with guarded(PII) as (r, upstream):
        answer = await r.chat(WORDS)
    sent = upstream.seen[0].body.decode()
    assert not [secret for secret in SECRETS if secret in sent]
    prompt = json.loads(sent)["messages"][0]["content"]
    assert prompt == "Write to [EMAIL_1] or call [PHONE_1]; card [CARD_1], IBAN [IBAN_1]."
    assert answer.text == WORDS
    assert answer.headers["x-waggle-guard"] == "pii=redacted"
    assert float(answer.headers["x-waggle-guard-ms"].removeprefix("pii=")) > 0


@pytest.mark.parametrize("width", [1, 2, 3, 5, 8, 200])
async def test_a_placeholder_torn_over_pieces_of_a_stream_comes_back(width: int):
    async with guarded(PII, Parrot(width=width)) as (r, upstream):
        answer = await r.chat(f"{WORDS} {MAIL}", stream=True)
    assert "[EMAIL_1]" in upstream.seen[0].body.decode()
    assert text_of(answer) == f"{WORDS} {MAIL}"
    assert b"data: [DONE]" in answer.body


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("width", [1, 4, 7])
async def test_arguments_of_a_tool_call_come_back_as_json(stream: bool, width: int):
    parrot = Parrot("", width=width)
    parrot.tool_arguments = '{"to": "[EMAIL_1]", "cc": ["[EMAIL_2]", "[EMAIL_9]"]}'
    async with guarded(PII, parrot) as (r, _):
        answer = await r.chat("a@b.org and c@d.org", stream=stream)
    if stream:
        deltas = [c["choices"][0]["delta"] for c in chunks_of(answer) if c["choices"]]
        calls = [item for d in deltas for item in d.get("tool_calls", ())]
        arguments = "".join(item["function"].get("arguments", "") for item in calls)
    else:
        arguments = answer.json["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]
    assert json.loads(arguments) == {"to": "a@b.org", "cc": ["c@d.org", "[EMAIL_9]"]}


async def test_a_look_alike_of_the_caller_stays_what_it_is():
    words = "[EMAIL_1] and [EMAIL_2] are placeholders, ann@example.org is not"
    async with guarded(PII) as (r, upstream):
        answer = await r.chat(words)
        streamed = await r.chat(words, stream=True)
    prompt = upstream.seen[0].fields["messages"][0]["content"]
    assert prompt == "[EMAIL_1] and [EMAIL_2] are placeholders, [EMAIL_3] is not"
    assert answer.text == text_of(streamed) == words


async def test_every_text_of_a_request_is_redacted():
    secrets = [f"person{n}@example.org" for n in range(16)]
    s = iter(secrets)
    body = {
        "model": "up",
        "messages": [
            {"role": "system", "content": f"You serve {next(s)}."},
            {"role": "developer", "content": next(s)},
            {"role": "user", "name": next(s), "content": [{"type": "text", "text": next(s)}]},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "c1",
                        "type": "function",
                        "function": {
                            "name": "send",
                            "arguments": json.dumps(
                                {"to": next(s), next(s): 1, "card": 4237047308369147}
                            ).replace("@", "\\u0040"),
                        },
                    }
                ],
            },
            {"role": "tool", "tool_call_id": "c1", "content": f'{{"mail":"{next(s)}"}}'},
            {
                "role": "user",
                "content": [
                    {"type": "image_url", "image_url": {"url": f"https://x.org/?u={next(s)}"}},
                    {"type": "text", "text": f"line\\n{next(s)}"},
                ],
            },
        ],
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "send",
                    "description": f"Ask {next(s)} first",
                    "parameters": {"properties": {"to": {"enum": [next(s)]}}},
                },
            }
        ],
        "response_format": {"type": "json_object", "note": next(s)},
        "metadata": {"owner": next(s), next(s): "x"},
        "user": next(s),
        "stop": [next(s)],
    }
    raw = json.dumps(body)
    assert not list(s)
    async with guarded(PII) as (r, upstream):
        answer = await r.post("/v1/chat/completions", body)
    assert answer.status == 200
    sent = upstream.seen[0].body.decode()
    decoded = sent.replace("\\\\u0040", "@").replace("\\u0040", "@")
    assert [secret for secret in secrets if secret in decoded] == []
    assert "4237047308369147" not in decoded
    assert "4237047308369147" in raw
    arguments = json.loads(sent)["messages"][3]["tool_calls"][0]["function"]["arguments"]
    assert json.loads(arguments)["card"] == "[CARD_1]"


async def test_a_member_that_stands_twice_hides_nothing():
    body = (
        b'{"model": "up", "messages": [{"role": "user", "content": "ann@example.org"}],'
        b' "messages": [{"role": "user", "content": "hi"}]}'
    )
    async with guarded(PII) as (r, upstream):
        answer = await r.post("/v1/chat/completions", body)
    assert (answer.status, answer.text) == (200, "hi")
    assert b"ann@example.org" not in upstream.seen[0].body


async def test_a_request_without_personal_data_keeps_its_bytes():
    body = b'{"model":  "up", "messages": [{"role": "user", "content": "hi"}], "n": 1}'
    async with guarded(PII) as (r, upstream):
        await r.post("/v1/chat/completions", body)
    assert upstream.seen[0].body == body.replace(b'"up"', b'"up-1"')


async def test_the_next_turn_has_the_same_placeholders():
    first = [{"role": "user", "content": f"Mail {MAIL}"}]
    then = [
        *first,
        {"role": "assistant", "content": f"Sent to {MAIL}."},
        {"role": "user", "content": f"Now call {PHONE} and mail b@c.org"},
    ]
    async with guarded(PII) as (r, upstream):
        for messages in (first, then):
            await r.post("/v1/chat/completions", {"model": "up", "messages": messages})
    opening, later = (wire.fields["messages"] for wire in upstream.seen)
    assert later[0] == opening[0]
    assert later[1]["content"] == "Sent to [EMAIL_1]."
    assert later[2]["content"] == "Now call [PHONE_1] and mail [EMAIL_2]"


async def test_telemetry_keeps_the_placeholders():
    more = "telemetry: {prompts: true, answers: true}\n"
    async with guarded(PII, more=more) as (r, _):
        await r.chat(WORDS)
        await r.chat(WORDS, stream=True)
        rows = [json.dumps(request_row(trace)) for trace in r.journal.traces]
    assert len(rows) == 2
    for row in rows:
        assert [secret for secret in SECRETS if secret in row] == []
        assert json.loads(row)["answer"].startswith("Write to [EMAIL_1]")
        assert json.loads(row)["guard"] == "pii"
        assert json.loads(row)["guards"][0]["rule"] == "email, phone, card, iban"


async def test_an_error_of_the_backend_that_quotes_a_placeholder_comes_back_with_the_words():
    async def refusing(wire):
        message = wire.fields["messages"][0]["content"]
        await wire.json({"error": {"message": f"I do not like {message}"}}, status=400)

    async with guarded(PII, refusing) as (r, _):
        answer = await r.chat(MAIL)
    assert answer.error["message"] == f"I do not like {MAIL}"


async def test_the_route_tells_no_more_than_placeholders():
    async with guarded(PII) as (r, upstream):
        body = {"model": "auto", "messages": [{"role": "user", "content": WORDS}]}
        answer = await r.post("/v1/route", body)
    assert not upstream.seen
    assert [secret for secret in SECRETS if secret in answer.body.decode()] == []
    assert answer.json["guards"][0] == answer.json["guards"][0] | {
        "guard": "pii",
        "outcome": "redacted",
    }


async def test_the_explanation_tells_what_each_guard_did_and_its_time():
    async with guarded(PII) as (r, _):
        answer = await r.chat(MAIL, headers={"x_waggle_explain": "true"})
    [note] = answer.json["waggle"]["guards"]
    assert (note["guard"], note["at"], note["outcome"], note["rule"]) == (
        "pii", "before", "redacted", "email",
    )  # fmt: skip
    assert note["ms"] > 0


async def test_a_guard_of_answers_masks_what_the_request_did_not_say():
    guards = "[{name: pii, kind: redact, when: both}]"
    says = f"[EMAIL_1] knows eve@example.com and {CARD}"
    for width in (1, 5, 400):
        async with guarded(guards, Parrot(says, width=width)) as (r, _):
            whole = await r.chat(MAIL)
            streamed = await r.chat(MAIL, stream=True)
        assert whole.text == text_of(streamed) == f"{MAIL} knows [EMAIL] and [CARD]"
        assert "eve@example" not in streamed.body.decode()


async def test_guards_of_some_keys_leave_other_callers_alone():
    async with guarded("[{name: pii, kind: redact, keys: [k1]}]") as (r, upstream):
        await r.chat(MAIL)
    assert MAIL in upstream.seen[0].body.decode()


async def test_embeddings_get_placeholders_too():
    config = (
        'backends: {{up: {{kind: openai, base_url: "{url}", model: e-1,'
        " capabilities: [embeddings]}}}}\nplans: {{up: {{ask: up}}}}\n"
    )

    async def embed(wire):
        data = [{"index": 0, "embedding": [0.1], "object": "embedding"}]
        await wire.json({"object": "list", "data": data, "usage": {"prompt_tokens": 1}})

    async with guarded(PII, embed, config=config) as (r, upstream):
        answer = await r.post("/v1/embeddings", {"model": "up", "input": [MAIL, "hi"]})
    assert answer.status == 200
    assert upstream.seen[0].fields["input"] == ["[EMAIL_1]", "hi"]
