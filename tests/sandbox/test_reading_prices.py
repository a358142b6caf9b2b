"""Questions of shops and savers, in many voices: prices, taxes, down payments, goals and flows."""

import pytest

from sandbox.request import read
from tests.sandbox.reading import computed

_IRR = {"irr": 0.11530473, "irr_percent": 11.530473}
_GROWTH = {"growth_rate": 0.103999228, "growth_rate_percent": 10.3999228}


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("I paid $63 after a 30% discount. Original price?", {"price_before": 90}),
        ("Pago 84 euros tras un descuento del 30%. ¿Precio original?", {"price_before": 120}),
        ("How much VAT is contained in 121 euros at 21%?", {"net": 100, "tax": 21}),
        ("1160 pesos con IVA incluido (16%), ¿precio sin IVA?", {"net": 1000, "tax": 160}),
        ("Price excluding VAT 250, VAT 21%. Price including VAT?", {"total": 302.5, "tax": 52.5}),
        ("How much is a $120 coat after a 25% discount?", {"price": 90}),
        ("TV 499 with 12% discount plus 21% VAT. final price?", {"price": 531.3352}),
        ("18 is 15% of what?", {"whole": 120}),
        (
            "12 of our 87 patients had complications, what percentage is that?",
            {"percentage": 13.7931034},
        ),
        ("gano 1850 al mes y me suben un 3,5%, ¿cuál es mi nuevo sueldo?", {"value": 1914.75}),
        ("split 245 between 7 friends", {"each": 35}),
        ("I buy at 12.50 and want a 40% margin. selling price?", {"price": 12.5 / 0.6}),
        (
            "A car worth $24,000 depreciates 15% per year. What is it worth after 4 years?",
            {"value": 12528.15},
        ),
        (
            "We want to buy a house for $350,000 with 20% down. 30 year mortgage at 6.25%. "
            "What's the monthly payment?",
            {"payment": 1724.00817},
        ),
        (
            "Puedo pagar 400 € al mes durante 5 años al 6%. ¿Qué préstamo puedo pedir?",
            {"loan": 20690.224},
        ),
        (
            "What is the remaining balance after 5 years on a 30-year $300,000 mortgage at 6%?",
            {"still_owe": 279163.07},
        ),
        (
            "I have 5000 saved and add 200 every month at 4% for 10 years. final balance?",
            {"balance": 36904.1251},
        ),
        (
            "How much must I save each month to have 50,000 in 10 years at 5%?",
            {"deposit": 321.99424},
        ),
        ("valor presente de 10.000 a recibir en 5 años al 7%", {"present_value": 7129.8618}),
        ("revenue grew from 250k in 2018 to 410k in 2023, what's the cagr?", _GROWTH),
        ("pay 50k today, get 12k a year for 6 years, discount rate 9%, npv?", {"npv": 3831.0231}),
        (
            "Pago 50 mil hoy y recibo 12 mil al final de cada año durante 6 años. ¿Cuál es la TIR?",
            _IRR,
        ),
    ],
)
def test_a_question_of_a_shop_or_a_saver_is_read(text: str, figures: dict[str, float]):
    assert computed(text) == (pytest.approx(figures, rel=1e-4), "spec")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("12 of 87 patients died, what percentage survived?", "`survived`"),
        ("12 of 87 patients died, what percentage of women?", "`women`"),
        ("The total with an 18% tip was 75.87, what was the bill?", "holds the tip already"),
        ("increase 340 by 12% each month", ""),
        ("price after 15% discount is 68, what would it be with 20% off?", ""),
        ("balance of 4000 at 3% after 7 years if interest is paid out", "`paid out`"),
        ("NPV at 10%: pay 1000 today, get 400 in years 2 to 4", ""),
        ("5000 at 6% for 18 months, how much will I have", "simple, or how often"),
        ("monthly payment of 200 at 5% for 10 years, how much will I have", "`monthly payment`"),
        ("a jacket was $80, 25% off. what was the original price?", ""),
    ],
)
def test_what_looks_alike_and_asks_something_else_is_refused(text: str, reason: str):
    interpretation = read(text)
    assert interpretation.spec is None
    assert reason in " ".join(interpretation.reasons)
