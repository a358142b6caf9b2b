"""Test worlds for "resources in the decision": in-flight share, queue wait, recent slowness.

Pure Python, stdlib, deterministic by seed.  WORLDS is the list; every World has
name, kind, length, window, backends, arrivals(seed), seconds(backend_name, now, rng).

Notes for who drives them:
 * arrivals are open loop, sorted, all in [0, length); the mean rate stays within 1..30 a second.
 * seconds() is the service time of a call that BEGINS at `now` (waiting for a slot not counted).
   Its first draw settles the sort of the request (short/long, stalled or not); so an rng seeded
   per request gives the same sort on every backend.
 * slots 10000 = hosted, practically unlimited.  `cheap` (step worlds) names the backends that
   alone cannot carry the step.
Run the file to have every promise checked:  python3 busy_worlds.py
"""
import heapq
import math
import random
from dataclasses import dataclass, field

MANY = 10000


@dataclass(frozen=True)
class Backend:
    name: str
    slots: int
    usd: float
    quality: float


# ---- service times: f(rng) -> seconds ------------------------------------------------------
def lognormal(mean, sigma=0.5):
    mu = math.log(mean) - sigma * sigma / 2

    def f(rng):
        rng.random()                                   # the sort: only one here
        return math.exp(rng.gauss(mu, sigma))
    return f


def two_sorts(short, share_long, sigma=0.25):
    """A share of the requests is ten times longer."""
    def f(rng):
        base = short * 10 if rng.random() < share_long else short
        return base * math.exp(rng.gauss(-sigma * sigma / 2, sigma))
    return f


def constant(mean, jitter=0.04):
    def f(rng):
        rng.random()
        return max(mean * 0.5, rng.gauss(mean, mean * jitter))
    return f


def heavy(mean, alpha=2.1, cap=40.0):
    """Pareto tail, cut at cap times the mean."""
    low = mean * (alpha - 1) / alpha

    def f(rng):
        u = 1.0 - rng.random()
        return min(low * u ** (-1 / alpha), cap * mean)
    return f


def stalls(normal, share, low, high):
    """A share of the calls hangs for low..high seconds."""
    def f(rng):
        if rng.random() < share:
            return rng.uniform(low, high)
        return normal(rng)
    return f


# ---- change with time: (plain service, now) -> service -------------------------------------
def timed(normal, factor):
    """Service scaled by factor(now)."""
    def f(rng, now):
        return normal(rng) * factor(now)
    f.takes_now = True
    return f


def during(normal, a, b, other):
    """Another service while a <= now < b."""
    def f(rng, now):
        return (other if a <= now < b else normal)(rng)
    f.takes_now = True
    return f


def slow(a, b, times, up=0.0, down=0.0):
    """1 -> times over `up` s from a; back to 1 over `down` s from b."""
    def f(now):
        if now < a or now >= b + down:
            return 1.0
        if now < a + up:
            return 1 + (times - 1) * (now - a) / up
        if now < b:
            return float(times)
        return 1 + (times - 1) * (1 - (now - b) / down)
    return f


def flap(a, b, times, on, off):
    def f(now):
        return float(times) if a <= now < b and (now - a) % (on + off) < on else 1.0
    return f


def hour(length, top, peak=0.5, shape=2.0):
    """Smooth rise to `top` at peak*length and back."""
    def f(now):
        x = abs(now / length - peak) / max(peak, 1 - peak)
        return 1 + (top - 1) * (max(0.0, math.cos(min(x, 1.0) * math.pi / 2)) ** shape)
    return f


# ---- rates: f(t) -> requests a second ------------------------------------------------------
def flat(r):
    return lambda t: r


def steps(base, *parts):
    """parts: (from, to, rate)."""
    def f(t):
        for a, b, r in parts:
            if a <= t < b:
                return r
        return base
    return f


def sine(low, high, period, shift=0.0):
    return lambda t: low + (high - low) * (1 - math.cos(2 * math.pi * (t + shift) / period)) / 2


def saw(low, high, period):
    """Slow rise, quick fall."""
    def f(t):
        x = (t % period) / period
        return low + (high - low) * (x / 0.8 if x < 0.8 else (1 - x) / 0.2)
    return f


# ---- arrivals ------------------------------------------------------------------------------
def _thin(rng, length, rate, top):
    t, out = 0.0, []
    while True:
        t += rng.expovariate(top)
        if t >= length:
            return out
        if rng.random() * top < rate(t):
            out.append(t)


def _arrive(rng, length, rate, style):
    if style == "poisson":
        return _thin(rng, length, rate, 31.0)
    if style == "flicker":                             # busy and quiet spells, mean kept
        spells, t, busy = [], 0.0, rng.random() < 0.5
        while t < length:
            t += rng.expovariate(1 / 4.0) + 0.5
            spells.append((t, 1.45 if busy else 0.55))
            busy = not busy
        i = [0]

        def r(t):
            while spells[i[0]][0] <= t:
                i[0] += 1
            return rate(t) * spells[i[0]][1]
        return _thin(rng, length, r, 45.0)
    if style == "batches":                             # an event brings 1..8 requests, mean near 3
        sizes = [1, 1, 2, 2, 3, 3, 4, 8]
        mean = sum(sizes) / len(sizes)
        out = []
        for t in _thin(rng, length, lambda t: rate(t) / mean, 31.0 / mean):
            for _ in range(rng.choice(sizes)):
                out.append(t)
                t += rng.expovariate(1 / 0.06)
        return sorted(t for t in out if t < length)
    if style == "clocked":                             # nearly even: a batch job with jitter
        t, out = rng.random() / rate(0.0), []
        while t < length:
            out.append(t)
            t += rng.uniform(0.7, 1.3) / rate(t)
        return out
    raise ValueError(style)


@dataclass(frozen=True)
class World:
    name: str
    kind: str                       # step | idle | incident | wave
    length: float
    window: tuple
    backends: list
    service: dict = field(repr=False)
    rate: object = field(repr=False)
    style: str = "poisson"
    cheap: tuple = ()
    note: str = ""

    def arrivals(self, seed):
        return _arrive(random.Random(f"busy:{self.name}:{seed}"), self.length, self.rate, self.style)

    def seconds(self, backend_name, now, rng):
        f = self.service[backend_name]
        s = f(rng, now) if getattr(f, "takes_now", False) else f(rng)
        return max(0.01, s)


WORLDS = []


def _world(name, kind, length, window, rows, rate, style="poisson", cheap=(), note=""):
    """rows: (name, slots, usd, quality, service)."""
    WORLDS.append(World(name, kind, float(length), (float(window[0]), float(window[1])),
                        [Backend(*r[:4]) for r in rows], {r[0]: r[4] for r in rows},
                        rate, style, tuple(cheap), note))


# ---- step ----------------------------------------------------------------------------------
_world("step-gpu-and-fallback", "step", 360, (120, 260), [
    ("gpu", 1, .00005, .72, lognormal(.45, .4)),
    ("hosted", MANY, .004, .78, lognormal(1.6, .4)),
], steps(1.2, (120, 220, 5.0)), "poisson", ("gpu",), "one GPU, one slot, hosted fallback")

_world("step-three-equal", "step", 330, (100, 230), [
    ("rep-0", 4, .0004, .75, constant(.8)),
    ("rep-1", 4, .0004, .75, constant(.8)),
    ("rep-2", 4, .0004, .75, constant(.8)),
], steps(3.5, (100, 200, 12.0)), "poisson", ("rep-0",), "equal replicas: any one or two drown, three carry")

_world("step-slow-cheap-fast-dear", "step", 360, (130, 280), [
    ("slow", 6, .0002, .70, lognormal(2.4, .6)),
    ("fast", 20, .006, .80, lognormal(.6, .4)),
], steps(1.5, (130, 230, 10.0)), "flicker", ("slow",), "a cheap slow one and a fast dear one")

_world("step-two-sorts", "step", 400, (140, 300), [
    ("local-a", 8, .0001, .71, two_sorts(.5, .12)),
    ("local-b", 8, .00015, .73, two_sorts(.6, .12)),
    ("hosted", MANY, .005, .80, two_sorts(.8, .12)),
], steps(5.0, (140, 250, 22.0)), "poisson", ("local-a", "local-b"), "one request in eight is ten times longer")

_world("step-provider-limits", "step", 360, (120, 260), [
    ("mini", 12, .0003, .70, heavy(1.0, 2.2)),
    ("mid", 16, .0015, .77, heavy(1.4, 2.2)),
    ("big", 32, .009, .86, lognormal(1.8, .5)),
], steps(7.0, (120, 210, 27.0)), "poisson", ("mini", "mid"), "provider limits turn into queueing; tails")

_world("step-mild", "step", 330, (110, 250), [
    ("pool", 10, .0002, .74, lognormal(1.0, .5)),
    ("hosted", MANY, .003, .79, lognormal(1.3, .5)),
], steps(4.0, (110, 210, 11.5)), "flicker", ("pool",), "the cheap pool fails the step only narrowly")

_world("step-five", "step", 420, (150, 310), [
    ("tiny", 2, .00005, .60, constant(.25, .1)),
    ("small", 4, .0002, .68, lognormal(.7, .5)),
    ("code", 6, .0012, .78, two_sorts(.6, .08)),
    ("large", 24, .006, .84, lognormal(1.9, .5)),
    ("frontier", MANY, .02, .90, heavy(3.0, 2.3)),
], steps(5.0, (150, 260, 26.0)), "batches", ("tiny", "small"), "a zoo of five")

_world("step-twice", "step", 420, (90, 310), [
    ("gpu-a", 4, .0001, .73, lognormal(.9, .5)),
    ("gpu-b", 4, .0001, .73, lognormal(1.1, .5)),
    ("hosted", 40, .004, .80, lognormal(1.5, .4)),
], steps(3.0, (90, 140, 18.0), (220, 280, 20.0)), "flicker", ("gpu-a", "gpu-b"), "two steps, the second higher")

_world("step-best-is-local", "step", 360, (120, 270), [
    ("tuned", 3, .0001, .86, constant(.5, .06)),
    ("general", MANY, .0025, .80, lognormal(1.1, .5)),
    ("spare", 8, .001, .70, lognormal(.9, .4)),
], steps(2.5, (120, 220, 14.0)), "batches", ("tuned",), "the cheap one is also the best: who does not look never leaves it")

# ---- idle ----------------------------------------------------------------------------------
_world("idle-gpu-and-fallback", "idle", 360, (40, 350), [
    ("gpu", 1, .00005, .72, constant(.18, .1)),
    ("hosted", MANY, .004, .78, lognormal(1.6, .4)),
], flat(1.0), "poisson", note="one slot, light load: now and then two meet")

_world("idle-three-equal", "idle", 320, (40, 310), [
    ("rep-0", 4, .0004, .75, lognormal(.7, .4)),
    ("rep-1", 4, .0004, .75, lognormal(.7, .4)),
    ("rep-2", 4, .0004, .75, lognormal(.7, .4)),
], flat(1.5), "poisson", note="nothing to gain")

_world("idle-hosted-only", "idle", 300, (30, 290), [
    ("mini", MANY, .0002, .68, lognormal(.9, .5)),
    ("mid", MANY, .002, .78, lognormal(1.6, .5)),
    ("big", MANY, .012, .88, lognormal(3.2, .5)),
], flat(5.0), "poisson", note="no slots at all; in-flight share means nothing")

_world("idle-tails", "idle", 420, (60, 410), [
    ("cheap", 40, .0003, .74, heavy(1.0, 1.9)),
    ("dear", MANY, .008, .82, lognormal(1.4, .3)),
], flat(3.0), "poisson", note="a few long calls look like slowness and are not")

_world("idle-two-sorts-batches", "idle", 360, (40, 350), [
    ("local", 24, .0001, .73, two_sorts(.3, .1)),
    ("hosted-a", MANY, .003, .79, two_sorts(.6, .1)),
    ("hosted-b", MANY, .009, .87, two_sorts(.9, .1)),
], flat(2.5), "batches", note="small batches, room for all of them")

_world("idle-slow-hour", "idle", 400, (40, 390), [
    ("evening", 64, .0008, .81, timed(lognormal(1.2, .4), hour(400, 1.3))),
    ("steady", 64, .004, .82, lognormal(1.8, .4)),
], flat(2.0), "clocked", note="slows a little with the hour, stays the better one")

# ---- incident ------------------------------------------------------------------------------
_world("incident-hosted-slow", "incident", 360, (120, 250), [
    ("provider-a", MANY, .0006, .80, timed(lognormal(1.1, .4), slow(120, 220, 8))),
    ("provider-b", MANY, .003, .81, lognormal(1.4, .4)),
], flat(6.0), "poisson", note="no queue to see: only slowness tells")

_world("incident-slots-collapse", "incident", 400, (140, 300), [
    ("pool", 12, .0002, .76, timed(lognormal(.9, .5), slow(140, 230, 5))),
    ("other", 12, .0009, .75, lognormal(1.2, .5)),
    ("hosted", MANY, .006, .82, lognormal(2.0, .4)),
], flat(8.0), "flicker", note="slowness turns into a queue that outlives it")

_world("incident-stalls", "incident", 380, (110, 240), [
    ("a", MANY, .0005, .79, during(constant(.8, .1), 110, 210,
                                   stalls(constant(.8, .1), .35, 10, 20))),
    ("b", 20, .0012, .78, constant(1.0, .1)),
    ("c", MANY, .01, .88, lognormal(2.4, .4)),
], flat(7.0), "poisson", note="a third of the calls hangs, the others are as ever")

_world("incident-creeping", "incident", 420, (120, 310), [
    ("cheap", 30, .0003, .77, timed(lognormal(1.0, .5), slow(120, 220, 6, up=50, down=60))),
    ("dear", 40, .005, .83, lognormal(1.3, .5)),
], flat(9.0), "batches", note="comes on over 50 s, goes over 60 s")

_world("incident-flapping", "incident", 400, (100, 280), [
    ("a", MANY, .0007, .82, timed(two_sorts(.5, .06), flap(100, 260, 6, 20, 15))),
    ("b", MANY, .0018, .80, two_sorts(.7, .06)),
    ("gpu", 2, .0001, .70, lognormal(.6, .4)),
], flat(6.0), "poisson", note="slow 20 s, well 15 s, and again")

# ---- wave ----------------------------------------------------------------------------------
_world("wave-day", "wave", 400, (80, 390), [
    ("pool", 10, .0002, .75, lognormal(1.0, .5)),
    ("hosted", MANY, .004, .81, lognormal(1.5, .5)),
], sine(3, 18, 130), "poisson", note="three days")

_world("wave-gpu", "wave", 360, (40, 350), [
    ("gpu", 1, .00005, .73, constant(.35, .08)),
    ("hosted", MANY, .003, .77, heavy(1.5, 2.4)),
], sine(1, 5, 80), "poisson", note="one slot, quick waves")

_world("wave-saw", "wave", 380, (60, 370), [
    ("small", 6, .0003, .70, two_sorts(.4, .1)),
    ("mid", 10, .0015, .77, two_sorts(.5, .1)),
    ("big", 48, .012, .88, lognormal(2.2, .4)),
], saw(4, 26, 100), "flicker", note="slow rise, quick fall")

_world("wave-equal", "wave", 330, (50, 320), [
    ("rep-0", 6, .0005, .76, heavy(.7, 2.3)),
    ("rep-1", 6, .0005, .76, heavy(.7, 2.3)),
    ("rep-2", 6, .0005, .76, heavy(.7, 2.3)),
], sine(3, 19, 110), "batches", note="equal replicas, tails, batches")

_world("wave-slow-hour", "wave", 420, (60, 410), [
    ("evening", 16, .0004, .79, timed(lognormal(.9, .4), hour(420, 2.5))),
    ("b", 16, .002, .78, lognormal(1.3, .4)),
    ("c", MANY, .009, .86, lognormal(2.0, .4)),
], sine(3, 20, 420), "flicker", note="slows just when the load is highest")


# ---- checks --------------------------------------------------------------------------------
def capacity(world, names, now, n=20000):
    """Calls a second these backends can carry at `now`."""
    total = 0.0
    for b in world.backends:
        if b.name in names:
            rng = random.Random(f"cap:{world.name}:{b.name}:{now}")
            total += b.slots * n / sum(world.seconds(b.name, now, rng) for _ in range(n))
    return total


def _p95(world, seed, choose):
    """Tiny reference run: FIFO per backend. Latencies of requests that arrive in the window."""
    free = {b.name: [] for b in world.backends}        # ends of the calls held in each slot
    slots = {b.name: b.slots for b in world.backends}
    rng, lat = random.Random(f"run:{seed}"), []
    for t in world.arrivals(seed):
        waits = {}
        for n, h in free.items():
            while h and slots[n] == MANY and h[0] <= t:
                heapq.heappop(h)
            waits[n] = max(0.0, h[0] - t) if len(h) >= slots[n] else 0.0
        n = choose(waits)
        begin, h = t + waits[n], free[n]
        if len(h) >= slots[n]:
            heapq.heappop(h)
        end = begin + world.seconds(n, begin, rng)
        heapq.heappush(h, end)
        if world.window[0] <= t < world.window[1]:
            lat.append(end - t)
    lat.sort()
    return lat[int(.95 * len(lat))], len(lat)


def check():
    assert len({w.name for w in WORLDS}) == len(WORLDS)
    kinds = {k: sum(w.kind == k for w in WORLDS) for k in ("step", "idle", "incident", "wave")}
    assert kinds["step"] >= 7 and kinds["idle"] >= 5 and kinds["incident"] >= 4 and kinds["wave"] >= 4
    for w in WORLDS:
        assert 300 <= w.length <= 420 and 0 <= w.window[0] < w.window[1] <= w.length, w.name
        assert 2 <= len(w.backends) <= 5 and {b.name for b in w.backends} == set(w.service), w.name
        for b in w.backends:
            assert .00005 <= b.usd <= .02 and .6 <= b.quality <= .9 and b.slots >= 1, (w.name, b)
        rates = [w.rate(t) for t in range(int(w.length))]
        assert 1 <= min(rates) and max(rates) <= 30, w.name
        a = w.arrivals(3)
        assert a == w.arrivals(3) and a != w.arrivals(4) and a == sorted(a), w.name
        assert 0 <= a[0] and a[-1] < w.length, w.name
        mean = sum(len(w.arrivals(s)) for s in range(8)) / 8
        assert abs(mean / sum(rates) - 1) < .12, (w.name, mean, sum(rates))
        every = [b.name for b in w.backends]
        top = max(range(int(w.length)), key=w.rate)
        load, cap = w.rate(top), capacity(w, every, top)
        assert cap > 1.15 * load, (w.name, load, cap)
        extra = ""
        if w.kind == "step":
            few, before = capacity(w, w.cheap, top), w.rate(0)
            assert few < load and before * 1.5 <= load, (w.name, few, load)
            dear = min(b.usd for b in w.backends if b.name not in w.cheap)
            assert all(b.usd <= dear for b in w.backends if b.name in w.cheap), w.name
            extra = f"cheap {few:5.1f}/s"
        if w.kind == "incident":
            assert all(capacity(w, every, t, 3000) > 1.1 * w.rate(t) for t in range(0, int(w.length), 20)), w.name
        usd = {b.name: b.usd for b in w.backends}
        blind, n = _p95(w, 0, lambda waits: min(waits, key=usd.get))
        looks, _ = _p95(w, 0, lambda waits: min(waits, key=lambda k: (waits[k], usd[k])))
        print(f"{w.name:26s} {w.kind:8s} n {n:5d} peak {load:4.1f}/s all {min(cap, 9999):7.1f}/s {extra:13s}"
              f" p95 cheapest only {blind:7.2f}  first free {looks:6.2f}")
    print(len(WORLDS), "worlds", kinds)


if __name__ == "__main__":
    check()
