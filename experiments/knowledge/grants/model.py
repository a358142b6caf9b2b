"""Who may see what, by the words of the issue alone, and as slowly as it is plain.

Written before the code that it judges, and without a look at it. It keeps everything that ever
happened in one list, and answers each question by going through the list from its beginning.

The rules, in words:
- A caller without a key sees nothing once keys exist. A revoked key sees nothing.
- An admin may everything. The owner of a store may everything with that store.
- A public store may be read with every key. A store visible to its locale may be read with the keys
  of that locale. A private store may be read with neither. None of the three lets anybody write.
- A grant lets a key, the keys of a locale, or every key do one thing: read, or write. To be allowed
  to write is not to be allowed to read.
- A grant ends at `until`, and when it was revoked. It lapses, for good, once nobody has used it for
  its idle days. It lets each key use it at most `rate` times in any hour.
- Of several grants that allow something, the one with the fewest conditions is used: first those
  that need no citation, then those without a rate, then the oldest.
- A store that was never declared, or was removed, is seen by admins alone. A store that comes back
  under the same name brings no grant back.
"""

from dataclasses import dataclass, field
from typing import Any

HOUR, DAY = 3600.0, 86_400.0


@dataclass(frozen=True)
class ModelKey:
    name: str
    team: str
    admin: bool


@dataclass
class Model:
    past: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)

    def happened(self, at: float, what: str, **facts: Any) -> None:
        self.past.append((at, what, facts))

    def may(self, key: ModelKey | None, store: str, act: str, now: float) -> bool:
        return self.way(key, store, act, now) is not None

    def way(
        self, key: ModelKey | None, store: str, act: str, now: float, *, rated: bool = True
    ) -> int | None:
        """By which grant the key may act; 0: without a grant; None: it may not. Without `rated`,
        as if no use of the last hour counted."""
        if key is None or self._key_revoked(key):
            return None
        if key.admin:
            return 0
        access = self._access(store)
        if access is None:
            return None
        if access["owner"] == key.name:
            return 0
        if act == "read" and access["visible"] == "public":
            return 0
        same = bool(key.team) and access["locale"] == key.team
        if act == "read" and access["visible"] == "locale" and same:
            return 0
        usable = [
            (terms["must_cite"], terms["rate"] is not None, number)
            for number, terms in self._grants(store).items()
            if terms["may"] == act
            and self._is_for(terms["who"], key)
            and self._in_force(number, terms, now)
            and (not rated or self._under_rate(number, terms, key, now))
        ]
        return min(usable)[2] if usable else None

    def must_cite(self, number: int) -> bool:
        if number == 0:
            return False
        return bool(self._all_grants()[number]["must_cite"])

    def _key_revoked(self, key: ModelKey) -> bool:
        return any(what == "key revoked" and f["name"] == key.name for _, what, f in self.past)

    def _access(self, store: str) -> dict[str, Any] | None:
        access = None
        for _, what, facts in self.past:
            if facts.get("store") == store and what in ("declared", "removed"):
                access = facts if what == "declared" else None
        return access

    def _all_grants(self) -> dict[int, dict[str, Any]]:
        grants: dict[int, dict[str, Any]] = {}
        for at, what, facts in self.past:
            if what == "granted":
                grants[facts["number"]] = {**facts, "since": at}
            elif what == "changed":
                grants[facts["number"]] |= {**facts, "since": at}
        return grants

    def _grants(self, store: str) -> dict[int, dict[str, Any]]:
        ended: set[int] = set()
        of_store: set[int] = set()
        for _, what, facts in self.past:
            if what == "granted" and facts["store"] == store:
                of_store.add(facts["number"])
            elif what == "revoked":
                ended.add(facts["number"])
            elif what == "removed" and facts["store"] == store:
                ended |= of_store
        grants = self._all_grants()
        return {number: grants[number] for number in of_store - ended}

    @staticmethod
    def _is_for(who: str, key: ModelKey) -> bool:
        kind, _, name = who.partition(":")
        if kind == "everybody":
            return True
        return name == key.name if kind == "key" else bool(key.team) and name == key.team

    def _in_force(self, number: int, terms: dict[str, Any], now: float) -> bool:
        if terms["until"] is not None and now >= float(terms["until"]):
            return False
        if terms["idle_days"] is None:
            return True
        used = [at for at, what, f in self.past if what == "used" and f["number"] == number]
        return bool(now - max([terms["since"], *used]) < terms["idle_days"] * DAY)

    def _under_rate(self, number: int, terms: dict[str, Any], key: ModelKey, now: float) -> bool:
        if terms["rate"] is None:
            return True
        uses = [
            at
            for at, what, f in self.past
            if what == "used"
            and f["number"] == number
            and f["name"] == key.name
            and now - at < HOUR
        ]
        return len(uses) < int(terms["rate"])
