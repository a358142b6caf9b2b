"""The backend for local models, tested on tiny models that the tests create.

Each worker of a test run imports this file, so only the functions that need PyTorch import it.
"""

import asyncio
import json
import math
import weakref
from pathlib import Path

import pytest

from router.backends.local_models import LoadedModel, ModelShelf, bytes_free, bytes_needed
from router.config.backends import LocalSettings
from router.domain import Fault
from router.telemetry.rows import request_row
from tests.rig import rig
from tests.router.scripted import text_of

WORDS = [f"w{n}" for n in range(60)]


def made(folder, seed, *, template=None):
    """Create a model of two layers and sixty words in a folder; equal seeds give equal models."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    torch.manual_seed(seed)
    vocabulary = {
        word: n for n, word in enumerate(["<unk>", "</s>", "user:", "assistant:", *WORDS])
    }
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", eos_token="</s>")
    fast.chat_template = template
    fast.save_pretrained(folder)
    config = LlamaConfig(
        vocab_size=len(vocabulary), hidden_size=16, intermediate_size=32, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=128,
        bos_token_id=None, eos_token_id=1, pad_token_id=None,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder, safe_serialization=True)
    return str(folder)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    template = "{% for m in messages %}{{ m.role }}: {{ m.content }} {% endfor %}assistant:"
    return {
        "tiny": made(root / "tiny", 1, template=template),
        "other": made(root / "other", 2),
    }


def local(folders, **more):
    backend = {"kind": "local", "models": folders, "device": "cpu", "max_new_tokens": 12, **more}
    return json.dumps(
        {
            "backends": {"mine": backend},
            "plans": {"p": {"ask": "mine"}, "q": {"ask": "mine", "model": "other"}},
        }
    )


async def test_one_seed_writes_one_answer_and_a_stream_says_the_same(folders):
    async with rig(local(folders)) as waggle:
        options = {"model": "mine", "seed": 5, "max_tokens": 8}
        answer = await waggle.chat("w1 w2 w3", **options)
        assert answer.status == 200, answer.body
        again = await waggle.chat("w1 w2 w3", **options)
        assert text_of(answer) == text_of(again)
        usage = answer.json["usage"]
        assert usage["prompt_tokens"] == 5
        assert 1 <= usage["completion_tokens"] <= 8
        streamed = await waggle.chat("w1 w2 w3", stream=True, **options)
        chunks = [e for e in streamed.events if e != "[DONE]" and e["choices"]]
        words = [c["choices"][0]["delta"].get("content", "") for c in chunks]
        assert "".join(words) == text_of(answer)
        assert len([word for word in words if word]) > 1  # the stream came in several pieces


async def test_logprobs_are_those_of_the_model(folders):
    import torch
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

    async with rig(local(folders)) as waggle:
        answer = await waggle.chat("w1 w2", temperature=0, logprobs=True, top_logprobs=3)
        entries = answer.json["choices"][0]["logprobs"]["content"]
        assert len(entries) == answer.json["usage"]["completion_tokens"]
        for entry in entries:
            assert len(entry["top_logprobs"]) == 3
            # At temperature 0 the model takes the likeliest token.
            assert entry["logprob"] == entry["top_logprobs"][0]["logprob"]
            assert math.exp(entry["logprob"]) <= 1
            assert bytes(entry["bytes"]).decode() == entry["token"]
        model = LlamaForCausalLM.from_pretrained(folders["tiny"]).eval()
        tokenizer = PreTrainedTokenizerFast.from_pretrained(folders["tiny"])
        ids = tokenizer("user: w1 w2 assistant:", return_tensors="pt")["input_ids"]
        with torch.inference_mode():
            first = torch.log_softmax(model(ids).logits[0, -1], dim=-1)
        assert entries[0]["logprob"] == pytest.approx(float(first.max()), abs=1e-4)


async def test_models_take_turns_in_memory_and_the_swap_is_in_telemetry(folders):
    async with rig(local(folders)) as waggle:
        seen = []
        for model in ("tiny", "tiny", "other", "tiny"):
            answer = await waggle.chat("w1", model=model, max_tokens=1)
            assert answer.json["model"] == model
            (step,) = request_row(waggle.journal.traces[-1])["attempts"]
            seen.append(step.get("swap_ms", 0.0))
        first, kept, other, back = seen
        assert min(first, other, back) > 10 * kept
        answer = await waggle.chat("w1", model="q", max_tokens=1)
        assert answer.json["model"] == "other"


@pytest.mark.slow
async def test_callers_of_two_models_at_once_are_all_answered(folders):
    async with rig(local(folders)) as waggle:
        names = ["tiny", "other"] * 4
        answers = await asyncio.gather(*(waggle.chat("w1", model=n, max_tokens=2) for n in names))
        assert [t.json["model"] for t in answers] == names


async def test_writing_stops_where_it_was_told_to(folders):
    async with rig(local(folders)) as waggle:
        whole = text_of(await waggle.chat("w1 w2", temperature=0))
        word = whole.split()[2]
        answer = await waggle.chat("w1 w2", temperature=0, stop=[word])
        assert text_of(answer) == whole[: whole.index(word)]
        assert answer.json["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"n": 2}, "n = 2"),
        ({"temperature": 3}, "temperature = 3 must be a number from 0.0 to 2.0"),
        ({"max_tokens": 0}, "max_tokens = 0"),
        ({"stop": [1]}, "stop must be"),
        ({"messages": [{"role": "user", "content": "w1 " * 200}]}, "128 is the most"),
    ],
)
async def test_a_request_that_cannot_be_written_is_refused_by_name(folders, options, reason):
    async with rig(local(folders)) as waggle:
        answer = await waggle.chat("w1", **options)
        assert answer.status == 400
        assert reason in answer.error["message"]


async def test_a_folder_that_holds_no_model_is_named(tmp_path):
    async with rig(local({"x": str(tmp_path)})) as waggle:
        answer = await waggle.chat("w1", headers={"x-waggle-max-latency-ms": "20000"})
        assert answer.status == 503
        assert "holds no model" in answer.error["message"]


class Weights:
    """What takes memory in a loaded model."""


class Memory:
    """A memory of so many bytes, in which each model takes what `sizes` says."""

    def __init__(self, size, **sizes):
        self.size, self.sizes, self.inside, self.loads = size, sizes, {}, []

    async def load(self, name):
        self.loads.append(name)
        weights = Weights()
        self.inside[name] = weakref.ref(weights)
        return LoadedModel(name, weights, None, "cpu")

    def free(self):
        taken = sum(self.sizes[name] for name, weights in self.inside.items() if weights())
        return self.size - taken


@pytest.mark.slow
async def test_models_stay_while_memory_holds_them_and_the_least_used_goes_first():
    memory = Memory(100, a=40, b=40, c=30, huge=101)
    shelf = ModelShelf(memory.load, None, memory.sizes.__getitem__, memory.free)
    for name in ("a", "b", "a", "c", "a"):
        assert (await shelf.get(name)).name == name
    assert memory.loads == ["a", "b", "c"]
    await shelf.get("b")
    assert memory.loads == ["a", "b", "c", "b"]
    with pytest.raises(Fault, match=r"huge needs about .* MiB can\s+be had"):
        await shelf.get("huge")


def test_a_model_needs_what_its_weights_say(folders):
    stored = sum(path.stat().st_size for path in Path(folders["tiny"]).glob("*.safetensors"))
    backend = {"kind": "local", "models": folders, "device": "cpu"}
    whole = bytes_needed("tiny", LocalSettings(**backend))
    assert whole >= stored
    assert bytes_needed("tiny", LocalSettings(**backend, dtype="float16")) == pytest.approx(
        whole / 2, rel=0.01
    )
    assert bytes_needed("away", LocalSettings(**backend | {"models": {"away": "/nowhere"}})) == 0
    assert bytes_free(LocalSettings(**backend)) > 0
