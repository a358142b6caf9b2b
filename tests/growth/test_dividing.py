"""A pattern is split where quality divides by a term, and hardly ever where it does not."""

import random

from router.growth.dividing import Divider, JudgedTerms, chance_of, nominated, shown
from router.growth.traffic import Traffic
from router.request.patterns import own_terms
from router.request.reading import reading_of
from router.trials.logged import LoggedTelemetry
from tests.telemetry.stored import MINUTE, request, signal

WORDS = range(40)


def answers(count, seed, *, gap=0.0, divides=0):
    """Judged answers of one plan; those to requests with the term `divides` are worse by `gap`."""
    chance = random.Random(seed)
    rows = []
    for _ in range(count):
        terms = frozenset(word for word in WORDS if chance.random() < 0.4)
        good = chance.random() < 0.85 - gap * (divides in terms)
        rows.append(JudgedTerms(terms, good - 0.85))
    return rows


def test_the_term_by_which_quality_divides_is_named_and_shown():
    division = nominated(answers(150, 1, gap=0.5, divides=7))
    assert (division.bucket, division.holding) == (7, True)
    assert shown(answers(150, 2, gap=0.5, divides=7), division, chance_of(10))
    assert not shown(answers(150, 3), division, chance_of(1))


def test_a_pattern_of_one_piece_is_hardly_ever_split():
    splits = nominees = 0
    for stream in range(60):
        test = 0
        for look in range(4):  # as its judged answers double
            size = 60 * 2**look
            nominee = nominated(answers(size, f"{stream} first"))
            if nominee is not None:
                nominees, test = nominees + 1, test + 1
                splits += shown(answers(size, f"{stream} second"), nominee, chance_of(test))
    assert nominees > 5  # so that the second half had to say no
    assert splits <= 1


def test_the_worse_half_of_a_pattern_becomes_a_pattern_of_its_own(requests, watch):
    requests.send(150)
    watch.turn()
    patterns = watch.finding.patterns
    zone = patterns.of(terms_of("flight lands clock denver"))
    rows, signals = [], []
    for n in range(320):
        requests.at += MINUTE
        terms = terms_of(f"{requests.text('zone')} {'daylight' if n % 2 else ''}")
        rows.append(request(requests.at, plan="x", terms=list(terms), pattern=patterns.of(terms)))
        signals.append(signal(rows[-1], float(n % 20 > 15 if n % 2 else n % 20 < 18)))
    requests.stored.write("requests", rows)
    requests.stored.write("signals", signals)
    telemetry = LoggedTelemetry(watch.config.telemetry_folder)
    divider = Divider(watch.finding, telemetry)
    watch.turn()
    divider.turn(Traffic.read(telemetry))
    requests.send(100)
    watch.events.clear()
    patterns = watch.turn()
    ((_, new, state, detail),) = watch.events
    assert (state, detail["out_of"]) == ("split", zone)
    assert patterns.of(terms_of("flight lands clock denver daylight")) == new
    assert patterns.of(terms_of("flight lands clock denver")) == zone
    again = watch.again()
    again.turn()
    assert again.finding.book.tests == 1  # what was tested counts after a kill


def terms_of(text):
    return own_terms(reading_of({"messages": [{"role": "user", "content": text}]}))
