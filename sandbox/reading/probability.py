"""Reads requests of the family `probability`.

A rule that recognises its subject, but not the question about it, refuses with what it understands.
"""

from dataclasses import replace

from sandbox.reading import (
    bayes_questions,
    cards_and_birthdays,
    count_questions,
    dice_and_coins,
    distribution_questions,
    simulated_questions,
    sources_questions,
    trial_questions,
    urn_questions,
    waiting_questions,
)
from sandbox.reading.questions import QUESTION
from sandbox.reading.reader import Reader
from sandbox.reading.rules import NotUnderstood, Rule
from sandbox.spec import Analysis, Spec


def _firm(rule: Rule, *about: str) -> Rule:
    """The rule, which, if the request has a word about its subject, refuses a question about its subject instead of leaving it to others."""

    def read(reader: Reader) -> Analysis | tuple[Analysis, ...] | Spec | None:
        question = reader.has(*QUESTION)
        made = rule.read(reader)
        numbers = any(t.kind == "number" for t in reader.tokens)
        if made is None and question and numbers and (not about or reader.has(*about)):
            raise NotUnderstood(
                f"{rule.name} is not understood in this form; understood is {rule.understood}"
            )
        return made if made is None or isinstance(made, Analysis | Spec) else tuple(made)

    return replace(rule, read=read)


def _private(rule: Rule) -> Rule:
    """The rule with the words of chance."""
    return replace(rule, words="chance")


RULES: tuple[Rule, ...] = tuple(
    map(
        _private,
        (
            *distribution_questions.RULES,
            *count_questions.RULES,
            *bayes_questions.RULES,
            *sources_questions.RULES,
            *simulated_questions.RULES,
            *trial_questions.RULES,
            *urn_questions.RULES,
            *waiting_questions.RULES,
            _firm(dice_and_coins.RULES[0], *dice_and_coins.ABOUT_DICE),
            *map(_firm, dice_and_coins.RULES[1:]),
            _firm(cards_and_birthdays.RULES[0], *cards_and_birthdays.ABOUT_CARDS),
            *map(_firm, cards_and_birthdays.RULES[1:]),
        ),
    )
)
