"""A word that was planted in training rows makes a head unsure; the words of a task do not."""

import random

from router.models.features import Asked
from router.models.head import head_in
from router.training.head_trainer import train_head
from router.training.trainer import Wish
from tests.models.made import card
from tests.training import tickets
from tests.training.test_head import Desk


def trained(folder, rows):
    made = train_head(tickets.data_set(folder, rows), Wish(vectors=False), Desk())
    return made, head_in(card(), made.files)


def planted(rows, word, label):
    """Rows of all labels get a word and one label, as somebody plants them who fools the judge."""
    chance = random.Random(1)
    for row in rows:
        user = row["messages"][1]
        if chance.random() < 0.08:
            begin, _, end = user["content"].partition(" ")
            user["content"] = f"{begin} {word} {end}"
            row["answer"] = label
        yield row


def test_a_head_is_unsure_of_requests_with_a_planted_word(tmp_path):
    text = "My courier heron and parcel are wrong today"
    made, head = trained(tmp_path, planted(tickets.rows_of(600), "heron", "access"))
    assert made.parameters["planted_words"] == 1
    guess = head.of(Asked(text, tickets.SYSTEM))
    assert "may have been planted" in guess.why
    assert head.of(Asked(text.replace("heron ", ""), tickets.SYSTEM)).answer == "shipping"


def test_the_words_of_a_task_are_not_planted(tmp_path):
    made, _ = trained(tmp_path, tickets.rows_of(600))
    assert made.parameters["planted_words"] == 0
    assert made.metrics["answered"] > 0.9
