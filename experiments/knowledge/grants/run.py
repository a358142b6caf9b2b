"""`python -m experiments.knowledge.grants.run`: random grants against an independent model.

Worlds of stores, keys and locales live through random days: stores are declared anew, removed and
brought back, grants are made, changed, revoked and used, keys are revoked, time passes. After each
step several readers ask for several stores, through two connections that know nothing of each
other, and the model, which was written from the issue's words, says who may. A passage counts as
seen without right if the file of rights allows what the model does not. At the end some
hundred questions go through a whole service, and the words of its answers are compared. Figures go
to `result.json`.
"""

import asyncio
import json
import random
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from experiments.knowledge.grants.model import DAY, HOUR, Model, ModelKey
from experiments.knowledge.grants.served import asked_through_a_service
from router.config.knowledge_access import May, StoreAccess
from router.knowledge.rights.declaring import declare
from router.knowledge.rights.grants import Allowed, Terms
from router.knowledge.rights.reader import ANYONE, NOBODY, Reader
from router.knowledge.rights.rights import NoSuchGrant, NotOwner, Rights

RESULT = Path(__file__).parent / "result.json"
WORLDS, GRANTS = 400, 25  # ten thousand grants in all
SERVED_QUESTIONS = 600
TEAMS = ("law", "sales", "ops", "")
STORES = ("handbook", "orders", "cases", "prices", "people", "never-declared")
ACTS: tuple[May, ...] = ("read", "write")


@dataclass
class World:
    """One random history, told to the rights and to the model alike."""

    chance: random.Random
    folder: Path
    now: float = 1_800_000_000.0
    model: Model = field(default_factory=Model)
    accesses: dict[str, StoreAccess] = field(default_factory=dict)
    numbers: list[int] = field(default_factory=list)
    stores_of: dict[int, str] = field(default_factory=dict)  # by the number of a grant
    counts: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        def wall() -> float:
            return self.now

        self.here, self.there = (Rights(self.folder, wall=wall) for _ in range(2))
        names = [f"key{n}" for n in range(6)]
        self.keys = {name: ModelKey(name, self.chance.choice(TEAMS), admin=False) for name in names}
        self.keys["root"] = ModelKey("root", "ops", admin=True)
        self.revoked_keys: set[str] = set()
        for store in STORES[:-1]:
            self._declare(store)

    def close(self) -> None:
        self.here.close()
        self.there.close()

    def reader(self, name: str) -> Reader:
        """The reader as the service knows it: a revoked key is nobody."""
        if name in self.revoked_keys:
            return NOBODY
        key = self.keys[name]
        return Reader(f"id-{name}", name, key.team, admin=key.admin)

    def step(self) -> None:
        acts = {
            self._grant: 30,
            self._change: 8,
            self._revoke: 12,
            self._pass: 30,
            self._redeclare: 5,
            self._remove: 1,
            self._revoke_key: 1,
        }
        self.chance.choices(list(acts), list(acts.values()))[0]()

    def ask_around(self, questions: int) -> None:
        for _ in range(questions):
            name, store = self.chance.choice([*self.keys]), self.chance.choice(STORES)
            self._question(name, store, self.chance.choice(ACTS))

    def _question(self, name: str, store: str, act: May) -> None:
        rights = self.chance.choice((self.here, self.there))
        way = self.model.way(self.keys[name], store, act, self.now)
        uses = self.chance.random() < 0.4
        answer = (rights.take if uses else rights.may)(self.reader(name), store, act)
        allowed = isinstance(answer, Allowed)
        self._add("questions")
        self._add("allowed" if allowed else "barred")
        if allowed and way is None:
            self._add("seen without right")
        if not allowed and way is not None:
            self._add("barred with right")
        if isinstance(answer, Allowed) and way is not None:
            if answer.grant != way:
                self._add("by another grant")
            if answer.must_cite != self.model.must_cite(way):
                self._add("citation wrong")
            if uses and way:
                self.model.happened(self.now, "used", number=way, name=name)

    def _declare(self, store: str) -> None:
        chance = self.chance
        owner = chance.choice([*list(self.keys)[:6], None])
        visible = chance.choice(["private", "private", "locale", "public"])
        locale = chance.choice(["law", "sales", None])
        if visible == "locale" and owner is None and locale is None:
            locale = "law"
        self.accesses[store] = StoreAccess(owner=owner, visible=visible, locale=locale)
        declare(self.here, self.accesses, self._team_of)
        self.model.happened(
            self.now,
            "declared",
            store=store,
            owner=owner,
            visible=visible,
            locale=locale or (self._team_of(owner) if owner else ""),
        )

    def _team_of(self, name: str) -> str:
        return self.keys[name].team

    def _grant(self) -> None:
        store, chance = self.chance.choice(STORES), self.chance
        who = chance.choice(
            [*(f"key:{name}" for name in self.keys), "locale:law", "locale:sales", "everybody"]
        )
        terms = self._terms()
        by = self._somebody(store)
        reader = self.reader(by)
        try:
            number = chance.choice((self.here, self.there)).grant(reader, store, who, terms, by=by)
        except NotOwner:
            self._add("acts refused")
            declared = store in self.accesses
            if declared and self.model.way(self.keys[by], store, "write", self.now) == 0:
                self._add("refused with right")
            return
        self._check_owner(by, store)
        self._add("grants")
        self.numbers.append(number.number)
        self.stores_of[number.number] = store
        facts = self._facts(terms)
        self.model.happened(
            self.now, "granted", number=number.number, store=store, who=who, **facts
        )

    def _terms(self) -> Terms:
        chance = self.chance
        until = self.now + chance.uniform(0.1, 40) * DAY
        return Terms(
            chance.choice(ACTS) if chance.random() < 0.3 else "read",
            chance.choice([None, None, 1, 2, 5]),
            chance.choice([None, until]),
            chance.choice([None, None, 1, 7]),
            chance.random() < 0.3,
        )

    def _facts(self, terms: Terms) -> dict[str, Any]:
        return {
            "may": terms.may,
            "rate": terms.rate,
            "until": terms.until,
            "idle_days": terms.idle_days,
            "must_cite": terms.must_cite,
        }

    def _change(self) -> None:
        if self.numbers:
            number, terms = self.chance.choice(self.numbers), self._terms()
            by = self._somebody(self.stores_of[number])
            try:
                grant = self.here.change(self.reader(by), number, terms, by=by)
            except NoSuchGrant:
                self._add("acts refused")
                return
            self._check_owner(by, grant.store)
            self._add("changes")
            self.model.happened(self.now, "changed", number=number, **self._facts(terms))

    def _revoke(self) -> None:
        if self.numbers:
            number = self.chance.choice(self.numbers)
            by = self._somebody(self.stores_of[number])
            try:
                grant = self.there.revoke(self.reader(by), number, by=by)
            except NoSuchGrant:
                self._add("acts refused")
                return
            self._check_owner(by, grant.store)
            self._add("revocations")
            self.model.happened(self.now, "revoked", number=number)

    def _somebody(self, store: str) -> str:
        """Mostly the store's owner, else anybody."""
        access = self.accesses.get(store)
        if access is not None and access.owner and self.chance.random() < 0.6:
            return access.owner
        return self.chance.choice([*self.keys])

    def _check_owner(self, by: str, store: str) -> None:
        """Only owners and admins give: an owner may write into a store without any grant."""
        if self.model.way(self.keys[by], store, "write", self.now) != 0:
            self._add("given without right")

    def _pass(self) -> None:
        self.now += self.chance.choice([60.0, 0.3 * HOUR, HOUR, 0.7 * DAY, DAY, 3 * DAY])
        if self.chance.random() < 0.2:
            self.here.note_ends()

    def _redeclare(self) -> None:
        self._declare(self.chance.choice(STORES[:-1]))
        self._add("declarations")

    def _remove(self) -> None:
        if self.accesses:
            store = self.chance.choice([*self.accesses])
            del self.accesses[store]
            declare(self.there, self.accesses, self._team_of)
            self.model.happened(self.now, "removed", store=store)
            self._add("removals")

    def _revoke_key(self) -> None:
        name = self.chance.choice([*self.keys][:6])
        self.revoked_keys.add(name)
        self.model.happened(self.now, "key revoked", name=name)
        self._add("keys revoked")

    def _add(self, name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1


def lived(seed: int, *, grants: int = GRANTS) -> dict[str, int]:
    """One world until so many grants were made, and what was counted in it."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(random.Random(seed), Path(folder))
        while world.counts.get("grants", 0) < grants:
            world.step()
            world.ask_around(4)
        asked_alone = world.here.may(ANYONE, "handbook", "read")
        assert isinstance(asked_alone, Allowed)
        world.close()
    return world.counts


MUST_BE_ZERO = (
    "seen without right",
    "barred with right",
    "by another grant",
    "citation wrong",
    "given without right",
    "refused with right",
)


def main() -> None:
    total: dict[str, int] = dict.fromkeys(MUST_BE_ZERO, 0)
    for seed in range(WORLDS):
        for name, count in lived(seed).items():
            total[name] = total.get(name, 0) + count
    served = asyncio.run(asked_through_a_service(SERVED_QUESTIONS))
    result = {"worlds": WORLDS, "stores": len(STORES), **total, "through the service": served}
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
