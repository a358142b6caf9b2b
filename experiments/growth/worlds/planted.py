"""(a) The planted world: six patterns where a right instruction or worked example helps, six decoys, background.

TRUTH A JUDGE HOLDS AGAINST THE SYSTEM
  Stream shares: planted 5% each (30%), decoys 3.33% each (20%), background 50%. n = 14000 gives ~700 requests of each
  planted pattern; the target is 'found and adopted within 600 requests OF THE PATTERN'.
  Planted (success of 'small': .60 bare, .90 with what is right; see P and RIGHT):
    invoice    right: an instruction asking for JSON and naming its fields/keys | >= 2 right examples
    hours      right: an instruction to work step by step / show the working    | >= 2 right examples whose answers SHOW working
    triage     right: an instruction stating the precedence (fault before refund ...) | >= 3 right examples
    spanish    right: an instruction to be formal / use 'usted'                 | >= 2 right examples
    timezone   right: an instruction to work step by step / via UTC offsets     | examples do NOT help
    sql        right: an instruction about deleted rows (deleted_at)            | >= 2 right examples
  So each is reachable without a model as author: five by examples, hours and timezone by 'step by step'.
  An example counts as right if its prompt is of the same kind and its answer passes the judge. If more than half of
  the examples given are of the kind but have wrong answers, success falls by .10. 'Answer only / briefly / one word'
  lowers hours and timezone by .15 when no right instruction stands beside it.
  Adopted = at the stream's end the kind is served (>= 80% of its last 100 requests) by an arm with lifted(...) True.
  Decoys (nothing helps; adopting an arm with harm(...) True for a decoy, and keeping it, is 'harmful kept'):
    card       taste, .70 whatever is done              crossword  small .45; only the large model helps (.85)
    fact       .85; 'step by step' HARMS (-.20)         review     .85; JSON / one-label instructions and any examples HARM (-.20)
    password   .95 already, nothing to gain             forecast   .20 for everyone
  Background: differs by prompt (logit noise), no instruction or example changes it.
  Success is drawn with common random numbers: u(seed, request, model, attempt) < p, whatever the arm; so answers do
  not depend on the order of calls. Judge: World.check(request, answer text), or Reply.ok.

OFFERS
  SEEN_SEEDS, UNSEEN_SEEDS (>= 1000: wording held back, NOT to be used before the end), MODELS, P, SHARES
  World(seed, n=14000):  .stream -> list[Request(i, at, user, text, kind)] (kind is hidden from the system)
     .answer(request, model, system="", instruct="", examples=(), attempt=0) -> Reply(text, ok, ms, usd, tokens_in, tokens_out)
         examples: sequence of (prompt, answer) pairs
     .check(request, text) -> bool;  .p(kind, model, instruct, examples, request) -> float (the true probability)
     .lifted(kind, instruct, examples, i=0) -> bool;  .harm(kind, instruct, examples, i=0) -> bool
     .feedback(request, reply, rate=1.0, flip=0.0) -> True | False | None    what a user would say
     .author(prompts, attempt=0, skill=.5) -> str     a scripted model that writes an instruction for a cluster
     .right_examples(kind, k, i=0) -> [(prompt, answer)], RIGHT_INSTRUCTION[kind] -> str
     .table(i=0) -> {kind: {(model, 'bare'|'lifted'): (p, usd, ms)}};  .best(i=0, weights) -> {kind: (model, form, utility)}
     .efficiency(policy, i=0, weights) -> 0..100, policy: {kind: (model, 'bare'|'lifted')}
"""
from __future__ import annotations
import math, random, re, sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import texts as T
from texts import PLANTED, DECOYS, KINDS, u01

SEEN_SEEDS = (0, 1, 2, 3, 4, 5)
UNSEEN_SEEDS = (1000, 1001, 1002, 1003, 1004, 1005)
SHARES = {**{k: .05 for k in PLANTED}, **{k: .2 / 6 for k in DECOYS}, "background": .5}
SIZES = {**{k: 400 for k in PLANTED}, **{k: 300 for k in DECOYS}, "background": 1600}
MODELS = {  # usd per 1k tokens, ms fixed, ms per output token
    "tiny": dict(usd=.0001, ms=120, per=3), "small": dict(usd=.0004, ms=220, per=6),
    "mid": dict(usd=.002, ms=450, per=11), "large": dict(usd=.010, ms=900, per=20)}
_PL = {"tiny": (.45, .55), "small": (.60, .90), "mid": (.66, .90), "large": (.74, .92)}
P = {k: dict(_PL) for k in PLANTED}                         # kind -> model -> (bare, lifted)
P |= {"card": {"tiny": .66, "small": .70, "mid": .70, "large": .71}, "crossword": {"tiny": .20, "small": .45, "mid": .55, "large": .85},
      "fact": {"tiny": .75, "small": .85, "mid": .88, "large": .90}, "review": {"tiny": .78, "small": .85, "mid": .86, "large": .87},
      "password": {"tiny": .94, "small": .95, "mid": .95, "large": .96}, "forecast": {"tiny": .20, "small": .20, "mid": .20, "large": .20},
      "background": {"tiny": .63, "small": .70, "mid": .72, "large": .73}}
WEIGHTS = dict(ok=1.0, usd=-100.0, s=-.005)                 # a default utility: ok - 100 usd - .005 seconds

STEP = r"step[- ]by[- ]step|one step at a time|show (?:your |the |all )*(?:work|calculation|steps)|work(?:ing)? it out|intermediate|paso a paso|think .{0,20}through"
BRIEF = r"\bbriefly\b|\bbrief\b|only the (?:answer|number|result|time)|just the (?:answer|number|result)|one word|no explanation|as short as"
JSONISH = r"\bjson\b|\byaml\b|one label|only the label|single label|label only"
RIGHT = {
    "invoice": lambda s: re.search(r"json", s) and re.search(r"field|key|vendor|\bdate\b|total", s),
    "hours": lambda s: re.search(STEP, s),
    "triage": lambda s: "fault" in s and "refund" in s and re.search(r"preced|priorit|before|over |wins|first|even if|outrank", s),
    "spanish": lambda s: re.search(r"\busted\b|formal", s) and not re.search(r"informal|not formal", s),
    "timezone": lambda s: re.search(STEP + r"|\butc\b|\bgmt\b|offset", s),
    "sql": lambda s: re.search(r"deleted_at|soft[- ]?delet|deleted rows|deleted records|exclude deleted", s)}
NEED_EXAMPLES = {"invoice": 2, "hours": 2, "triage": 3, "spanish": 2, "timezone": None, "sql": 2}
RIGHT_INSTRUCTION = {
    "invoice": "Reply with JSON only, with the keys vendor, date (YYYY-MM-DD) and total (the amount due, a number).",
    "hours": "Work it out step by step: minutes on shift, minus the break, as hours, times the rate.",
    "triage": "If a ticket has two problems, fault comes before refund, then billing, shipping, access. Name one queue.",
    "spanish": "Write in Spanish, formally, addressing the customer as usted.",
    "timezone": "Convert through UTC: subtract the first city's offset, add the second's, and state the day.",
    "sql": "Always exclude deleted rows: deleted_at IS NULL comes first in the WHERE clause."}
TEMPTING = ["Think step by step before you answer.", "Answer briefly, only the answer.", "Answer in JSON only.", "Be friendly and warm.",
            "Answer with a single label only.", "Give three options.", "Use simple words.", "Reply in the user's language.",
            "Cite your sources.", "You are a world-class expert in this field.", "Double-check spelling and grammar.", "Keep a professional tone."]


@dataclass(frozen=True)
class Request:
    i: int
    at: float           # seconds since the start
    user: str
    text: str
    kind: str           # hidden from the system


@dataclass(frozen=True)
class Reply:
    text: str
    ok: bool            # hidden from the system unless it is told by feedback/judge
    ms: float
    usd: float
    tokens_in: int
    tokens_out: int


def tokens(s: str) -> int:
    return max(1, len(s) // 4)


class World:
    name = "planted"
    change_at = None

    def __init__(self, seed: int = 0, n: int = 14000):
        self.seed, self.n = seed, n
        self.pools = T.pools(seed, SIZES)
        self.meta = {m.text: m for ms in self.pools.values() for m in ms}
        self.by_norm = {T.norm(m.text): m for m in self.meta.values()}
        rng = random.Random(f"{self.name}|stream|{seed}")
        kinds, w = list(SHARES), list(SHARES.values())
        users = [f"u{j:03d}" for j in range(300)]
        at, out = 0.0, []
        for i in range(n):
            k = rng.choices(kinds, w)[0]
            at += rng.expovariate(1 / 150)
            out.append(Request(i, round(at, 1), users[min(299, int(rng.paretovariate(.9)) - 1)] if rng.random() < .5 else rng.choice(users),
                               rng.choice(self.pools[k]).text, k))
        self.stream = out

    # ------------------------------------------------------------------------------------------ the truth
    def era(self, i: int) -> int:
        return int(self.change_at is not None and i >= self.change_at)

    def base(self, kind, model, era):
        """-> (bare, lifted) of a planted kind, or a float."""
        return P[kind][model]

    def right_instruction(self, kind, s, era):
        return bool(RIGHT[kind](s))

    def need(self, kind, era):
        return NEED_EXAMPLES[kind]

    def find(self, text):
        return self.meta.get(text) or self.by_norm.get(T.norm(text))

    def _examples(self, kind, examples, era):
        """-> (right ones, wrong ones of the kind)"""
        good = bad = 0
        for q, a in examples or ():
            m = self.find(q)
            if m is None or m.kind != kind:
                continue
            r = m.check(a, era)
            if r and kind == "hours" and not ("\n" in a.strip() or "=" in a):
                continue
            good, bad = good + r, bad + (not r)
        return good, bad

    def _form(self, kind, instruct, examples, era):
        s = instruct.lower()
        good, bad = self._examples(kind, examples, era)
        n = self.need(kind, era)
        ri = self.right_instruction(kind, s, era)
        return ri or (n is not None and good >= n), good, bad, s, ri

    def lifted(self, kind, instruct="", examples=(), i=0) -> bool:
        return kind in PLANTED and self._form(kind, instruct, examples, self.era(i))[0]

    def _delta(self, kind, instruct, examples, era):
        s = instruct.lower()
        if kind in PLANTED:
            lift, good, bad, s, ri = self._form(kind, instruct, examples, era)
            d = 0.0
            if bad > good and bad:
                d -= .10
            if kind in ("hours", "timezone") and re.search(BRIEF, s) and not ri:
                d -= .15
            return d
        if kind == "fact" and re.search(STEP, s):
            return -.20
        if kind == "review" and (re.search(JSONISH, s) or any(True for _ in examples or ())):
            return -.20
        return 0.0

    def harm(self, kind, instruct="", examples=(), i=0) -> bool:
        era = self.era(i)
        return self._delta(kind, instruct, examples, era) < 0 and not (kind in PLANTED and self.lifted(kind, instruct, examples, i))

    def p(self, kind, model, instruct="", examples=(), request=None) -> float:
        era = self.era(request.i) if request is not None else 0
        b = self.base(kind, model, era)
        if kind in PLANTED:
            lift = self._form(kind, instruct, examples, era)[0]
            x = b[1] if lift else b[0]
        else:
            x = b
        x += self._delta(kind, instruct, examples, era)
        if kind == "background" and request is not None:
            z = math.log(x / (1 - x)) + 1.0 * _gauss(request.text)
            x = 1 / (1 + math.exp(-z))          # per-prompt difficulty
        return min(.99, max(.01, x))

    # ------------------------------------------------------------------------------------------ the models
    def answer(self, request, model, system="", instruct="", examples=(), attempt=0) -> Reply:
        m = self.meta[request.text]
        ins = (system + "\n" + instruct).strip()
        era = self.era(request.i)
        ok = u01(self.seed, request.i, model, attempt) < self.p(m.kind, model, ins, examples, request)
        v = u01(self.seed, request.i, model, attempt, "v")
        if ok:
            work = m.kind == "hours" and (model in ("mid", "large") or bool(re.search(STEP, ins.lower()))
                                          or v < .5 or self._examples("hours", examples, era)[0] >= 2)
            text = m.right(era, work, int(v * 7))
        else:
            w = m.wrongs(era)
            text = w[int(v * len(w))]
        tin = tokens(ins) * bool(ins) + tokens(request.text) + sum(tokens(a) + tokens(b) for a, b in examples or ())
        tout = tokens(text) + 10
        c = MODELS[model]
        return Reply(text, ok, round(c["ms"] + c["per"] * tout + .15 * tin, 1) * (.9 + .2 * v), c["usd"] * (tin + tout) / 1000, tin, tout)

    def check(self, request, text) -> bool:
        return self.meta[request.text].check(text, self.era(request.i))

    def feedback(self, request, reply, rate=1.0, flip=0.0):
        if u01(self.seed, request.i, "fb") >= rate:
            return None
        return reply.ok != (u01(self.seed, request.i, "flip") < flip)

    def author(self, prompts, attempt=0, skill=.5) -> str:
        """A scripted author: sees sample prompts of a cluster; writes the right instruction with probability `skill`
        if most are of one planted kind, otherwise (and for decoys and background always) a plausible, tempting one."""
        ks = [m.kind for m in map(self.find, prompts) if m]
        top = max(sorted(set(ks)), key=ks.count) if ks else None
        u = u01(self.seed, "author", attempt, *sorted(prompts)[:5])
        if top in PLANTED and ks.count(top) * 2 > len(ks) and u < skill:
            return self.correct(top, self._author_era(prompts))
        return TEMPTING[int(u01(u, "tempt") * len(TEMPTING))]

    def _author_era(self, prompts):
        return 0

    def correct(self, kind, era=0) -> str:
        return RIGHT_INSTRUCTION[kind]

    def right_examples(self, kind, k, i=0):
        ms = self.pools[kind][:k]
        return [(m.text, m.right(self.era(i), True, 0)) for m in ms]

    # ------------------------------------------------------------------------------------------ the best there is
    def table(self, i=0):
        era, out = self.era(i), {}
        for k in KINDS:
            ms = self.pools[k][:60]
            L = sum(tokens(m.text) for m in ms) / len(ms)
            R = sum(tokens(m.right(era, True, 0)) for m in ms) / len(ms) + 10
            row = {}
            for mod, c in MODELS.items():
                b = self.base(k, mod, era)
                ps = {"bare": b[0], "lifted": b[1]} if k in PLANTED else {"bare": b}
                for form, p in ps.items():
                    tin = L + (tokens(self.correct(k, era)) if form == "lifted" else 0)
                    row[mod, form] = (p, c["usd"] * (tin + R) / 1000, c["ms"] + c["per"] * R + .15 * tin)
            out[k] = row
        return out

    def best(self, i=0, weights=WEIGHTS):
        return {k: max(((m, f, _util(x, weights)) for (m, f), x in row.items()), key=lambda t: t[2]) for k, row in self.table(i).items()}

    def efficiency(self, policy, i=0, weights=WEIGHTS):
        """0 = the cheapest fixed plan (tiny, bare) everywhere, 100 = the best per kind; policy {kind: (model, form)}.
        A policy entry may carry a success of its own: (model, form, p)."""
        t, b = self.table(i), self.best(i, weights)
        u = f = o = 0.0
        for k, s in SHARES.items():
            e = policy[k]
            p, usd, ms = t[k][e[0], e[1]]
            u += s * _util((e[2] if len(e) > 2 else p, usd, ms), weights)
            f += s * _util(t[k]["tiny", "bare"], weights)
            o += s * b[k][2]
        return max(0.0, min(100.0, 100 * (u - f) / (o - f)))


def _gauss(text):
    a, b = u01(text, "g1"), u01(text, "g2")
    return math.sqrt(-2 * math.log(a + 1e-12)) * math.cos(2 * math.pi * b)


def _util(x, w):
    return w["ok"] * x[0] + w["usd"] * x[1] + w["s"] * x[2] / 1000
