"""Which of several plans may go: of two that do the same, the dearer one."""

from types import SimpleNamespace

import pytest

from learner.preference import Estimate
from router.config.config import Config
from router.routing.strategies import Strategy
from router.trials.idle_plans import find_idle

CONFIG = Config.model_validate(
    {
        "backends": {name: {"kind": "generator"} for name in "abc"},
        "plans": {"one": {"ask": "a"}, "double": {"ask": "b"}, "other": {"ask": "c"}},
    }
)
ROWS = [SimpleNamespace(kind=kind) for kind in ("sql", "chat") * 50]


class Replay:
    """The learner's estimates: each plan's quality on a kind, and its price in utility."""

    def __init__(self, quality, price):
        self.quality, self.price = quality, price

    def estimates(self, row, plans):
        return [
            Estimate(
                plan,
                quality := self.quality[plan][row.kind],
                0.001,
                0.0,
                0.1,
                0.0,
                quality - self.price[plan],
                0.3,
            )
            for plan in plans
        ]


def idle_of(double, price):
    quality = {
        "one": {"sql": 0.9, "chat": 0.5},
        "double": double,
        "other": {"sql": 0.4, "chat": 0.9},
    }
    search = find_idle(
        CONFIG,
        Replay(quality, price),
        Strategy("bandit", "bandit"),
        ROWS,
        dict.fromkeys(quality, 200),
        0.05,
        tried=lambda *_: 200,
    )
    return search.idle.plans[0] if search.idle is not None else ""


@pytest.mark.parametrize("luck", [-0.02, 0.0, 0.02])
def test_of_two_plans_that_do_the_same_the_dearer_one_goes(luck):
    double = {"sql": 0.9 + luck, "chat": 0.5 + luck}
    assert idle_of(double, {"one": 0.01, "double": 0.02, "other": 0.01}) == "double"
    assert idle_of(double, {"one": 0.02, "double": 0.01, "other": 0.01}) == "one"


def test_a_worse_plan_goes_although_it_is_cheaper():
    worse = {"sql": 0.7, "chat": 0.3}
    assert idle_of(worse, {"one": 0.02, "double": 0.01, "other": 0.01}) == "double"
