"""Requests by which strangers got a wrong answer that called itself checked."""

import pytest

from sandbox.request import read
from tests.sandbox.reading import computed


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("How long is it from 9:45 am to 5:30 pm?", {"minutes": 465.0}),
        ("How many hours from 11:00 pm to 7:00 am?", {"hours": 8.0}),
        (
            "What is the probability of rolling a sum of at least 9 with two dice?",
            {"probability": 10 / 36},
        ),
        (
            "¿Cuál es la probabilidad de sacar al menos un seis en cuatro tiradas de un dado?",
            {"probability": 1 - (5 / 6) ** 4},
        ),
        ("Simple interest on 1000 at 5% for 18 months", {"interest_earned": 75.0}),
        ("How many seconds in 2 hours and 30 minutes?", {"second": 9000.0}),
        ("mean of the squares of 1, 2, 3", {"mean": 14 / 3}),
        ("¿En qué día de la semana cayó el 20 de julio de 1969?", {"weekday": "domingo"}),
        (
            "A blood test catches 92% of cases and clears 95% of healthy people. 2% of people have "
            "the disease. If my test is positive, what are the odds I actually have it?",
            {"probability": 0.0184 / (0.0184 + 0.049)},
        ),
        (
            "A test is positive in 96% of patients with the flu and negative in 94% of patients "
            "without it. 8% have flu. What is the probability of flu with a positive test?",
            {"probability": 0.0768 / (0.0768 + 0.0552)},
        ),
        (
            "A coin lands heads 60% of the time. 10 flips, expected tails?",
            {"expected_count": 4.0},
        ),
        (
            "A drug works for 60% of patients. Given to 12, how many are expected to fail?",
            {"expected_count": 4.8},
        ),
        (
            "Invierto 5.000 € al 4% simple durante 6 años. ¿Cuánto tengo al final?",
            {"worth": 6200.0},
        ),
        (
            "There are 15 good and 3 bad oranges, 4 are picked. Chance that at most 1 is bad?",
            {"probability": 0.8921568627450981},
        ),
        (
            "Recibo 4 mensajes cada hora de media. ¿Probabilidad de recibir más de 2 en un "
            "cuarto de hora?",
            {"probability": 0.08030139707139418},
        ),
        (
            "Save 250 at the beginning of each month at 5% for 12 years?",
            {"balance": 49395.89515110405},
        ),
        (
            "Llegan 5 clientes por hora de media. ¿Probabilidad de que lleguen más de 3 en media "
            "hora?",
            {"probability": 0.2424238668669339},
        ),
    ],
)
def test_the_answer_is_right(text: str, figures: dict[str, float | str]):
    result, level = computed(text)
    assert level == "spec"
    assert all(
        result[n] == pytest.approx(f) if isinstance(f, float) else result[n] == f
        for n, f in figures.items()
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Probability of rolling at least a 5 on one die", "at least one 5"),
        ("The heights are 150, 160, 170 cm. What is the mean in metres?", "metres"),
        ("Distances 5, 10, 15 miles: what is the mean in km?", "km"),
        ("Square of the average of 1, 2, 3", "of a figure"),
        ("Mean of the values between 5 and 10 exclusive: 5, 6, 7, 10", "exclusive"),
        (
            "Notas 7,5 8,2 9,1 6,9 8,8. Quita la nota más alta y la más baja y saca el promedio.",
            "asked for or left out",
        ),
        ("three catchy slogans for a 20% off weekend in my flower shop", ""),
        (
            "What is the greatest common divisor (GCD) of the two pairs of numbers (45, 60) and "
            "(81, 27)?",
            "one group",
        ),
        (
            "A test catches 92% of cases and spares 95% of healthy people. 2% have the disease. If "
            "my test is positive, how likely am I to have it?",
            "spares 95%",
        ),
        ("Standard error of the mean with sd 12 and 36 people?", "12"),
        ("Pagué 48 € tras un 20% de rebaja, ¿cuál era el precio?", "48"),
        ("48 after 20% discount. Price?", "48"),
        ("I deposit 100 a week at 4% for 3 years. Final amount?", "a week"),
        ("How many ways to choose a team of 5 and a captain from 12?", "office"),
        (
            "¿De cuántas formas se pueden repartir 3 premios distintos entre 10 personas?",
            "more than one",
        ),
        ("About 2 accidents a week on average. Chance of at least 1 tomorrow?", "accidents"),
        ("About 2 accidents a week on average. Chance of 5 or more in a fortnight?", "accidents"),
        ("In A 45 of 300 converted, in B 60 more than in A of 310. p?", "60"),
        ("A 15% of 300; B 4 points more of 310. Significant?", "more"),
        ("A: 300 visitors, 45 converted; B: 310 visitors, 250 didn't convert. p?", "didn't"),
        (
            "Vaccinated: 992 of 1000 healthy; unvaccinated: 40 of 1000 ill. Relative risk?",
            "opposite",
        ),
        ("Two groups: 24.5 ± 3.2 SEM (n=16), 22.1 ± 2.9 SEM (n=18), p?", "standard errors"),
        ("mean 24.5, sd 3.2, n=16, is it at least 23?", "23"),
        ("160 clicks and 4,000 misses. CI for the click rate?", "misses"),
        ("How many respondents for ±3% at 95% among 10,000 customers?", "confidence"),
        ("z=-1.5 left tail", "-1.5"),
        ("7,500 lost 5% a year for 4 years. What's left?", "5%"),
        ("Want 60,000 in 12 years at 5%: lump sum today?", "12"),
        ("How many days from 1 Feb 2024 through 1 Mar 2024?", "both"),
        ("1 mile 300 yards in metres", "one unit"),
        ("Loan of 6,000, 9% flat rate, 2 years. Monthly payment?", "flat"),
        ("What principal gives 1,000 in 5 years at 4%?", "1,000"),
        ("How many days in February and March 2024?", "several months"),
        (
            "Sample size per group to detect a rise from 17% by 5% at 80% power?",
            "to which rate",
        ),
        ("Mean 12.4, sd 3.1, n 45, less than 13?", "13"),
        ("How many ways to hand out 4 different books to 3 children?", "different"),
        ("How many hours from Monday 9 am to Wednesday 5 pm?", "different days"),
        ("How many weekend days between 2024-01-01 and 2024-01-31?", "weekend"),
    ],
)
def test_what_is_not_understood_is_named(text: str, reason: str):
    interpretation = read(text)
    assert interpretation.spec is None
    assert reason in " ".join(interpretation.reasons)


def test_a_column_with_half_the_name_of_another_is_asked_for():
    text = (
        "350 students whose final grade is normally distributed around 6.5 with SD 1.1, and a "
        "grade between 0 and 10"
    )
    interpretation = read(text)
    assert interpretation.spec is None
    assert "use one name" in interpretation.reasons[0]
