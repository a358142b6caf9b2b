"""A folder of telemetry with requests of three kinds among others, and who finds patterns there."""

import random

import pytest

from router.growth.finding import Finding
from router.request.patterns import own_terms
from router.request.reading import reading_of
from tests.learning.traffic import configured
from tests.telemetry.stored import MINUTE, NOON, Stored, request

KINDS = {
    "invoice": (("extract", "read"), ("vendor",), ("date", "total"), ("invoice",)),
    "rhyme": (("compose",), ("verses", "rhyme"), ("birthday",), ("teacher", "boss")),
    "zone": (("flight",), ("lands", "starts"), ("clock",), ("denver", "nairobi")),
}
_SYLLABLES = [a + b for a in "bcdfgklmnprstv" for b in "aeiou"]


class Requests:
    """Writes rows of requests, as routers do."""

    def __init__(self, stored, seed=1):
        self.stored, self.chance, self.at = stored, random.Random(seed), NOON

    def text(self, kind):
        if kind in KINDS:
            return " ".join(self.chance.choice(words) for words in KINDS[kind])
        return " ".join("".join(self.chance.choices(_SYLLABLES, k=3)) for _ in range(5))

    def send(self, count, kinds=(*KINDS, ""), *, writer="r1", patterns=None, step=MINUTE, **given):
        rows = []
        for _ in range(count):
            text = self.text(self.chance.choice(kinds))
            terms = own_terms(reading_of({"messages": [{"role": "user", "content": text}]}))
            self.at += step
            pattern = patterns.of(terms) if patterns is not None else ""
            seen = {"pattern": pattern} if pattern else {}
            rows.append(request(self.at, terms=list(terms), **seen, **given))
        self.stored.write("requests", rows, writer=writer)
        return rows


@pytest.fixture
def config(tmp_path):
    return configured(tmp_path)


@pytest.fixture
def stored(config):
    stored = Stored(config.telemetry_folder)
    yield stored
    stored.close()


@pytest.fixture
def requests(stored):
    return Requests(stored)


class Watch:
    """A `Finding` with a clock of its own, and the events that it wrote."""

    def __init__(self, config):
        self.config, self.now, self.events = config, NOON / 1e6, []
        self.finding = Finding(config, self._note, lambda: self.now)

    def _note(self, kind, subject, state, **detail):
        self.events.append((kind, subject, state, detail))

    def turn(self, seconds=1000.0):
        self.now += seconds
        self.finding.turn(0)
        return self.finding.patterns

    def again(self):
        """The same after a kill: nothing is left but files."""
        watch = Watch(self.config)
        watch.now = self.now
        return watch


@pytest.fixture
def watch(config):
    return Watch(config)
