"""Generated records are judged by tests that could say no, and that say what they would miss.

Every sample here has a fixed seed: how often chance deceives a test is measured in experiments.
"""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from scipy import special

from sandbox.judging.check import ALPHA
from sandbox.judging.samples.known import KNOWN
from sandbox.judging.samples.measurement import Measurement, decided
from sandbox.spec import Correlation, Distribution, Field, Series, Spec
from sandbox.verify import verify

AGE = Field("age", distribution=Distribution("normal", {"mean": 35.0, "sd": 12.0}))
INCOME = Field("income", distribution=Distribution("lognormal", {"mu": 10.0, "sigma": 0.5}))
PLAN = Field(
    "plan", "category", Distribution("categorical", {}, ("free", "pro", "team"), (0.5, 0.3, 0.2))
)
EVEN = Field("side", "category", Distribution("categorical", {}, ("a", "b"), (0.5, 0.5)))
DAY = Field("day", "date", start="2024-01-01", end="2024-12-31")
N = 1000


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def normal(count: int = N, seed: int = 1) -> Any:
    return rng(seed).normal(35, 12, count)


def grid(count: int) -> Any:
    return special.ndtri((np.arange(count) + 0.5) / count) * 12 + 35


def failed(columns: dict[str, Any], *wanted: Field, correlation: Correlation | None = None) -> str:
    """The names of the failed checks, and their details."""
    count = len(next(iter(columns.values())))
    spec = Spec(
        count=count, fields=wanted, correlations=(correlation,) if correlation is not None else ()
    )
    return "; ".join(f"{check.name}: {check.detail}" for check in verify(spec, columns).failed)


def test_right_columns_have_the_level_of_a_judged_spec():
    columns = {
        "age": normal(),
        "income": rng(2).lognormal(10, 0.5, N),
        "plan": rng(3).choice(["free", "pro", "team"], N, p=[0.5, 0.3, 0.2]).tolist(),
        "day": np.datetime64("2024-01-01") + rng(4).integers(0, 366, N),
    }
    verdict = verify(Spec(count=N, fields=(AGE, INCOME, PLAN, DAY)), columns)
    assert verdict.failed == ()
    assert verdict.level == "spec"


@pytest.mark.parametrize(
    ("values", "check"),
    [
        (rng().normal(35, 14, N), "age: spread"),
        (rng().normal(35, 10.3, N), "age: spread"),
        (rng().normal(37.5, 12, N), "age: mean"),
        (rng().uniform(35 - 20.8, 35 + 20.8, N), "age: normal"),
        (np.append(normal(N - 1), 1000.0), "age: extremes: outer shares"),
        (np.clip(normal(), 15, 55), "age: extremes"),
        (np.sort(normal()), "age: order"),
        (np.sort(normal())[::-1], "age: order: 0 turning points"),
        (np.concatenate([np.sort(normal(N // 2)), normal(N // 2, 2)]), "age: order"),
        (np.sort(normal())[np.argsort(np.abs(np.arange(N) - N / 2))], "age: order"),
        (grid(N), "age: gaps"),
        (rng().permutation(grid(N)), "age: normal"),
        (rng().permutation(grid(20)), "age: gaps: smallest gap"),
        (np.sort(normal(12)), "age: order: the records are sorted"),
        (np.tile(normal(100), 10), "age: order: values"),
        (rng().permutation(np.repeat(normal(N // 2), 2)), "age: gaps: smallest gap: values repeat"),
        (np.repeat(normal(4), 2), "age: gaps"),
        (np.full(N, 35.0), "age: normal"),
    ],
)
def test_a_wrong_column_fails_for_its_reason(values: Any, check: str):
    assert check in failed({"age": values}, AGE)


@pytest.mark.parametrize("decimals", [0, 2])
def test_rounding_hides_no_grid_no_order_and_no_repetition(decimals: int):
    field = replace(AGE, decimals=decimals)

    def refused(values: Any) -> str:
        return failed({"age": np.round(values, decimals)}, field)

    assert refused(normal()) == ""
    assert refused(rng().permutation(grid(N)))
    assert "age: order" in refused(np.sort(normal(20)))
    assert "age: order" in refused(np.tile(normal(100), 10))
    assert "age: repeats" in refused(rng().permutation(np.repeat(normal(N // 20), 20)))
    assert refused(rng().permutation(np.repeat(normal(N // 2), 2))) if decimals else True


def test_whole_numbers_of_a_column_that_never_repeat_by_chance_fail():
    values = rng().permutation(np.arange(60) + 5.0)
    field = replace(AGE, decimals=0)
    assert "age: repeats: 0 pairs of equal values" in failed({"age": values}, field)


@pytest.mark.parametrize(
    ("labels", "check"),
    [
        (["a", "b"] * 250, "side: order: 498 turning points, about 332 expected"),
        (["a"] * 250 + ["b"] * 250, "side: order: the records are sorted"),
        (np.repeat(rng().choice(["a", "b"], 50), 10).tolist(), "side: order"),
        (rng().choice(["a", "b"], 500, p=[0.62, 0.38]).tolist(), "side: shares"),
        (["a"] * 500, "side: shares"),
    ],
)
def test_labels_in_a_pattern_or_with_other_shares_fail(labels: list[str], check: str):
    assert check in failed({"side": labels}, EVEN)


@pytest.mark.parametrize("decimals", [-1, 0, 1, 4, 12])
def test_a_rounding_that_nobody_stated_is_seen_if_it_is_fine_enough(decimals: int):
    sales = Field("sales", distribution=Distribution("normal", {"mean": 6500.0, "sd": 1200.0}))
    for seed in range(10):
        values = np.round(rng(seed).normal(6500, 1200, N), decimals)
        assert failed({"sales": values}, sales) == ""
        assert failed({"sales": values.tolist()}, sales) == ""
    assert "sales: " in failed({"sales": np.round(values, -3)}, sales)


def test_numbers_of_32_bits_may_repeat_because_there_are_fewer():
    for seed in range(20):
        incomes = rng(seed).lognormal(10, 0.5, 3000)
        assert failed({"age": normal(3000, seed).astype(np.float32)}, AGE) == ""
        assert failed({"income": incomes.astype(np.float32)}, INCOME) == ""


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8])
def test_a_few_rounded_values_are_no_surprise_because_each_is_unlikely(count: int):
    field = replace(AGE, decimals=1)
    for seed in range(40):
        assert failed({"age": np.round(normal(count, seed), 1)}, field) == ""


def test_counts_that_fit_too_well_fail():
    of = Distribution("uniform", {"low": 1.0, "high": 6.0})
    even = rng().permutation(np.repeat(np.arange(1, 7), 500))
    assert "die: uniform: χ²" in failed({"die": even}, Field("die", "number", of, decimals=0))
    thrown = rng().integers(1, 7, 3000)
    assert failed({"die": thrown}, Field("die", "number", of, decimals=0)) == ""


@pytest.mark.parametrize(
    ("days", "check"),
    [
        (np.arange(366), "day: order"),
        (rng().permutation(np.arange(366)), "day: "),
        (rng().integers(0, 180, 366), "day: "),
        (rng().integers(0, 400, 366), "day: dates"),
    ],
)
def test_dates_spread_over_the_whole_time_in_no_order(days: Any, check: str):
    dates = [str(day) for day in np.datetime64("2024-01-01") + days]
    assert check in failed({"day": dates}, DAY)


def test_columns_that_nothing_links_are_independent():
    other = replace(AGE, name="other")
    age, income = normal(), rng(2).lognormal(10, 0.5, N)
    assert failed({"age": age, "income": income}, AGE, INCOME) == ""
    assert "age and other are related by" in failed({"age": age, "other": age}, AGE, other)
    mixed = 35 + 12 * (0.3 * (age - 35) / 12 + np.sqrt(1 - 0.09) * rng(5).standard_normal(N))
    assert "age and other are related" in failed({"age": age, "other": mixed}, AGE, other)
    bent = np.argsort(np.argsort(np.abs(age - 35)))
    sides = np.where(rng(6).random(N) < 0.5, 1, -1) * (0.5 + bent) / (2 * N)
    curved = 35 + 12 * special.ndtri(0.5 + sides)
    assert "age and other are related" in failed({"age": age, "other": curved}, AGE, other)
    groups = np.where(age > 41, "free", np.where(age > 27, "pro", "team")).tolist()
    shuffled = rng(7).permutation(age)
    copied = failed({"age": age, "other": shuffled}, AGE, other)
    assert copied == "age and other: they hold the same values in another order"
    once = Field("x", "number", Distribution("uniform", {"low": 1.0, "high": 50.0}), decimals=0)
    every = {name: rng(i).permutation(50) + 1 for i, name in enumerate("xy")}
    assert failed(every, replace(once, unique=True), replace(once, name="y", unique=True)) == ""
    assert "age and plan are related" in failed({"age": age, "plan": groups}, AGE, PLAN)


def _pair(r: float, count: int = N) -> dict[str, Any]:
    """Two columns whose correlation is exactly r."""
    z = rng(8).standard_normal((2, count))
    first = (z[0] - z[0].mean()) / z[0].std()
    noise = z[1] - z[1].mean() - first * (z[1] * first).mean()
    second = r * first + np.sqrt(1 - r * r) * noise / noise.std()
    return {"age": 35 + 12 * first, "size": 100 * second}


@pytest.mark.parametrize(
    ("correlation", "r", "holds"),
    [
        (Correlation("age", "size", 0.8, "r2", ">"), 0.8**0.5 + 1e-6, True),
        (Correlation("age", "size", 0.8, "r2", ">"), 0.8**0.5 - 1e-6, False),
        (Correlation("age", "size", 0.3, "r", "<"), 0.31, False),
        (Correlation("age", "size", 0.5), 0.5, True),
        (Correlation("age", "size", 0.5), 0.52, True),
        (Correlation("age", "size", 0.5), 0.65, False),
        (Correlation("age", "size", 0.5), -0.5, False),
        (Correlation("age", "size", 1.0), 0.99, False),
        (Correlation("age", "size", 1.0), 1.0, True),
        (Correlation("age", "size", 0.25, "r2"), -0.5, True),
        (Correlation("age", "size", 0.25, "r2"), 0.7, False),
    ],
)
def test_a_bound_is_exact_and_a_value_holds_within_the_error_of_a_sample(
    correlation: Correlation, r: float, holds: bool
):
    names = failed(_pair(r), AGE, Field("size"), correlation=correlation)
    assert ("age and size: r" not in names.lower()) is holds
    assert "independence" not in names


def test_a_stated_order_is_required_and_no_random_order_is():
    field = replace(AGE, order="ascending")
    assert failed({"age": np.sort(normal())}, field) == ""
    assert "age: ascending: some records stand" in failed({"age": normal()}, field)
    assert failed({"age": np.sort(normal())[::-1]}, replace(AGE, order="descending")) == ""
    labels = sorted(rng(3).choice(["free", "pro", "team"], N, p=[0.5, 0.3, 0.2]).tolist())
    assert failed({"plan": labels}, replace(PLAN, order="ascending")) == ""
    assert "plan: descending" in failed({"plan": labels}, replace(PLAN, order="descending"))
    days = np.datetime64("2024-01-01") + np.sort(rng(4).integers(0, 366, N))
    assert failed({"day": days}, replace(DAY, order="ascending")) == ""


def test_a_column_that_follows_a_sorted_column_may_be_in_order_too():
    pair = _pair(0.9)
    by_age = np.argsort(pair["age"])
    ordered = {name: values[by_age] for name, values in pair.items()}
    correlation = Correlation("age", "size", 0.9)
    assert "size: order" in failed(ordered, AGE, Field("size"), correlation=correlation)
    sorted_age = replace(AGE, order="ascending")
    assert "order" not in failed(ordered, sorted_age, Field("size"), correlation=correlation)


def test_numbers_that_are_drawn_once_are_uniform_among_those_there_are():
    of = Distribution("uniform", {"low": 1.0, "high": 1000.0})
    field = Field("ticket", "number", of, decimals=0, unique=True)
    drawn = rng().choice(np.arange(1, 1001), 700, replace=False)
    assert failed({"ticket": drawn}, field) == ""
    assert failed({"ticket": rng().permutation(np.arange(1, 1001))}, field) == ""
    assert "ticket: uniform" in failed({"ticket": rng().permutation(np.arange(1, 701))}, field)
    assert "ticket: order" in failed({"ticket": np.arange(1, 1001)}, field)


def test_what_no_test_can_decide_is_named_and_lowers_the_level():
    field = replace(AGE, decimals=0, unique=True)
    values = rng().permutation(np.arange(5, 65))
    verdict = verify(Spec(count=60, fields=(field,)), {"age": values})
    assert verdict.holds
    assert verdict.level == "unverified"
    assert verdict.unchecked == ("the normal distribution of age, whose values must differ",)


def test_ids_have_the_form_that_was_asked_for():
    ids = [f"C{i:05d}" for i in range(N)]
    assert failed({"id": ids}, Field("id", "id", prefix="C")) == ""
    assert "id: the form U0" in failed({"id": ids}, Field("id", "id", prefix="U"))
    assert "id: UUIDs" in failed({"id": ids}, Field("id", "id", prefix="uuid"))
    assert "id: unique" in failed({"id": [*ids[1:], ids[1]]}, Field("id", "id", prefix="C"))


def test_ids_count_from_the_number_that_was_asked_for():
    field = Field("id", "id", prefix="EMP-", first=100, digits=4)
    ids = [f"EMP-{100 + i:04d}" for i in range(N)]
    assert failed({"id": ids}, field) == ""
    assert "id: from 100: 101 to 1100" in failed({"id": [*ids[1:], "EMP-1100"]}, field)
    assert "id: the form EMP-0000: 'EMP-100' has not" in failed(
        {"id": ["EMP-100", *ids[1:]]}, field
    )
    assert failed({"id": np.arange(N) + 7}, Field("id", "id", first=7)) == ""
    assert "id: from 1" in failed({"id": np.arange(N) + 7}, Field("id", "id", first=1))


def test_multiples_are_multiples_and_all_equally_likely():
    of = Distribution("uniform", {"low": 1.0, "high": 99.0})
    even = Field("x", "number", of, decimals=0, multiple=2)
    assert failed({"x": 2 * rng().integers(1, 50, N)}, even) == ""
    assert "x: divided by 2" in failed({"x": rng().integers(1, 100, N)}, even)
    assert "x: uniform" in failed({"x": 2 * rng().integers(1, 45, N)}, even)
    odd = replace(even, remainder=1, unique=True)
    assert failed({"x": 2 * rng().permutation(50)[:40] + 1}, odd) == ""


def test_every_word_of_a_field_is_known_to_a_judge_or_named_as_unchecked():
    words = {word.name for word in fields(Field)}
    assert set().union(*KNOWN.values()) == words, "teach a judge the new word, or leave it unknown"
    assert {word.name for word in fields(Series)} == {
        *("name", "step", "start", "level", "trend", "growth", "period", "amplitude", "noise"),
        "time",
    }
    odd = replace(PLAN, low=0.0, prefix="p")
    labels = rng(3).choice(["free", "pro", "team"], N, p=[0.5, 0.3, 0.2]).tolist()
    verdict = verify(
        Spec(count=N, fields=(odd, Field("name", "text", unique=True))), {"plan": labels}
    )
    assert verdict.unchecked == ("low of plan", "prefix of plan", "unique of name")
    assert verdict.level == "unverified"


def test_a_part_of_a_request_for_records_that_no_judge_knows_is_named():
    spec = Spec(count=N, fields=(AGE,), decimals=2)
    assert verify(spec, {"age": normal()}).unchecked == ("decimals",)
    spec = Spec(count=200, series=SERIES, fields=(AGE,))
    assert "fields" in verify(spec, {"date": [], "sales": []}).unchecked


def test_made_up_words_are_looked_at_only_if_the_program_gives_them():
    """Nothing can check a name: a text column is no part of the request that was left unchecked."""
    name = Field("name", "text")
    assert verify(Spec(count=N, fields=(AGE, name)), {"age": normal()}).level == "spec"
    words = {"age": normal(), "name": ["Ada"] * (N - 1)}
    assert "name: texts" in failed(words, AGE, name)
    assert "name: texts" in failed({"age": normal(), "name": [""] * N}, AGE, name)
    assert failed({"age": normal(), "name": ["Ada"] * N}, AGE, name) == ""


SERIES = Series("sales", "week", "2024-01-01", level=100.0, trend=0.5, period=52, amplitude=10.0)


def _series(**changed: Any) -> str:
    t = np.arange(200)
    noise = rng(9).standard_normal(200)
    of = {"noise": noise, "trend": 0.5, "amplitude": 10.0, "step": 7} | changed
    values = 100 + of["trend"] * t + of["amplitude"] * np.sin(2 * np.pi * t / 52) + of["noise"]
    times = np.datetime64("2024-01-01") + of["step"] * t
    verdict = verify(Spec(count=200, series=SERIES), {"date": times, "sales": np.round(values, 6)})
    return "; ".join(check.name for check in verdict.failed)


def test_a_series_has_its_times_trend_season_and_noise():
    assert _series() == ""
    assert "times" in _series(step=1)
    assert "trend" in _series(trend=0.51)
    assert "season" in _series(amplitude=12.0)
    assert "noise" in _series(noise=1.5 * rng(9).standard_normal(200))
    assert "noise: order" in _series(noise=np.sort(rng(9).standard_normal(200)))
    assert "noise: normal" in _series(noise=rng(9).permutation((grid(200) - 35) / 12))


def test_a_series_has_one_column_of_times_with_its_name_and_no_other_column():
    spec = Spec(count=3, series=replace(SERIES, noise=0.0, trend=0.0, amplitude=0.0, time="week"))
    times = np.datetime64("2024-01-01") + 7 * np.arange(3)
    assert verify(spec, {"week": times, "sales": [100.0] * 3}).level == "spec"
    for others in ({"day": times}, {"week": times, "profit": [1.0] * 3}):
        verdict = verify(spec, {**others, "sales": [100.0] * 3})
        assert "needs week and sales, and nothing else" in verdict.failed[0].detail


def test_each_test_tells_what_it_would_miss():
    verdict = verify(Spec(count=50, fields=(AGE,)), {"age": normal(50, 3)})
    power = {check.name: check.power for check in verdict.checks if check.p_value is not None}
    assert power["age: spread"] == "at n = 50 an sd of 17.2 for 12 passes half the time"
    assert power["age: mean"] == "at n = 50 a mean of 41.77 for 35 passes half the time"
    assert all(power.values())
    few = verify(Spec(count=5, fields=(AGE,)), {"age": normal(5)})
    plain = [c.name for c in few.checks if "can hardly fail" in c.power]
    assert {"age: normal", "age: mean", "age: spread"} <= {*plain}
    assert all("power" in c for c in verdict.as_json()["checks"] if "p_value" in c)


@pytest.mark.parametrize(
    ("check", "mean", "sd"), [("age: spread", 35.0, 17.2), ("age: mean", 41.77, 12.0)]
)
def test_what_a_test_says_that_it_misses_it_misses_half_the_time(
    check: str, mean: float, sd: float
):
    spec, passed = Spec(count=50, fields=(AGE,)), 0
    for seed in range(400):
        verdict = verify(spec, {"age": rng(seed).normal(mean, sd, 50)})
        passed += next(c.holds for c in verdict.checks if c.name == check)
    assert 0.4 < passed / 400 < 0.6


def test_all_tests_of_a_result_share_one_rate_of_false_alarms():
    near = Measurement("x", "", 0.0, ALPHA / 2, lambda alpha: f"{alpha:g}")
    assert not decided([near])[0].holds
    assert all(check.holds for check in decided([near] * 3))
    assert decided([near] * 4)[0].power == f"{ALPHA / 4:g}"


def test_a_right_table_of_many_columns_is_kept_and_one_wrong_column_is_seen():
    names = [f"x{i}" for i in range(40)]
    columns = {name: normal(N, 100 + i) for i, name in enumerate(names)}
    wanted = [replace(AGE, name=name) for name in names]
    assert failed(columns, *wanted) == ""
    columns["x7"] = rng().normal(35, 14.5, N)
    assert failed(columns, *wanted).startswith("x7: spread")
