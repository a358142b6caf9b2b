"""Reads requests about loans, interest and investments."""

from sandbox.reading.reader import Reader
from sandbox.reading.rules import Rule
from sandbox.spec import Analysis


def _loan_payment(reader: Reader) -> Analysis | None:
    if not reader.take("loan") or not reader.take_all("payment"):
        return None
    years, months = reader.number("year", unit=""), None
    if years is None:
        months = reader.number("month", unit="")
    rate = reader.only_number("%")
    principal = reader.only_number()
    if rate is None or principal is None or (years is None and months is None):
        return None
    reader.take_all("loan", "yearly", "fixed")
    term = years.value * 12 if years else months.value if months else 0.0
    return Analysis(
        "loan_payment",
        parameters={"principal": principal.value, "yearly_rate": rate.value, "months": term},
    )


RULES = (
    Rule(
        "the payment of a loan",
        frozenset({"loan"}),
        _loan_payment,
        "the amount, the yearly rate in percent, and the years or months, all paid monthly",
    ),
)
