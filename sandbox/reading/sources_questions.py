"""Reads questions about a case that came from one of several sources, each with its share and rate.

`Machine A makes 60% with 2% defects, B 40% with 5%; a part is defective: is it from A?`
"""

from typing import Any

from sandbox.reading import phrases
from sandbox.reading.clauses import name_clauses
from sandbox.reading.measured import measured_words
from sandbox.reading.questions import take_question
from sandbox.reading.reader import Reader, may_be_label
from sandbox.reading.rules import NotUnderstood, Rule, calculation
from sandbox.reading.tokens import Token
from sandbox.spec import Spec

_FROM = "'come|'came|'from|'made|'produced|'belong|'viene|'venga|'provenga|'proviene|'fabrico|'hizo|'by|'por|'de|'del"


def _name(token: Token) -> str:
    """The short name of a source: `a` of `machine A`, `1` of `plant 1`."""
    last = (token.stem.split() or [""])[-1]
    named = len(token.text) == 1 or token.means("group_name")
    capital = (token.text.split() or [""])[-1]
    return last if named and len(last) == 1 and (capital.isupper() or capital.isdigit()) else ""


def _read(reader: Reader) -> Spec | None:
    if reader.has("sensitivity", "specificity", "given_negative", "each", "confidence_word"):
        return None
    question = take_question(reader)
    if not question.wanted:
        return None
    places = [i for i in reader.free("number") if reader.tokens[i].unit == "%"]
    names = [(i, name) for i, token in enumerate(reader.tokens) if (name := _name(token))]
    sources = list(dict.fromkeys(name for _, name in names))
    values = [reader.tokens[i].value for i in places]
    if len(sources) not in (2, 3, 4) or len(places) != 2 * len(sources):
        return None
    split = _shares_and_rates(values, len(sources))
    if split is None:
        raise NotUnderstood("the shares of the sources do not add up to 100%")
    shares, rates = split
    end = max(places)
    questions = [name for i, name in names if i > end]
    order = [name for i, name in names if i < end]
    if list(dict.fromkeys(order)) != sources or len(set(questions)) > 1:
        return None
    reader.taken.update(places)
    name_clauses(reader, places)
    asked_from = phrases.take(reader, f"{_FROM} * group_name")
    reader.taken.update(i for i, _ in names)
    reader.take_all(
        "group_name",
        "all_word",
        "at_random",
        "draw",
        "people_word",
        "trial_word",
        "visitor",
        "pool_from",
    )
    reader.labels |= measured_words() | _words_alike(reader, end)
    parameters: dict[str, Any] = {"shares": shares, "rates": rates} | question.parameters
    if questions:
        if asked_from is None:
            return None
        reader.take_all("conversion", "given_positive", "ill_word")
        return calculation(
            "source_given_event", parameters | {"source": float(sources.index(questions[0]))}
        )
    return calculation("total_probability", parameters)


def _words_alike(reader: Reader, end: int) -> set[str]:
    """The words of the question that begin like a word before it, as `defective` and `defects`."""
    before = {t.stem[:5] for t in reader.tokens[:end] if len(t.stem) >= 5}
    return {t.stem for t in reader.tokens[end:] if may_be_label(t) and t.stem[:5] in before}


def _shares_and_rates(values: list[float], number: int) -> tuple[list[float], list[float]] | None:
    """Tell shares, which add up to 1, from rates: in turns, or first all shares and then all rates."""
    turns = (values[0::2], values[1::2])
    blocks = (values[:number], values[number:])
    fits = [pair for pair in (turns, blocks) if abs(sum(pair[0]) - 1) < 1e-9]
    others = [pair for pair in (turns, blocks) if abs(sum(pair[1]) - 1) < 1e-9]
    if len(fits) == 1 and not others:
        return fits[0]
    return None


RULES = (
    Rule(
        "a question about sources of a case",
        frozenset({"question_probability", "probability", "what_percent"}),
        _read,
        "the share of each source, which add up to 100%, and the rate of each",
    ),
)
