"""(c) A stationary stream in which nothing could be gained, 100 seeds.

TRUTH A JUDGE HOLDS AGAINST THE SYSTEM
  The texts are those of the other worlds (13 kinds: twelve clusters that look like patterns, and background), but
  - no instruction, example, set, gate, committee, retry, revision or escalation changes any success: a request that fails, fails for
    every model, every attempt and every wording of the call (common-mode), so there is nothing that a second opinion could catch;
  - right and wrong answers are told apart only by a salted hash (texts.SALTED's rule), so no gate can see a wrong one;
  - no text is repeated in the stream, so nothing can be answered from a library of past answers;
  - rates do not change over time; kinds differ in rate (.35 to .95), which looks like 'a missing specialist' and is not.
  Variant 'flat' (even seeds): all models succeed alike; 'tiny' is cheapest and fastest.
  Variant 'dominant' (odd seeds): 'house' succeeds on .08 more of every kind than the others (a superset of what they get right), and
    is also the cheapest and the fastest. Either way one fixed plan (World.best) is optimal under ANY weights >= 0.
  So every made plan, spawn, split, committee, specialist or written node that is KEPT (serving outside its trial) is a false growth.
  Choosing the best fixed plan (and pruning or never asking the others) is right and no growth. Merging models in 'flat' is harmless:
  not counted. Figure: a seed counts as bad if one or more grown things serve at the end, or served for more than 200 requests outside
  a trial; target: at most 5 of the 100 seeds (SEEN_SEEDS + UNSEEN_SEEDS; at most 5% of each half as well, 2 of 50, is the honest reading).

OFFERS
  SEEN_SEEDS = 0..49, UNSEEN_SEEDS = 1000..1049 (not before the end)
  World(seed, n=3000): .variant, .best (model), .models {name: dict(usd=, ms=)}, .rates {kind: p}, .stream -> list[Request] (planted.Request)
     .answer(request, model, system="", instruct="", examples=(), attempt=0) -> planted.Reply
     .check(request, text) -> bool;  .feedback(request, reply, rate=1.0, flip=0.0) -> True | False | None
     .bad(served) -> int       served: {grown thing: requests served outside its trial, or -1 if it serves at the end}
"""
from __future__ import annotations
import random, sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import texts as T
from texts import KINDS, u01
from planted import Request, Reply, tokens

SEEN_SEEDS = tuple(range(50))
UNSEEN_SEEDS = tuple(range(1000, 1050))


class World:
    def __init__(self, seed=0, n=3000):
        self.seed, self.n = seed, n
        rng = random.Random(f"stationary|{seed}")
        self.variant = "dominant" if seed % 2 else "flat"
        self.rates = {k: round(rng.uniform(.35, .95), 3) for k in KINDS}
        self.models = {"tiny": dict(usd=.0001, ms=250), "small": dict(usd=.0004, ms=400), "mid": dict(usd=.002, ms=800), "large": dict(usd=.01, ms=1500)}
        self.best = "tiny"
        if self.variant == "dominant":
            self.models = {"house": dict(usd=.00008, ms=200), **self.models}
            self.best = "house"
        cut = sorted(rng.random() for _ in range(11))
        w = [(b - a) + .02 for a, b in zip([0] + cut, cut + [1])]
        shares = {k: .5 * x / sum(w) for k, x in zip(KINDS, w)} | {"background": .5}
        ks = rng.choices(list(shares), list(shares.values()), k=n)
        need = {k: ks.count(k) for k in KINDS if ks.count(k)}
        ps = {k: iter(v) for k, v in T.pools(seed, need).items()}
        at, self.stream, self.meta = 0.0, [], {}
        for i, k in enumerate(ks):
            m = next(ps[k])
            self.meta[m.text] = m
            at += rng.expovariate(1 / 150)
            self.stream.append(Request(i, round(at, 1), f"u{rng.randint(0, 299):03d}", m.text, k))

    def _cands(self, m):
        return T._cands(m)

    def answer(self, request, model, system="", instruct="", examples=(), attempt=0):
        m = self.meta[request.text]
        p = self.rates[m.kind] + (0.0 if self.variant == "flat" or model == "house" else -.08)
        ok = u01(self.seed, request.i, "common") < p
        c = [x for x in T._cands(m) if (T._bit(m, x) == 0) == ok]
        v = u01(self.seed, request.i, model, attempt, instruct, system, len(examples or ()))
        ins = (system + "\n" + instruct).strip()
        tin = tokens(request.text) + tokens(ins) * bool(ins) + sum(tokens(a) + tokens(b) for a, b in examples or ())
        tout = 30
        q = self.models[model]
        return Reply(c[int(v * len(c))], ok, round(q["ms"] * (.85 + .3 * v) + .15 * tin, 1), q["usd"] * (tin + tout) / 1000, tin, tout)

    def check(self, request, text):
        m = self.meta[request.text]
        return text.strip() in T._cands(m) and T._bit(m, text) == 0

    def feedback(self, request, reply, rate=1.0, flip=0.0):
        if u01(self.seed, request.i, "fb") >= rate:
            return None
        return reply.ok != (u01(self.seed, request.i, "flip") < flip)

    @staticmethod
    def bad(served):
        return int(any(v == -1 or v > 200 for v in served.values()))
