"""Questions through a whole service while rights change: the words of each answer, and the stores
that it names, are compared with what the model lets the caller read at that moment.

The service asks three stores by its own backend, which searches by words and by meaning, and merges
and cites what it found in several stores.
"""

import random
import tempfile
from pathlib import Path

from experiments.knowledge.grants.model import DAY, Model, ModelKey
from router.config.knowledge_access import StoreAccess
from router.demo.in_process import Clock
from router.encoding.encoder import packaged_model, prepared
from tests.knowledge.desk import SECRET, Desk, desk, secrets_in

_QUESTION = "What is the price of the metal?"
_WHO = ("ann", "bob", "carl", "alice")


async def asked_through_a_service(questions: int, seed: int = 7) -> dict[str, int]:
    """What was counted over so many questions; `seen without right` must be 0."""
    with tempfile.TemporaryDirectory() as folder:
        clock, encoders = Clock(1_800_000_000.0), Path(folder, "encoders")
        prepared(packaged_model(), encoders)
        async with desk(Path(folder), wall=clock, encoders=encoders) as served:
            return await _Serving(served, clock, random.Random(seed)).ask(questions)


class _Serving:
    def __init__(self, served: Desk, clock: Clock, chance: random.Random) -> None:
        self.served, self.clock, self.chance = served, clock, chance
        self.model, self.numbers = Model(), list[int]()
        names = ("questions", "passages", "of several stores", "cited")
        wrong = ("seen without right", "named without right", "missing", "not cited")
        self.counts = dict.fromkeys((*names, *wrong), 0)
        self.keys = {
            name: ModelKey(name, key.team, admin="admin" in key.scopes)
            for name, key in served.keys.items()
        }
        self.visible = {"handbook": "private", "orders": "private", "menu": "locale"}
        for store in SECRET:
            self._declared(store)

    async def ask(self, questions: int) -> dict[str, int]:
        for _ in range(questions):
            self._change()
            await self._question(self.chance.choice(_WHO))
        return self.counts

    async def _question(self, who: str) -> None:
        now = self.clock()
        ways = {store: self.model.way(self.keys[who], store, "read", now) for store in SECRET}
        may_read = {store for store, way in ways.items() if way is not None}
        answer = await self.served.chat(who, _QUESTION, stream=self.chance.random() < 0.3)
        seen = secrets_in(answer)
        self.counts["questions"] += 1
        self.counts["passages"] += len(seen)
        self.counts["seen without right"] += len(seen - may_read)
        self.counts["missing"] += len(may_read - seen)
        self.counts["of several stores"] += len(seen) > 1
        cited = {name for name in SECRET if f'"store":"{name}"' in answer.body.decode()}
        self.counts["cited"] += len(cited)
        self.counts["not cited"] += len(seen - cited)
        if answer.status == 200:
            named = {name for name in SECRET if name in answer.body.decode() + str(answer.headers)}
            rights = {  # a rate that is used up takes nothing away, and hides nothing
                name
                for name in named
                if self.model.way(self.keys[who], name, "read", now, rated=False) is not None
            }
            self.counts["named without right"] += len(named - rights)
        for way in ways.values():
            if way:
                self.model.happened(now, "used", number=way, name=who)

    def _change(self) -> None:
        act = self.chance.random()
        if act < 0.3:
            self._give()
        elif act < 0.5 and self.numbers:
            number = self.numbers.pop(self.chance.randrange(len(self.numbers)))
            self.served.take_away(number)
            self.model.happened(self.clock(), "revoked", number=number)
        elif act < 0.7:
            self.clock.advance(self.chance.choice([60.0, 3600.0, 0.7 * DAY, 3 * DAY]))
        elif act < 0.75:
            store = self.chance.choice([*SECRET])
            self.visible[store] = self.chance.choice(["private", "locale", "public"])
            self._declared(store)

    def _give(self) -> None:
        who, store = self.chance.choice(_WHO[:3]), self.chance.choice([*SECRET])
        until = self.clock() + self.chance.uniform(0.1, 9) * DAY
        terms = {
            "rate": self.chance.choice([None, None, 1, 3]),
            "until": self.chance.choice([None, until]),
            "idle_days": self.chance.choice([None, 1, 5]),
            "must_cite": False,
        }
        number = self.served.give(who, store, **terms)
        self.numbers.append(number)
        facts = {"number": number, "store": store, "who": f"key:{who}", "may": "read", **terms}
        self.model.happened(self.clock(), "granted", **facts)

    def _declared(self, store: str) -> None:
        accesses = {
            name: StoreAccess(owner="alice", visible=visible)
            for name, visible in self.visible.items()
        }
        self.served.r.engine.rights.declare(accesses)
        self.model.happened(
            self.clock(),
            "declared",
            store=store,
            owner="alice",
            visible=self.visible[store],
            locale="law",
        )
