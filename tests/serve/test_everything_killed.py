"""Everything of a service is killed in the middle of its work, and what it acknowledged is there.

One service for all tests here. It begins in the shadow; then it is killed amid requests,
conversations and a batch, and starts again.
"""

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import openai
import pytest

from tests.conversations.recalling import RecallingModel
from tests.serve.running import CHAT, Load, Service, end_hard, own_service
from tests.upstream import Upstream, answer_well, completion
from tests.waiting import blocking_until, until

pytestmark = pytest.mark.ray

YAML = """
backends:
  a: {{kind: openai, base_url: "{url}", model: small, price: {{input: 0.1, output: 0.2}},
      capabilities: [chat, speech, transcription]}}
  b: {{kind: openai, base_url: "{url}", model: large, price: {{input: 20, output: 60}}}}
  r: {{kind: openai, base_url: "{recalling}", price: {{input: 1, output: 2}}, retry: {{times: 0}}}}
plans: {{cheap: {{ask: a}}, dear: {{ask: b}}}}
objective: {{strategy: bandit, start: shadow}}
"""
BY_R = {"x-llm-backend": "r"}  # `auto` answers for a named model while it is switched on
CALLERS = 6
LINES = 600
SOUND = bytes(range(256)) * 300


async def _script(wire):
    """A model server that answers, speaks and listens."""
    if wire.path.endswith("/speech"):
        wire.head(content_type="audio/mpeg", transfer_encoding="chunked")
        for at in range(0, len(SOUND), 10_000):
            await wire.chunk(SOUND[at : at + 10_000])
        await wire.chunk(b"")
    elif wire.path.endswith("/transcriptions"):
        await wire.json({"text": "bees" if SOUND in wire.body else "?"})
    elif wire.fields.get("stream"):
        await answer_well(wire)
    else:
        await wire.json(completion(wire.fields["messages"][-1]["content"]))


class Caller(threading.Thread):
    """Tells one fact after another in one chain, until the service is gone."""

    def __init__(self, url: str, number: int) -> None:
        super().__init__(daemon=True)
        self.client = openai.OpenAI(base_url=f"{url}/v1", api_key="x", max_retries=0)
        self.number, self.acknowledged = number, list[str]()

    def run(self) -> None:
        previous = None
        while True:
            fact = f"The code of N{len(self.acknowledged)} is {self.number}."
            try:
                with self.client.responses.stream(
                    model="r", input=fact, previous_response_id=previous, extra_headers=BY_R
                ) as stream:
                    previous = stream.get_final_response().id
            except openai.OpenAIError:
                return
            self.acknowledged.append(previous)


@pytest.fixture(scope="module")
def upstream(background) -> Upstream:
    return background.upstream(_script)


@pytest.fixture(scope="module")
def service(background, upstream, tmp_path_factory) -> Iterator[Service]:
    recalling = background.upstream(RecallingModel())
    text = YAML.format(url=upstream.url, recalling=recalling.url)
    with own_service(tmp_path_factory.mktemp("killed"), text) as service:
        yield service


@pytest.fixture(scope="module")
def client(service) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=service.url + "/v1", api_key="x") as client:
        yield client


def _lines_of(upstream: Upstream) -> int:
    """How many lines of the batch the model server got."""
    return sum(b'"line ' in wire.body for wire in upstream.seen)


def _line(number: int) -> str:
    messages = [{"role": "user", "content": f"line {number}"}]
    body = {"model": "cheap", "messages": messages}
    return json.dumps({"custom_id": f"c{number}", "method": "POST", "url": CHAT, "body": body})


async def _plan_becomes(service, plan):
    """Name `large` until this plan answers. Routers hear of a switch within a second."""

    async def answers():
        answer = await service.chat(model="large")
        assert answer.status == 200, answer.json
        return answer.headers["x-waggle-plan"] == plan

    await until(answers)


@pytest.mark.slow
async def test_in_the_shadow_it_tells_what_auto_would_do(service):
    for n in range(12):
        answer = await service.chat(f"hi {n}", model="large")
        assert answer.headers["x-waggle-plan"] == "dear"
        given = {"score": 1, "request_id": answer.headers["x-waggle-request-id"]}
        assert (await service.post("/v1/feedback", given)).status == 200

    async def is_told():
        report = (await service.get("/v1/learner")).json
        standing = report.get("shadow", {})
        return report.get("learned") and standing.get("noted") == 12 and standing

    service.kill("learner")  # another process reads everything again
    standing = await until(is_told)
    assert standing["state"] == "shadow"
    assert "Foretold, not measured: `auto` would have saved about $" in standing["words"]
    assert "callers always name `dear`" in standing["words"]
    assert "objective.shadow_explore: 0.05" in standing["words"]
    report = await service.run_beside("report")
    assert "What auto would have saved" in report
    (row,) = service.query("select named, auto_plan, count(*) n from shadow_requests group by all")
    assert row == {"named": "dear", "auto_plan": "cheap", "n": 12}


def test_it_speaks_and_listens(client):
    spoken = client.audio.speech.create(model="auto", voice="alloy", input="Bees.")
    heard = client.audio.transcriptions.create(model="auto", file=("s.mp3", SOUND))
    assert spoken.content == SOUND
    assert heard.text == "bees"


@dataclass(frozen=True)
class Acknowledged:
    """What callers were told before everything was killed."""

    answered: frozenset[str]
    judged: frozenset[str]
    callers: list[Caller]
    batch: str


@pytest.fixture(scope="module")
def acknowledged(service, client, upstream) -> Acknowledged:
    """An operator switches `auto` on, and the service works, is killed and starts again."""
    asyncio.run(_switched_on(service))
    acknowledged = asyncio.run(_killed_at_work(service, client, upstream))
    assert "no service runs" in service.run("status", check=False).stderr
    service.start()
    return acknowledged


async def _switched_on(service: Service) -> None:
    await service.run_beside("policy", "live")
    await _plan_becomes(service, "cheap")


async def _killed_at_work(
    service: Service, client: openai.OpenAI, upstream: Upstream
) -> Acknowledged:
    callers = [Caller(service.url, number) for number in range(CALLERS)]
    judged = []
    async with Load(service, model="cheap") as load:
        await load.more(200)
        for request_id in load.ids[:20]:
            feedback = {"request_id": request_id, "thumbs": "up"}
            assert (await service.post("/v1/feedback", feedback)).status == 200
            judged.append(request_id)
        for caller in callers:
            caller.start()
        await until(lambda: all(len(caller.acknowledged) > 5 for caller in callers))
        batch = await asyncio.to_thread(_new_batch, client)
        await until(lambda: _lines_of(upstream) > 50)
        end_hard(service)
    for caller in callers:
        caller.join()
    assert _lines_of(upstream) < LINES
    outcomes = zip(load.ids, load.statuses, strict=False)
    answered = frozenset(id_ for id_, status in outcomes if status == 200)
    return Acknowledged(answered, frozenset(judged), callers, batch)


def _new_batch(client: openai.OpenAI) -> str:
    content = "\n".join(map(_line, range(LINES))).encode()
    file = client.files.create(file=("in.jsonl", content), purpose="batch")
    return client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h").id


async def test_a_switch_by_an_operator_outlives_it_and_can_be_undone(service, acknowledged):
    await _plan_becomes(service, "cheap")
    by_header = await service.chat(headers={"x-llm-backend": "b"})
    assert by_header.headers["x-waggle-backend"] == "b"

    def switches():
        with contextlib.suppress(duckdb.Error):
            return service.query("select state from events where kind = 'switch' order by ts")

    assert switches() == [{"state": "live"}]
    await service.run_beside("policy", "shadow")
    await _plan_becomes(service, "dear")
    await until(lambda: len(switches() or ()) == 2)
    assert switches()[-1] == {"state": "in the shadow again"}
    done = service.run("policy", "shadow", check=False)
    assert done.returncode
    assert "in the shadow already" in done.stderr


def test_every_acknowledged_turn_of_a_conversation_is_remembered(acknowledged):
    for caller in acknowledged.callers:
        last = len(caller.acknowledged) - 1
        answer = caller.client.responses.create(
            model="r",
            input=f"What is the code of N0? What is the code of N{last}?",
            previous_response_id=caller.acknowledged[-1],
            extra_headers=BY_R,
        )
        assert answer.output_text == f"{caller.number}, {caller.number}"
        for id_ in caller.acknowledged:
            assert caller.client.responses.retrieve(id_).id == id_
        caller.client.close()


def test_each_line_of_a_batch_is_answered_exactly_once(client, upstream, acknowledged):
    blocking_until(lambda: client.batches.retrieve(acknowledged.batch).status == "completed")
    record = client.batches.retrieve(acknowledged.batch)
    output = client.files.content(record.output_file_id).text
    ids = [json.loads(line)["custom_id"] for line in output.splitlines()]
    assert sorted(ids) == sorted(f"c{number}" for number in range(LINES))
    assert record.request_counts.completed == LINES
    assert _lines_of(upstream) <= LINES + 4  # lines under way were asked again


def test_no_row_and_no_judgment_is_lost_and_none_is_there_twice(service, acknowledged):
    assert service.run("ask", "hi").stdout == "one two three\n"
    service.run("stop")
    assert service.process.wait(60) == 0
    rows = service.query("select request_id, quality from requests")
    assert acknowledged.answered <= {row["request_id"] for row in rows}
    assert acknowledged.judged <= {row["request_id"] for row in rows if row["quality"] == 1}
    assert len(rows) == len({row["request_id"] for row in rows})
    assert "Nothing is damaged" in service.run("telemetry", "verify").stdout
