"""Adapters: what they learn, where they serve, and that training and serving write one prompt.

Each worker of a test run imports this file, so only the functions that need PyTorch import it.
"""

import json
import random

import pytest

from router.models.card import BrokenModel, Card
from router.models.features import FEATURES
from router.models.model_files import add
from router.models.registry import Registry
from tests.rig import rig
from tests.router.scripted import text_of
from tests.router.test_local import made


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Such small models are slower on two cores than on one."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    template = "{% for m in messages %}{{ m.role }}: {{ m.content }} {% endfor %}assistant:"
    return made(tmp_path_factory.mktemp("models") / "base", 1, template=template)


def opened(folder):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    return AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)


def ruled(drawn):
    """A request, and its answer by a rule: the first word and the second decide one word each."""
    first, second = drawn.randrange(20), drawn.randrange(20)
    messages = [{"role": "user", "content": f"w{first} w{second}"}]
    return messages, f"w{40 + first % 2} w{30 + second % 2}"


def in_form(answer):
    """Whether an answer is one that the rule gives to some request."""
    first, second = [*answer.split(), "", ""][:2]
    return first in {f"w{40 + n}" for n in range(2)} and second in {f"w{30 + n}" for n in range(2)}


def text(tokenizer, messages, answer):
    from router.backends.chat_form import answer_tokens, prompt_tokens
    from router.training.adapting import Text

    prompt = prompt_tokens(tokenizer, messages)
    return Text((*prompt, *answer_tokens(tokenizer, answer)), len(prompt))


def taught(base, *, rows=100, steps=60):
    """A model with an adapter that learned the rule, its tokenizer, and its files."""
    from router.models.lora import attached, files_of
    from router.training.adapting import Lesson, learn_texts, loss_of

    model, tokenizer = opened(base)
    drawn = random.Random(0)
    texts = [text(tokenizer, *ruled(drawn)) for _ in range(rows)]
    held_out = [text(tokenizer, *ruled(random.Random(9))) for _ in range(40)]
    adapters = attached(model, 8, 16.0)
    before = loss_of(model, held_out)
    learn_texts(model, adapters, texts[20:], texts[:20], Lesson(most_steps=steps), lambda *_: None)
    return model, adapters, files_of(adapters, "base"), before, loss_of(model, held_out)


@pytest.fixture(scope="module")
def learned(base):
    return taught(base)


def test_an_adapter_learns_and_its_files_bring_the_same_model_back(base, learned):
    from router.models.lora import merge
    from router.training.adapting import loss_of

    _, _, files, before, after = learned
    assert after < 0.8 * before
    model, tokenizer = opened(base)
    merge(model, files, "triage@1")
    held_out = [text(tokenizer, *ruled(random.Random(9))) for _ in range(40)]
    assert loss_of(model, held_out) == pytest.approx(after, rel=1e-3)


def test_an_adapter_prefers_what_was_preferred(base):
    from router.models.lora import attached
    from router.training.adapting import Lesson, Pair, learn_pairs, preferred_share

    model, tokenizer = opened(base)
    drawn, pairs = random.Random(3), []
    for _ in range(80):
        messages, good = ruled(drawn)
        bad = f"w{drawn.randrange(60)} w{drawn.randrange(60)}"
        pairs.append(Pair(text(tokenizer, messages, good), text(tokenizer, messages, bad)))
    adapters = attached(model, 8, 16.0)
    learn_pairs(model, adapters, pairs[40:], pairs[:10], Lesson(most_steps=20), lambda *_: None)
    assert preferred_share(model, adapters, pairs[10:40]) >= 0.7


def card(kind="adapter", number=1):
    return Card("triage", number, kind, "answer", FEATURES, 1.0, "run", {"name": "d"})


def kept(folder, files, *, kind="adapter", number=1):
    """Register a model and promote it."""
    registry = Registry(folder)
    digest, _ = add(registry.files, card(kind, number), files)
    line = {"name": "triage", "version": number, "at": 1.0}
    registry.change(
        lambda _: [
            {"do": "registered", "digest": digest, "kind": kind, **line},
            {"do": "promoted", **line},
        ]
    )


def served(base, home):
    backend = {
        "kind": "local",
        "models": {"small": base},
        "adapters": {"tuned": {"of": "small", "model": "triage"}},
        "home": str(home),
        "device": "cpu",
        "at_once": 2,
        "max_new_tokens": 4,
    }
    plans = {"plain": {"ask": "mine"}, "tuned": {"ask": "mine", "model": "tuned"}}
    return json.dumps({"backends": {"mine": backend}, "plans": plans})


async def test_a_promoted_adapter_answers_and_a_newer_one_takes_its_place(base, learned, tmp_path):
    _, adapters, files, _, _ = learned
    kept(tmp_path, files)
    async with rig(served(base, tmp_path)) as waggle:
        tuned = await waggle.chat("w1 w2", model="tuned", temperature=0)
        plain = await waggle.chat("w1 w2", model="plain", temperature=0)
        assert in_form(text_of(tuned))
        assert not in_form(text_of(plain))
        from router.models.lora import files_of

        for adapter in adapters.values():
            adapter.up.data.zero_()
        kept(tmp_path, files_of(adapters, "base"), number=2)
        given = await waggle.chat("w1 w2", model="tuned", temperature=0)
        assert text_of(given) == text_of(plain)


@pytest.mark.parametrize("home", ["empty", "a head"])
async def test_what_is_no_adapter_is_refused_by_name(base, tmp_path, home):
    if home == "a head":
        kept(tmp_path, {"x": b""}, kind="head")
    async with rig(served(base, tmp_path)) as waggle:
        answer = await waggle.chat("w1 w2", model="tuned")
        assert answer.status >= 500
        assert "triage" in answer.body.decode()


def test_an_adapter_that_does_not_fit_its_model_is_refused(base, learned):
    from router.models.lora import merge

    wrong = json.loads(learned[2]["adapter_config.json"]) | {"r": 0}
    files = {**learned[2], "adapter_config.json": json.dumps(wrong).encode()}
    with pytest.raises(BrokenModel, match=r"triage@1 does not fit"):
        merge(opened(base)[0], files, "triage@1")
