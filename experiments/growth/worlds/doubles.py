"""(b) Doubles among plans, and useless stages in pipelines.

WORLD 1, doubles:  Plans(seed) has 11 plans and 8 kinds of requests. TRUTH (Plans.truth):
    two planted pairs of DOUBLES (success differs by at most .004 on every kind; .keep names the cheaper of the two, which should
        stand for the other). Right answer of the system: both merged, the cheaper kept.
    three NEAR-DOUBLES: equal to another plan on seven kinds and different by .16-.26 on ONE kind whose share is 5-12%.
        Overall they differ by only ~.01-.03. Merging such a pair (or letting one stand for the other on that kind) is an ERROR;
        letting one stand for the other on the seven other kinds is not.
    the rest are plans of their own (differ by >= .08 on at least three kinds). Any merge among them is an error.
  Errors of doubles are independent draws (they are doubles in rate, not in each answer), so agreement of answers proves nothing.
WORLD 2, stages:  pipelines(seed) -> 48 Pipelines: 24 chains and 24 cascades. TRUTH (Pipeline.truth[stage_id]):
    role 'required' (the draft or last repair: never to be removed), 'useful' (on at least one kind), 'useless' (on no kind);
    useful_on / useless_on: kinds. EXACTLY 48 useless stages over the 48 pipelines (12 pipelines have none, 24 one, 12 two).
    Removing a useless stage lowers the success of no kind by more than .003 (mostly 0; for some it rises) and saves money.
    Removing a useful stage on a kind of useful_on costs >= .04 of success there, or (cheap_first) raises its cost by >= 25%.
    'partly' useful stages help on one kind of 5-12% share only (+.15 or more there): removing them everywhere is an ERROR
        ('a useful one removed'), removing them on their useless_on kinds alone is right and welcome.
    Count: found = useless removed of 48 (target >= 90%: 44); useful removed on any kind of useful_on: target 0.
  Traps: a useless critic that rewrites 60% of the texts and never changes their rightness ('churn'); one that only echoes; a second
    gate that flags nothing; a cheap first step whose answer is accepted 1% of the time; a rewriter/retriever with no effect;
    useful stages that act on 6% of requests only.

OFFERS
  SEEN_SEEDS, UNSEEN_SEEDS (>= 1000, not before the end)
  Plans(seed, n=9000): .stream [Request], .plans {name: dict(usd=, ms=)}, .answer(plan, request, attempt=0) -> Reply,
      .check(request, text) -> bool, .p[plan][kind], .truth = {"doubles": [(a, b)], "keep": {frozenset({a,b}): name},
      "near": [(a, b, kind)]}, .shares; .judge(merged: iterable of (gone, stands_in)) -> dict(found, wrong, wrong_keep)
  pipelines(seed) -> list[Pipeline(id, form, stages, kinds, shares, truth)]
      Stage(id, type, usd, ms, ...): type in draft|rewrite|retrieve|cheap_first|gate|critic|repair|format
      Pipeline.stream(n=1500) -> list[Request];  .run(request, skip=()) -> Run(ok, text, usd, ms, rows=[Row(stage, called, changed,
          flagged, accepted, ok_before, ok_after, usd, ms)])   ok_* are the judge's, hidden from the system
      .stage_call(stage_id, request, ok, hint=0.0, flagged=False) -> Row      one stage, for systems that run stages themselves
      .expect(kind, skip=()) -> (success, usd, ms) exactly, by calculation
  judge_stages(pipes, removed: {(pipe_id, stage_id, kind or None)}) -> dict(useless, found, useful_removed, required_removed)
"""
from __future__ import annotations
import random, sys
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import texts as T
from texts import u01
from planted import Request, Reply, tokens

SEEN_SEEDS = (0, 1, 2, 3)
UNSEEN_SEEDS = (1000, 1001, 1002, 1003)
KIND8 = ("invoice", "hours", "triage", "timezone", "sql", "fact", "review", "background")
SH8 = (.22, .18, .15, .12, .10, .10, .08, .05)
_NAMES = ["amber", "birch", "coral", "dune", "ember", "flint", "grove", "heron", "iris", "jade", "krill"]


def _reply(m, ok, v, usd, ms):
    w = m.wrongs(0)
    text = m.right(0, v < .5, int(v * 7)) if ok else w[int(v * len(w))]
    return Reply(text, ok, round(ms * (.85 + .3 * v), 1), usd, tokens(m.text), tokens(text))


class Plans:
    def __init__(self, seed=0, n=9000):
        self.seed = seed
        rng = random.Random(f"doubles|{seed}")
        names = _NAMES[:]
        rng.shuffle(names)
        kinds = list(KIND8)
        sh = list(SH8)
        rng.shuffle(sh)
        self.shares = dict(zip(kinds, sh))
        small = [k for k in kinds if self.shares[k] <= .12]
        p: dict = {}

        def fresh():
            while True:
                q = {k: round(rng.uniform(.45, .93), 3) for k in kinds}
                if all(sum(abs(q[k] - o[k]) >= .08 for k in kinds) >= 3 for o in p.values()):
                    return q
        it = iter(names)
        self.truth = {"doubles": [], "keep": {}, "near": []}
        self.plans = {}

        def add(q, usd, ms):
            nm = next(it)
            p[nm] = q
            self.plans[nm] = dict(usd=round(usd, 6), ms=round(ms))
            return nm
        for _ in range(2):
            q, c = fresh(), rng.uniform(.0005, .004)
            a = add(q, c, rng.uniform(400, 1500))
            b = add({k: round(x + rng.uniform(-.004, .004), 4) for k, x in q.items()}, c * rng.choice([.4, .6, 1.7, 2.5]), rng.uniform(400, 1500))
            self.truth["doubles"].append((a, b))
            self.truth["keep"][frozenset((a, b))] = min((a, b), key=lambda z: self.plans[z]["usd"])
        near_of = [self.truth["doubles"][0][0], None, None]
        for o in near_of:
            if o is None:
                o = add(fresh(), rng.uniform(.0005, .004), rng.uniform(400, 1500))
            k = rng.choice(small)
            d = rng.uniform(.16, .26) * (1 if p[o][k] < .69 else -1)
            q = {j: round(x + rng.uniform(-.003, .003), 4) for j, x in p[o].items()}
            q[k] = round(p[o][k] + d, 4)
            nm = add(q, self.plans[o]["usd"] * rng.uniform(.7, 1.4), self.plans[o]["ms"])
            self.truth["near"].append((o, nm, k))
            for a, b in self.truth["doubles"]:
                if o in (a, b):
                    self.truth["near"].append((b if o == a else a, nm, k))
        for nm in it:
            p[nm] = fresh()
            self.plans[nm] = dict(usd=round(rng.uniform(.0003, .006), 6), ms=round(rng.uniform(300, 2500)))
        self.p = {k: p[k] for k in sorted(p)}
        self.plans = {k: self.plans[k] for k in sorted(p)}
        ps = T.pools(seed, {k: 260 for k in kinds})
        self.meta = {m.text: m for ms in ps.values() for m in ms}
        ks = rng.choices(kinds, [self.shares[k] for k in kinds], k=n)
        self.stream = [Request(i, i * 100.0, f"u{rng.randint(0, 199):03d}", rng.choice(ps[k]).text, k) for i, k in enumerate(ks)]

    def answer(self, plan, request, attempt=0):
        ok = u01(self.seed, plan, request.i, attempt) < self.p[plan][request.kind]
        c = self.plans[plan]
        return _reply(self.meta[request.text], ok, u01(self.seed, plan, request.i, attempt, "v"), c["usd"], c["ms"])

    def check(self, request, text):
        return self.meta[request.text].check(text)

    def judge(self, merged):
        pairs = {frozenset(d) for d in self.truth["doubles"]}
        found, wrong, wk = set(), [], []
        for gone, stands in merged:
            f = frozenset((gone, stands))
            if f in pairs:
                found.add(f)
                if self.truth["keep"][f] != stands:
                    wk.append((gone, stands))
            else:
                wrong.append((gone, stands))
        return dict(found=len(found), of=len(pairs), wrong=wrong, wrong_keep=wk)


# ------------------------------------------------------------------------------------------------ pipelines
@dataclass
class Stage:
    id: str
    type: str
    usd: float
    ms: float
    par: dict = field(default_factory=dict)       # hidden: name -> float or {kind: float}

    def v(self, name, kind):
        x = self.par.get(name, 0.0)
        return x.get(kind, x.get("*", 0.0)) if isinstance(x, dict) else x


@dataclass
class Row:
    stage: str
    called: bool
    changed: bool = False
    flagged: bool = False
    accepted: bool = False
    ok_before: bool = False
    ok_after: bool = False
    hint: float = 0.0
    usd: float = 0.0
    ms: float = 0.0


@dataclass
class Run:
    ok: bool
    text: str
    usd: float
    ms: float
    rows: list


@dataclass
class Pipeline:
    id: str
    form: str                     # chain | cascade
    seed: int
    stages: list
    kinds: list
    shares: dict
    truth: dict = field(default_factory=dict)
    _metas: dict = field(default_factory=dict, repr=False)

    def _pools(self):
        key = self.seed
        if key not in _POOLS:
            _POOLS[key] = T.pools(key, {k: 160 for k in KIND8})
        return _POOLS[key]

    def stream(self, n=1500):
        rng = random.Random(f"pipe|{self.seed}|{self.id}")
        ps = self._pools()
        ks = rng.choices(self.kinds, [self.shares[k] for k in self.kinds], k=n)
        out = []
        for i, k in enumerate(ks):
            m = rng.choice(ps[k])
            self._metas[m.text] = m
            out.append(Request(i, i * 60.0, f"u{rng.randint(0, 99):02d}", m.text, k))
        return out

    def stage_call(self, sid, request, ok, hint=0.0, flagged=False):
        s = next(x for x in self.stages if x.id == sid)
        k, u = request.kind, u01(self.seed, self.id, sid, request.i)
        v = u01(self.seed, self.id, sid, request.i, "v")
        r = Row(sid, True, ok_before=ok, ok_after=ok, hint=hint, flagged=flagged, usd=s.usd, ms=round(s.ms * (.8 + .4 * v), 1))
        if s.type in ("rewrite", "retrieve"):
            r.hint, r.changed = hint + s.v("add", k), True
        elif s.type == "draft":
            r.ok_after, r.changed = u < s.v("p", k) + hint, True
        elif s.type == "cheap_first":
            r.accepted = u < s.v("accept", k)
            if r.accepted:
                r.ok_after, r.changed = v < s.v("p", k), True
        elif s.type in ("critic", "format"):
            if ok:
                r.ok_after = not u < s.v("brk", k)
            else:
                r.ok_after = u < s.v("fix", k)
            r.changed = r.ok_after != ok or v < s.v("churn", k)
        elif s.type == "gate":
            r.flagged = flagged or u < (s.v("fa", k) if ok else s.v("sens", k))
        elif s.type == "repair":
            r.ok_after, r.changed = u < s.v("p", k) + hint, True
        return r

    def run(self, request, skip=()):
        ok, hint, flag, rows, usd, ms = False, 0.0, False, [], 0.0, 0.0
        for s in self.stages:
            if s.id in skip:
                continue
            if s.type == "repair" and not flag:
                rows.append(Row(s.id, False, ok_before=ok, ok_after=ok))
                continue
            r = self.stage_call(s.id, request, ok, hint, flag)
            rows.append(r)
            ok, hint, flag = r.ok_after, r.hint, r.flagged
            usd, ms = usd + r.usd, ms + r.ms
            if s.type == "repair":
                flag = False
            if s.type == "cheap_first" and r.accepted:
                break
        m = self._metas.get(request.text) or next(m for ms_ in self._pools().values() for m in ms_ if m.text == request.text)
        changed = [r.stage for r in rows if r.called and r.changed]
        v = u01(self.seed, self.id, request.i, changed[-1] if changed else "", "t")
        w = m.wrongs(0)
        return Run(ok, m.right(0, v < .5, int(v * 7)) if ok else w[int(v * len(w))], usd, ms, rows)

    def expect(self, kind, skip=()):
        """Exact success, usd, ms of a kind, with `skip` left out (distribution over (ok, flagged))."""
        d, hint, usd, ms, done = {(False, False): 1.0}, 0.0, 0.0, 0.0, 0.0
        for s in self.stages:
            if s.id in skip:
                continue
            live = sum(d.values())
            if s.type == "repair":
                fl = sum(w for (o, f), w in d.items() if f)
                usd, ms = usd + fl * s.usd, ms + fl * s.ms
                p = min(1.0, s.v("p", kind) + hint)
                e = {}
                for (o, f), w in d.items():
                    for o2, q in (((True, p), (False, 1 - p)) if f else ((o, 1.0),)):
                        e[o2, False] = e.get((o2, False), 0) + w * q
                d = e
                continue
            usd, ms = usd + live * s.usd, ms + live * s.ms
            e = {}

            def put(o, f, w):
                e[o, f] = e.get((o, f), 0.0) + w
            for (o, f), w in d.items():
                if s.type in ("rewrite", "retrieve"):
                    put(o, f, w)
                elif s.type == "draft":
                    p = min(1.0, s.v("p", kind) + hint)
                    put(True, f, w * p)
                    put(False, f, w * (1 - p))
                elif s.type == "cheap_first":
                    a = s.v("accept", kind)
                    done += w * a * s.v("p", kind)
                    put(o, f, w * (1 - a))
                elif s.type in ("critic", "format"):
                    x = s.v("brk", kind) if o else s.v("fix", kind)
                    put(not o, f, w * x)
                    put(o, f, w * (1 - x))
                else:
                    x = 1.0 if f else s.v("fa", kind) if o else s.v("sens", kind)
                    put(o, True, w * x)
                    put(o, f, w * (1 - x)) if not f else None
            d = e
            if s.type in ("rewrite", "retrieve"):
                hint += s.v("add", kind)
        return done + sum(w for (o, f), w in d.items() if o), usd, ms


_POOLS: dict = {}


def _useless(rng, form, n):
    """A useless stage and where it goes ('pre' | 'post')."""
    t = rng.choice(["churn", "echo", "rewrite", "retrieve", "gate2", "format", "harmful"] + (["cheap"] * 2 if form == "cascade" else []))
    c = rng.uniform(.0004, .0025)
    if t == "churn":
        return Stage(f"{rng.choice(['polish', 'critic', 'reflect'])}_{n}", "critic", c, rng.uniform(300, 900), dict(churn=rng.uniform(.4, .7))), "post"
    if t == "echo":
        return Stage(f"{rng.choice(['review', 'second_look', 'verify'])}_{n}", "critic", c, rng.uniform(200, 700), dict(churn=rng.uniform(0, .03))), "post"
    if t == "harmful":
        return Stage(f"{rng.choice(['improve', 'tone', 'shorten'])}_{n}", "critic", c, rng.uniform(300, 800), dict(churn=.5, brk=rng.uniform(.01, .04))), "post"
    if t == "format":
        return Stage(f"tidy_{n}", "format", c / 2, rng.uniform(60, 200), dict(churn=rng.uniform(.05, .3))), "post"
    if t == "gate2":
        return Stage(f"{rng.choice(['lint', 'policy_check', 'guard'])}_{n}", "gate", c / 2, rng.uniform(40, 300), dict(sens=0.0, fa=0.0)), "gate"
    if t == "cheap":
        return Stage(f"quick_{n}", "cheap_first", c / 3, rng.uniform(80, 250), dict(accept=.01, p=.5)), "first"
    return Stage(f"{'expand' if t == 'rewrite' else 'lookup'}_{n}", t, c, rng.uniform(150, 600), dict(add=0.0)), "pre"


def _build(seed, i, form, n_useless, rng):
    kinds = rng.sample(KIND8, 6)
    shares = dict(zip(kinds, (.30, .25, .18, .12, .09, .06)))
    rare = [k for k in kinds if shares[k] <= .12]
    base = {k: rng.uniform(.45, .72) for k in kinds}
    C = rng.uniform(.003, .006)
    draft = Stage("draft", "draft", C, rng.uniform(600, 1200), dict(p=base))
    pre, post, first, gates = [], [], [], []
    on = lambda x: {rng.choice(rare): x, "*": 0.0}
    k = rng.random()
    if k < .35:
        pre.append(Stage("context", "retrieve", rng.uniform(.0003, .001), rng.uniform(100, 300), dict(add=rng.uniform(.07, .14))))
    elif k < .6:
        pre.append(Stage("glossary", "retrieve", rng.uniform(.0003, .001), rng.uniform(100, 300), dict(add=on(rng.uniform(.17, .25)))))
    k = rng.random()
    if k < .45:
        post.append(Stage("critic", "critic", rng.uniform(.001, .002), rng.uniform(300, 800), dict(fix=rng.uniform(.3, .5), brk=.005, churn=.1)))
    elif k < .75:
        post.append(Stage("expert", "critic", rng.uniform(.001, .002), rng.uniform(300, 800), dict(fix=on(rng.uniform(.55, .8)), brk=0.0, churn=.02)))
    has_gate = form == "cascade" or rng.random() < .5 or not (pre or post)
    if has_gate:
        gates = [Stage("gate", "gate", rng.uniform(.0002, .0006), rng.uniform(30, 150), dict(sens=rng.uniform(.55, .85), fa=rng.uniform(.02, .08)))]
    rep = [Stage("big_model", "repair", rng.uniform(.008, .015), rng.uniform(1200, 2500), dict(p={k: rng.uniform(.8, .93) for k in kinds}))] if has_gate else []
    if form == "cascade" and rng.random() < .6:
        first.append(Stage("cheap_first", "cheap_first", C / 15, 150.0, dict(accept=rng.uniform(.45, .65), p=rng.uniform(.93, .97))))
    tags = {}
    for j in range(n_useless):
        while True:
            s, where = _useless(rng, form, j + 1)
            if where == "gate" and not gates or where == "first" and any(x.par["accept"] < .1 for x in first):
                continue
            if where == "gate" and len(gates) > 1:
                continue
            break
        tags[s.id] = s.type
        {"pre": pre, "post": post, "gate": gates, "first": first}[where].insert(rng.randint(0, 1) if where != "gate" else rng.choice([0, len(gates)]), s)
    return Pipeline(f"p{i:02d}", form, seed, first + pre + [draft] + post + gates + rep, kinds, shares), tags


def _truth(p, tags):
    """Exact truth of each stage; None if the pipeline is not clean (a stage neither clearly useful nor useless)."""
    useless = set(tags)
    ref = {k: p.expect(k, useless) for k in p.kinds}
    out = {}
    for s in p.stages:
        if s.type == "draft":
            out[s.id] = dict(role="required", useful_on=list(p.kinds), useless_on=[])
            continue
        up, no = [], []
        for k in p.kinds:
            if s.id in useless:
                a, b = p.expect(k), p.expect(k, {s.id})
                if a[0] - b[0] > .003 or b[1] >= a[1]:
                    return None
                no.append(k)
            else:
                # the useful ones must be useful both with and without the useless ones in place
                d = min(ref[k][0] - p.expect(k, useless | {s.id})[0], p.expect(k)[0] - p.expect(k, {s.id})[0])
                dear = s.type == "cheap_first" and p.expect(k, useless | {s.id})[1] >= 1.25 * ref[k][1] and d > -.06
                if d >= .04 or dear:
                    up.append(k)
                elif d <= .003:
                    no.append(k)
                else:
                    return None
        if s.id not in useless and (not up or (no and max(p.shares[k] for k in up) > .12)):
            return None
        role = "useless" if s.id in useless else "useful"
        out[s.id] = dict(role=role, useful_on=up, useless_on=no, partly=bool(up and no))
    return out


def pipelines(seed=0):
    rng = random.Random(f"pipelines|{seed}")
    plan = [0] * 12 + [1] * 24 + [2] * 12
    rng.shuffle(plan)
    out = []
    for i, nu in enumerate(plan):
        while True:
            p, tags = _build(seed, i, "chain" if i % 2 == 0 else "cascade", nu, rng)
            if len({s.id for s in p.stages}) == len(p.stages) and len(tags) == nu:
                p.truth = _truth(p, tags)
                if p.truth is not None:
                    break
        out.append(p)
    return out


def judge_stages(pipes, removed):
    """removed: (pipe_id, stage_id, kind or None for everywhere)."""
    useless = {(p.id, s) for p in pipes for s, t in p.truth.items() if t["role"] == "useless"}
    T_ = {p.id: p for p in pipes}
    found, bad, req = {}, [], []
    for pid, sid, kind in removed:
        t = T_[pid].truth[sid]
        if t["role"] == "required":
            req.append((pid, sid, kind))
        elif t["role"] == "useful" and (kind is None or kind in t["useful_on"]):
            bad.append((pid, sid, kind))
        elif t["role"] == "useless":
            found.setdefault((pid, sid), 0.0)
            found[pid, sid] += 1.0 if kind is None else T_[pid].shares[kind]
    return dict(useless=len(useless), found=sum(v >= .8 for v in found.values()), useful_removed=bad, required_removed=req)
