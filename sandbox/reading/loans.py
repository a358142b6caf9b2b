"""Reads requests about loans that are paid back in equal monthly payments."""

from itertools import pairwise

from sandbox.reading import lexicon, phrases
from sandbox.reading.reader import Reader
from sandbox.reading.rules import NotUnderstood, Rule, calculation
from sandbox.reading.tokens import Token
from sandbox.spec import Analysis, Spec

_PAYING = frozenset({"pay", "paying", "pago", "pagar", "pagando", "pagare"})
_PAYMENTS = frozenset({"payment", "installment", "instalment", "repayment", "cuota", "pago"})
_RATES = frozenset({"interest", "rate", "interest rate", "tasa", "tipo"}) | {
    lexicon.stem("interés"),
    f"tasa de {lexicon.stem('interés')}",
}
_WANTS = ("still_owe", "total_interest", "total_paid", "pay_off", "payment")


def term_in_months(reader: Reader) -> float | None:
    """Take a term in years and months."""
    both = phrases.take(reader, "#years. year #months. month")
    if both:
        return 12 * both["years"].value + both["months"].value
    years = phrases.value(reader, "#n. year")
    if years is not None:
        return 12 * years
    return phrases.value(reader, "#n. month")


def _down(reader: Reader) -> dict[str, float]:
    """What is paid at once: a share of the price, or an amount."""
    match = phrases.take(reader, "#d% down", "down #d%", "#d$. down", "down #d$.")
    if match is None:
        return {}
    reader.take_all("down", "finance_rest")
    token = match["d"]
    return {"down_share" if token.unit == "%" else "down": token.value}


def _after(reader: Reader) -> float | None:
    """After how many payments the debt is asked for; a second term in years says it too."""
    after = phrases.take(reader, "after_word #n. installments")
    if after:
        return after["n"].value
    terms = sum(token.means("year") for token in reader.tokens)
    years = phrases.take(reader, "after_word #n. year") if terms > 1 else None
    return 12 * years["n"].value if years and reader.has("still_owe") else None


def _loan(reader: Reader) -> Spec | None:
    named = bool(reader.take_all("loan", "card"))
    if not named and (not reader.has("loan_payment") or reader.has("worth", "save", "need_save")):
        return None
    after = _after(reader)
    wants = [concept for concept in _WANTS if reader.has(concept)]
    if after is not None:
        wants = ["still_owe", *(w for w in wants if w != "payment")]
    _refuse_other_rates(reader)
    down = _down(reader)
    rate = reader.only_number("%")
    months = term_in_months(reader)
    reader.take_all("still_owe", "total_interest", "total_paid", "pay_off", "payment")
    reader.take_all("yearly", "rate_word", "loan", "year", "loan_detail")
    if after is not None:
        reader.take_all("after_word")
    if rate is None:
        raise NotUnderstood("the loan's yearly interest rate is missing: say it in percent")
    yearly = rate.value * 12 if _rate_is_monthly(reader, rate) else rate.value
    if "pay_off" in wants and months is None and not down:
        return _time_to_pay(reader, yearly)
    principal = reader.only_number()
    if principal is None or months is None:
        missing = "amount" if principal is None else "term in years or months"
        others = ", ".join(f"`{token.text}`" for token in reader.left())
        raise NotUnderstood(
            f"the loan's {missing} is missing or not clear"
            + (f" beside {others}" if others else "")
        )
    if reader.has("loan_for_payment") or _is_payment(reader, principal):
        raise NotUnderstood(
            f"`{principal.text}` is read as a payment: say the amount of the loan, or ask how "
            "large a loan you can afford"
        )
    if after is not None and {"total_interest", "total_paid"} & {*wants}:
        raise NotUnderstood(
            "what is paid by a certain payment is not worked out: ask for the total, or for the "
            "debt after that payment"
        )
    if "still_owe" in wants and after is None:
        raise NotUnderstood("it is not clear after how many payments the debt is asked for")
    parameters = {"principal": principal.value, "yearly_rate": yearly, "months": months, **down}
    if after is not None:
        parameters["after"] = after
    figures = [w for w in wants if w in ("still_owe", "total_interest", "total_paid")]
    if "payment" in wants and ("still_owe" not in wants or not figures):
        figures.insert(0, "payment")
    analysis = Analysis("loan", parameters=parameters | {"wants": tuple(figures or ["payment"])})
    return Spec("calculate", analyses=(analysis,), assumed=("monthly payments and interest",))


def _affordable(reader: Reader) -> Spec | None:
    """How large a loan a payment allows."""
    if not reader.take_all("loan_for_payment", "afford") or not reader.has(
        "loan", "loan_for_payment"
    ):
        return None
    _refuse_other_rates(reader)
    payment = phrases.take(
        reader, "#p$. each_month", "each_month * #p$.", "payment #p$.", "#p$. payment"
    )
    rate, months = reader.only_number("%"), term_in_months(reader)
    if payment is None or rate is None or months is None or has_monthly_rate(reader):
        return None
    reader.take_all("loan", "payment", "each_month", "yearly", "rate_word", "year", "loan_detail")
    parameters = {"payment": payment["p"].value, "yearly_rate": rate.value, "months": months}
    return calculation("loan_for_payment", parameters, "monthly payments and interest")


def _refuse_other_rates(reader: Reader) -> None:
    """Refuse payments that are not monthly, and a rate that holds its compounding."""
    for token, following in pairwise(reader.tokens):
        if token.stem == "tae":
            raise NotUnderstood("`TAE` is an effective rate: say the nominal rate, the TIN")
        for first, second in ((token, following), (following, token)):
            if first.means("yearly") and second.stem in _PAYMENTS:
                text = f"{token.text} {following.text}"
                raise NotUnderstood(f"`{text}` is not understood: payments are monthly")
    for i, token in enumerate(reader.tokens):
        if token.means("yearly") and not _beside_rate(reader, i):
            raise NotUnderstood(f"`{token.text}` is not understood: say what is yearly")


def _beside_rate(reader: Reader, place: int) -> bool:
    """Whether a word such as `yearly` or `monthly` stands beside a percentage or `rate`."""
    before = reversed(reader.tokens[max(0, place - 4) : place])
    for row in (before, reader.tokens[place + 1 : place + 4]):
        for token in row:
            if token.unit == "%" or token.stem in _RATES:
                return True
            if token.kind in ("number", "mark") or token.means("payment", "loan", "year", "month"):
                break
    return False


def has_monthly_rate(reader: Reader) -> bool:
    """Whether the request states a rate of a month: `1.5% per month`, `a monthly rate of 1.5%`."""
    for i, token in enumerate(reader.tokens):
        if not token.means("each_month"):
            continue
        for earlier in reversed(reader.tokens[max(0, i - 2) : i]):
            if earlier.unit == "%":
                return True
            if earlier.stem not in _RATES:
                break
        if i + 1 < len(reader.tokens) and reader.tokens[i + 1].stem in _RATES:
            return True
        if i and reader.tokens[i - 1].stem in _RATES and reader.language == "es":
            return True
    return False


def _rate_is_monthly(reader: Reader, rate: Token) -> bool:
    monthly = has_monthly_rate(reader)
    if monthly and (rate.value > 0.04 or reader.has("yearly")):
        raise NotUnderstood(f"say whether {rate.text} is the rate of a month or of a year")
    return monthly


def _is_payment(reader: Reader, amount: Token) -> bool:
    """Whether the words beside an amount say that it is paid each month: `pay 400`, `400 a month`."""
    place = next(i for i, token in enumerate(reader.tokens) if token is amount)
    before = reader.tokens[place - 1] if place else None
    after = reader.tokens[place + 1] if place + 1 < len(reader.tokens) else None
    paid = before is not None and before.stem in _PAYING
    of = before is not None and before.stem in ("of", "de") and place > 1
    paid = paid or (of and reader.tokens[place - 2].means("payment"))
    return paid or (after is not None and after.means("each_month"))


def _time_to_pay(reader: Reader, rate: float) -> Spec | None:
    numbers = sorted(reader.tokens[i].value for i in reader.free("number"))
    if len(numbers) != 2:
        return None
    reader.taken.update(reader.free("number"))
    payment, principal = numbers  # a payment above the loan would end it at once
    parameters = {"principal": principal, "yearly_rate": rate, "payment": payment}
    analysis = Analysis("months_to_pay", parameters=parameters)
    return Spec("calculate", analyses=(analysis,), assumed=("monthly payments and interest",))


RULES = (
    Rule(
        "a loan with monthly payments",
        frozenset({"loan", "card", "loan_payment"}),
        _loan,
        "the amount, the yearly rate in percent, and the term; asked for: the payment, the total "
        "interest, the total paid, the debt after so many payments, or the time to pay it off",
    ),
    Rule(
        "the loan that a payment allows",
        frozenset({"loan_for_payment", "afford"}),
        _affordable,
        "the monthly payment, the yearly rate in percent, and the term",
    ),
)
