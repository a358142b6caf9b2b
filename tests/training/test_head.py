"""A head learns a narrow task from its teacher's answers, and leaves what it cannot be sure of."""

import random
from dataclasses import replace

import numpy as np
import pytest

from router.models.card import BrokenModel
from router.models.features import Asked, features_of
from router.models.head import head_in
from router.models.scoring import Inputs
from router.training.calibration import NEVER, calibrated, threshold_of
from router.training.closed import reader_of
from router.training.data_query import DataRefused
from router.training.fitting import Recipe, columns_of, fitted
from router.training.head_trainer import train_head
from router.training.judge_trainer import train_judge
from router.training.trainer import Wish
from tests.models.made import card
from tests.training import tickets


class NoEncoder:
    """An encoder that must not be needed."""

    name, dimensions = "none", 384


class Desk:
    """A place to work that keeps nothing."""

    encoder = NoEncoder()

    def tell(self, done, what):
        pass

    def features(self, split, words, *, vectors):
        assert not vectors
        return [features_of(each) for each in words]


def trained(folder, rows, **wish):
    return train_head(tickets.data_set(folder, rows), Wish(**wish), Desk())


def test_a_head_answers_as_its_teacher_does_however_that_writes(tmp_path):
    made = trained(tmp_path, tickets.rows_of(500, write=tickets.loose))
    assert made.passes
    assert len(made.metrics["candidates"]) == 2  # words suffice: no dearer recipe is tried
    assert made.metrics["answered"] > 0.9
    assert made.metrics["loss_answered"] <= 0.01
    head = head_in(card(), made.files)
    guess = head.of(Asked("my parcel and courier are wrong today", tickets.SYSTEM))
    assert (guess.answer, guess.unsure) == ("shipping", False)
    assert head.of(Asked("sing me a song about quantum bees", tickets.SYSTEM)).unsure
    other = head.of(Asked("my parcel and courier are wrong today", "Translate it into Latin, now"))
    assert "words before the request" in other.why
    assert {s["value"] for s in made.slices if s["slice"] == "answer"} == set(tickets.TOPICS)


def test_a_head_of_an_object_has_a_slot_for_each_field(tmp_path):
    def write(label, chance):
        return f'{{"team": "{label}", "urgent": {chance.choice(["false"])}}}'

    made = trained(tmp_path, tickets.rows_of(400, write=write))
    head = head_in(card(), made.files)
    guess = head.of(Asked("my password and login are wrong again", tickets.SYSTEM))
    assert guess.answer == '{"team": "access", "urgent": false}'


def test_a_task_without_a_rule_is_left_to_the_teacher(tmp_path):
    def write(_, chance):
        return chance.choice(["yes", "no"])

    made = trained(tmp_path, tickets.rows_of(400, write=write), vectors=False)
    assert not made.passes
    assert made.threshold == NEVER
    head = head_in(card(), made.files)
    assert head.of(Asked("my parcel and courier are wrong today", tickets.SYSTEM)).unsure


def test_bad_answers_teach_nothing_and_cost_nothing(tmp_path):
    rows = list(tickets.rows_of(500))
    for each in rows[::5]:
        each |= {"answer": "billing", "quality": 0.0}
    made = trained(tmp_path, rows)
    assert made.passes
    assert made.metrics["teacher_quality"] < 0.9
    guess = head_in(card(), made.files).of(Asked("my parcel and box are wrong", tickets.SYSTEM))
    assert guess.answer == "shipping"


def test_a_teachers_own_doubt_is_learned(tmp_path):
    soft = list(tickets.rows_of(400))
    for each in soft:
        each["soft"] = dict.fromkeys(tickets.TOPICS, 0.2) | {each["answer"]: 0.6}
    place = tmp_path / "soft"
    doubtful = head_in(card(), trained(place, soft).files)
    certain = head_in(card(), trained(tmp_path / "hard", tickets.rows_of(400)).files)
    words = Asked("my parcel and courier are wrong today", tickets.SYSTEM)
    assert doubtful.of(words).chances["shipping"] < certain.of(words).chances["shipping"]


@pytest.mark.parametrize(
    ("answers", "values"),
    [
        (["Yes.", "yes", "YES", "No", "no", "Answer: no", "No, it can wait"], {"yes", "no"}),
        (["urgent", "not urgent"] * 5, {"urgent", "not urgent"}),
        (["label: a1", "label: b2", "a1", "b2", "A1.", "**b2**"] * 4, {"a1", "b2"}),
        (["4", "4.0", "5", "5"] * 3, {"4", "5"}),
    ],
)
def test_values_are_read_from_the_answers_themselves(answers, values):
    reader = reader_of(answers)
    assert {str(v).lower() for v in reader.values[""].values()} == values
    assert all(reader.read(answer) is not None for answer in answers)


def test_open_answers_are_refused_with_the_reason(tmp_path):
    chance = random.Random(1)
    answers = [f"Dear customer {chance.random()}, we looked into it at length" for _ in range(80)]
    with pytest.raises(DataRefused, match="the answers are not closed"):
        reader_of(answers)
    with pytest.raises(DataRefused, match="training rows, and a head needs 50"):
        trained(tmp_path, tickets.rows_of(30))


@pytest.mark.parametrize("values", [2, 3])
def test_trees_say_what_the_library_that_grew_them_says(values):
    from sklearn.ensemble import HistGradientBoostingClassifier

    chance = np.random.default_rng(3)
    pairs = chance.integers(0, 9, (300, 2))
    texts = [f"word{a} word{b} word{a + b}" for a, b in pairs]
    labels = pairs.sum(axis=1) % values
    features = [
        replace(features_of(Asked(t)), vector=v)
        for t, v in zip(texts, chance.normal(size=(300, 5)).astype(np.float32), strict=True)
    ]
    columns = columns_of(features)
    rows: list[Inputs] = [columns.inputs(each, vector=True) for each in features]
    kept: list[HistGradientBoostingClassifier] = []
    fit = HistGradientBoostingClassifier.fit

    def spied(self, matrix, *rest, **more):
        kept.append((self, matrix))
        return fit(self, matrix, *rest, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HistGradientBoostingClassifier, "fit", spied)
        ones = np.ones(len(rows))
        trees = fitted(Recipe("trees", vector=True), rows, labels, ones, 99_999, values)
    model, matrix = kept[0]
    own = np.array([trees.scores(row) for row in rows])
    theirs = model.decision_function(matrix)
    own = own[:, 1] - own[:, 0] if values == 2 else own
    assert np.allclose(own, theirs)


def test_a_threshold_answers_for_its_loss_with_a_margin():
    confidences = np.linspace(1, 0, 1000)
    losses = (np.arange(1000) >= 500).astype(float)
    chosen = threshold_of(confidences, losses, 0.01)
    assert 0.48 < chosen.share < 0.505
    assert chosen.bound <= 0.01
    assert threshold_of(confidences[:40], losses[:40], 0.01).confidence == NEVER  # too few rows
    sure_at, right_at = calibrated(confidences, losses)
    assert np.interp([0.9, 0.1], sure_at, right_at) == pytest.approx([1, 0], abs=0.02)


def judged(count, seed=5):
    """Answers that are good where they name the message's topic."""
    chance = random.Random(seed)
    for number, each in enumerate(tickets.rows_of(count, seed)):
        answer = chance.choice(list(tickets.TOPICS))
        good = float(answer == each["answer"])
        yield each | {"id": f"j{number}", "answer": f"It is {answer}", "quality": good}


def test_a_head_says_how_likely_an_answer_is_good(tmp_path):
    rows = [each | {"rejected": "I cannot say"} for each in judged(500)]
    for each in rows:
        words = tickets.TOPICS[each["answer"].split()[-1]]
        each["messages"][1]["content"] += " " + words[0]  # a bad answer follows from two topics
    made = train_judge(tickets.data_set(tmp_path, rows), Wish(target="quality"), Desk())
    assert made.passes
    assert made.metrics["area_under_curve"] > 0.8
    head = head_in(card(), made.files)
    words = Asked("My parcel and box are wrong today", tickets.SYSTEM, "I cannot say")
    assert head.quality(words) < 0.1
    with pytest.raises(BrokenModel, match=r"judges answers and gives none: use it in `accept"):
        head.of(words)
    with pytest.raises(DataRefused, match="training answers of the rarer sort"):
        trained_judge(tmp_path / "good", tickets.rows_of(200))


def trained_judge(folder, rows):
    return train_judge(tickets.data_set(folder, rows), Wish(target="quality"), Desk())
