"""No body makes `/v1/responses` fail: each is answered, or refused with a reason."""

import copy
import json
from random import Random

import pytest

from experiments.dialects.response_requests import Writer
from router.dialects.fields import Untranslatable
from router.dialects.responses_events import ResponseEvents
from router.dialects.responses_items import Identity
from router.dialects.responses_reply import response_from
from router.dialects.responses_request import request_of
from tests.rig import rig
from tests.upstream import Upstream, answer_well, completion, delta

ODD = (None, True, 0, -1, 1e300, "", "x", [], {}, [None], {"type": None}, {"type": []}, [[]])
CONFIG = """
backends: {{a: {{kind: openai, base_url: "{url}", price: {{input: 1, output: 2}}}}}}
plans: {{m: {{ask: a}}}}
"""


def places(value, at=()):
    """Every place in a value, outermost first."""
    yield at
    inner = value.items() if isinstance(value, dict) else ()
    inner = enumerate(value) if isinstance(value, list) else inner
    for name, member in inner:
        yield from places(member, (*at, name))


def spoilt(seed):
    """A generated request in which some values are others than they should be."""
    random = Random(seed)
    request = copy.deepcopy(Writer(seed).request())
    for _ in range(random.randint(1, 3)):
        place = random.choice([at for at in places(request) if at and at != ("model",)])
        holder = request
        for name in place[:-1]:
            holder = holder[name]
        if random.random() < 0.15 and isinstance(holder, dict):
            del holder[place[-1]]
        else:
            holder[place[-1]] = copy.deepcopy(random.choice(ODD))
    return request


@pytest.mark.parametrize("block", range(8))
def test_a_spoilt_request_is_read_or_refused_by_name(block):
    refused = 0
    for seed in range(250 * block, 250 * (block + 1)):
        try:
            read = request_of(spoilt(seed))
        except Untranslatable as refusal:
            assert refusal.field
            refused += 1
            continue
        answer = completion("hello")
        json.dumps(response_from(read, answer, Identity("0" * 32), now=1.0))
        events = ResponseEvents(read, Identity("0" * 32), lambda: 1.0)
        assert events.take(delta("x")) + events.end()
    assert 50 < refused < 250


async def test_no_body_makes_a_500():
    seen = set()
    async with Upstream(answer_well).listening() as upstream:
        async with rig(CONFIG.format(url=upstream.url)) as r:
            for seed in range(5000, 5200):
                answer = await r.post("/v1/responses", spoilt(seed))
                assert answer.status in (200, 400, 404), (seed, answer.status, answer.body)
                seen.add(answer.status)
            for body in (b"", b"[]", b"null", b"{", b'{"model": 3}', b'{"input": "\\ud800"}'):
                answer = await r.post("/v1/responses", body)
                assert answer.status == 400, body
    assert seen >= {200, 400}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize(
    "name", ["choices", "usage", "created", "model", "message", "tool_calls", "content", "logprobs"]
)
def test_an_odd_answer_of_a_backend_is_still_written(name, odd):
    read = request_of({"model": "m", "input": "hi", "top_logprobs": 2})
    answer = completion("hello")
    choice = answer["choices"][0]
    for holder in (answer, choice, choice["message"]):
        if name in holder or (name == "tool_calls" and "role" in holder):
            holder[name] = odd
    json.dumps(response_from(read, answer, Identity("0" * 32), now=1.0))
    chunk = delta("x")
    for holder in (chunk, chunk["choices"][0], chunk["choices"][0]["delta"]):
        holder[name] = odd
    events = ResponseEvents(read, Identity("0" * 32), lambda: 1.0)
    assert events.take(chunk) + events.end()
