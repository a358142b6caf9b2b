"""Reads questions of Bayes' rule: a prior, a hit rate, a false alarm rate, and what was observed.

Each rate needs its own cue; a question of which the observed result is not stated is refused.
"""

from typing import Any

from sandbox.reading import phrases
from sandbox.reading.lexicon import plain
from sandbox.reading.questions import take_question
from sandbox.reading.reader import Reader, may_be_label
from sandbox.reading.rules import NotUnderstood, Rule
from sandbox.reading.tokens import Token
from sandbox.spec import Analysis, Spec

_HIT = (
    "#p% 'de? !sensitivity", "sensitivity exactly? #p", "#p sensitivity", "sensitivity * #p%", "detects #p%", "#p% detects",
    "detects * #p%", "#p% 'of|'de ill_word * given_positive", "given_positive #p% * ill_word",
    "#p% * given_positive * ill_word", "ill_word * given_positive #p%",
    "#p% 'of|'de * ill_word given_positive", "ill_word * given_positive * #p%",
    "given_positive * #p% * ill_word",
)  # fmt: skip
_SPECIFICITY = (
    "#p% 'de? !specificity", "specificity exactly? #p", "#p specificity", "specificity * #p%", "given_negative #p% * healthy_word",
    "#p% * healthy_word given_negative", "given_negative * #p% * healthy_word",
    "healthy_word * given_negative #p%",
)  # fmt: skip
_ALARM = (
    "false_positive exactly? #p", "#p false_positive", "false_positive * #p%", "#p% * false_positive",
    "#p% * healthy_word given_positive", "given_positive * #p% * healthy_word",
    "healthy_word given_positive #p%", "#p% * healthy_word",
)  # fmt: skip
_MISS = ("false_negative exactly? #p", "#p false_negative", "false_negative * #p%")
_PRIOR = (
    "prevalence exactly? #p", "#p prevalence", "prevalence * #p", "#p% * prevalence",
    "#p% * ill_word", "ill_word * #p%", "#p * ill_word",
)  # fmt: skip


def _rate(reader: Reader, *patterns: str) -> float | None:
    return phrases.value(reader, *patterns)


def _one_in(reader: Reader) -> float | None:
    """Take `1 in 1,000`, as the prior."""
    match = phrases.take(reader, "one_in #n.", "#one. 'in|out_of #n.", "#one. 'de each #n.")
    if match is None:
        return None
    above = match["one"].value if "one" in match else 1.0
    return above / match["n"].value if match["n"].value >= above > 0 else None


def _read(reader: Reader) -> Spec | None:
    if not reader.has("given_positive", "given_negative"):
        return None
    question = take_question(reader)
    values = {"ppv", "positive predictive value", "vpp", "npv", "negative predictive value", "vpn"}
    if not question.wanted and not any(token.stem in values for token in reader.tokens):
        return None
    assumed: tuple[str, ...] = ()
    hit = _rate(reader, *_HIT[:7])
    specificity = _rate(reader, *_SPECIFICITY[:4])
    miss = _rate(reader, *_MISS)
    alarm = _rate(reader, *_ALARM[:4]) if specificity is None else None
    hit = 1 - miss if hit is None and miss is not None else hit
    hit = _rate(reader, *_HIT[7:]) if hit is None else hit
    if specificity is None and alarm is None:
        specificity = _rate(reader, *_SPECIFICITY[4:])
    if alarm is None and specificity is None:
        alarm = _rate(reader, *_ALARM[4:])
    accuracy = _rate(reader, "#p% accurate", "accurate * #p%") if hit is None else None
    if accuracy is not None:
        hit, specificity = accuracy, accuracy if alarm is None else None
        assumed = ("the accuracy is both the sensitivity and the specificity",)
    prior = _one_in(reader)
    if prior is None:
        prior = _rate(reader, *_PRIOR)
    if prior is None:
        share = reader.only_number("%")
        prior = share.value if share else None
    alarm = 1 - specificity if alarm is None and specificity is not None else alarm
    _no_verb_of_its_own(reader)
    if alarm is not None and alarm > 0.5:
        raise NotUnderstood(f"a false alarm in {100 * alarm:g}% is unusual: say the specificity")
    if prior is None or hit is None or alarm is None:
        missing = [
            name
            for name, rate in (
                ("the share that has it", prior),
                ("the sensitivity", hit),
                ("the specificity or the rate of false alarms", alarm),
            )
            if rate is None
        ]
        raise NotUnderstood(f"Bayes' rule needs {' and '.join(missing)}")
    return _question(reader, prior, hit, alarm, question.parameters, assumed)


def _no_verb_of_its_own(reader: Reader) -> None:
    """Refuse a rate of which the word before it is unknown: `clears 95% of healthy people`."""
    for place in sorted(reader.taken):
        token = reader.tokens[place]
        before = reader.tokens[place - 1] if place else token
        if token.kind == "number" and before.kind == "word" and place - 1 not in reader.taken:
            raise NotUnderstood(f"what `{before.text} {token.text}` says of the test is not clear")


def _question(
    reader: Reader,
    prior: float,
    hit: float,
    alarm: float,
    percent: dict[str, object],
    assumed: tuple[str, ...],
) -> Spec | None:
    last = max(reader.places("given_positive", "given_negative"), default=None)
    if last is None:
        raise NotUnderstood("say which result of the test is known: positive or negative")
    negative = reader.tokens[last].means("given_negative")
    if negative and any(
        reader.tokens[i].means("given_positive")
        for i in reader.places("given_positive")
        if not reader.tokens[i].means("given_negative")
    ):
        raise NotUnderstood("say which result of the test is known: positive or negative")
    start = _sentence(reader, last)
    healthy = any(
        reader.tokens[i].means("healthy_word") and not reader.tokens[i].means("ill_word")
        for i in range(start, len(reader.tokens))
        if i not in reader.taken
    )
    npv = reader.tokens[last].stem in ("npv", "negative predictive value", "vpn") or (
        reader.tokens[last].stem == "valor predictivo negativo"
    )
    cues = [
        i for i, t in enumerate(reader.tokens) if t.means("ill_word", "healthy_word") or i == last
    ]
    for place in range(max(cues)):
        token = reader.tokens[place]
        if place not in reader.taken and may_be_label(token):
            reader.taken.add(place)
    reader.take_all("given_positive", "given_negative", "ill_word", "healthy_word", "prevalence")
    reader.take_all("detects", "test_word", "false_positive", "accurate", "each", "people_word")
    if not healthy and not npv and _unconditional(reader, start):
        rates = [1 - hit, 1 - alarm] if negative else [hit, alarm]
        total: dict[str, Any] = {"shares": [prior, 1 - prior], "rates": rates}
        return Spec(
            "calculate",
            analyses=(Analysis("total_probability", parameters=total | percent),),
            assumed=assumed,
        )
    parameters: dict[str, Any] = {"prior": prior, "hit": hit, "false_alarm": alarm}
    if negative:
        parameters["negative"] = True
    if healthy or npv:
        parameters["healthy"] = True
    analysis = Analysis("bayes", parameters=parameters | percent)
    return Spec("calculate", analyses=(analysis,), assumed=assumed)


def _unconditional(reader: Reader, start: int) -> bool:
    """Whether the last sentence asks for the result of the test alone: `probability of a positive test?`."""
    words = [t for t in reader.tokens[start:] if t.kind in ("word", "concept")]
    ill = any(t.means("ill_word", "healthy_word", "prevalence") for t in words)
    given = any(t.text.lower() in _GIVEN for t in words)
    results = [t for t in words if t.means("given_positive", "given_negative")]
    named = any(
        t.stem.split()[0] in ("ppv", "vpp", "npv", "vpn") or "predictiv" in t.stem for t in results
    )
    questions = [i for i, t in enumerate(words) if t.means("question_probability")]
    last = max((i for i, t in enumerate(words) if t in results), default=-1)
    direct = bool(questions) and all(_says_who(t) for t in words[questions[0] + 1 : last])
    return not ill and not given and not named and direct and questions[0] < last


def _says_who(token: Token) -> bool:
    """Whether a word between `probability of` and the result names no state, only the person or test."""
    named = token.means("people_word", "at_random", "test_word", "question_probability")
    return named or set(map(plain, token.text.split())) <= _WHO


_WHO = frozenset(
    """a an the that of for to is will any some someone somebody anyone person patient random randomly
    chosen selected picked test result getting get gets obtain comes back una un la el que de persona
    paciente alguien cualquiera azar al elegida elegido prueba resultado obtener sea salga dar""".split()
)
_GIVEN = frozenset(
    "given given that if when si dado dado que cuando have has tenga tener tiene they it she he him her i".split()
) | {"given that", "dado que", "if i", "if you"}


def _sentence(reader: Reader, place: int) -> int:
    """Where the sentence begins in which a place stands."""
    while place > 0 and reader.tokens[place - 1].stem not in (".", "?", "!", "\n"):
        place -= 1
    return place


RULES = (
    Rule(
        "a question of Bayes' rule",
        frozenset({"given_positive", "given_negative", "sensitivity"}),
        _read,
        "the share that has it, the sensitivity, the specificity or false alarms, and the result",
    ),
)
