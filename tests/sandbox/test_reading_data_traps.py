"""Requests about data by which a wrong answer called itself checked once: figures and records."""

import pytest

from sandbox.request import read
from tests.sandbox.reading import computed

_CITIES = "ciudad,ventas\nLugo,10\nVigo,20\nLugo,30\nVigo,50\n\n"
_PEOPLE = "name,age,income\nAna,34,2100\nLuis,45,1800\nEva,29,2500\n\n"
_MONTHS = "month,income,costs\nJan,5000,4200\nFeb,5200,4500\nMar,4800,5000\n\n"

_REPS = "Sales by rep: Ann 120, Bob 95, Cy 143, Di 88. "
_HALF = "Jan 40, Feb 55, Mar 50, Apr 62, May 71, Jun 69. "

_WAITS = "The waiting times were 12, 25, 8, 31, 19 and 22 minutes. "
_PAY = "Monthly salaries of the staff: 1800, 2100, 1950, 4200, 2000. "
_XY = "x = 1, 2, 3, 4 and y = 3, 5, 7, 10: "

_WEEK = "Temperaturas de la semana: 12, 14, 9, 17, 20, 16, 11. "


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("Suma de los pares: 1, 2, 3, 4, 6", {"sum": 12.0}),
        (f"{_CITIES}Media de las ventas mayores de 15", {"mean": 100 / 3}),
        (
            "What's the most common value and how often does it occur: 4, 4, 6, 7, 7, 7, 8",
            {"mode": 7.0, "mode_count": 3.0},
        ),
    ],
)
def test_the_answer_is_right(text: str, figures: dict[str, float]):
    result, level = computed(text)
    assert level == "spec"
    assert {name: result[name] for name in figures} == pytest.approx(figures)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Weights in kg: 70, 82, 65, 90. Average in pounds?", "pounds"),
        ("Peso en kg: 70, 80, 65. Media en gramos", "gramos"),
        ("What's the average age in months: 2 years, 3 years, 5 years", "months"),
        ("Which day had the biggest drop: Mon 50, Tue 45, Wed 60, Thu 52, Fri 58?", ""),
        (f"{_PEOPLE}How old is the person with the lowest income?", "largest or smallest"),
        (f"{_MONTHS}What were costs in the month with the highest income?", "of costs"),
        (
            "date,sales\n2024-01-05,100\n2024-02-03,120\n2024-02-25,90\n\nTotal sales in February",
            "February",
        ),
        (
            "Goals per game: 0, 2, 1, 3, 0, 1. Average goals in the games in which we scored",
            "which",
        ),
        (
            "Team,Spend\nIT,1200\nHR,300\nIT,800\n\nWhich team spent the most in total?",
            "maximum of the sum",
        ),
        (
            "Food and car together are what percent of the total? rent 1200, food 400, car 300",
            "together",
        ),
        ("My team scored 3, 5, 2, 8. What's the mean score on away games?", "on away"),
        (f"{_REPS}Rank of Di", "ranking of Di"),
        (f"{_REPS}Sort alphabetically", "alphabetically"),
        (f"{_HALF}Average for Q2", "Q2"),
        (f"{_HALF}Average from February to April", "February"),
        (f"{_HALF}Total since March", "March"),
        ("These are monthly figures: 3, 8, 15, 22, 41. Average for the quarter?", "quarter"),
        ("500 users, 80% active, of those 30% premium", "of those"),
        ("500 usuarios, 80% activos, de ellos un 30% premium", "de ellos"),
        ("12 meses de ventas que crecen de 1000 a 2000", ""),
        (f"{_WAITS}What's the longest anyone waited beyond the average?", "compared"),
        (
            "Points this season: 22, 31, 18, 27, 35, 24. Average in wins (games 1, 2 and 5)",
            "list in the question",
        ),
        (f"{_PAY}Total payroll per year", "of a year"),
        (f"{_PAY}Average net salary", "net"),
        ("Store A sold 12, 15, 11 and store B sold 20, 9, 14. Combined mean", "combined"),
        (f"{_XY}population covariance", "population"),
        (f"{_XY}correlation of the differences", "differences"),
        ("What's the combined average of A: 1, 2, 3 and B: 4, 5, 6?", "combined"),
        ("Number of siblings 0, 1, 2, 3 for 5, 8, 4, 1 students: average siblings?", "for"),
        ("95 percent confidence interval for the median of 3, 5, 7, 5, 9", "median"),
        ("Percentile of 7 in 3, 5, 7, 5, 9", "percentile"),
        ("When does the running total pass 10: 5, 3, 8, 2", "when"),
        ("Second highest and its position: 4, 9, 7, 8", "its"),
        ("Rank 50, 100, 25, 75 from smallest", "order"),
        ("Are 1, 2, 9 in ascending order?", "in order"),
        (f"{_WEEK}Media de los días laborables", "laborables"),
        (f"{_WEEK}Media en Fahrenheit", "Fahrenheit"),
        ("Before 90, 85, 100, 78; after 86, 84, 92, 77. Percent change of the mean", "of the mean"),
        (f"{_PEOPLE}Age of the guest with the most income", ""),
        (f"{_PEOPLE}Max income and in which age", "which"),
        ("Alturas: 150, 162, 171, 180 cm. ¿Cuántos miden más de 1,70?", "different units"),
        ("Cups per day: 2, 3, 1, 0. Average on days I drank coffee", "on"),
        ("Ticket prices 25, 40, 40, 60, 85 dollars: mean in euros", "euros"),
        (f"{_PEOPLE}Best income on average", "Best"),
        ("My bills were 84, 91 and 102. Which month was the most expensive?", "no names"),
    ],
)
def test_what_is_not_understood_is_named(text: str, reason: str):
    interpretation = read(text)
    assert interpretation.spec is None
    assert reason in " ".join(interpretation.reasons)


def test_the_share_of_one_name_is_a_share_of_all_rows():
    result, level = computed(f"{_CITIES}¿Qué parte del total es de Lugo?")
    assert level == "spec"
    assert result["percent_of_total"]["Lugo"] == pytest.approx(400 / 11)


def test_the_share_of_a_value_has_the_name_of_its_column():
    text = "vendedor,zona,ventas\nAna,norte,100\nLuis,sur,150\nEva,norte,120\n\n"
    result, level = computed(f"{text}¿Qué porcentaje de las ventas es del sur?")
    assert level == "spec"
    assert result["percent_of_total"]["sur"] == pytest.approx(15000 / 370)


@pytest.mark.parametrize(
    ("text", "column", "order"),
    [
        (
            "I need 50 orders, oldest first, order date within 2025, amount between 10 and 500",
            "order_date",
            "ascending",
        ),
        ("100 random signup dates, all within 2025, oldest first", "date", "ascending"),
        ("50 orders with order date in 2025, newest first", "order_date", "descending"),
        ("50 people, age 20 to 60, salary 1000-2000, oldest first", "age", "descending"),
        ("50 fechas de 2024, de la más reciente a la más antigua", "fecha", "descending"),
    ],
)
def test_the_oldest_is_an_early_date_or_a_large_age(text: str, column: str, order: str):
    spec = read(text).spec
    assert spec is not None
    assert {f.name: f.order for f in spec.fields if f.order} == {column: order}


def test_a_premium_is_not_compared_with_a_share():
    assert read("200 policies; premium mean 600 sd 150; claims 8% yes").spec is None
