"""Self-check of the worlds (not of the system): counts, no text in two kinds, determinism, rates, truths, the committee's sums.

    python3 check.py            seen seeds only (first of each file; ~20 s of one CPU)
    python3 check.py --all      every seen seed
    python3 check.py --unseen   the structure of UNSEEN seeds too (for the author of the worlds; not before the end otherwise)
Exits 1 on the first failure of any check, after printing all of them.
"""
from __future__ import annotations
import hashlib, json, math, os, subprocess, sys
from collections import Counter, defaultdict
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import texts as T, planted, changing, doubles, stationary, library, make_committee as mc

BAD = []


def ok(cond, what):
    if not cond:
        BAD.append(what)
        print("FAIL", what)


def digest(stream):
    return hashlib.sha256(repr([(r.i, r.text, getattr(r, "kind", None) or getattr(r, "how", None)) for r in stream]).encode()).hexdigest()[:16]


def digests(seed):
    return [digest(planted.World(seed, 3000).stream), digest(doubles.Plans(seed, 2000).stream), repr(doubles.Plans(seed, 10).truth["doubles"]),
            hashlib.sha256(repr([(p.id, [(s.id, s.usd, sorted(map(repr, s.par.items()))) for s in p.stages], p.truth) for p in doubles.pipelines(seed)]).encode()).hexdigest()[:16],
            digest(stationary.World(seed, 1500).stream), digest(library.World(seed).stream), digest(changing.World(seed, 3000, 2000).stream)]


def seeds(mod):
    if "--unseen" in sys.argv:
        return mod.SEEN_SEEDS + mod.UNSEEN_SEEDS
    return mod.SEEN_SEEDS if "--all" in sys.argv else mod.SEEN_SEEDS[:1]


def near(x, p, n, z=4.2):
    return abs(x - p) <= z * math.sqrt(p * (1 - p) / n) + 1e-9


def check_planted():
    for s in seeds(planted):
        w = planted.World(s)
        per = Counter(r.kind for r in w.stream)
        for k in planted.PLANTED:
            ok(len({m.text for m in w.pools[k]}) >= 150 and len({r.text for r in w.stream if r.kind == k}) >= 150, f"planted {s} {k}: 150 texts")
            ok(per[k] >= 600, f"planted {s} {k}: {per[k]} requests")
            ok(w.lifted(k, planted.RIGHT_INSTRUCTION[k]), f"{k}: right instruction is right")
            ok(not any(w.lifted(k, t) for t in planted.TEMPTING if not (k in ("hours", "timezone") and "step" in t)), f"{k}: no tempting instruction is right")
            n = planted.NEED_EXAMPLES[k]
            ok(w.lifted(k, examples=w.right_examples(k, n or 5)) == (n is not None), f"{k}: examples")
            other = planted.PLANTED[(planted.PLANTED.index(k) + 1) % 6]
            ok(not w.lifted(k, examples=w.right_examples(other, 4)), f"{k}: another kind's examples do not count")
        ok(len({r.text for r in w.stream if r.kind == "background"}) >= 400, f"planted {s}: background 400")
        ok(abs(per["background"] / w.n - .5) < .02, "background half")
        kinds = defaultdict(set)
        for r in w.stream:
            kinds[T.norm(r.text)].add(r.kind)
        ok(all(len(v) == 1 for v in kinds.values()), f"planted {s}: text in two kinds")
        for k, ms in w.pools.items():
            for m in ms[::9]:
                for e in (0, 1):
                    ok(m.check(m.right(e, e == 0, 3), e), f"right fails {k} {m.text!r}")
                    ok(m.wrongs(e) and not any(m.check(x, e) for x in m.wrongs(e)), f"wrong passes {k} {m.text!r}")
        acc = defaultdict(list)
        ex = {k: w.right_examples(k, 3) for k in planted.PLANTED}
        for r in w.stream[: 14000 if s == seeds(planted)[0] else 4000]:
            a = w.answer(r, "small")
            ok(w.check(r, a.text) == a.ok, f"judge {r.kind}")
            acc[r.kind, "bare"].append(a.ok)
            if r.kind in planted.PLANTED:
                acc[r.kind, "instruct"].append(w.answer(r, "small", instruct=planted.RIGHT_INSTRUCTION[r.kind]).ok)
                acc[r.kind, "examples"].append(w.answer(r, "small", examples=ex[r.kind]).ok)
            elif r.kind == "fact":
                acc["fact", "harm"].append(w.answer(r, "small", instruct="Think step by step before you answer.").ok)
            elif r.kind == "review":
                acc["review", "harm"].append(w.answer(r, "small", examples=[("x", "positive")]).ok)
        for (k, f), v in acc.items():
            if k == "background":
                continue
            p = .6 if k in planted.PLANTED else planted.P[k]["small"]
            if f == "instruct" or f == "examples" and k != "timezone":
                p = .9
            if f == "harm":
                p -= .2
            ok(near(sum(v) / len(v), p, len(v)), f"planted {s} {k} {f}: {sum(v)/len(v):.3f} not {p}")
        if s == planted.SEEN_SEEDS[0]:
            bare = {m: round(w.efficiency({k: (m, "bare") for k in T.KINDS}), 1) for m in planted.MODELS}
            best_bare = {k: max(((planted._util(x, planted.WEIGHTS), m, f) for (m, f), x in row.items() if f == "bare"))[1:] for k, row in w.table().items()}
            print("efficiency, one bare model everywhere:", bare, "| best bare per kind:", round(w.efficiency(best_bare), 1))


def check_changing():
    for s in seeds(changing):
        w = changing.World(s)
        n0, n1 = (Counter(r.kind for r in w.stream if (r.i >= w.change_at) == e) for e in (False, True))
        ok(all(n0[k] >= 500 and n1[k] >= 200 for k in planted.PLANTED), "changing: requests of each")
        at = w.change_at
        for k in ("invoice", "triage", "spanish"):
            ok(abs(w.stale(k) - .4) < 1e-9, f"changing {k} stale")
            ok(w.lifted(k, changing.ERA1[k], i=at) and not w.lifted(k, planted.RIGHT_INSTRUCTION[k], i=at), f"changing {k} instruction")
            ok(not w.lifted(k, changing.ERA1[k], i=0), f"changing {k}: the new instruction was not right before")
            old, new = w.right_examples(k, 3, 0), w.right_examples(k, 3, at)
            ok(not w.lifted(k, examples=old, i=at) and w.lifted(k, examples=new, i=at), f"changing {k} examples")
        ok(w.best(at)["hours"][:2] == ("small", "bare") and w.best(at)["sql"][0] == "mid" and w.best(at)["timezone"][1] == "lifted", "changing: best")
        ok(w.fall() >= 15, "changing: the fall shows")
        ok(digest(w.stream[:5000]) == digest(planted.World(s, 18000).stream[:5000]), "changing: the planted stream before")
        for r in w.stream[at:at + 600]:
            a = w.answer(r, "small", instruct=changing.ERA1.get(r.kind, ""))
            ok(w.check(r, a.text) == a.ok, f"changing judge {r.kind}")
        if s == changing.SEEN_SEEDS[0]:
            print("changing: the best era-0 policy loses", round(w.fall(), 1), "points at the change")


def check_doubles():
    for s in seeds(doubles):
        w = doubles.Plans(s, 4000)
        ds = {frozenset(d) for d in w.truth["doubles"]}
        gap = lambda a, b: {k: abs(w.p[a][k] - w.p[b][k]) for k in w.shares}
        ok(len(ds) == 2 and len(w.plans) == 11, f"doubles {s}: counts")
        nears = {frozenset(x[:2]): x[2] for x in w.truth["near"]}
        ok(len({x[1] for x in w.truth["near"]}) == 3, "three near-doubles")
        names = sorted(w.p)
        for i, a in enumerate(names):
            for b in names[i + 1:]:
                g, f = gap(a, b), frozenset((a, b))
                if f in ds:
                    ok(max(g.values()) <= .0041, f"doubles {s} {a} {b}")
                elif f in nears:
                    big = [k for k in g if g[k] > .02]
                    ok(big == [nears[f]] and .15 <= g[big[0]] <= .27 and .05 <= w.shares[big[0]] <= .12, f"near {s} {a} {b} {g}")
                else:
                    ok(sum(x >= .07 for x in g.values()) >= 2, f"others differ {s} {a} {b}")
        for pl in names[:3]:
            v = [(w.answer(pl, r).ok, r) for r in w.stream[:800]]
            ok(all(w.check(r, w.answer(pl, r).text) == o for o, r in v[:200]), "doubles judge")
            p = sum(w.p[pl][r.kind] for _, r in v) / len(v)
            ok(near(sum(o for o, _ in v) / len(v), p, len(v)), f"doubles rate {pl}")
        ok(w.judge([tuple(sorted(d, key=lambda x: x == w.truth["keep"][d])) for d in ds]) == dict(found=2, of=2, wrong=[], wrong_keep=[]), "doubles judge sums")
        ps = doubles.pipelines(s)
        roles = Counter(t["role"] for p in ps for t in p.truth.values())
        ok(len(ps) == 48 and roles["useless"] == 48 and roles["useful"] >= 80, f"pipelines {s}: {roles}")
        ok(Counter(p.form for p in ps) == {"chain": 24, "cascade": 24}, "forms")
        ok(sum(bool(t.get("partly")) for p in ps for t in p.truth.values()) >= 10, "partly useful")
        z = []
        for p in ps[:8]:
            st = p.stream(500)
            for k in p.kinds[:2]:
                v = [p.run(r) for r in st if r.kind == k]
                e = p.expect(k)
                z.append((sum(x.ok for x in v) / len(v) - e[0]) / math.sqrt(e[0] * (1 - e[0]) / len(v)))
                ok(abs(sum(x.usd for x in v) / len(v) / e[1] - 1) < .35, f"pipe usd {p.id} {k}")
        ok(max(map(abs, z)) < 4.2 and sum(x * x for x in z) < 45, f"pipelines {s}: simulation against calculation {max(map(abs, z)):.2f}")
        allu = {(p.id, sid, None) for p in ps for sid, t in p.truth.items() if t["role"] == "useless"}
        j = doubles.judge_stages(ps, allu)
        ok(j["found"] == 48 and not j["useful_removed"] and not j["required_removed"], "judge_stages")


def check_stationary():
    ss = seeds(stationary) if len(sys.argv) > 1 else stationary.SEEN_SEEDS[:4]
    for s in ss:
        w = stationary.World(s)
        ok(len({T.norm(r.text) for r in w.stream}) == w.n, f"stationary {s}: no repeats")
        for r in w.stream[:150]:
            a = {(m, i): w.answer(r, m, instruct=i, attempt=t).ok for m in w.models for i in ("", "Think step by step.") for t in (0, 1)}
            b = a[w.best, ""]
            ok(all(not v or b for v in a.values()), f"stationary {s}: nothing beats the best")
            ok(len({v for (m, i), v in a.items() if m == w.best}) == 1, f"stationary {s}: the wording changes nothing")
            x = w.answer(r, w.best)
            ok(w.check(r, x.text) == x.ok, "stationary judge")
        ok(all(w.models[w.best][f] <= c[f] for c in w.models.values() for f in ("usd", "ms")), "stationary: best is cheapest and fastest")
    ok(len(stationary.SEEN_SEEDS) == len(stationary.UNSEEN_SEEDS) == 50, "100 seeds")


def check_library():
    for s in seeds(library):
        w = library.World(s)
        how = Counter(r.how for r in w.stream)
        ok(len(w.stream) == 6000, "library: 6000")
        rep = [sum(r.how in ("exact", "paraphrase", "parametrised") for r in w.stream if r.week == k + 1) / 250 for k in range(24)]
        ok(abs(rep[0] - .12) < .01 and abs(rep[-1] - .92) < .01 and all(abs(a - b) < .01 for a, b in zip(rep, library.REPEATS)), f"library {s}: repeats {rep[0]} {rep[-1]}")
        t = how["exact"] + how["paraphrase"] + how["parametrised"]
        ok(all(abs(how[k] / t - x) < .05 for k, x in (("exact", .40), ("paraphrase", .25), ("parametrised", .35))), f"library {s}: mix {how}")
        seen, usd, wrong, reps = {}, [0.0] * 24, 0, [0] * 24
        rows = []
        for r in w.stream:
            first = r.text in seen
            ok(first == (r.how == "exact"), f"library {s}: {r.how} text seen before: {first} {r.text!r}")
            seen.setdefault(r.text, r)
            ok(w.check(r, r.right), f"library right fails {r}")
            if r.how in ("exact", "paraphrase"):
                ok(r.source < r.i and w.check(r, w.stream[r.source].right), f"library {s}: {r.how} {r.i} answered by its source")
            elif r.how == "parametrised":
                q = w.stream[r.source]
                ok(q.i < r.i and q.family == r.family and q.params != r.params, "library: parametrised source")
                wrong += not w.check(r, q.right)
            elif r.how == "near":
                ok(r.near_of < r.i and not w.check(r, w.stream[r.near_of].right), f"library {s}: near {r.text!r}")
                ok(r.family not in (w.stream[r.near_of].family,), "library: near is another family")
                if r.own_earlier is not None:
                    ok(w.stream[r.own_earlier].family == r.family, "library: own_earlier")
            if r.family in library.FAMILIES:
                ok(library.solve(r.family, library.FAMILIES[r.family].wordings[0].format(*r.params)) == r.right, f"library program {r.family} {r.text!r}")
            a = w.answer(r, "large")
            ok(w.check(r, a.text) == a.ok, f"library judge {r.family} {r.right} {a.text}")
            lib = r.how in ("exact", "paraphrase", "parametrised") and T.u01("ideal", r.i) < .86
            rows.append((r.i, r.right if lib else a.text, "library" if lib else "model", 0.0 if lib else a.usd))
        ok(wrong >= .93 * how["parametrised"], f"library {s}: the stored text is wrong for parametrised: {wrong} of {how['parametrised']}")
        bu, bq = w.baseline("large")
        j = w.judge(rows)
        d = j["weeks"][-1]
        ok(d["usd_each"] / bu[-1] < .25 and d["quality"] >= bq[-1] - .02 and not j["wrong_near"], f"library {s}: targets attainable ({d['usd_each']/bu[-1]:.3f})")
        if s == library.SEEN_SEEDS[0]:
            print(f"library: a reader answering 86% of repeats: week 24 costs {d['usd_each']/bu[-1]:.0%} of the baseline, quality {d['quality']:.3f} against {bq[-1]:.3f}")
            v = library.World(s, stale_week=library.STALE_WEEK)
            ch = [r for r, q in zip(v.stream, w.stream) if r.right != q.right]
            ok(all(r.week >= 14 for r in ch) and len(ch) >= 10 and {int(r.family[2:]) for r in ch} <= set(library.STALE), "library: stale answers")
            ok([r.text for r in v.stream][:3000] == [r.text for r in w.stream][:3000], "library: stale run has the same texts")
            print("library: answers gone stale in the stale_week run:", len(ch))
            g = [bool(x) for x in (w.program(r) for r in w.stream[:400] if r.family in library.FAMILIES)]
            ok(all(g), "library: programs")
            good = tot = 0
            for r in [r for r in w.stream if r.family in library.FAMILIES][:200]:
                ns: dict = {}
                exec(w.program(r), ns)
                try:
                    good += w.check(r, ns["solve"](r.text))
                except Exception:
                    pass
                tot += 1
            ok(.75 <= good / tot <= .95, f"library: programs right {good}/{tot}")


def check_committee():
    d = mc.load()
    qs = d["questions"]
    ok(len(qs) == 60 and len({q["question"] for q in qs}) == 60 and Counter(q["split"] for q in qs) == {"seen": 30, "unseen": 30}, "committee counts")
    for q in qs:
        ok(q["right"] in q["options"] and len(q["opinions"]) == 3 and all(set(o) == set(d["members"]) and set(o.values()) <= set(q["options"]) for o in q["opinions"]), q["id"])
        ok(all(T.norm(o[m]) in T.norm(l[m]) for o, l in zip(q["opinions"], q["says_loose"]) for m in o), "loose " + q["id"])
    for name in ("all", "seen", "unseen"):
        part = [q for q in qs if name in ("all", q["split"])]
        c = d["calculated"][name]
        for r in (1, 2, 3):
            # counted here once more, by hand and not by make_committee's own function
            right = 0
            for q in part:
                votes = [q["opinions"][r - 1][m] for m in d["members"]]
                n = Counter(votes)
                right += next(v for v in votes if n[v] == max(n.values())) == q["right"]
            ok(right == c[f"rounds_{r}"]["right"], f"committee {name} round {r}")
        calls = 0
        for q in part:
            for r in range(3):
                calls += 5
                if max(Counter(q["opinions"][r].values()).values()) >= 4:
                    break
        ok(calls == c["early_stop_0.8"]["calls"] and c["early_saves"] >= .40 and c["early_costs_points"] <= 1, f"committee {name} early stop")
        ok(c["rounds_1"]["right"] < c["rounds_2"]["right"] < c["rounds_3"]["right"], "committee: rounds help")
    a = d["calculated"]["all"]
    print("committee:", {r: a[f"rounds_{r}"]["accuracy"] for r in (1, 2, 3)}, "early stop saves", a["early_saves"], "at", a["early_costs_points"], "points")


def check_determinism():
    here = digests(0)
    ok(here == digests(0), "the same twice in one process")
    env = dict(os.environ, PYTHONHASHSEED="77", PYTHONDONTWRITEBYTECODE="1")
    out = subprocess.run([sys.executable, str(Path(__file__).resolve()), "--digests"], capture_output=True, text=True, env=env)
    ok(out.returncode == 0 and json.loads(out.stdout) == here, "the same in another process with another hash seed " + out.stderr[-300:])
    ok(digests(1) != here, "another seed, another stream")
    w, v = planted.World(0, 400), planted.World(0, 400)
    a = [w.answer(r, "small") for r in w.stream]
    b = [v.answer(r, "small") for r in reversed(v.stream)][::-1]
    ok(a == b, "answers do not depend on the order of calls")


if __name__ == "__main__":
    if "--digests" in sys.argv:
        print(json.dumps(digests(0)))
        sys.exit(0)
    for f in (check_planted, check_changing, check_doubles, check_stationary, check_library, check_committee, check_determinism):
        n = len(BAD)
        f()
        print(f.__name__, "ok" if len(BAD) == n else f"{len(BAD) - n} FAILED", flush=True)
    sys.exit(bool(BAD))
