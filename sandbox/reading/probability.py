"""Reads requests of the family `probability`."""

from sandbox.reading import cards_and_birthdays, dice_and_coins, distribution_questions
from sandbox.reading.rules import Rule

RULES: tuple[Rule, ...] = (
    *distribution_questions.RULES,
    *dice_and_coins.RULES,
    *cards_and_birthdays.RULES,
)
