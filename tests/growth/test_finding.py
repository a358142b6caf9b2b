"""Patterns are found in rows, keep their ids, and outlive restarts, losses and clocks set back."""

from collections import Counter

import numpy as np
import pytest

from router.growth.clusters import SeenRequest, grouped
from router.growth.pattern_book import FORGOTTEN_SECONDS, PatternBook, PatternNews
from router.request.patterns import Patterns, own_terms
from router.request.reading import reading_of
from tests.growth.conftest import KINDS, Requests
from tests.sparing import slow_after


def terms(text):
    return own_terms(reading_of({"messages": [{"role": "user", "content": text}]}))


def kinds_of(patterns, seed=99, count=40):
    """For each kind, the pattern of most of its requests, and the share of them in it."""
    drawn = Requests(None, seed)
    best = {}
    for kind in (*KINDS, ""):
        seen = Counter(patterns.of(terms(drawn.text(kind))) for _ in range(count))
        (pattern, times), *_ = seen.most_common(1)
        best[kind] = pattern, times / count
    return best


def test_each_kind_becomes_a_pattern_and_the_rest_none(requests, watch):
    requests.send(130)
    best = kinds_of(watch.turn())
    assert best[""][0] == ""
    assert best[""][1] > 0.9
    names = {best[kind][0] for kind in KINDS}
    assert len(names) == len(KINDS)
    assert "" not in names
    assert all(best[kind][1] > 0.9 for kind in KINDS)
    assert [event[:3:2] for event in watch.events] == [("pattern", "found")] * len(KINDS)


def test_fewer_than_ten_alike_are_no_pattern(requests, watch):
    requests.send(150, kinds=("",))
    requests.send(8, kinds=("zone",))
    assert watch.turn().patterns == ()


def test_after_a_look_that_took_long_the_next_one_waits(requests, watch, monkeypatch):
    taken = iter(range(0, 1000, 3))  # each look takes three seconds of CPU
    monkeypatch.setattr("router.growth.finding.time.thread_time", lambda: next(taken))
    requests.send(130)
    version = watch.turn().version
    requests.send(400)
    assert watch.turn(seconds=200).version == version
    assert watch.turn(seconds=200).version != version


def test_ids_hold_still_while_traffic_goes_on(requests, watch):
    requests.send(130)
    before = kinds_of(watch.turn())
    for _ in range(3):
        requests.send(80, patterns=watch.finding.patterns)
        watch.turn()
    after = kinds_of(watch.finding.patterns)
    assert {k: before[k][0] for k in KINDS} == {k: after[k][0] for k in KINDS}


def test_each_row_of_two_routers_is_read_once(requests, watch):
    requests.send(130)
    watch.turn()
    for writer in ("r2", "r1", "r2"):
        requests.send(60, writer=writer)
        watch.turn()
    requests.stored.seal()
    watch.turn()
    rows = watch.finding._window.rows
    assert len(rows) == len({row.micros for row in rows}) == 130 + 3 * 60


def test_rows_that_come_one_by_one_into_journals_of_their_own_are_read(requests, watch):
    """At a request a minute, each row is sealed before the next one comes."""
    requests.send(80)
    watch.turn()
    for _ in range(40):
        requests.send(1)
        requests.stored.close()
        watch.turn(60.0)
    requests.stored.seal()
    assert len(watch.turn().patterns) == len(KINDS)


def test_a_clock_that_was_set_back_hides_no_row(requests, watch):
    requests.send(130, kinds=("zone", ""))
    watch.turn()
    requests.at -= 6 * 3_600_000_000
    watch.now -= 6 * 3600
    requests.send(60, kinds=("rhyme",))
    watch.turn()
    best = kinds_of(watch.finding.patterns)
    assert best["rhyme"][1] > 0.9
    assert best["rhyme"][0] != best["zone"][0]


def test_a_learner_that_was_killed_goes_on_with_the_same_patterns(requests, watch):
    requests.send(130)
    patterns = watch.turn()
    again = watch.again()
    assert again.turn().version == patterns.version
    assert again.events == []


@pytest.mark.parametrize(
    "content", slow_after(2, [None, b'{"format": 1, "liv', b"", b'{"format": 7}', b"[]"])
)
def test_a_lost_or_spoilt_book_is_made_again_with_the_ids_in_the_rows(requests, watch, content):
    requests.send(130)
    watch.turn()
    requests.send(120, patterns=watch.finding.patterns)
    watch.turn()
    before = kinds_of(watch.finding.patterns)
    path = watch.config.growth_folder / "patterns.json"
    path.unlink() if content is None else path.write_bytes(content)
    again = watch.again()
    after = kinds_of(again.turn())
    assert {k: before[k][0] for k in KINDS} == {k: after[k][0] for k in KINDS}
    assert [event[2] for event in again.events][:1] == (
        ["found"] if content is None else ["book lost"]
    )


def test_a_new_pattern_gets_no_id_that_stands_in_rows(requests, watch):
    requests.send(30, patterns=Patterns(0), pattern="p41")
    requests.send(130)
    patterns = watch.turn().patterns
    numbers = [int(each.id[1:]) for each in patterns]
    assert all(number == 41 or number > 41 for number in numbers)


def test_a_pattern_that_nobody_asks_for_is_forgotten_after_a_while():
    drawn = Requests(None)
    zone = [SeenRequest(terms(drawn.text("zone"))) for _ in range(20)]
    others = [SeenRequest(terms(drawn.text(kind))) for kind in ("rhyme", "") * 30]
    book, _ = PatternBook().after(zone + others, 0, 0.0)
    gone = book.patterns.of(zone[0].terms)
    assert gone
    kept, news = book.after(others, 0, FORGOTTEN_SECONDS - 1)
    assert kept.patterns.of(zone[0].terms) == gone
    assert news == []
    book, news = kept.after(others, 0, FORGOTTEN_SECONDS + 1)
    assert book.patterns.of(zone[0].terms) == ""
    assert news == [PatternNews(gone, "forgotten")]


def test_two_patterns_that_became_alike_are_merged():
    alike = [SeenRequest(terms(f"alpha beta {word}")) for word in ("gamma", "delta")] * 12
    others = [SeenRequest(terms(f"{a}x {a}y {a}z")) for a in "bcdfghklm"] * 3
    # Two routers saw the same kind under two ids, before the book was lost.
    labelled = [
        SeenRequest(each.terms, None, "p7" if at % 3 else "p3") for at, each in enumerate(alike)
    ]
    again, _ = PatternBook(following=8).after(labelled + others, 0, 1.0)
    assert {again.patterns.of(each.terms) for each in alike} == {"p7"}


def test_a_phrase_that_goes_with_anything_takes_no_request_from_its_kind():
    drawn = Requests(None)
    phrase = " sorry, typing from a phone"
    kinds = [kind for kind in (*KINDS, "") for _ in range(40)]
    texts = [drawn.text(kind) + phrase * (n % 3 == 0) for n, kind in enumerate(kinds)]
    patterns = PatternBook().after([SeenRequest(terms(text)) for text in texts], 0, 0.0)[0].patterns
    for kind in KINDS:
        text = drawn.text(kind)
        assert patterns.of(terms(text + phrase)) == patterns.of(terms(text)) != ""


def test_one_kind_in_two_languages_is_one_pattern_by_its_meaning():
    """To this encoder the language says more than what is asked for."""
    chance = np.random.default_rng(1)
    axes = np.eye(6)
    texts = {
        "en": ("total of invoice", "write a poem"),
        "es": ("importe factura", "escribe versos"),
    }
    requests = []
    for n in range(120):
        language, kind = ("en", "es")[n % 3 == 0], n % 2
        meaning = axes[kind] + 3 * axes[2 + (language == "es")] + 0.2 * chance.normal(size=6)
        text = texts[language][kind]
        requests.append(SeenRequest(terms(text), tuple(meaning.tolist()), language=language))
    patterns = PatternBook().after(requests, 1, 1.0)[0].patterns
    seen = [patterns.of(each.terms, each.meaning, each.language) for each in requests]
    assert len(set(seen)) == 2
    assert set(seen[0::2]) & set(seen[1::2]) == set()
    assert patterns.middles.keys() == {"en", "es"}  # by them routers see what the learner saw


def test_groups_are_the_same_on_every_run_and_the_book_is_read_as_it_was_written(requests, watch):
    requests.send(130)
    watch.turn()
    seen = watch.finding._window.seen(0)
    assert grouped(seen) == grouped(seen)
    book = watch.finding.book
    assert PatternBook.read(book.written()) == book
    assert PatternBook.read(book.written()).patterns.version == book.patterns.version


def seen(kind, count, seed, word=""):
    """Requests of one kind, which hold a word."""
    drawn = Requests(None, seed)
    return [SeenRequest(terms(f"{drawn.text(kind)} {word}")) for _ in range(count)]


def test_a_pattern_that_divides_becomes_two_which_hold_still():
    window = [*seen("zone", 60, 1), *seen("zone", 60, 2, "daylight"), *seen("", 100, 3)]
    book, _ = PatternBook().after(window, 0, 0.0)
    whole = book.patterns.of(window[0].terms)
    assert [book.patterns.of(each.terms) for each in window[:120]].count(whole) == 120
    (bucket,) = set(terms("daylight"))
    book, news = book.split(whole, bucket, holding=True).after(window, 0, 1.0)
    ((new, state, out_of),) = [(each.id, each.state, each.out_of) for each in news]
    assert (state, out_of) == ("split", whole)
    for later in range(4, 7):
        patterns = PatternBook.read(book.written()).patterns
        for word, id_ in (("", whole), ("daylight", new)):
            matched = [patterns.of(each.terms) for each in seen("zone", 40, later, word)]
            assert matched.count(id_) >= 38
        book, news = book.after([*window[later:], *seen("zone", later, later)], 0, 2.0 + later)
        assert news == []
