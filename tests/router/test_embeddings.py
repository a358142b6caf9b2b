"""`POST /v1/embeddings` through the official client, with the encoder that Waggle installs."""

import math
import shutil

import openai
import pytest

from router.backends.encoder_backend import EncoderBackend
from router.domain import EMBEDDINGS, Call, Fault
from router.encoding.encoder import packaged_model
from tests.rig import rig
from tests.upstream import Upstream

TEXT = """
backends: {{encoder: {{kind: encoder}}, other: {{kind: openai, base_url: "{url}",
            capabilities: [embeddings]}}, chat: {{kind: openai, base_url: "{url}"}}}}
plans: {{p: {{ask: chat}}}}
"""


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True)) / math.hypot(*a) / math.hypot(*b)


async def test_vectors_of_sentences_that_mean_the_same_lie_close():
    async with rig(TEXT.format(url="http://127.0.0.1:9/v1")) as r:
        async with openai.AsyncOpenAI(base_url=r.url + "/v1", api_key="x") as c:
            texts = ["How do bees dance?", "In what way do bees dance?", "The bond market fell."]
            answer = await c.embeddings.create(model="auto", input=texts)
            vectors = [item.embedding for item in answer.data]
            plain = await c.embeddings.create(
                model="encoder", input=texts[0], encoding_format="float"
            )
            with pytest.raises(openai.BadRequestError, match="dimensions = 5"):
                await c.embeddings.create(model="auto", input="x", dimensions=5)
            with pytest.raises(openai.BadRequestError, match="token ids are not supported"):
                await c.embeddings.create(model="auto", input=[1, 2, 3])
            with pytest.raises(openai.NotFoundError):
                await c.embeddings.create(model="chat", input="x")
    assert cosine(vectors[0], vectors[1]) > 0.8 > 0.3 > cosine(vectors[0], vectors[2])
    assert plain.data[0].embedding == pytest.approx(vectors[0], abs=1e-5)
    assert answer.usage.prompt_tokens == answer.usage.total_tokens > 10


async def test_another_backend_may_make_embeddings():
    async def script(wire):
        data = [{"object": "embedding", "index": 0, "embedding": [1.0]}]
        usage = {"prompt_tokens": 3, "total_tokens": 3}
        await wire.json({"object": "list", "data": data, "model": "m", "usage": usage})

    async with Upstream(script).listening() as up, rig(TEXT.format(url=up.url)) as r:
        body = {"model": "other", "input": "x", "future": 1}
        answer = await r.post("/v1/embeddings", body)
    assert answer.json["data"][0]["embedding"] == [1.0]
    assert answer.json["usage"] == {"cost": 0.0, "prompt_tokens": 3, "total_tokens": 3}
    assert up.seen[0].path == "/v1/embeddings"
    assert up.seen[0].fields == body


async def _embed(encoder):
    call = Call(EMBEDDINGS, b'{"input": "hello"}', stream=False, request_id="1")
    async with encoder.send(call) as reply:
        return [piece async for piece in reply.body]


async def test_a_warm_encoder_has_loaded_its_model_before_the_first_call(tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(packaged_model(), folder)
    encoder = EncoderBackend(folder)
    await encoder.warm()
    shutil.rmtree(folder)  # whoever loads now, fails
    assert b'"embedding":[' in b"".join(await _embed(encoder))
    await encoder.close()


async def test_an_encoder_that_cannot_be_warmed_says_why_to_its_first_call(tmp_path):
    encoder = EncoderBackend(tmp_path)
    await encoder.warm()
    with pytest.raises(Fault, match="holds no model"):
        await _embed(encoder)
    await encoder.close()
