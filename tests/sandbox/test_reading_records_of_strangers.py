"""Records as people ask for them: nouns that say where, parts of a record, JSON, calls, series, dice."""

import numpy as np
import pytest

from sandbox.contradictions import contradiction
from sandbox.judging.curves import cdf
from sandbox.request import read
from sandbox.spec import Distribution, Spec
from tests.sandbox.paraphrases import line
from tests.sandbox.reading import computed


def spec_of(text: str) -> Spec:
    interpretation = read(text)
    assert interpretation.spec is not None, interpretation.reasons
    return interpretation.spec


READ = [
    ("waiting times at the counter, exponential, mean 7 minutes, 2000 of them. column wait", "2000 | wait exponential(7)"),
    ("I need 300 made-up receipts for testing the till: payment cash 35%, card 65%", "300 | payment cat(cash 0.35, card 0.65)"),
    ("Simulate 900 inspected batches. Each batch has 50 parts and each part is bad with probability 4%; one column, defects (number of bad parts per batch).", "900 | defect int binomial(50, 0.04)"),
    ("number of successes in 10 trials with p=0.3, 1000 times", "1000 | value int binomial(10, 0.3)"),
    ("simulate 1500 rows of x1,x2 ~ bivariate standard normal, corr 0.6", "1500 | x1 normal(0, 1); x2 normal(0, 1) | x1~x2 r = 0.6"),
    ("Generate 9 pairs (h, w) from a bivariate normal: means 170 and 70, sds 10 and 12, correlation 0.5", "9 | h normal(170, 10); w normal(70, 12) | h~w r = 0.5"),
    ("500 rows with two correlated standard normal columns x1 and x2, r=0.6", "500 | x1 normal(0, 1); x2 normal(0, 1) | x1~x2 r = 0.6"),
    ("np.random.normal(10, 2, 500)", "500 | value normal(10, 2)"),
    ("runif(200, 0, 10)", "200 | value uniform(0, 10)"),
    ('{"n":250,"fields":[{"name":"user_id","type":"int","unique":true},{"name":"score","dist":"uniform","min":0,"max":100}]}', "250 | user_id id; score uniform(0, 100)"),
    ('{"rows": 9, "columns": [{"name": "group", "choices": ["A", "B"], "weights": [0.3, 0.7]}]}', "9 | group cat(A 0.3, B 0.7)"),
    ("200 users, group: A 30%, B 70%", "200 | group cat(A 0.3, B 0.7)"),
    ("1000 customers; region (N, S, E, W) equally likely", "1000 | region cat(N 0.25, S 0.25, E 0.25, W 0.25)"),
    ("500 cars: colour (white 40, black 30, grey 20, red 10)", "500 | colour cat(white 0.4, black 0.3, grey 0.2, red 0.1)"),
    ("200 people born in the 1980s, with realistic American first name and birth year", "200 | birth_year int uniform(1980, 1989); first_name text"),
    ("Generate 1000 customers, age 18+, mean 40 sd 12", "1000 | age int normal(40, 12) cut[18, -]"),
    ("75 marks out of 100, mean 62, sd 14", "75 | mark normal(62, 14) cut[0, 100]"),
    ("500 applicants: approved 65%, income normal 40000 9000", "500 | approved bool(0.65); income normal(40000, 9000)"),
    ("Lifetimes of 400 light bulbs: Weibull, shape 2, scale 1200 h", "400 | lifetime weibull(2, 1200)"),
    ("Give me hourly calls for one day: Poisson with mean 30", "24 | hourly_call int poisson(30)"),
    ("60 months of revenue starting at 10000 growing 1.5% a month with noise of 300", "60 | revenue by month from 2024-01-01: 10000 * 1.015^t, noise 300"),
    ("IQ scores for 1000 people", "1000 | iq_score int normal(100, 15) cut[40, 160]"),
    ("40 enteros al azar del 1 al 200, solo pares, sin repetir, de menor a mayor", "40 | value int uniform(1, 200) unique"),
    ("2000 calificaciones de examen: normales, media 65, desviación 12, nunca menores que 0 ni mayores que 100. Columna: calificación.", "2000 | calificación normal(65, 12) cut[0, 100]"),
    ("Planto 20 semillas por bandeja y cada una germina con probabilidad 0,3. Simula 800 bandejas: ¿cuántas germinan en cada una?", "800 | germina int binomial(20, 0.3)"),
    ("700 valores de duración de una tarea, triangular, optimista 2 días, más probable 4, pesimista 9 (columna: duración)", "700 | duración triangular(2, 4, 9)"),
    ("genera 30 productos: precio de 1,99 a 49,99", "30 | precio uniform(1.99, 49.99)"),
    ("350 alumnos cuya nota final sigue una normal de media 6.5 y DE 1.1, con notas dentro de 0 y 10", "350 | nota_final normal(6.5, 1.1) cut[0, 10]"),
    ("Haz 300 tiques con prioridad baja 50%, media 30%, alta 20%", "300 | prioridad cat(baja 0.5, media 0.3, alta 0.2)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), READ)
def test_records_are_read_as_people_ask_for_them(text: str, wanted: str):
    assert line(spec_of(text)) == wanted


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Simulate 9 batches. Each batch has 50 parts and each part is bad with probability 4%; number of good parts", "50"),
        ("Simulate 9 batches. Each batch has 50 parts and each part is not bad with probability 4%; number of bad parts", "50"),
        ("np.random.normal(10, 2, 500) + 5", "5"),
        ("2 * rnorm(500, 10, 2)", "2"),
        ('{"rows": 9, "columns": [{"name": "age", "dist": "normal", "mean": 40, "sd": 10, "null_rate": 0.1}]}', "null"),
        ("Generate 100 triangular values with min 1, max 9, mean 4", "mode"),
        ("Generate 100 bivariate normal points with means 1 and 2 and correlation .5", "not supported"),
        ("500 rows, 30% premium, 70% basic, premium spend mean 80 sd 10", "premium_spend"),
        ("simulate 500 rolls of two dice and record the larger one", "two"),
        ("100 users with random 8 digit ids and age 18-70", "value"),
        ("Hourly visits for 2 months, Poisson with mean 30", "Hourly"),
        ("give me 30 prime numbers", "prime"),
        ("Generate 9 users, email ending in .edu, age 18-70", "ending in"),
    ],
)  # fmt: skip
def test_what_looks_alike_and_asks_for_something_else_is_refused(text: str, word: str):
    interpretation = read(text)
    assert interpretation.spec is None
    assert word in "; ".join(interpretation.reasons)


@pytest.mark.parametrize(
    "text",
    [
        "Draw 800 values from a triangular distribution with min 2, mode 5 and max 11",
        "500 rolls of two dice and give me the sum",
        "1000 flips of a coin that comes up heads 55% of the time",
        "60 accounts with an email ending in @example.com and a six-digit number without repeats",
        "120 orders: order_id in the form ORD-00001, ORD-00002 and so on, quantity 1 to 12",
    ],
)
def test_a_program_draws_what_was_read_and_its_judge_agrees(text: str):
    assert any(computed(text, seed=seed)[1] == "spec" for seed in (1, 2))


def test_an_address_in_a_stated_domain_is_checked_in_each_record():
    spec = spec_of("60 accounts, email ending in @example.com, age 18 to 40")
    assert (spec.fields[0].role, spec.fields[0].suffix) == ("id", "@example.com")


def test_the_curve_of_a_triangle_bends_at_its_peak():
    of = Distribution("triangular", {"low": 0.0, "mode": 1.0, "high": 4.0})
    assert cdf(of, np.array([-1.0, 0.0, 1.0, 2.0, 4.0, 9.0])) == pytest.approx(
        [0, 0, 0.25, 1 - 4 / 12, 1, 1]
    )
    peak = spec_of("Generate 100 triangular values between 0 and 10 with mode 12")
    assert "peak of 12" in contradiction(peak)


def test_the_oldest_date_comes_first_and_the_oldest_person_has_the_highest_age():
    dates = spec_of("100 random signup dates, all within 2025, oldest first")
    people = spec_of("100 users, age 18 to 90, oldest first")
    assert [dates.fields[0].order, people.fields[0].order] == ["ascending", "descending"]
