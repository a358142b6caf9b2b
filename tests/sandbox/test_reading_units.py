"""Conversions of units: read wholly or refused by name, and worked out by two hands."""

import itertools
import math

import pytest

from sandbox.contradictions import contradiction
from sandbox.judging.units import EXPECTED
from sandbox.programs.units import PROGRAMS
from sandbox.reading.units import _DIMENSIONS
from sandbox.request import read
from sandbox.synthesis import write_program
from sandbox.verify import verify
from tests.sandbox.reading import computed


@pytest.mark.parametrize(
    ("request_text", "figures"),
    [
        ("How many km in 26.2 miles?", {"kilometer": 42.1648128}),
        ("I'm 5 ft 11 in tall, what's that in cm?", {"centimeter": 180.34}),
        ("150 lbs in kg, rounded to 1 decimal", {"kilogram": 68.0}),
        ("How many seconds in a day?", {"second": 86400.0}),
        ("convierte 98,6 grados Fahrenheit a Celsius", {"degree_Celsius": 37.0}),
        ("¿Cuántos kilómetros son 26,2 millas?", {"kilometer": 42.1648128}),
        ("60 mph in m/s", {"meter_per_second": 26.8224}),
        ("Filled up 40 litres after 500 km. Consumption in L/100 km?", {"liters_per_100_km": 8.0}),
    ],
)
def test_a_conversion_is_read_and_checked(request_text: str, figures: dict[str, float]):
    result, level = computed(request_text)
    assert level == "spec"
    assert result == pytest.approx(figures)


@pytest.mark.parametrize(
    ("request_text", "word"),
    [
        ("convert 5 km to miles plus 10", "plus"),
        ("convert 5 km to kg", "into which unit"),
        ("convert 5 km to miles, ignoring the first two", "ignoring"),
        ("convert 5 km to parsnips", "parsnips"),
        ("12 gallons per minute in litres", "per"),
    ],
)
def test_what_is_not_understood_is_named(request_text: str, word: str):
    interpretation = read(request_text)
    assert interpretation.spec is None
    assert word in " ".join(interpretation.reasons)


def test_nothing_is_colder_than_absolute_zero():
    spec = read("-500 celsius in fahrenheit").spec
    assert spec is not None
    assert "below absolute zero" in contradiction(spec)


def test_our_factors_and_those_of_pint_agree_for_every_pair_of_units():
    names: dict[str, object] = {"math": math}
    exec(PROGRAMS["conversion"], names)
    program = names["conversion"]
    assert callable(program)
    for units in _DIMENSIONS.values():
        for unit, into in itertools.permutations(units.split(), 2):
            (figure,) = program(3.7, unit, into).values()
            assert figure == pytest.approx(EXPECTED["conversion"](3.7, unit, into)[into], rel=1e-9)


def test_a_wrong_figure_is_refused():
    spec = read("How many km in 26.2 miles?").spec
    assert spec is not None
    assert write_program(spec, seed=1).source
    assert verify(spec, {"kilometer": 42.2}).level == "unverified"
