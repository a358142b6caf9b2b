"""Durations, ends, ages, motion and doses, as people ask for them: read wholly or refused."""

import math
from typing import Any

import numpy as np
import pytest

from sandbox.judging import dates, units
from sandbox.judging.comparison import Tolerance, first_differences
from sandbox.programs.dates import PROGRAMS as OF_DATES
from sandbox.programs.units import PROGRAMS as OF_UNITS
from sandbox.request import read
from tests.sandbox.reading import computed


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        (
            "podcast episodes 1h45, 2h20 and 50 min back to back - how long altogether?",
            {"minutes": 295},
        ),
        ("2 horas 35 minutos más 3 horas 50 minutos", {"duration": "6:25"}),
        ("3 h 20 min minus 1 h 45 min", {"minutes": 95}),
        (
            "The film starts at 7:40 pm and lasts 2 hours 25 minutes. When does it end?",
            {"time": "22:05"},
        ),
        ("Si salgo a las 16:20 y tardo 2 h 55 min, ¿a qué hora llego?", {"time": "19:15"}),
        ("from 9 am to 5 pm, how many hours?", {"hours": 8}),
        ("How old is someone born on 14 March 1990 on 1 June 2025?", {"years": 35, "months": 2}),
        ("¿es bisiesto 2100?", {"leap_year": False}),
        ("how many days in february 2024", {"days": 29}),
        ("invoice issued 10 dec 2024, terms net 90 days. due date?", {"date": "2025-03-10"}),
        ("¿Cuántos días hábiles hay del 3 al 28 de marzo de 2025, ambos incluidos?", {"days": 20}),
        ("5'11\" in cm", {"centimeter": 180.34}),
        ("convert 180 cm to feet and inches", {"foot": 5, "inch": 10.866142}),
        ("350F in C", {"degree_Celsius": 176.66667}),
        ("100 km/h en mph", {"mile_per_hour": 62.137119}),
        ("un coche recorre 240 km en 3 horas, ¿velocidad media?", {"km_per_hour": 80}),
        (
            "Order is 0.5 mg per kg, patient weighs 154 lb, vial is 10 mg/mL. How many mL?",
            {"milliliters": 3.4926612},
        ),
        (
            "IV: 1000 mL to go in over 8 h, drip set 20 drops/mL. drops per minute?",
            {"drops_per_minute": 41.666667},
        ),
    ],
)
def test_a_question_is_read_and_checked(text: str, figures: dict[str, Any]):
    result, level = computed(text)
    assert level == "spec"
    assert not first_differences({key: result[key] for key in figures}, figures, Tolerance())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "The film ends at 22:05 and lasts 2 hours 25 minutes. When does it start?",
            "ask when it ends",
        ),
        (
            "The meeting is at 9:00 and the drive takes 50 min. What time should I leave?",
            "ask when",
        ),
        ("How old is someone born on 14 March 1990?", "say the day"),
        ("average of 2 h 30 min and 3 h 10 min", ""),
        ("dose 15 mg/kg for a 22 kg child every 6 hours, how many mg a day?", ""),
        ("dose 5 mcg/kg/min for 70 kg, bag 400 mg in 250 ml, ml/h?", ""),
        ("a car goes 240 km at 80 km/h and returns at 60 km/h, average speed?", ""),
        ("10 dec 2024 plus 90 working days", ""),
        ("How many girls are there if 40% of 240 pupils are boys?", "`girls`"),
    ],
)
def test_what_asks_something_else_is_refused(text: str, reason: str):
    interpretation = read(text)
    assert interpretation.spec is None
    assert reason in " ".join(interpretation.reasons)


@pytest.mark.parametrize(
    ("method", "given"),
    [
        ("duration_total", {"hours": (1.75, 7 / 3, 0.5), "signs": (1.0, 1.0, -1.0)}),
        *[("clock_end", {"start": "22:50", "hours": h}) for h in (3.5, -23.25, 0.2)],
        *[
            ("age", {"birth": "1990-03-31", "day": d})
            for d in ("2025-03-30", "2025-02-28", "2024-03-31")
        ],
        ("age", {"birth": "2000-02-29", "day": "2025-02-28"}),
        *[("leap_year", {"year": y}) for y in (1900, 2000, 2023, 2024)],
        ("month_length", {"year": 2024, "month": 2}),
        ("conversion_in_parts", {"value": 180.0, "unit": "centimeter", "into": "foot,inch"}),
        ("conversion_in_parts", {"value": 90.0, "unit": "minute", "into": "hour,minute"}),
        ("motion", {"length": 240.0, "length_unit": "kilometer", "time": 3.0, "time_unit": "hour"}),
        ("motion", {"length": 5.0, "length_unit": "mile", "speed": 9.0, "speed_unit": "knot"}),
        (
            "motion",
            {"time": 2.5, "time_unit": "hour", "speed": 90.0, "speed_unit": "mile_per_hour"},
        ),
        ("dose", {"per_kg": 0.5, "pounds": 154.0, "concentration": 10.0}),
        ("dose", {"per_kg": 15.0, "weight": 22.0}),
        ("drop_rate", {"milliliters": 1000.0, "hours": 8.0, "drops": 20.0}),
        ("infusion_rate", {"milliliters": 1000.0, "hours": 8.0}),
    ],
)
def test_program_and_judge_agree(method: str, given: dict[str, Any]):
    names: dict[str, Any] = {"math": math, "np": np}
    exec((OF_DATES | OF_UNITS)[method], names)  # type: ignore[operator]
    expected = (dates.EXPECTED | units.EXPECTED)[method](**given)  # type: ignore[operator]
    assert not first_differences(names[method](**given), dict(expected), Tolerance())
