"""Which words are personal data or forbidden, and which only look so."""

import pytest

from experiments.guardrails.run import HERE
from experiments.guardrails.scoring import cases_in, personal_scores, word_scores
from router.guardrails.money_numbers import luhn, modulo_97
from router.guardrails.personal import personal_spans
from router.guardrails.words import WordList, WordsTookTooLong


@pytest.mark.parametrize(
    ("text", "place", "kind"),
    [
        ("Mail ann.o'neil+x@sub.example.co.uk.", "ann.o'neil+x@sub.example.co.uk", "email"),
        ("<müller@bücher.de>", "müller@bücher.de", "email"),
        ('{"to":"line\\nann@example.org"}', "ann@example.org", "email"),
        ("\\u003cann@example.org\\u003e", "ann@example.org", "email"),
        ("ａｎｎ＠example.org", "ａｎｎ＠example.org", "email"),
        ("write to ann (at) example (dot) org.", "ann (at) example (dot) org", "email"),
        ("ann[at]mail.example.co.uk, thanks", "ann[at]mail.example.co.uk", "email"),
        ("I am ann.lee at example dot com", "ann.lee at example dot com", "email"),
        ("my e-mail is ann at example dot com", "ann at example dot com", "email"),
        ("correo: ana arroba empresa punto es", "ana arroba empresa punto es", "email"),
        ("0049 (0)30 1234567", "0049 (0)30 1234567", "phone"),
        ("call me: 07700 900123", "07700 900123", "phone"),
        ("8 (912) 345-67-89", "8 (912) 345-67-89", "phone"),
        ("(11) 98765-4321", "(11) 98765-4321", "phone"),
        ("my number is 4155550132", "4155550132", "phone"),
        ("手机号13800138000", "13800138000", "phone"),
        ("٠٥٠١٢٣٤٥٦٧", "٠٥٠١٢٣٤٥٦٧", "phone"),
        ("0(532) 123 45 67", "0(532) 123 45 67", "phone"),
        ("card=4111-1111-1111-1111;", "4111-1111-1111-1111", "card"),
        ("378282246310005", "378282246310005", "card"),
        ("gb82 west 1234 5698 7654 32", "gb82 west 1234 5698 7654 32", "iban"),
    ],
)
def test_personal_data_is_found_whole(text: str, place: str, kind: str):
    assert [(text[s.start : s.end], s.kind) for s in personal_spans(text)] == [(place, kind)]


@pytest.mark.parametrize(
    "text",
    [
        "git@github.com:org/repo.git", "scp a.txt bob@box.example.org:~/", "ssh -p 22 root@h.example.com",
        "look at example dot com", "the dot product (at) 3.5 kg", "let x (at) index y", "at hotel.es",
        "icon@2x.png", "lodash@4.17.21", "user@localhost", "uses: actions/checkout@v4",
        "4111 1111 1111 1112", "GB82 WEST 1234 5698 7654 33", "0.4111111111111111",
        "15.03.2024 10:30", "2024-01-15 10:30:00", "192.168.178.23:8080", "version 10.0.19045.3803",
        "1700000000", "0-306-40615-2", "978-3-16-148410-0", "#4155550199", "order 4021-8837-2291",
        "call() returned 12345678", "C++ 2020 03 14", "+100 200 300", "550e8400-e29b-41d4-a716-446655440000",
    ],
)  # fmt: skip
def test_what_only_looks_like_personal_data_stays(text: str):
    assert personal_spans(text) == []


def test_check_digits_are_those_of_the_standards():
    assert [luhn("79927398713"), luhn("79927398710"), luhn("0000")] == [True, False, False]
    assert modulo_97("WEST12345698765432GB82") == 1


@pytest.mark.parametrize(
    ("word", "text", "blocks"),
    [
        ("C", "C++ or C#", False), ("C", "plain C.", True), ("C#", "in C#!", True),
        ("secret", "这是secret吗", True), ("赌博", "网络赌博网站", True), ("мир", "мирный", False),
        ("secret", "my sесrеt", True), ("straße", "STRASSE", True), ("top secret", "top\n secret", True),
        ("heroin", "the heroine", False), ("café", "cafe\u0301", True), ("мой", "мои", False),
    ],
)  # fmt: skip
def test_words_compare_as_people_read_them(word: str, text: str, blocks: bool):
    assert bool(WordList((word,)).spans(text)) is blocks


def test_a_place_is_that_of_the_text_as_it_was_written():
    text = "ﬁrst s\u200bécret!"
    [span] = WordList(("secret",)).spans(text)
    assert text[span.start : span.end] == "s\u200bécret"


def test_a_pattern_that_takes_too_long_has_failed_and_says_which():
    with pytest.raises(WordsTookTooLong, match=r"regexes\[0\] takes more than"):
        WordList((), ("(a|aa)+$",)).spans("a" * 80 + "b")


def test_the_cases_of_a_stranger_with_which_the_rules_were_made_are_right():
    scores = personal_scores(cases_in(HERE / "cases" / "pii.dev.jsonl"))
    scores["words"] = word_scores(cases_in(HERE / "cases" / "guard_words.dev.jsonl"))
    assert {k: (s["missed"], s["wrong"]) for k, s in scores.items()} == dict.fromkeys(
        scores, (0, 0)
    )
