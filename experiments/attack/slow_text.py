"""`python -m experiments.attack.slow_text`: looks for text that takes more than linear time.

Every pattern and every reader of text in the router and the sandbox gets texts made to be slow for
it (`seeds`), once, twice and four times as long. The thread's CPU time is measured, in units of a
search that is measured beside it, so neither a busy nor a slow machine changes a verdict. A text
that takes too long is halved until its growth can be measured.

Not covered: patterns of the dashboard and of the command line, which read what the operator writes.
"""

import re
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from itertools import chain, pairwise
from time import thread_time

from experiments.attack.patterns import patterns
from experiments.attack.readers import READERS, REQUESTS
from experiments.attack.seeds import COMMON, Seed, seeds

_SIZE = 2_000  # characters of the shortest text
# The most characters that these rooms read.
_BOUNDED = {
    "sandbox.reading.data_tables._NAME": 80,
    "sandbox.reading": 4_000,
    "router.records.regexes": 2_000,
    "router.reuse.": 2_000,
}
# These rooms among them read a text of any length.
_UNBOUNDED = (
    "sandbox.reading.tokens",
    "sandbox.reading.data_tables",
    "router.reuse.memory_query",
)
# These patterns only continue a match, so they begin at one place of a text.
_CONTINUING = (
    "_OF_DATA",
    "_REST",
    "_SEPARATOR",
    "_BETWEEN",
    "_ONE_LABEL",
    "_LEAD",
    "_NUMBERS",
    "_FIGURE",
    "_PLAIN_NUMBER",
    "match",
)
# Times are in units of one search that takes quadratic time: about 1.2 ms in 2026.
_UNIT_PATTERN, _UNIT_TEXT = re.compile("a*b"), "a" * 2_000
_MEASURABLE = 0.05  # a shorter time says nothing about growth
_LIMIT = 100.0  # after which a reader is interrupted

Reader = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Bar:
    """What counts as slow."""

    time: float  # for a text of four times the size; a text that takes less is not slow
    bounded: float  # the same, for a room that reads so many characters at most
    growth: float  # from one size to twice the size; linear is 2, quadratic 4


STRICT = Bar(time=1.6, bounded=16.0, growth=3.0)
# What is slow by this bar on one machine is slow by the strict one on every machine.
SURE = Bar(time=3.2, bounded=32.0, growth=3.3)


@dataclass(frozen=True, slots=True)
class Finding:
    """A reader or pattern that takes more than linear time, and the text that shows it."""

    name: str
    seed: Seed
    characters: int  # of the longest text that was measured
    times: tuple[float, ...]  # of a text of a quarter of it, of half of it, and of all

    def __str__(self) -> str:
        times = " ".join(f"{time:9.2f}" for time in self.times)
        return f"{times} units  {self.characters} characters  {self.name}  {self.seed!r}"


def findings(
    reader: Reader, name: str, texts: Sequence[Seed], longest: int | None = None, bar: Bar = STRICT
) -> Iterator[Finding]:
    """The texts that are slow for this reader, which reads at most `longest` characters."""
    size = _SIZE if longest is None else longest // 4
    enough = bar.time if longest is None else bar.bounded
    for seed in texts:
        usual = _usual_unit()
        longest_time = _seconds(reader, seed.text(4 * size), usual, tries=1)
        if longest_time < enough / 2 * usual:
            continue
        unit, small = _unit(), size
        if longest_time >= _LIMIT * usual:  # by this unit, it was interrupted
            small = _measurable_size(reader, seed, size // 2, unit)
        times = _times(reader, seed, small, unit, bar)
        if len(times) < 3 or (small == size and times[2] < enough):
            continue
        steps = [step for step in pairwise(times) if step[1] >= _MEASURABLE]
        if small < size and not steps:  # it grew from nothing to the limit
            steps = [(times[2], _LIMIT)]
        if all(longer > bar.growth * max(time, 1e-3) for time, longer in steps):
            yield Finding(name, seed, 4 * small, times)


def _times(reader: Reader, seed: Seed, size: int, unit: float, bar: Bar) -> tuple[float, ...]:
    """The times of three sizes; of two, if already these show that the reader is not slow."""
    times: tuple[float, ...] = ()
    for each in (1, 2, 4):
        times += (_seconds(reader, seed.text(each * size), unit) / unit,)
        if len(times) == 2 and _MEASURABLE <= times[1] <= bar.growth * max(times[0], 1e-3):
            break
    return times


def searching(name: str, pattern: "re.Pattern[str]") -> Reader:
    if name.partition(" ")[0].endswith(_CONTINUING):
        return pattern.match
    return lambda text: sum(1 for _ in pattern.finditer(text))


@cache
def _usual_unit() -> float:
    return _unit()


def _unit() -> float:
    """The seconds that the search takes in which times are given, at this moment."""
    return _seconds(_UNIT_PATTERN.search, _UNIT_TEXT, unit=1.0)


def _measurable_size(reader: Reader, seed: Seed, size: int, unit: float) -> int:
    """The size, or the first half of it, half of that and so on that takes less than the limit."""
    while size > 1 and _seconds(reader, seed.text(4 * size), unit, tries=1) >= _LIMIT * unit:
        size //= 2
    return size


def _seconds(reader: Reader, text: str, unit: float, tries: int = 3) -> float:
    """The least CPU time of some tries; a try that takes too long counts as the limit."""
    best = limit = _LIMIT * unit
    for _ in range(tries):
        begun = thread_time()
        try:
            with _interrupted(limit):
                reader(text)
        except _TooSlow:
            return limit
        except (ValueError, LookupError):  # a reader may refuse the text
            pass
        best = min(best, thread_time() - begun)
        if best > limit / 10:
            break
    return best


class _TooSlow(BaseException):
    """The reader was interrupted. No reader catches a `BaseException`."""


@contextmanager
def _interrupted(seconds: float) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise _TooSlow

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def chosen(name: str, texts: Sequence[Seed], every: int) -> list[Seed]:
    """One of `every` several texts for a pattern, by their digests.

    So a change of the pattern changes only the choice among the texts that it changes.
    """
    room = re.split("[ :]", name)[0]

    def digest(seed: Seed) -> bytes:
        return blake2b(f"{room} {seed!r}".encode(), digest_size=8).digest()

    return sorted(texts, key=digest)[: -(-len(texts) // every)]


def slow_patterns(every: int = 1, bar: Bar = STRICT) -> Iterator[Finding]:
    """The patterns that are slow for one of their texts, or for one of `every` several."""
    for name, pattern in patterns().items():
        longest = next((most for room, most in _BOUNDED.items() if name.startswith(room)), None)
        if name.startswith(_UNBOUNDED):
            longest = None
        texts = chosen(name, seeds(pattern), every)
        yield from findings(searching(name, pattern), name, texts, longest, bar)


def slow_readers() -> Iterator[Finding]:
    words = [Seed("", " ".join(text.split()[:n]) + " ") for text in REQUESTS for n in (2, 5)]
    heads = [Seed(text + " ", seed.unit) for text in REQUESTS[:6] for seed in COMMON]
    for name, reader in READERS.items():
        yield from findings(reader, name, [*COMMON, *words, *heads])


def main() -> None:
    count = 0
    print("CPU time of a text, of one of twice and of four times its size, in units of one search")
    for finding in chain(slow_patterns(), slow_readers()):
        count += 1
        print(finding, flush=True)
    print(f"{count} texts, of {len(READERS)} readers and {len(patterns())} patterns, are slow")
    sys.exit(bool(count))


if __name__ == "__main__":
    main()
