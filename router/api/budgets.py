"""`GET /v1/budgets`: every budget with its limits, and what is used, held and left of each.

The figures are the hive's: what routers reported, at most a second ago. `held` is reserved by calls
under way, or leased by a router that will use it or give it back.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from router.api.incoming import Admission, Incoming
from router.budgets import RULES, BudgetUse, Moment, bounds
from router.engine.bindings import Binding, budgets_of
from router.engine.engine import Engine
from router.hive import Hive
from router.wire.errors import Unavailable


@dataclass(frozen=True, slots=True)
class BudgetsEndpoint:
    engine: Engine
    admission: Admission
    hive: Hive

    async def get(self, incoming: Incoming) -> None:
        await self.admission.admit(incoming, "analyst")
        at = Moment(self.engine.wall(), self.engine.steady())
        try:
            uses = await self.hive.budget_uses(at.wall)
        except Exception:
            message = "The hive does not answer at the moment: ask again."
            raise Unavailable("hive_away", message, 1.0) from None
        keys = self.engine.config.keys
        budgets = [
            _budget(binding, uses.get(binding.name, BudgetUse()), at)
            for binding in budgets_of(keys, self.admission.keys)
            if binding.limits.any
        ]
        for budget in budgets:
            team = keys.teams.get(budget["name"]) if budget["kind"] == "team" else None
            if team is not None and team.parent:
                budget["parent"] = team.parent
        await incoming.reply.json(200, {"budgets": budgets})


def _budget(binding: Binding, use: BudgetUse, at: Moment) -> dict[str, Any]:
    kind, _, name = binding.owner.partition(" ")
    if kind not in ("key", "team", "tag"):
        kind, name = "key", ""
    return {"kind": kind, "name": name, "limits": dict(_limits(binding, use, at))}


def _limits(
    binding: Binding, use: BudgetUse, at: Moment
) -> Iterator[tuple[str, Mapping[str, float]]]:
    bound = bounds(binding.limits)
    left = bound.less(use.used.plus(use.held))
    resets = {"dollars_per_day": at.left_of_day, "dollars_per_month": at.left_of_month}
    for column, rule in enumerate(RULES.values()):
        if getattr(binding.limits, rule) is None:
            continue
        shown = {"limit": bound, "used": use.used, "held": use.held, "left": left}
        figures = {name: round(amounts[column], 10) for name, amounts in shown.items()}
        if rule in resets:
            figures["resets_in_seconds"] = round(resets[rule])
        yield rule, figures
