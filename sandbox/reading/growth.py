"""Reads requests about money that grows, and about flows of payments."""

from sandbox.reading import phrases
from sandbox.reading.loans import has_monthly_rate, term_in_months
from sandbox.reading.reader import Reader
from sandbox.reading.rules import NotUnderstood, Rule, calculation
from sandbox.reading.tokens import Token
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


def _savings(reader: Reader) -> Spec | None:
    """Equal deposits each month."""
    deposit = phrases.take(
        reader, "#d$ at_month_start|each_month", "#d. at_month_start|each_month",
        "each_month|at_month_start #d$",
    )  # fmt: skip
    if deposit is None:
        return None
    if has_monthly_rate(reader):
        raise NotUnderstood("the rate of savings is yearly: say the rate of a year")
    at_start = bool(reader.take_all("at_month_start"))
    reader.take_all("each_month")
    periods = _periods(reader)
    rate, months = reader.only_number("%"), term_in_months(reader)
    if rate is None or months is None or periods not in (None, 12):
        return None
    opening = reader.only_number("$")
    reader.take_all("save", "account", "yearly", "rate_word", "worth", "after_word", "compounded")
    reader.take_all("year", "payment")
    assumed = () if periods else ("interest is added monthly",)
    if not at_start:
        assumed = (*assumed, "deposits at the end of each month")
    opened = {"opening": opening.value} if opening else {}
    value = {"deposit": deposit["d"].value, "yearly_rate": rate.value, "months": months}
    return calculation("savings", {**value, "at_start": at_start, **opened}, *assumed)


def _compound(reader: Reader) -> Spec | None:
    if reader.has("each_month", "at_month_start"):  # many deposits, and not one amount
        return None
    simple = bool(reader.take_all("simple_interest"))
    doubling = 2.0 if reader.take("double_word") else 3.0 if reader.take("triple_word") else None
    periods = _periods(reader)
    compounds = bool(reader.take_all("compounded")) or periods is not None
    rate = reader.only_number("%")
    if rate is None or not (simple or compounds or doubling):
        return None
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


def _time_to_reach(
    reader: Reader, rate: float, periods: int, assumed: tuple[str, ...]
) -> Spec | None:
    numbers = [reader.at(i).value for i in reader.free("number")]
    if len(numbers) != 2 or not reader.take_all("pay_off"):
        return None
    reader.take_all("worth", "year", "after_word")
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
    percent = bool(reader.take_all("in_percent"))
    reader.take_all("yearly", "rate_word", "compounded", "loan", "payment")
    reader.labels |= {"credit", "card", "tarjeta"}
    return calculation(
        "effective_rate", {"yearly_rate": rate.value, "periods": periods, "percent": percent}
    )


def _flows(reader: Reader) -> tuple[float, ...] | None:
    lists = reader.free("list")
    if len(lists) != 1:
        return None
    flows = reader.at(lists[0])
    reader.label(lists[0])
    initial = [i for i in reader.free("number") if reader.tokens[i].value < 0]
    if len(initial) == 1:
        return (reader.at(initial[0]).value, *flows.values)
    return flows.values if flows.values[0] < 0 else None


def _irr(reader: Reader) -> Spec | None:
    if not reader.take_all("irr"):
        return None
    flows = _flows(reader)
    if flows is None:
        raise NotUnderstood("an internal rate of return needs the flows, the first of them below 0")
    percent = bool(reader.take_all("in_percent", "as_percent"))
    reader.take_all("flow_words", "yearly", "rate_word")
    return calculation("irr", {"flows": flows, "percent": percent})


def _npv(reader: Reader) -> Spec | None:
    if not reader.take_all("npv"):
        return None
    rate, flows = reader.only_number("%"), _flows(reader)
    if rate is None:
        rate = _rate_as_share(reader)
    if rate is None or flows is None:
        raise NotUnderstood(
            "a net present value needs a rate and the flows, the first of them below 0"
        )
    reader.take_all("flow_words", "yearly", "rate_word")
    value = rate.value
    return calculation("npv", {"rate": value, "flows": flows}, "the first flow is today")


def _rate_as_share(reader: Reader) -> Token | None:
    """A rate that is written as a share, such as `rate = 0.07`."""
    match = phrases.take(reader, "rate_word #r.")
    return match["r"] if match and match["r"].value < 1 else None


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
    reader.take_all(
        "price_word", "bond", "yearly", "bond_face", "year", "bond_coupon", "bond_yield"
    )
    return calculation("bond_price", {"face": amount.value, "coupon_rate": rates["c"].value, "years": years, "yearly_yield": yields["y"].value}, "coupons once a year")  # fmt: skip


def _cagr(reader: Reader) -> Spec | None:
    if not reader.take_all("cagr"):
        return None
    months = term_in_months(reader)
    numbers = [reader.at(i).value for i in reader.free("number")]
    if months is None or len(numbers) != 2:
        return None
    percent = bool(reader.take_all("in_percent", "as_percent"))
    reader.take_all("from_to_words", "yearly", "rate_word", "year", "after_word")
    first, last = numbers
    return calculation(
        "growth_rate", {"first": first, "last": last, "years": months / 12, "percent": percent}
    )


RULES = (
    Rule(
        "savings with a deposit each month",
        frozenset({"each_month", "at_month_start"}),
        _savings,
        "the monthly deposit, the yearly rate in percent, and for how long",
    ),
    Rule(
        "interest on an amount",
        frozenset({"compounded", "simple_interest", "double_word", "triple_word", *_PERIODS}),
        _compound,
        "the amount, the yearly rate in percent, how often it is compounded, and for how long",
    ),
    Rule("an effective rate", frozenset({"effective_rate"}), _effective, "a nominal yearly rate"),
    Rule("an internal rate of return", frozenset({"irr"}), _irr, "a list of yearly flows"),
    Rule("a net present value", frozenset({"npv"}), _npv, "a rate and a list of yearly flows"),
    Rule(
        "the price of a bond", frozenset({"bond"}), _bond,
        "face value, coupon in percent, years, and yield in percent",
    ),
    Rule(
        "a yearly rate of growth", frozenset({"cagr"}), _cagr,
        "the first value, the last value, and the years between",
    ),
)  # fmt: skip
