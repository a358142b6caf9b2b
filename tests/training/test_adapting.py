"""Adapters: what they learn, that a killed run goes on, and what they serve.

Each worker of a test run imports this file, so only the functions that need PyTorch import it.
"""

import asyncio
import json
import random

import pytest

from router.config.config import Config
from router.config.load import at_home
from router.domain import Fault
from router.models import model_files
from router.models.card import BrokenModel, Card
from router.models.registry import Registry
from router.training.data_query import DataRefused
from router.training.model_changes import promote, rollback
from router.training.run import carry_out
from router.training.starting import base_folder, job_of
from router.training.trainer import Wish
from tests.rig import rig
from tests.router.scripted import text_of
from tests.router.test_local import made
from tests.training import tickets

FIRST, SECOND = ("w40", "w41"), ("w30", "w31")


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


def rows_of(count, *, pairs=False, seed=0, answer=None):
    """Requests with answers by a rule: each of their two words decides one word of the answer."""
    drawn = random.Random(seed)
    for number in range(count):
        words = drawn.randrange(20), drawn.randrange(20)
        good = f"{FIRST[words[0] % 2]} {SECOND[words[1] % 2]}"
        more = {"rejected": f"w{drawn.randrange(30)} w{drawn.randrange(30)}"} if pairs else {}
        text = f"w{words[0]} w{words[1]}"
        row = tickets.row(number, text, answer or good, **more)
        yield row | {"messages": [{"role": "user", "content": text}]}


def in_form(answer):
    """Whether an answer is one that the rule gives to some request."""
    first, second = [*answer.split(), "", ""][:2]
    return first in FIRST and second in SECOND


def service(base, folder):
    backend = {
        "kind": "local",
        "models": {"small": base},
        "adapters": {"tuned": {"of": "small", "model": "form"}},
        "device": "cpu",
        "at_once": 2,
        "max_new_tokens": 4,
    }
    plans = {"plain": {"ask": "mine"}, "tuned": {"ask": "mine", "model": "tuned"}}
    raw = {"server": {"data": str(folder)}, "backends": {"mine": backend}, "plans": plans}
    return at_home(Config.model_validate(raw))


def run(config, rows, steps=60):
    """Train an adapter on rows, and promote it if it passes."""
    tickets.data_set(config.training_folder, rows, name="rows")
    wish = Wish("adapter", base=base_folder(config, ""), most_steps=steps)
    job = job_of(config, "form", "rows", wish, promote=True)
    job.folder.mkdir(parents=True, exist_ok=True)
    return carry_out(job)


@pytest.fixture(scope="module")
def trained(base, tmp_path_factory):
    """A service whose adapter learned answers, and the facts of the run."""
    config = service(base, tmp_path_factory.mktemp("data"))
    return config, run(config, rows_of(160))


def written(config):
    return json.dumps(config.model_dump(mode="json", by_alias=True, exclude_defaults=True))


def test_an_adapter_learns_answers_that_it_has_not_seen(trained):
    _, facts = trained
    assert facts["promoted"], facts["why"]
    assert facts["metrics"]["loss_saved"] > 0.2


async def test_a_promoted_adapter_answers_and_a_rollback_takes_it_back(base, trained):
    config, _ = trained
    registry = Registry(config.models_folder)
    async with rig(written(config)) as waggle:
        tuned = await waggle.chat("w1 w2", model="tuned", temperature=0)
        plain = await waggle.chat("w1 w2", model="plain", temperature=0)
        assert in_form(text_of(tuned))
        assert not in_form(text_of(plain))
        card, files = model_files.opened(registry.files, registry.find("form")[1].digest)
        idle = dict(files) | {"adapter_config.json": changed(files, lora_alpha=0.0)}
        add(registry, card, idle)
        promote(registry, "form@2", anyway=True)
        assert text_of(await waggle.chat("w1 w2", model="tuned", temperature=0)) == text_of(plain)
        rollback(registry, "form")
        assert text_of(await waggle.chat("w1 w2", model="tuned", temperature=0)) == text_of(tuned)


def changed(files, **fields):
    return json.dumps(json.loads(files["adapter_config.json"]) | fields).encode()


def add(registry, card, files, number=2):
    digest, _ = model_files.add(registry.files, card, files)
    line = {"do": "registered", "name": card.name, "version": number, "digest": digest}
    registry.change(lambda _: [{**line, "kind": card.kind, "at": 2.0}])


@pytest.mark.slow
def test_pairs_teach_which_answer_is_preferred(base, tmp_path):
    facts = run(service(base, tmp_path), rows_of(80, pairs=True), steps=40)
    assert facts["metrics"]["preferred"] >= 0.7
    assert facts["promoted"], facts["why"]


@pytest.mark.slow
def test_what_teaches_nothing_does_not_pass(base, tmp_path):
    config = service(base, tmp_path)
    rows = list(rows_of(60))
    for at, row in enumerate(rows):
        row["answer"] = "" if at < 36 else "w9 w9 w9 w9 w9 w9"  # the later rows are of another sort
    facts = run(config, rows)
    assert not facts["promoted"]
    assert "its loss on test rows is" in facts["why"]


@pytest.mark.parametrize(
    ("rows", "chosen", "why"),
    [
        (10, "small", r"rows@v1 has \d+ good answers to learn, and an adapter needs 20"),
        (60, "ghost", r"--base 'ghost' is no folder and no model .*there is small"),
    ],
)
def test_what_cannot_be_trained_is_refused_with_the_mend(base, tmp_path, rows, chosen, why):
    config = service(base, tmp_path)
    tickets.data_set(config.training_folder, rows_of(rows), name="rows")
    with pytest.raises(DataRefused, match=why):
        wish = Wish("adapter", base=base_folder(config, chosen), most_steps=2)
        job = job_of(config, "form", "rows", wish)
        job.folder.mkdir(parents=True)
        carry_out(job)


class Memory:
    state = b""

    def read(self):
        return self.state

    def write(self, state):
        self.state = state


class Killed(Exception):
    pass


@pytest.mark.slow
def test_a_killed_training_goes_on_where_it_was(base):
    from router.backends.chat_form import answer_tokens, prompt_tokens
    from router.models.lora import attached, files_of
    from router.training.adapting import Lesson, Text, learn_texts

    tokenizer = opened(base)[1]
    texts = []
    for row in rows_of(40):
        prompt = prompt_tokens(tokenizer, row["messages"])
        texts.append(Text((*prompt, *answer_tokens(tokenizer, row["answer"])), len(prompt)))

    def learned(kept, tell):
        import torch

        torch.manual_seed(1)
        model = opened(base)[0]
        adapters = attached(model, 4, 8.0)
        lesson = Lesson(most_steps=15, check_every=5)
        losses = learn_texts(model, adapters, texts[10:], texts[:10], lesson, tell, kept)
        return losses, files_of(adapters, "base")

    def kill(step, _loss):
        if step == 10:
            raise Killed

    whole, kept = learned(Memory(), lambda *_: None), Memory()
    with pytest.raises(Killed):
        learned(kept, kill)
    steps = []
    assert learned(kept, lambda step, _: steps.append(step)) == whole
    assert steps == [10, 15]  # the first five are not taken again


def test_an_adapter_that_does_not_fit_its_model_is_refused(base, trained):
    from router.models.lora import merge

    registry = Registry(trained[0].models_folder)
    _, files = model_files.opened(registry.files, registry.find("form@1")[1].digest)
    with pytest.raises(BrokenModel, match=r"form@1 does not fit"):
        merge(opened(base)[0], {**files, "adapter_config.json": changed(files, r=0)}, "form@1")


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"kind": "head"}, "which is a head and no adapter: name it in a backend of kind learned"),
        ({"features": "chat-form-0"}, "learned from chat-form-0, and this Waggle writes"),
    ],
)
def test_what_is_no_adapter_for_this_form_is_refused(base, tmp_path, fields, why):
    from router.backends.local_models import load_model, shelf_name

    config = service(base, tmp_path)
    facts = {"kind": "adapter", "features": "chat-form-1", **fields}
    card = Card("form", 1, target="answer", made_at=1.0, run="r", data={"name": "d"}, **facts)
    registry = Registry(config.models_folder)
    add(registry, card, {"x": b""}, number=1)
    promote(registry, "form@1", anyway=True)
    settings = config.backends["mine"]
    with pytest.raises(Fault, match=why):
        asyncio.run(load_model(shelf_name("tuned", settings), settings))


async def test_an_adapter_that_was_never_trained_is_named(base, tmp_path):
    async with rig(written(service(base, tmp_path))) as waggle:
        answer = await waggle.chat("w1 w2", model="tuned")
        assert answer.status >= 500
        assert "no model is called form" in answer.body.decode()
