"""Reads requests about prices, percentages and averages of groups."""

from collections.abc import Sequence

from sandbox.reading import phrases
from sandbox.reading.lexicon import SCENE
from sandbox.reading.reader import Reader, may_be_label
from sandbox.reading.rules import NotUnderstood, Rule, calculation
from sandbox.reading.tokens import Token
from sandbox.spec import Spec


def _steps(reader: Reader) -> Spec | None:
    """A price after discounts and taxes, one after another in the order of the request."""
    if phrases.take(reader.copy(), "final_price|paid_word #r% discount #p$.", "paid_word #p$."):
        return None  # the price is the price after the discount
    steps: list[float] = []
    for place in [i for i in reader.free("number") if reader.tokens[i].unit == "%"]:
        around = reader.tokens[place + 1 : place + 5]
        before = reader.tokens[max(0, place - 3) : place]
        kind = _kind_of_step(around, before)
        if not kind:
            return None
        share = reader.at(place).value
        steps.append(-share if kind == "discount" else share)
    price = reader.only_number()
    if not steps or price is None or not any(step < 0 for step in steps):
        return None
    if not reader.has("final_price"):  # a slogan for a sale asks for no price
        return None
    words = {token.stem for token in reader.tokens}
    if words & {"original", "before", "antes", "was", "costaba", "era", "valia"} and not reader.has(
        "price_tag"
    ):
        return None
    if reader.has("original_asked", "before_asked"):
        return None
    reader.take_all("discount", "tax", "then_word", "price_tag", "final_price", "bill")
    reader.label(next(i for i, t in enumerate(reader.tokens) if t is price))
    return calculation("price_after", {"price": price.value, "steps": tuple(steps)})


def _kind_of_step(after: Sequence[Token], before: Sequence[Token]) -> str:
    """Whether the words around a percentage say a discount or a tax; "" if both or neither do."""
    kinds = set[str]()
    for row in (after, tuple(reversed(before))):
        for token in row:
            if token.kind in ("number", "mark") or token.means("then_word"):
                break
            taxed, reduced = token.means("tax"), token.means("discount")
            if taxed != reduced:
                kinds.add("tax" if taxed else "discount")
    return kinds.pop() if len(kinds) == 1 else ""


_BILLS = frozenset({"on", "for", "of", "over", "sobre", "de", "en", "para", "a", "per", "bill"})


def _holds_tip(reader: Reader) -> bool:
    """Whether the amount is the total with the tip: `the total with an 18% tip was 75`."""
    copy = reader.copy()
    match = phrases.take(
        copy, "'with|'including|incl|'con|'after #r%? tip #b$.", "#b$. incl|'with|'con #r%? tip",
        "'with|'including|incl|'con|'after tip #r%? #b$.",
    )  # fmt: skip
    if match is None or reader.has("incl"):
        return match is not None
    place = next(i for i, t in enumerate(reader.tokens) if t is match["b"])
    return reader.tokens[place - 1].text.lower() not in _BILLS and place > 0


def _tip(reader: Reader) -> Spec | None:
    if _holds_tip(reader):
        raise NotUnderstood("the amount holds the tip already: say the bill without the tip")
    reader.take_all("tip")
    rate = reader.only_number("%")
    people = phrases.value(reader, "#n. diners", "split_word #n.", "#n. split_word")
    people = people or phrases.value(reader, "split_between #n.", "#n. split_between")
    bill = reader.only_number()
    if rate is None or bill is None:
        raise NotUnderstood("a tip needs the bill, and the tip in percent")
    reader.take_all("bill", "final_price", "split_word", "split_between", "diners", "paid_word")
    shared = {"people": people} if people is not None else {}
    return calculation("tip", {"bill": bill.value, "rate": rate.value, **shared})


def _percent_of(reader: Reader) -> Spec | None:
    """`15% of 240`, and `what percentage is 30 of 120`."""
    if reader.has("what_percentage", "as_percent"):
        pair = phrases.take(
            reader, "#part out_of #whole", "#part what_percentage 'of|'de|out_of #whole",
            "what_percentage 'of|'de|out_of #whole #part", "'of #whole #part", "#part 'of|'de #whole",
        )  # fmt: skip
        if pair is None or "%" in (pair["part"].unit, pair["whole"].unit):
            return None
        _take_what_is_said(reader, pair["whole"])
        _refuse_other_shares(reader)
        reader.take_all("what_percentage", "as_percent")
        return calculation(
            "share_in_percent", {"part": pair["part"].value, "whole": pair["whole"].value}
        )
    match = phrases.take(reader, "#p% 'of|'de !#whole", f"#p% 'of|'de !{_ARTICLES} !#whole")
    if match is None:
        return None
    place = next(i for i, t in enumerate(reader.tokens) if t is match["whole"])
    _refuse_other_counts(reader, place)
    reader.label(place)
    return calculation("part_of", {"rate": match["p"].value, "whole": match["whole"].value})


_ARTICLES = "'the|'a|'an|'our|'my|'your|'these|'those|'los|'las|'el|'la|'nuestro|'mi|'su|'un|'una"


def _refuse_other_counts(reader: Reader, whole: int) -> None:
    """Refuse `40% of 240 pupils are boys, how many girls?`: other things than those of the number."""
    at = whole + 1
    while at < len(reader.tokens) and reader.tokens[at].means(SCENE):
        at += 1
    own = {token.stem for token in reader.tokens[whole + 1 : at]}
    for place, token in enumerate(reader.tokens):
        before = reader.tokens[place - 1].text.lower() if place else ""
        counted = before in ("how many", "many", "cuantos", "cuantas", "cuántos", "cuántas")
        if token.means(SCENE) and token.stem not in own and (place >= at or counted):
            raise NotUnderstood(f"`{token.text}` is not understood in a percentage of an amount")


def _take_what_is_said(reader: Reader, whole: Token) -> None:
    """The words after `12 of 87`, to the end of the clause: `patients had complications`."""
    place = 1 + next(i for i, t in enumerate(reader.tokens) if t is whole)
    for at in range(place, len(reader.tokens)):
        token = reader.tokens[at]
        if token.kind in ("mark", "number") or token.means("what_percentage", "as_percent"):
            return
        if may_be_label(token):
            reader.taken.add(at)
            reader.labels.add(token.stem)
    reader.taken -= set(range(place, len(reader.tokens)))


def _refuse_other_shares(reader: Reader) -> None:
    """Refuse `what percentage of women?` if nothing was said of women."""
    last = max((i for i, t in enumerate(reader.tokens) if t.means("what_percentage")), default=-1)
    for token in reader.tokens[last + 1 :] if last >= 0 else ():
        if token.means(SCENE) and token.stem not in reader.labels:
            raise NotUnderstood(f"`{token.text}` is not understood: say how many they are")


def _change(reader: Reader) -> Spec | None:
    if not reader.take_all("percent_change"):
        return None
    numbers = [reader.at(i).value for i in reader.free("number")]
    if len(numbers) != 2:
        return None
    reader.take_all("from_to_words", "in_percent", "as_percent", "turns_into")
    return calculation("percent_change", {"first": numbers[0], "last": numbers[1]})


def _markup(reader: Reader) -> Spec | None:
    wants = [w for w in ("markup", "margin") if reader.take_all(w)]
    if not wants:
        return None
    cost = phrases.value(reader, "buy_at * #n", "buy_at #n")
    price = phrases.value(reader, "sell_at * #n", "sell_at #n")
    if cost is None or price is None:
        return None
    reader.take_all("in_percent", "as_percent", "buy_at", "sell_at")
    return calculation("markup_and_margin", {"cost": cost, "price": price, "wants": tuple(wants)})


def _combined(reader: Reader) -> Spec | None:
    if not reader.has("averaging"):
        return None
    groups = phrases.take_every(
        reader,
        "#n. group_word averaging #m",
        "#n. * averaging #m",
        "#n. group_word averaging 'of|'de #m",
    )
    if len(groups) < 2 or not reader.take_all("together_word", "averaging"):
        return None
    reader.take_all("together_word", "averaging", "group_word")
    reader.labels |= {"b", "c", "d"}  # class A and class B
    sizes = tuple(group["n"].value for group in groups)
    means = tuple(group["m"].value for group in groups)
    return calculation("combined_mean", {"sizes": sizes, "means": means})


def _break_even(reader: Reader) -> Spec | None:
    if not reader.take_all("break_even"):
        return None
    fixed = phrases.value(reader, "fixed_cost #n", "#n fixed_cost")
    variable = phrases.value(reader, "variable_cost #n", "#n variable_cost")
    price = phrases.value(reader, "unit_price #n", "#n unit_price")
    if fixed is None or variable is None or price is None:
        return None
    reader.take_all("units_word", "fixed_cost", "variable_cost", "unit_price")
    return calculation("break_even", {"fixed": fixed, "variable": variable, "price": price})


RULES = (
    Rule(
        "a price after discounts and taxes", frozenset({"discount"}), _steps,
        "one price, and each discount or tax in percent",
    ),
    Rule("a tip", frozenset({"tip"}), _tip, "the bill, the tip in percent, and how many people share"),
    Rule(
        "a percentage of an amount", frozenset({"what_percentage", "as_percent", "idle"}), _percent_of,
        "so many percent of an amount, or what percentage a part is of a whole",
    ),
    Rule("a change in percent", frozenset({"percent_change"}), _change, "the first and the last value"),
    Rule(
        "a markup or a margin", frozenset({"markup", "margin"}), _markup,
        "the cost and the selling price",
    ),
    Rule(
        "the mean of groups together", frozenset({"averaging"}), _combined,
        "the size and the mean of each group",
    ),
    Rule(
        "a break-even point", frozenset({"break_even"}), _break_even,
        "the fixed costs, the cost of a unit, and its price",
    ),
)  # fmt: skip
