"""What is a duplicate and what is a leak, on requests that are alike in words or in meaning.

The encoder and the verifier are small real ones: vectors of words, where synonyms are one word.
"""

import random
from dataclasses import replace
from zlib import crc32

import numpy as np
import pytest

from router.request.text import prompt_parts, prompt_text
from router.training.alike import distinct
from router.training.benchmark_files import HeldOut, held_out_texts
from router.training.data_query import DataQuery, DataRefused
from router.training.data_rows import DataRow, Message
from router.training.data_sets import DataSets
from router.training.leaks import leaks
from router.training.logged_rows import LoggedRows, messages_of
from router.training.making import DataMaker
from router.training.meaning import Meaning
from router.training.minhash import in_common, meeting
from router.training.slips import vocabulary_of
from router.training.splitting import parted
from router.training.wording import wordings, words_of

SYNONYMS = {"buy": "purchase", "laptop": "notebook", "fix": "repair", "quick": "fast"}
DAY = 86_400_000_000


class Words:
    """Vectors that count words; synonyms count as one word."""

    name, dimensions = "words", 512

    def encode(self, texts):
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in enumerate(texts):
            for word in words_of(text):
                bucket = crc32(SYNONYMS.get(word, word).encode()) % self.dimensions
                vectors[row, bucket] += 1
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


class Sure:
    """A verifier that is sure of each pair that it gets to see."""

    def logits(self, pairs):
        return [5.0] * len(pairs)


MEANING = Meaning(Words(), Sure())


def row(text, answer="fine", n=0, **given):
    fields = {"quality": 1.0, "source": "judged"} | given
    return DataRow(f"r{n}", n * DAY, (Message("user", text),), answer, **fields)


def kinds(*texts, answers=None, meaning=MEANING):
    answers = answers or ["fine"] * len(texts)
    rows = [row(t, a, n) for n, (t, a) in enumerate(zip(texts, answers, strict=True))]
    return [removal.kind for removal in distinct(rows, meaning).removed]


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        ("Where is my parcel?", "Where  is my\nparcel?", "exact"),
        ("Where is my parcel today?", "where is my PARCEL, today", "near"),
        ("Where is my letter today?", "Hi, where is my lettre today please", "near"),
        ("What's the price of a stamp?", "Good morning, what is the price of a stamp", "near"),
        (
            "The shop is closed. The lift is broken. Why?",
            "The lift is broken. The shop is closed. Why?",
            "near",
        ),
        ("I want to buy a laptop for work", "I want to purchase a notebook for work", "paraphrase"),
    ],
)
def test_copies_are_seen(first, second, kind):
    assert kinds(first, second) == [kind]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Convert 5 miles to km", "Convert 8 miles to km"),
        ("Cancel order A7 please", "Cancel order A8 please"),
        ("The parcel has arrived today", "The parcel has not arrived today"),
        ("What is the capital of France?", "What is the capital of Germany?"),
        ("I want to increase my storage plan", "I want to decrease my storage plan"),
        ("A train from Siena to Basel", "A train from Basel to Siena"),
    ],
)
def test_what_differs_in_one_thing_is_no_copy(first, second):
    assert kinds(first, second) == []


def test_rows_with_other_labels_are_no_near_copies():
    texts = [f"{word} {word}ing is broken again" for word in ("log", "print", "scan", "load")]
    answers = ["a", "b", "a", "b"]
    assert kinds(*texts, "Log  loging is broken agian", answers=[*answers, "b"]) == []
    assert kinds(*texts, "Log  loging is broken agian", answers=[*answers, "a"]) == ["near"]


def test_other_instructions_make_another_request():
    rows = [row("Where is my letter today?", n=n) for n in range(2)]
    instructed = replace(rows[1], messages=(Message("system", "Rhyme."), *rows[1].messages))
    assert distinct([rows[0], instructed], MEANING).removed == ()


def test_answers_count_where_copies_agree_in_theirs():
    """Only the answers tell these two apart; without copies that agree, they would be alike."""
    first, second = "Is it fine to buy a laptop there", "Is it fine to purchase a notebook there"
    copies = [f"number {n} is {'abcdefghij'[n % 10] * (3 + n // 10)}" for n in range(30)]
    texts = [*copies, *copies, first, second]
    answers = [*(f"It is {n} {n}" for n in range(30))] * 2
    assert kinds(*texts, answers=[*answers, "gate 511", "gate 622"]).count("paraphrase") == 0
    assert kinds(*texts, answers=[*answers, "gate 511", "Sure. Gate 511"]).count("paraphrase") == 0
    assert kinds(*texts, answers=[*answers, "gate 511", "gate 511"]).count("paraphrase") == 1
    changing = [*answers[:30], *(f"I say {n}" for n in range(30, 60))]
    assert kinds(*texts, answers=[*changing, "gate 511", "gate 622"]).count("paraphrase") == 1


def test_a_common_instruction_makes_no_copies():
    """Rows differ in one word among many that they share; without frames they would be alike."""
    frame = "You sort messages of our customers into kinds. Answer with the kind and nothing else."
    things = ["dog", "cat", "cow", "hen", "fox", "owl", "bee", "ant", "elk", "emu", "yak", "rat"]
    assert kinds(*(f"{frame}\nMessage: {thing}" for thing in things)) == []
    texts = [f"{frame}\nMessage: my {thing} broke its leg" for thing in things]
    assert kinds(*texts, f"{frame}\nMessage: My emu broke its leg.") == ["near"]


def test_of_copies_the_best_is_kept_and_each_removed_row_is_like_a_kept_one():
    rows = [row("Where is my parcel?", "worse", 1, quality=0.8), row("Where is my parcel?", n=2)]
    rows.append(row("where is my parcel", "shown", 3, source="demonstration"))
    result = distinct(rows, None)
    assert [each.answer for each in result.rows] == ["shown"]
    kept = {each.id for each in result.rows}
    assert {removal.of for removal in result.removed} <= kept | {"r2"}


def test_sets_with_much_in_common_meet():
    chance = random.Random(1)
    sets = [frozenset(chance.sample(range(10**9), 100)) for _ in range(200)]
    copies = [frozenset(list(s)[:88]) | frozenset(range(n, n + 12)) for n, s in enumerate(sets)]
    met = set(meeting([*sets, *copies]))
    assert all((n, n + 200) in met for n in range(200))
    assert len(met) < 300
    assert in_common(sets[0], copies[0]) == pytest.approx(88 / 112, abs=0.01)


def test_a_split_is_later_and_divides_no_cluster():
    chance = random.Random(2)
    rows, vectors = [], []
    centres = np.eye(40, dtype=np.float32)
    for n in range(400):
        rows.append(row(f"request {n}", n=n))
        vectors.append(centres[chance.randrange(n // 20, n // 20 + 20)])
    result = parted(rows, np.array(vectors), 0.15, 0.15)
    train, validation, test = (result.rows[split] for split in ("train", "validation", "test"))
    assert max(r.ts for r in train) < min(r.ts for r in validation)
    assert max(r.ts for r in validation) < min(r.ts for r in test)
    clusters = [{r.cluster for r in part} for part in (train, validation, test)]
    assert len(set.union(*clusters)) == sum(map(len, clusters))
    assert sum(result.counts.values()) + len(result.left_out) == 400
    assert result.counts["test"] >= 15


QUESTION = "A train leaves Basel at 9 and arrives in Bern at 10. How long is it on its way?"


@pytest.mark.parametrize(
    "text",
    [
        QUESTION,
        f"Solve this for my homework, and show each step. {QUESTION.upper()} Thank you!",
        "A train leaves Basel at 9, it arrives in Bern at 10. How long is it on its way?",
    ],
)
def test_a_benchmark_is_seen_in_a_request(text):
    rows = [row("My train was late, and I want my money back"), row(text, n=1)]
    (leak,) = leaks(rows, None, [HeldOut("b.jsonl:7", QUESTION)], None)
    assert (leak.id, leak.place) == ("r1", "b.jsonl:7")


def test_a_benchmark_is_seen_in_an_answer_and_in_other_words():
    held_out = [HeldOut("b:1", "How do I fix a laptop that is not quick any more?")]
    rows = [row("write a quiz", f"First question: {held_out[0].text}")]
    rows.append(row("how do I repair a notebook that is not fast any more?", n=1))
    rows.append(row("How do I repair a bicycle?", n=2))
    vectors = MEANING.encoder.encode([r.text for r in rows])
    kinds = {leak.id: leak.kind for leak in leaks(rows, vectors, held_out, MEANING)}
    assert kinds["r0"] == "held"
    assert set(kinds) == {"r0", "r1"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("b.jsonl", '{"id": 1, "question": "who are you", "answer": "me"}\n'),
        ("b.json", '[{"messages": [{"role": "user", "content": "who are you"}]}]'),
        ("b.csv", "answer,Question\nme,who are you\n"),
        ("b.jsonl", '{"choices": ["a", "b"], "stem": "who are you"}'),
    ],
)
def test_benchmarks_come_in_many_shapes(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(content)
    assert held_out_texts(str(path)) == [HeldOut(f"{name}:1", "who are you")]


def test_a_column_that_is_not_there_is_refused(tmp_path):
    path = tmp_path / "b.csv"
    path.write_text("answer,stem\nme,who are you\n")
    assert held_out_texts(f"{path}:stem")[0].text == "who are you"
    with pytest.raises(DataRefused, match="it has answer, stem"):
        held_out_texts(f"{path}:question")


def test_a_row_gives_back_whose_words_a_request_holds():
    fields = {
        "messages": [
            {"role": "system", "content": "Be brief.\n"},
            {"role": "user", "content": [{"type": "text", "text": "one"}, {"text": "two"}]},
            {"role": "assistant", "content": None},
            {"role": "user", "content": ""},
            {"role": "user", "content": "three"},
        ]
    }
    parts = [{"role": role, "characters": n} for role, n in prompt_parts(fields)]
    messages = messages_of(prompt_text(fields), parts)
    assert [(m.role, m.content) for m in messages] == [
        ("system", "Be brief.\n"),
        ("user", "one\ntwo"),
        ("user", ""),
        ("user", "three"),
    ]
    assert messages_of("other words", parts) == (Message("user", "other words"),)


def test_words_of_other_scripts_are_compared_too():
    texts = [f"где моя посылка {n}" for n in range(3)]
    assert len(wordings(texts)) == 3
    assert vocabulary_of([words_of("посылка пришла")] * 4).knows("посылка")
    assert kinds("где моя посылка сегодня", "Где моя посылка сегодня?") == ["near"]


def test_rows_that_are_forgotten_while_a_version_is_made_are_not_written(tmp_path):
    """Telemetry is read again under the lock that forgetting takes."""
    rows = [row(f"request number {n} about {'abcdefghij'[n % 10] * 9}", n=n) for n in range(20)]
    answers = iter([LoggedRows(tuple(rows), {}), LoggedRows(tuple(rows[:10]), {})])
    maker = DataMaker(DataSets(tmp_path), lambda _: next(answers), None)
    made = maker.make("triage", DataQuery(), 10**15)
    assert {each.id for each in made.data_set.everything} <= {each.id for each in rows[:10]}
    assert made.data_set.card["left_out"]["forgotten meanwhile"] > 0
