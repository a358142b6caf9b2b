"""A running Waggle that reuses solutions, and the requests that tests send to it."""

import json
from contextlib import asynccontextmanager

import yaml

from router.reuse.evidence import ReuseCheck
from tests.rig import rig as any_rig
from tests.upstream import Upstream, completion
from tests.waiting import until

QUESTION = "What is the capital of France?"
AGAIN = "Please tell me, what's the capital of France?"


@asynccontextmanager
async def rig(text: str, **more):
    """A running Waggle that checks a remembered answer only if more than half must be checked."""
    async with any_rig(text, **more) as waggle:
        if waggle.engine.recall is not None:
            waggle.engine.recall.uniform = lambda: 0.5
        yield waggle


def earn_trust(waggle, kind: str = "words") -> None:
    """Let 400 right checks have come in for each band of a kind of likeness."""
    checks = (ReuseCheck(f"{kind}:{n % 4}", b"", False, 1.0, 0.0, -n) for n in range(1600))
    waggle.engine.recall.memory.calibration.learn(checks)


def bare(folder, **reuse) -> str:
    return yaml.safe_dump(
        {
            "server": {"data": str(folder)},
            "backends": {"generator": {"kind": "generator"}, "sandbox": {"kind": "sandbox"}},
            "plans": {
                "generate": {"ask": "generator"},
                "compute": {"code": "sandbox", "words": "generator"},
            },
            "reuse": {"mode": "similar", **reuse},
        }
    )


def models(folder, url: str, *, authors: bool = False, **reuse) -> str:
    settings = yaml.safe_load(bare(folder, **reuse))
    price = {"input": 1, "output": 2}
    settings["backends"]["model"] = {"kind": "openai", "base_url": url, "price": price}
    settings["plans"]["ask"] = {"ask": "model"}
    if not authors:
        del settings["backends"]["sandbox"], settings["plans"]["compute"]
    else:
        settings["plans"]["compute"] = {"code": "sandbox", "authors": ["model"]}
    return yaml.safe_dump(settings)


class ScriptedTexts(Upstream):
    """A model that answers with these texts in turn, repeats the last, and keeps the requests."""

    def __init__(self, *texts: str) -> None:
        self.requests = []
        left = list(texts) or ["Paris."]

        async def script(wire) -> None:
            self.requests.append(wire.fields)
            await wire.json(completion(left.pop(0) if len(left) > 1 else left[0]))

        super().__init__(script)


class VerifyingBackend(Upstream):
    """A backend that says whether requests ask the same, and whether answers say the same.

    It knows by `sorts` what each text is about; without a sort, a text is its own sort. `word` is
    what it says instead, if given. The questions that it gets are kept.
    """

    def __init__(self, *sorts: set[str], word: str = "") -> None:
        self.questions = []

        def sort_of(text: str):
            return next((n for n, sort in enumerate(sorts) if text in sort), text)

        async def script(wire) -> None:
            data = json.loads(wire.fields["messages"][-1]["content"])
            self.questions.append(data)
            texts = data if isinstance(data, list) else data["answers"]
            same = len({sort_of(text) for text in texts}) == 1
            await wire.json(completion(word or ("yes" if same else "no")))

        super().__init__(script)


def verified(folder, url: str, verifier_url: str, **reuse) -> str:
    """The configuration `models` with a dear model, and a cheap backend that verifies."""
    settings = yaml.safe_load(models(folder, url, **{"verifier": "cheap", **reuse}))
    settings["backends"]["model"]["price"] = {"input": 10, "output": 100}
    price = {"input": 0.1, "output": 0.2}
    cheap = {"kind": "openai", "base_url": verifier_url, "price": price}
    settings["backends"]["cheap"] = cheap
    return yaml.safe_dump(settings)


def content(reply) -> str:
    return reply.json["choices"][0]["message"]["content"]


async def settled(waggle) -> None:
    """Wait until all queued solutions are in the store and in the index."""
    keeper = waggle.engine.recall.memory.keeper
    before = keeper.turns
    await until(lambda: keeper.turns >= before + 2)


async def rate(waggle, reply, score: float = 1.0, **headers) -> None:
    body = {"request_id": reply.headers["x-waggle-request-id"], "score": score}
    assert (await waggle.post("/v1/feedback", body, **headers)).status == 200
    await settled(waggle)
