"""Whether a proposal that a trial kept out may be made again: only with new evidence.

New evidence is: since the trial ended, the judged answers of the plans that the proposal is about
have doubled, and grown by a hundred; or the backends, their prices, the plans or the weights of the
objective changed. Operators may open any trial at any time.
"""

from collections.abc import Mapping
from hashlib import blake2b

import orjson

from router.config.config import Config
from router.routing.strategies import Strategy
from router.trials.book import Book, Line, Trial, TrialState

KEPT_OUT: tuple[TrialState, ...] = ("kept", "vetoed", "rolled back", "stopped")
_GROWTH = 2  # times as many judged answers
_LEAST_MORE = 100  # judged answers


def evidence_lines(book: Book, config: Config, judged: Mapping[str, int], at: float) -> list[Line]:
    """Lines that keep what is known now, for each trial that ended since the last search."""
    setting = setting_of(config)
    return [
        {"do": "evidence", "at": at, "trial": trial.id, "judged": dict(judged), "setting": setting}
        for trial in book.trials.values()
        if trial.state in KEPT_OUT and not trial.setting
    ]


def kept_out(
    book: Book, config: Config, judged: Mapping[str, int]
) -> Mapping[str, tuple[Trial, Strategy]]:
    """The candidates that a trial kept out, and for which there is no new evidence, by trial."""
    setting = setting_of(config)
    ended = [trial for trial in book.trials.values() if trial.state in KEPT_OUT]
    candidates = {trial.id: (trial, book.strategies.get(trial.candidate)) for trial in ended}
    return {
        id_: (trial, strategy)
        for id_, (trial, strategy) in candidates.items()
        if strategy is not None
        and trial.setting in ("", setting)
        and not _grown(strategy, trial.judged, judged)
    }


def refusal(strategy: Strategy, out: Mapping[str, tuple[Trial, Strategy]]) -> str:
    """Why the strategy is not proposed again; empty if no trial kept the same one out."""
    same = [trial for trial, other in out.values() if content_of(other) == content_of(strategy)]
    if not same:
        return ""
    about = ", ".join(_plans_of(strategy)) or "all plans"
    return (
        f"trial {same[-1].name} kept the same out ({same[-1].state}): it is proposed again once "
        f"the judged answers of {about} have doubled, or prices, plans or weights changed"
    )


def content_of(strategy: Strategy) -> tuple[object, ...]:
    """What a strategy does, without its name: equal for two proposals of the same thing."""
    if strategy.kind == "function":
        lines = [line.strip() for line in strategy.source.splitlines()]
        code = tuple(line for line in lines if line.startswith(("if ", "return ")))
        return (strategy.kind, code or strategy.source)
    settings = orjson.dumps(dict(strategy.settings), option=orjson.OPT_SORT_KEYS)
    instead = tuple(sorted(strategy.instead.items()))
    return (strategy.kind, settings, frozenset(strategy.without), instead)


def setting_of(config: Config) -> str:
    """A digest of what a trial's result rests on beside the answers."""
    dumped = config.model_dump(mode="json", include={"backends", "plans"})
    preference = config.objective.preference
    content = [dumped, preference.cost, preference.latency]
    return blake2b(orjson.dumps(content, option=orjson.OPT_SORT_KEYS), digest_size=8).hexdigest()


def _grown(strategy: Strategy, before: Mapping[str, int], now: Mapping[str, int]) -> bool:
    plans = _plans_of(strategy) or tuple(before)
    then, later = (sum(counts.get(plan, 0) for plan in plans) for counts in (before, now))
    return later >= max(_GROWTH * then, then + _LEAST_MORE) if before else False


def _plans_of(strategy: Strategy) -> tuple[str, ...]:
    return (*strategy.without, *strategy.instead)
