"""Makes records of a shape from nothing: what the enricher does to empty records, for any shape."""

import datetime as dt
import secrets
from typing import Any

from faker import Faker

from router.records.effort import spend
from router.records.enriching.filler import enriched
from router.records.mock import Maker
from router.records.nodes import Array, Node, Object, OneOf
from router.records.planning import RecordPlan

# The day on which the ages of made records are right: another day would make other records.
AS_OF = dt.date(2026, 1, 1)


class RecordMaker:
    """Makes values for a node, one after another; the same seed gives the same values."""

    def __init__(self, plan: RecordPlan, fake: Faker, seed: int | None, as_of: dt.date) -> None:
        self._plan, self._fake, self._as_of = plan, fake, as_of
        self._seed = secrets.randbits(62) if seed is None else seed
        self._maker = Maker(fake, self._seed)
        self._made = 0

    def make(self, node: Node, index: int | None = None) -> Any:
        """One value; `index` numbers the records of a list."""
        spend()
        match node:
            case Object():
                return self._record(node, index)
            case Array(Object() as item) if not node.unique:
                count = self._maker.chance.randint(node.least, node.most)
                return [self._record(item, n) for n in range(count)]
            case OneOf((), nodes):
                return self.make(self._maker.chance.choice(nodes), index)
        return self._maker.make(node, "", index)

    def _record(self, node: Object, index: int | None) -> dict[str, Any]:
        """A record; records without a number still differ from each other."""
        self._made += 1
        seed = self._seed if index is not None else self._seed + self._made
        (record,) = enriched(
            [{}],
            node,
            seed=seed,
            fake=self._fake,
            as_of=self._as_of,
            plan=self._plan,
            first=index or 0,
        )
        return record
