"""(d) The changing world: planted.World whose best answers change at request `change_at` (default 12000 of 18000).

TRUTH A JUDGE HOLDS AGAINST THE SYSTEM   (era 0: requests < change_at, exactly the planted world; era 1: from there on)
    invoice    the house format becomes one line 'vendor;date;total': the JSON instruction and examples made before now
               bring .40 (bare is .60); right is an instruction naming CSV/semicolons, or >= 2 examples answered in the new form
    triage     the precedence is reversed (access first ... fault last): the old instruction and old examples bring .40; right is
               an instruction with the new order ('refund before fault', 'access first'), or >= 3 new right examples
    spanish    a younger brand: 'usted' brings .40; right is tú / informal, or >= 2 new right examples
    hours      the small model is upgraded: .90 bare and .90 lifted -> the made plan brings nothing any more and costs tokens
    sql        the provider of 'small' degrades: .35 bare, .55 lifted; the best becomes mid + the same instruction/examples
    timezone   unchanged (its made plan must survive)
    crossword  (decoy) small rises to .85: no need for the large model any more
    all else   unchanged
  Efficiency: must rise >= 15 points by the end of era 0, fall after the change (kept plans: by `fall()` points at once), and be
  back within 2 points of its era-0 value (or >= the era-0 value - 2) by change_at + 2000. World.efficiency(policy, i) is the judge's;
  World.stale(kind) -> success of 'small' in era 1 under the plan that was right in era 0.
  In 2000 requests of era 1 a planted pattern is asked ~100 times, so at most ~100 trials can be spent on each.

OFFERS  SEEN_SEEDS, UNSEEN_SEEDS (>= 1000, not before the end); World(seed, n=18000, change_at=12000), all of planted.World's methods
  (request.i decides the era; lifted/harm/best/table/efficiency take i=), .stale(kind), .fall(weights), ERA1 (the right instructions).
"""
from __future__ import annotations
import re
import planted
from planted import PLANTED, KINDS, MODELS, SHARES, WEIGHTS, Request, Reply, RIGHT, RIGHT_INSTRUCTION, u01   # noqa: F401

SEEN_SEEDS = (0, 1, 2, 3)
UNSEEN_SEEDS = (1000, 1001, 1002, 1003)
ERA1 = {"invoice": "Reply with one CSV line with semicolons: vendor;date;total, the date as YYYY-MM-DD.",
        "triage": "If a ticket has two problems, access comes first, then shipping, billing, refund before fault. Name one queue.",
        "spanish": "Write in Spanish, informally, addressing the customer as tú."}
_FLIP = ("invoice", "triage", "spanish")
_R1 = {"invoice": lambda s: re.search(r"csv|semicolon|vendor\s*;", s) and not re.search(r"\bjson\b", s),
       "triage": lambda s: re.search(r"refund\b.{0,30}(?:before|over|outranks|wins|precede).{0,20}fault|access\b.{0,25}first|fault\b.{0,25}last", s),
       "spanish": lambda s: re.search(r"\btú\b|\btu\b|tute|informal", s) and not re.search(r"\busted\b", s)}


class World(planted.World):
    name = "planted"                       # the same stream as the planted world of the same seed and n

    def __init__(self, seed: int = 0, n: int = 18000, change_at: int = 12000):
        super().__init__(seed, n)
        self.change_at = change_at

    def base(self, kind, model, era):
        b = super().base(kind, model, era)
        if era:
            if kind == "hours" and model == "small":
                return (.90, .90)
            if kind == "sql" and model == "small":
                return (.35, .55)
            if kind == "crossword" and model == "small":
                return .85
        return b

    def right_instruction(self, kind, s, era):
        if era and kind in _FLIP:
            return bool(_R1[kind](s))
        if not era and kind == "triage" and _R1["triage"](s):
            return False
        return super().right_instruction(kind, s, era)

    def _delta(self, kind, instruct, examples, era):
        d = super()._delta(kind, instruct, examples, era)
        if era and kind in _FLIP and not self._form(kind, instruct, examples, 1)[0] and self._form(kind, instruct, examples, 0)[0]:
            return -.20
        return d

    def _author_era(self, prompts):        # the author knows the house rules of the day: set .now as the stream goes
        return self.era(getattr(self, "now", 0))

    def correct(self, kind, era=0):
        return ERA1[kind] if era and kind in ERA1 else RIGHT_INSTRUCTION[kind]

    def stale(self, kind):
        if kind not in PLANTED:
            return self.base(kind, "small", 1)
        return self.p(kind, "small", RIGHT_INSTRUCTION[kind], (), self._at1())

    def _at1(self):
        return Request(self.change_at, 0.0, "", "", "")

    def fall(self, weights=WEIGHTS):
        """Points that the best era-0 policy loses on the first request of era 1."""
        b0 = self.best(0, weights)
        pol0 = {k: (m, f) for k, (m, f, _) in b0.items()}
        pol1 = {}
        for k, (m, f) in pol0.items():
            if k in _FLIP and f == "lifted":
                pol1[k] = (m, f, self.p(k, m, RIGHT_INSTRUCTION[k], (), self._at1()))
            else:
                pol1[k] = (m, f)
        return self.efficiency(pol0, 0, weights) - self.efficiency(pol1, self.change_at, weights)
