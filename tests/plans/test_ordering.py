"""Plans from cheap to strong: by price, then public results, then effort, then the file."""

import pytest

from router.config.config import Config
from router.config.load import EMBEDDED, load
from router.plans.compiled import Plans
from router.plans.ordering import PlanRank, cheapest_first, dearest_known
from router.routing.ladder import configured_ladder


def ordered(*ranks: PlanRank) -> str:
    return " ".join(cheapest_first(ranks))


def test_the_cheaper_plan_stands_lower_and_equal_plans_stay_in_their_order():
    ranks = [PlanRank("b", 2.0), PlanRank("a", 1.0), PlanRank("d", 2.0), PlanRank("c", 0.0)]
    assert ordered(*ranks) == "c a b d"


def test_an_unknown_price_counts_as_the_dearest_and_never_as_free():
    assert ordered(PlanRank("?", None), PlanRank("a", 5.0), PlanRank("b", 1.0)) == "b ? a"
    assert ordered(PlanRank("?", None), PlanRank("!", None)) == "? !"


def test_plans_of_one_price_are_ordered_by_public_results_and_then_by_effort():
    ranks = [
        PlanRank("strong-high", 1.0, effort=4, prior=0.8),
        PlanRank("strong", 1.0, prior=0.8),
        PlanRank("strong-low", 1.0, effort=2, prior=0.8),
        PlanRank("weak", 1.0, prior=0.4),
        PlanRank("unknown", 1.0),
    ]
    assert ordered(*ranks) == "unknown weak strong-low strong strong-high"
    assert dearest_known(ranks) == "strong-high"


@pytest.mark.parametrize(
    ("ranks", "premium"),
    [
        ([PlanRank("cheap", 1.0), PlanRank("dear", 9.0), PlanRank("?", None)], "dear"),
        ([PlanRank("local", 0.0), PlanRank("?", None)], "?"),
        ([PlanRank("?", None, prior=0.2), PlanRank("!", None, prior=0.7)], "!"),
        ([PlanRank("small", 0.0, stands_in=True), PlanRank("records", 0.0)], "records"),
        ([PlanRank("small", 0.0, stands_in=True)], "small"),
        ([PlanRank("first", 0.0), PlanRank("second", 0.0)], "first"),
    ],
)
def test_premium_is_the_dearest_known_plan_and_never_one_that_stands_in(ranks, premium):
    assert dearest_known(ranks) == premium


def compiled(**objective) -> Plans:
    server = {"kind": "openai", "base_url": "http://x/v1"}
    return Plans(
        Config.model_validate(
            {
                "backends": {
                    "dear": {**server, "price": {"input": 10, "output": 10}},
                    "unpriced": server,
                    "cheap": {**server, "price": {"input": 1, "output": 1}},
                    "records": {"kind": "generator"},
                },
                "plans": {
                    "best": {"ask": "dear"},
                    "unknown": {"ask": "unpriced"},
                    "both": {"cascade": ["cheap", "dear"], "accept": {"regex": "x"}},
                    "often": {"ask": "cheap", "fallback": ["dear"]},
                    "more": {"ask": "cheap", "set": {"reasoning_effort": "high"}},
                    "made": {"ask": "records"},
                },
                "objective": objective,
            }
        )
    )


def test_a_ladder_without_rungs_goes_from_the_cheapest_plan_to_the_dearest():
    plans = compiled()
    # The cascade costs the cheap call, and in half the cases the dear one.
    assert configured_ladder(plans).rungs == ("made", "often", "more", "both", "best", "unknown")
    assert plans.premium == "best"


def test_the_embedded_default_has_the_ladder_and_the_premium_that_it_always_had():
    plans = Plans(load(EMBEDDED, {}))
    assert configured_ladder(plans).rungs == ("generate", "records")
    assert plans.premium == "generate"
    assert plans.priors == {}


def test_the_files_own_rungs_and_premium_win():
    plans = compiled(ladder={"rungs": ["best", "often"]}, premium="often")
    assert configured_ladder(plans).rungs == ("best", "often")
    assert plans.premium == "often"
