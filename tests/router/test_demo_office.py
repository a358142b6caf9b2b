"""The stream of `waggle demo --weeks`, and how its weeks are shown."""

import subprocess
import sys
from xml.etree import ElementTree

from router.demo.eras import conclusion, picture, story
from router.demo.office import REPEATS, Office
from router.demo.office_texts import FAMILIES, HOUSE


def test_repeats_rise_from_an_eighth_to_nine_tenths():
    office = Office(24, 100, seed=3)
    requests = list(office.requests())
    shares = [
        sum(r.how in REPEATS for r in requests if r.week == week) / 100 for week in (1, 12, 24)
    ]
    assert abs(shares[0] - 0.12) <= 0.02
    assert shares[0] < shares[1] < shares[2]
    assert abs(shares[2] - 0.92) <= 0.03
    assert requests == list(Office(24, 100, seed=3).requests())


def test_the_very_same_request_came_before_and_no_other_request_came_twice():
    earlier = set()
    for request in Office(8, 100, seed=1).requests():
        assert (request.text in earlier) == (request.how == "exact")
        earlier.add(request.text)


def test_a_near_miss_has_another_answer_than_what_it_looks_like():
    for family in FAMILIES.values():
        if family.twin:
            assert FAMILIES[family.twin].twin == family.name
            assert FAMILIES[family.twin].calculation != family.calculation
    assert all(question.near_answer != question.answer for question in HOUSE)


def row(week: int, reuse: float, events: list[str]):
    return {
        "week": week,
        "serving": "always-large",
        "paths": {"large": 1 - reuse, "program": reuse},
        "quality": 0.95,
        "usd_per_1k": 1 - reuse,
        "premium_usd_per_1k": 1.0,
        "reuse_of_repeats": reuse,
        "wrong_near": 0,
        "events": events,
    }


def test_the_picture_marks_the_weeks_in_which_something_went_back():
    rows = [row(1, 0.1, []), row(2, 0.9, ["rolled back: 2 kept answers <&>"])]
    drawing = ElementTree.fromstring(picture(rows))
    titles = [element.text for element in drawing.iter("{http://www.w3.org/2000/svg}title")]
    assert titles == ["week 2: rolled back"]
    assert "Repeats from the library: 10% → 90%" in conclusion(rows)
    assert "100%" not in conclusion(rows)
    assert "rolled back: 1 (week 2: rolled back: 2 kept answers" in conclusion(rows)


def test_each_era_is_told_with_the_strategy_that_went_back():
    rows = [row(1, 0.1, []), row(2, 0.5, []), row(3, 0.9, [])]
    rows[1]["serving"] = "mid-first"
    rows[2]["events"] = ["mid-first: adopted → rolled back (quality fell)"]
    assert [line.split(":")[0] for line in story(rows)] == [
        "week 1, always-large",
        "week 2, mid-first",
        "week 3, always-large",
    ]
    assert "rolled back: 1 (week 3: mid-first" in conclusion(rows)


_INTERRUPTED = """
import sys
import router.demo.eras
from router.cli.main import main

def eras(*_, **__):
    raise KeyboardInterrupt

router.demo.eras.eras = eras
sys.argv = ["waggle", "demo", "--weeks", "5", "--data", sys.argv[1]]
main()
"""


def test_ctrl_c_says_where_the_weeks_so_far_are_and_nothing_else(tmp_path):
    command = [sys.executable, "-c", _INTERRUPTED, str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 130
    words = " ".join(run.stderr.split())
    assert words.startswith("Stopped. What was played is in ")
    assert words.endswith("until the next demo.")
