"""Reads requests about money that grows: savings, interest, effective rates, bonds."""

import re

from sandbox.reading import phrases
from sandbox.reading.loans import has_monthly_rate, term_in_months
from sandbox.reading.reader import Reader
from sandbox.reading.rules import NotUnderstood, Rule, calculation
from sandbox.spec import Spec

_PERIODS = {
    "compounded_yearly": 1, "compounded_halfyearly": 2, "compounded_quarterly": 4,
    "compounded_monthly": 12, "compounded_daily": 365, "compounded_continuously": 0,
}  # fmt: skip


def _periods(reader: Reader) -> int | None:
    """How often a year interest is added; 0 for continuously."""
    for concept, times in _PERIODS.items():
        if reader.take(concept):
            return times
    return None


_BEGINNING = re.compile(
    r"\b(?:beginning|start|first day|principios?|inicio|comienzo|primero)\s+(?:of|de|del)\b"
    r"|\bin advance\b|\bpor adelantado\b",
    re.I,
)


def _savings(reader: Reader) -> Spec | None:
    """Equal deposits each month."""
    if reader.has("loan", "afford", "need_save"):
        return None
    deposit = phrases.take(
        reader, "#d$ at_month_start|each_month", "#d. at_month_start|each_month",
        "each_month|at_month_start adding_word? #d$.",
    )  # fmt: skip
    if deposit is None:
        return None
    if has_monthly_rate(reader):
        raise NotUnderstood("the rate of savings is yearly: say the rate of a year")
    reader.take_all("at_month_start")
    at_start = any(
        t.means("at_month_start") for t in reader.tokens
    )  # the deposit may have taken it
    if not at_start and _BEGINNING.search(reader.text):
        raise NotUnderstood("say `at the start of each month` or `at the end of each month`")
    reader.take_all("each_month")
    periods = _periods(reader)
    rate, months = reader.only_number("%"), term_in_months(reader)
    if rate is None or months is None or periods not in (None, 12):
        return None
    opening = phrases.take(reader, "opening_word #o$.", "#o$. opening_word")
    if opening:
        reader.take_all("opening_word")
    reader.take_all(
        "adding_word",
        "save",
        "account",
        "compounded_monthly",
        "yearly",
        "rate_word",
        "worth",
        "after_word",
        "compounded",
    )
    reader.take_all("year", "payment")
    assumed = () if periods else ("interest is added monthly",)
    if not at_start:
        assumed = (*assumed, "deposits at the end of each month")
    opened = {"opening": opening["o"].value} if opening else {}
    value = {"deposit": deposit["d"].value, "yearly_rate": rate.value, "months": months}
    return calculation("savings", {**value, "at_start": at_start, **opened}, *assumed)


def _each_year(reader: Reader) -> bool:
    """Whether an amount is paid every year: `1000 a year`, `1000 in the bank each year`."""
    amounts = "#a$. each_year|every_year", "every_year * #a$.", "each_year adding_word * #a$."
    return reader.has("every_year") or phrases.take(reader.copy(), *amounts) is not None


# What asks for something else than how an amount grows.
_OTHERS = ("loan", "bond", "present_value", "need_save", "rate_asked", "npv", "irr", "cagr")


_SHRINKS = (
    "lost",
    "lose",
    "losing",
    "shrink",
    "shrank",
    "depreciat",
    "declin",
    "pierd",
    "perdi",
    "deprecia",
)


def _is_goal(reader: Reader) -> bool:
    """Whether the amount is to be reached: `want 60,000 in 12 years: lump sum today?`."""
    if any(t.stem in ("lump", "lump sum", "goal", "target", "meta") for t in reader.tokens):
        return True
    wanted = phrases.take(reader.copy(), "'want|'need|'quiero|'necesito #a$.") is not None
    return wanted or _WHAT_PRINCIPAL.search(reader.text) is not None


_WHAT_PRINCIPAL = re.compile(
    r"\b(?:what|which|qué|que|cuál|cual)\s+(?:principal|capital|sum|amount|deposit|investment|cantidad|suma"
    r"|inversión|inversion)\s+(?:will\s+|would\s+|must\s+)?(?:gives?|yields?|becomes?|grows?|produces?|turns?"
    r"|makes?|reach(?:es)?|do i need|should|must|da|produce|genera|se convierte|debo|necesito|hay que)\b",
    re.I,
)


def _compound(reader: Reader) -> Spec | None:
    if reader.has("each_month", "at_month_start", *_OTHERS) or _each_year(reader):
        return None  # many deposits, and not one amount
    if any(t.stem.startswith(_SHRINKS) for t in reader.tokens) or _is_goal(reader):
        return None
    simple = bool(reader.take_all("simple_interest"))
    doubling = 2.0 if reader.take("double_word") else 3.0 if reader.take("triple_word") else None
    periods = _periods(reader)
    compounds = bool(reader.take_all("compounded")) or periods is not None
    rate = reader.only_number("%")
    if rate is None:
        return None
    if not (simple or compounds or doubling):
        return _growing_amount(reader, rate.value)
    reader.take_all("yearly", "rate_word", "account", "compounded")
    assumed = () if periods is not None or simple else ("interest is added yearly",)
    times = 1 if periods is None else periods
    if doubling and simple:
        return None  # simple interest doubles by another rule
    if doubling:
        reader.take_all("pay_off", "worth", "year", "after_word")
        return calculation(
            "growing_time",
            {"yearly_rate": rate.value, "factor": doubling, "periods": times},
            *assumed,
        )
    months = term_in_months(reader)
    if reader.take_all("effective_rate"):
        return None
    if months is None:
        return _time_to_reach(reader, rate.value, times, assumed)
    principal = reader.only_number()
    if principal is None:
        return None
    reader.take_all("interest_earned", "worth")
    wants = ("worth", "interest_earned")
    reader.take_all("year", "after_word", "account", "save", "worth", "rate_word")
    common = {"principal": principal.value, "yearly_rate": rate.value, "years": months / 12}
    if simple:
        return calculation("simple_interest", {**common, "wants": wants})
    return calculation("compound_interest", {**common, "periods": times, "wants": wants}, *assumed)


def _growing_amount(reader: Reader, rate: float) -> Spec | None:
    """An amount for so many years, of which no word says how interest is added: yearly then."""
    if not reader.has("worth", "save", "account", "interest_earned", "pay_off"):
        return None
    if reader.has("pay_off"):
        goal = phrases.take(reader.copy(), "#a$. loses_to|turns_into|target_word|worth * #b$.")
        return _time_to_reach(reader, rate, 1, ("interest is added yearly",)) if goal else None
    months, principal = term_in_months(reader), None
    if months is not None:
        principal = reader.only_number("$") or reader.only_number("")
    if months is None or principal is None or (reader.has("interest_earned") and months != 12):
        return None
    if months % 12:
        raise NotUnderstood("say whether interest is simple, or how often it is compounded")
    reader.take_all("yearly", "rate_word", "account", "save", "worth", "interest_earned", "year")
    reader.take_all("after_word", "each_year", "price_word")
    value = {"principal": principal.value, "yearly_rate": rate, "years": months / 12}
    value |= {"periods": 1, "wants": ("worth", "interest_earned")}  # type: ignore[dict-item]
    return calculation("compound_interest", value, "interest is added yearly")


def _time_to_reach(
    reader: Reader, rate: float, periods: int, assumed: tuple[str, ...]
) -> Spec | None:
    numbers = [reader.at(i).value for i in reader.free("number")]
    if len(numbers) != 2 or not reader.take_all("pay_off"):
        return None
    reader.take_all("worth", "year", "after_word", "loses_to", "account", "save", "turns_into")
    first, last = numbers
    if not 0 < first < last:
        return None
    return calculation(
        "time_to_reach",
        {"first": first, "last": last, "yearly_rate": rate, "periods": periods},
        *assumed,
    )


def _effective(reader: Reader) -> Spec | None:
    if not reader.take_all("effective_rate"):
        return None
    periods, rate = _periods(reader), reader.only_number("%")
    if rate is None or periods is None:
        raise NotUnderstood("say the nominal yearly rate, and how often it is compounded")
    reader.take_all("yearly", "rate_word", "compounded", "loan", "payment", "in_percent", "account")
    reader.labels |= {"credit", "card", "tarjeta"}
    return calculation("effective_rate", {"yearly_rate": rate.value, "periods": periods})


def _bond(reader: Reader) -> Spec | None:
    if not reader.take_all("bond"):
        return None
    years = phrases.value(reader, "#n. year", "#n. !year")
    rates = phrases.take(reader, "bond_coupon #c%", "#c% bond_coupon")
    yields = phrases.take(reader, "bond_yield #y%", "#y% bond_yield")
    face = phrases.take(reader, "bond_face #f", "#f bond_face") or None
    amount = face["f"] if face else reader.only_number()
    if years is None or rates is None or yields is None or amount is None:
        return None
    halves = bool(reader.take_all("twice_yearly"))
    reader.take_all(
        "price_word", "bond", "yearly", "bond_face", "year", "bond_coupon", "bond_yield"
    )
    value = {"face": amount.value, "coupon_rate": rates["c"].value, "years": years}
    value |= {"yearly_yield": yields["y"].value} | ({"periods": 2} if halves else {})
    assumed = "a yield compounded twice a year" if halves else "coupons once a year"
    return calculation("bond_price", value, assumed)


def _years_apart(reader: Reader) -> tuple[float, ...]:
    """The years of a calendar in `250k in 2018 to 410k in 2023`, two of them."""
    reader.take_all("year")
    years = [i for i in reader.free("number") if reader.tokens[i].unit == ""]
    years = [i for i in years if _of_calendar(reader, i)]
    return tuple(reader.at(i).value for i in years) if len(years) == 2 else ()


def _of_calendar(reader: Reader, place: int) -> bool:
    token = reader.tokens[place]
    before = reader.tokens[place - 1].text.lower() if place else ""
    return 1900 <= token.value <= 2100 and token.text.isdigit() and before in _BEFORE_YEARS


_BEFORE_YEARS = frozenset({"in", "en", "(", "from", "since", "de", "desde", "to", "a", "year"})


def _cagr(reader: Reader) -> Spec | None:
    if not reader.take_all("cagr"):
        return None
    months = term_in_months(reader)
    years = months / 12 if months is not None else None
    if years is None:
        apart = _years_apart(reader)
        years = apart[1] - apart[0] if apart else None
    numbers = [reader.at(i).value for i in reader.free("number") if reader.tokens[i].unit != "%"]
    if years is None or len(numbers) != 2:
        return None
    reader.take_all("in_percent", "as_percent")
    reader.take_all("from_to_words", "yearly", "rate_word", "year", "after_word", "turns_into")
    first, last = numbers
    return calculation("growth_rate", {"first": first, "last": last, "years": years})


RULES = (
    Rule(
        "savings with a deposit each month",
        frozenset({"each_month", "at_month_start"}),
        _savings,
        "the monthly deposit, the yearly rate in percent, and for how long",
    ),
    Rule(
        "interest on an amount",
        frozenset({"compounded", "simple_interest", "double_word", "triple_word", *_PERIODS})
        | {"worth", "save", "account", "interest_earned", "pay_off"},
        _compound,
        "the amount, the yearly rate in percent, how often it is compounded, and for how long",
    ),
    Rule("an effective rate", frozenset({"effective_rate"}), _effective, "a nominal yearly rate"),
    Rule(
        "the price of a bond", frozenset({"bond"}), _bond,
        "face value, coupon in percent, years, and yield in percent",
    ),
    Rule(
        "a yearly rate of growth", frozenset({"cagr"}), _cagr,
        "the first value, the last value, and the years between",
    ),
)  # fmt: skip
