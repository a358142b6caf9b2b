"""`python -m experiments.attack.slow_text`: looks for text that takes more than linear time.

Every pattern and every reader of text in the router and the sandbox gets texts made to be slow for
it (`seeds`), once, twice and four times as long. The thread's CPU time is measured, so a busy
machine changes nothing. A search that would never end is interrupted.

Not covered: patterns of the dashboard and of the command line, which read what the operator writes.
"""

import ast
import importlib
import pkgutil
import re
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from itertools import chain, pairwise
from pathlib import Path
from time import thread_time
from types import ModuleType
from typing import Any

import learner
import router
import sandbox
from experiments.attack.readers import READERS, REQUESTS
from experiments.attack.seeds import COMMON, Seed, seeds
from sandbox.request import read

_SIZE = 2_000  # characters of the shortest text
_NOTHING_SECONDS = 0.002  # a text of four times the size that takes less is not slow
# The most characters that these rooms read, in which a pattern may take this long.
_BOUNDED = {
    "sandbox.reading.data_tables._NAME": 80,
    "sandbox.reading": 4_000,
    "router.reuse.": 2_000,
}
_BOUNDED_SECONDS = 0.02
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
_GROWTH = 3.0  # from one size to twice the size; linear is 2, quadratic 4
_LIMIT_SECONDS = 0.5
_SKIPPED = ("router.demo", "router.cli", "router.deployment", "sandbox.cell", "sandbox.supervisor")

Reader = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Finding:
    """A reader or pattern that takes more than linear time, and the text that shows it."""

    name: str
    seed: Seed
    milliseconds: tuple[float, ...]  # for the text, for one of twice and of four times its size

    def __str__(self) -> str:
        times = " ".join(f"{time:9.2f}" for time in self.milliseconds)
        return f"{times} ms  {self.name}  {self.seed!r}"


def findings(
    reader: Reader, name: str, texts: Sequence[Seed], longest: int | None = None
) -> Iterator[Finding]:
    """The texts that are slow for this reader, which reads at most `longest` characters."""
    size = _SIZE if longest is None else longest // 4
    enough = _NOTHING_SECONDS if longest is None else _BOUNDED_SECONDS
    for seed in texts:
        if _seconds(reader, seed.text(4 * size), tries=1) < enough:
            continue
        times = [_seconds(reader, seed.text(times * size)) for times in (1, 2, 4)]
        if times[2] >= enough and all(
            longer > _GROWTH * max(time, 1e-5) for time, longer in pairwise(times)
        ):
            yield Finding(name, seed, tuple(1000 * time for time in times))


def searching(name: str, pattern: "re.Pattern[str]") -> Reader:
    if name.partition(" ")[0].endswith(_CONTINUING):
        return pattern.match
    return lambda text: sum(1 for _ in pattern.finditer(text))


def _seconds(reader: Reader, text: str, tries: int = 3) -> float:
    """The least CPU time of some tries; a try that takes too long counts as the limit."""
    best = _LIMIT_SECONDS
    for _ in range(tries):
        begun = thread_time()
        try:
            with _interrupted():
                reader(text)
        except _TooSlow:
            return _LIMIT_SECONDS
        except (ValueError, LookupError):  # a reader may refuse the text
            pass
        best = min(best, thread_time() - begun)
        if best > _LIMIT_SECONDS / 10:
            break
    return best


class _TooSlow(BaseException):
    """The reader was interrupted. No reader catches a `BaseException`."""


@contextmanager
def _interrupted() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise _TooSlow

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, _LIMIT_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def patterns() -> Mapping[str, "re.Pattern[str]"]:
    """Every pattern over text, by the place where it stands or where it is used first."""
    places: dict[re.Pattern[str], str] = {}
    for module in _modules():
        for name, value in list(vars(module).items()):
            for pattern in _in_value(value, 0):
                places.setdefault(pattern, f"{module.__name__}.{name}")
        for pattern, line in _written(module):
            places.setdefault(pattern, f"{module.__name__}:{line}")
    for pattern, place in _used():
        places.setdefault(pattern, place)
    numbered = {}
    for number, (pattern, place) in enumerate(places.items()):
        numbered[f"{place} #{number}"] = pattern
    return numbered


def _modules() -> Iterator[ModuleType]:
    for package in (learner, sandbox, router):
        for info in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not info.name.startswith(_SKIPPED):
                yield importlib.import_module(info.name)


def _in_value(value: Any, depth: int) -> Iterator["re.Pattern[str]"]:
    if isinstance(value, re.Pattern):
        if isinstance(value.pattern, str):
            yield value
    elif depth < 4:
        inner: list[Any] = []
        if isinstance(value, tuple | list | set | frozenset):
            inner = list(value)
        elif isinstance(value, dict):
            inner = list(value.values())
        elif is_dataclass(value) and not isinstance(value, type):
            inner = [getattr(value, field.name, None) for field in fields(value)]
        for item in inner:
            yield from _in_value(item, depth + 1)


def _written(module: ModuleType) -> Iterator[tuple["re.Pattern[str]", str]]:
    """The patterns that a module writes as plain text in a call such as `re.search`."""
    for node in ast.walk(ast.parse(Path(str(module.__file__)).read_text())):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
            continue
        called, first = node.func, node.args[0]
        named = isinstance(called.value, ast.Name) and called.value.id
        if named not in ("re", "patterns", "words") or called.attr == "compile":
            continue
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield re.compile(first.value, re.I), f"{node.lineno}.{called.attr}"


def _used() -> Iterator[tuple["re.Pattern[str]", str]]:
    """The patterns that reading some requests searches for, which include those made on the way."""
    places: dict[re.Pattern[str], str] = {}
    plain = {name: getattr(re, name) for name in ("search", "match", "fullmatch", "finditer")}
    plain |= {name: getattr(re, name) for name in ("findall", "sub", "split")}

    def noted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(pattern: Any, *arguments: Any, **named: Any) -> Any:
            if isinstance(pattern, str):
                flags = named.get("flags", 0) or next(
                    (a for a in arguments if isinstance(a, re.RegexFlag)), 0
                )
                caller = sys._getframe(1)
                place = f"{caller.f_globals['__name__']}:{caller.f_lineno}"
                places.setdefault(re.compile(pattern, flags), place)
            return function(pattern, *arguments, **named)

        return call

    try:
        for name, function in plain.items():
            setattr(re, name, noted(function))
        for text in REQUESTS:
            read(text)
    finally:
        for name, function in plain.items():
            setattr(re, name, function)
    yield from places.items()


def slow_patterns(every: int = 1) -> Iterator[Finding]:
    """The patterns that are slow for one of their texts, or for one of `every` several."""
    for name, pattern in patterns().items():
        longest = next((most for room, most in _BOUNDED.items() if name.startswith(room)), None)
        if "memory_query" in name:  # reads a message of any length
            longest = None
        yield from findings(searching(name, pattern), name, seeds(pattern)[::every], longest)


def slow_readers() -> Iterator[Finding]:
    words = [Seed("", " ".join(text.split()[:n]) + " ") for text in REQUESTS for n in (2, 5)]
    heads = [Seed(text + " ", seed.unit) for text in REQUESTS[:6] for seed in COMMON]
    for name, reader in READERS.items():
        yield from findings(reader, name, [*COMMON, *words, *heads])


def main() -> None:
    count = 0
    print("CPU time of a text, of one of twice and of four times its size")
    for finding in chain(slow_patterns(), slow_readers()):
        count += 1
        print(finding, flush=True)
    print(f"{count} texts, of {len(READERS)} readers and {len(patterns())} patterns, are slow")
    sys.exit(bool(count))


if __name__ == "__main__":
    main()
