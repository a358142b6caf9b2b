"""`POST /v1/embeddings` through the official client, with the encoder that Waggle installs."""

import math
import shutil

import numpy as np
import openai
import orjson
import pytest

from router.backends.encoder_backend import EncoderBackend
from router.domain import EMBEDDINGS, Call, Fault
from router.encoding.encoder import packaged_model
from tests.rig import rig
from tests.upstream import Upstream

TEXT = """
backends: {{encoder: {{kind: encoder, encoders: "{exports}"}},
            other: {{kind: openai, base_url: "{url}", capabilities: [embeddings]}},
            chat: {{kind: openai, base_url: "{url}"}}}}
plans: {{p: {{ask: chat}}}}
"""


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True)) / math.hypot(*a) / math.hypot(*b)


async def test_vectors_of_sentences_that_mean_the_same_lie_close(encoders):
    async with rig(TEXT.format(url="http://127.0.0.1:9/v1", exports=encoders)) as r:
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


async def test_another_backend_may_make_embeddings(encoders):
    async def script(wire):
        data = [{"object": "embedding", "index": 0, "embedding": [1.0]}]
        usage = {"prompt_tokens": 3, "total_tokens": 3}
        await wire.json({"object": "list", "data": data, "model": "m", "usage": usage})

    async with (
        Upstream(script).listening() as up,
        rig(TEXT.format(url=up.url, exports=encoders)) as r,
    ):
        body = {"model": "other", "input": "x", "future": 1}
        answer = await r.post("/v1/embeddings", body)
    assert answer.json["data"][0]["embedding"] == [1.0]
    assert answer.json["usage"] == {"cost": None, "prompt_tokens": 3, "total_tokens": 3}
    assert up.seen[0].path == "/v1/embeddings"
    assert up.seen[0].fields == body


async def _embed(encoder):
    call = Call(EMBEDDINGS, b'{"input": "hello"}', stream=False, request_id="1")
    async with encoder.send(call) as reply:
        return [piece async for piece in reply.body]


async def test_a_warm_encoder_has_loaded_its_model_before_the_first_call(tmp_path, encoders):
    exports = tmp_path / "exports"
    shutil.copytree(encoders, exports)
    encoder = EncoderBackend(packaged_model(), exports)
    await encoder.warm()
    shutil.rmtree(exports)  # whoever loads now, fails
    assert b'"embedding":[' in b"".join(await _embed(encoder))
    await encoder.close()


async def test_an_encoder_that_cannot_be_warmed_says_why_to_its_first_call(tmp_path):
    encoder = EncoderBackend(tmp_path, tmp_path / "exports")
    await encoder.warm()
    with pytest.raises(Fault, match="holds no sentence-transformers model"):
        await _embed(encoder)
    await encoder.close()


@pytest.mark.slow
async def test_a_vector_is_the_vector_that_the_model_itself_makes(encoders):
    """The running service has no torch, and its callers notice nothing of that."""
    sentence_transformers = pytest.importorskip("sentence_transformers")
    texts = ["How do bees dance?", "x " * 5000, "日本語 🎉", "a b c d e f g"]
    model = sentence_transformers.SentenceTransformer(
        str(packaged_model()), device="cpu", local_files_only=True
    )
    wanted = model.encode(texts, normalize_embeddings=True, show_progress_bar=False)
    encoder = EncoderBackend(packaged_model(), encoders)
    body = orjson.dumps({"input": texts, "encoding_format": "float"})
    async with encoder.send(Call(EMBEDDINGS, body, stream=False, request_id="1")) as reply:
        answer = orjson.loads(b"".join([piece async for piece in reply.body]))
    await encoder.close()
    vectors = np.array([item["embedding"] for item in answer["data"]])
    assert np.abs(vectors - wanted).max() < 1e-5
    lengths = [len(model.tokenizer(t, truncation=True)["input_ids"]) for t in texts]
    assert answer["usage"]["prompt_tokens"] == sum(lengths)
