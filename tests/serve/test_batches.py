"""A real service, killed whole in the middle of a batch, answers each line exactly once."""

import json

import openai
import pytest

from tests.serve.running import CHAT, end_hard, own_service
from tests.upstream import completion
from tests.waiting import blocking_until

pytestmark = pytest.mark.ray

LINES = 600
SOUND = bytes(range(256)) * 300
BACKENDS = """
backends:
  a: {{kind: openai, base_url: "{url}", price: {{input: 1, output: 2}},
      capabilities: [chat, speech, transcription]}}
plans: {{fast: {{ask: a}}}}
"""


async def _script(wire):
    """A model server that answers, speaks and listens."""
    if wire.path.endswith("/speech"):
        wire.head(content_type="audio/mpeg", transfer_encoding="chunked")
        for at in range(0, len(SOUND), 10_000):
            await wire.chunk(SOUND[at : at + 10_000])
        await wire.chunk(b"")
    elif wire.path.endswith("/transcriptions"):
        await wire.json({"text": "bees" if SOUND in wire.body else "?"})
    else:
        await wire.json(completion(wire.fields["messages"][-1]["content"]))


def _line(number: int) -> str:
    body = {"model": "fast", "messages": [{"role": "user", "content": f"p{number}"}]}
    return json.dumps({"custom_id": f"c{number}", "method": "POST", "url": CHAT, "body": body})


def test_the_whole_service_is_killed_and_each_line_is_answered_exactly_once(background, tmp_path):
    upstream = background.upstream(_script)
    with own_service(tmp_path, BACKENDS.format(url=upstream.url)) as service:
        client = openai.OpenAI(base_url=service.url + "/v1", api_key="x")
        spoken = client.audio.speech.create(model="auto", voice="alloy", input="Bees.")
        heard = client.audio.transcriptions.create(model="auto", file=("s.mp3", SOUND))
        assert spoken.content == SOUND
        assert heard.text == "bees"
        content = "\n".join(map(_line, range(LINES))).encode()
        file = client.files.create(file=("in.jsonl", content), purpose="batch")
        batch = client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")
        blocking_until(lambda: len(upstream.seen) > 50)
        end_hard(service)
        before = len(upstream.seen)
        assert before < LINES
        service.start()
        blocking_until(lambda: client.batches.retrieve(batch.id).status == "completed")
        record = client.batches.retrieve(batch.id)
        output = client.files.content(record.output_file_id).text
        client.close()
    ids = [json.loads(line)["custom_id"] for line in output.splitlines()]
    assert sorted(ids) == sorted(f"c{number}" for number in range(LINES))
    assert record.request_counts.completed == LINES
    assert len(upstream.seen) <= LINES + 2 + 4  # what was spoken and heard, and lines under way
