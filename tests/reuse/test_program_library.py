"""Programs that models wrote serve other requests: reviewed, revised once, run again, settled."""

import json

import pytest
import yaml

from router.reuse.programs.figures import LibraryReader
from router.reuse.programs.remembered import for_request
from router.reuse.solution import Solution
from tests.compute.computing import ScriptedAuthor
from tests.reuse.service import content, models, rig, settled
from tests.sparing import slow_after
from tests.waiting import until

LOAVES = (
    "A bakery has {} ovens, each bakes {} loaves an hour for {} hours and {}% of them burn. "
    "How many good loaves come out?"
)
FIRST, OTHER = LOAVES.format(3, 40, 7, 5), LOAVES.format(5, 30, 6, 10)
USED = "{'ovens': 3, 'loaves_an_hour': 40, 'hours': 7, 'burnt_percent': 5}"


def program(lines: str, answer: str, used: str = USED) -> str:
    return f"```python\n{lines}\nresult = {{'answer': {answer}, 'parameters': {used}}}\n```"


CLOSED = program("good = 3 * 40 * 7 * 0.95", "{'good_loaves': good}")
COUNTED = program(
    "total = 0\nfor oven in range(3):\n    for hour in range(7):\n        total += 40\n"
    "burnt = total * 5 / 100",
    "{'good_loaves': total - burnt}",
)
OTHERS = program(
    "total = sum(30 for oven in range(5) for hour in range(6))",
    "{'good_loaves': total - total * 10 / 100}",
    "{'ovens': 5, 'loaves_an_hour': 30, 'hours': 6, 'burnt_percent': 10}",
)
READS = program(
    "import re\n"
    "ovens, loaves, hours, burnt = (int(n) for n in re.findall(r'\\d+', PARAMS['request']))",
    "{'good_loaves': ovens * loaves * hours * (100 - burnt) / 100}",
    "{'ovens': ovens, 'loaves_an_hour': loaves, 'hours': hours, 'burnt_percent': burnt}",
)
EXPLAINED = {"x-waggle-explain": "true"}


async def at_rest(waggle) -> None:
    """Wait until the library has reviewed all that was kept."""
    keeping = waggle.engine.replying.keeping
    await until(lambda: not keeping._tasks)
    await settled(waggle)


def rows(waggle, view: str):
    reader = LibraryReader(waggle.engine.recall.memory.store.path)
    try:
        return reader.rows(view)
    finally:
        reader.close()


async def test_a_typed_program_is_revised_and_then_answers_other_numbers_without_its_author(data):
    async with ScriptedAuthor(CLOSED, COUNTED, READS).listening() as up:
        async with rig(models(data, up.url, authors=True)) as waggle:
            first = await waggle.chat(FIRST)
            assert json.loads(content(first)) == {"good_loaves": pytest.approx(798)}
            await at_rest(waggle)
            assert len(up.requests) == 3
            assert "read PARAMS['request']" in up.requests[2]["messages"][-1]["content"]
            answer = await waggle.chat(OTHER, headers=EXPLAINED)
            assert json.loads(content(answer)) == {"good_loaves": pytest.approx(810)}
            assert answer.headers["x-waggle-reuse"] == "reuse"
            assert answer.headers["x-waggle-verified"].startswith("agreed")
            assert len(up.requests) == 3
            await at_rest(waggle)
            reader, typed = rows(waggle, "programs")
            assert (typed["state"], reader["version"], reader["uses"]) == ("deprecated", 2, 1)
            reviews = {
                (r["id"], r["reviewer"]): r["verdict"] for r in rows(waggle, "program_reviews")
            }
            assert reviews[typed["id"], "quality"] == "revise"
            assert reviews[reader["id"], "quality"] == "accept"


@pytest.mark.slow
async def test_a_program_whose_author_does_not_mend_it_serves_no_other_request(data):
    async with ScriptedAuthor(CLOSED, COUNTED, CLOSED, CLOSED, COUNTED).listening() as up:
        async with rig(models(data, up.url, authors=True)) as waggle:
            await waggle.chat(FIRST)
            await at_rest(waggle)
            (kept,) = rows(waggle, "programs")
            assert kept["reviewed"].startswith("failed: quality: revise: it types")
            await waggle.chat(OTHER)
            assert len(up.requests) > 3


async def test_a_model_may_review_programs_and_reject_one(data):
    async with (
        ScriptedAuthor(READS, COUNTED).listening() as up,
        ScriptedAuthor("reject: it forgets the holidays").listening() as judge,
    ):
        config = yaml.safe_load(models(data, up.url, authors=True))
        config["backends"]["judge"] = {"kind": "openai", "base_url": judge.url}
        config["plans"]["compute"]["reviewer"] = "judge"
        async with rig(yaml.safe_dump(config)) as waggle:
            await waggle.chat(FIRST)
            await at_rest(waggle)
            (kept,) = rows(waggle, "programs")
            assert kept["reviewed"] == "failed: model: reject: it forgets the holidays"
            reader = LibraryReader(waggle.engine.recall.memory.store.path)
            totals = reader.figures(1).totals
            reader.close()
            assert (totals["in_use"], totals["rejected"]) == (0, 1)


async def test_the_report_counts_what_reviewers_sent_back_before_the_answer(data):
    unsafe = program("import socket\ngood = 3 * 40 * 7 * 0.95", "{'good_loaves': good}")
    async with ScriptedAuthor(unsafe, READS, COUNTED).listening() as up:
        async with rig(models(data, up.url, authors=True)) as waggle:
            await waggle.chat(FIRST)
            await at_rest(waggle)
            (rejected,) = (row for row in rows(waggle, "program_reviews") if row["id"] is None)
            assert (rejected["reviewer"], rejected["verdict"]) == ("security", "reject")
            assert "imports `socket`" in rejected["reason"]


@pytest.mark.slow
async def test_a_program_whose_review_was_cut_short_is_reviewed_at_the_next_occasion(data):
    async with ScriptedAuthor(READS, COUNTED, READS, OTHERS).listening() as up:
        async with rig(models(data, up.url, authors=True)) as waggle:
            await waggle.chat(FIRST)
            await at_rest(waggle)
            memory = waggle.engine.recall.memory
            (first,) = memory.store.everything("kind = 'program'")
            memory.add_review(first.id, "")  # as after a kill
            await settled(waggle)
            now = waggle.engine.replying.keeping.wall
            waggle.engine.replying.keeping.wall = lambda: now() + 3_600
            await waggle.chat(OTHER)
            await at_rest(waggle)
            reviewed = {row["id"]: row["reviewed"] for row in rows(waggle, "programs")}
            assert reviewed[first.id] == "passed"


async def test_a_later_bad_rating_puts_away_the_program_behind_the_answer(data):
    async with ScriptedAuthor(READS, COUNTED).listening() as up:
        async with rig(models(data, up.url, authors=True)) as waggle:
            first = await waggle.chat(FIRST)
            await at_rest(waggle)
            (kept,) = rows(waggle, "programs")
            assert (kept["state"], kept["reviewed"]) == ("proven", "passed")
            body = {"request_id": first.headers["x-waggle-request-id"], "score": 0.0}
            await waggle.post("/v1/feedback", body)
            await settled(waggle)
            (kept,) = rows(waggle, "programs")
            assert (kept["state"], kept["stars"]) == ("quarantined", 0.0)


@pytest.mark.slow
async def test_of_two_versions_the_one_that_gives_the_figures_of_both_stands_for_both(data):
    """The first program reads one number too few, so another is written for the second request."""
    narrow = READS.replace("(100 - burnt)", "95")
    programs = (narrow, COUNTED, READS, COUNTED.replace("range(3)", "range(5)"))
    async with ScriptedAuthor(*programs, READS).listening() as up:
        async with rig(models(data, up.url, authors=True)) as waggle:
            await waggle.chat(FIRST)
            await at_rest(waggle)
            await waggle.chat(OTHER, headers=EXPLAINED)
            await at_rest(waggle)
            states = {row["id"]: row["state"] for row in rows(waggle, "programs")}
            failures = rows(waggle, "program_failures")
            assert [row["id"] for row in failures] == [min(states)]
            assert list(states.values()).count("proven") == 1


def narrow(kept: int) -> str:
    """A program that is right for one share of burnt loaves alone."""
    return READS.replace("(100 - burnt)", str(kept))


def counted(ovens: int, loaves: int, hours: int, burnt: int) -> str:
    used = f"{{'ovens': {ovens}, 'loaves_an_hour': {loaves}, 'hours': {hours}, "
    return program(
        f"total = sum({loaves} for oven in range({ovens}) for hour in range({hours}))\n"
        f"burnt = total * {burnt} / 100",
        "{'good_loaves': total - burnt}",
        f"{used}'burnt_percent': {burnt}}}",
    )


@pytest.mark.parametrize(
    ("general", "states"),
    slow_after(1, [
        (READS, ["deprecated", "deprecated", "deprecated", "proven"]),
        (narrow(90), ["proven", "proven", "proven"]),  # wrong on two of the three cases
    ]),
)  # fmt: skip
async def test_several_versions_become_one_if_it_passes_all_their_cases(data, general, states):
    baked = ((3, 40, 7, 5), (5, 30, 6, 10), (4, 25, 9, 20))
    written = [text for each in baked for text in (narrow(100 - each[3]), counted(*each))]
    later = (narrow(83), counted(7, 11, 13, 17))
    async with ScriptedAuthor(*written, general, *later, general).listening() as up:
        async with rig(models(data, up.url, authors=True)) as waggle:
            for each in baked:
                await waggle.chat(LOAVES.format(*each))
                await at_rest(waggle)
            assert "Write the one program" in up.requests[6]["messages"][-1]["content"]
            line = sorted(rows(waggle, "programs"), key=lambda row: row["id"])
            assert [row["state"] for row in line] == states
            assert line[-1]["version"] == len(states)
            answer = await waggle.chat(LOAVES.format(7, 11, 13, 17))
            assert json.loads(content(answer)) == {"good_loaves": pytest.approx(830.83)}
            remembered = answer.headers["x-waggle-reuse"] == "reuse"
            assert remembered == (states[-1] == "proven" and len(states) == 4)
            assert (len(up.requests) == 7) == remembered  # nobody had to write again


def kept(request: str, program: str) -> Solution:
    spec = {"kind": "free", "beside": program}
    return Solution("key", b"", b"", "program", request, program=program, spec=spec)


@pytest.mark.parametrize(
    ("request_", "edited"),
    [
        ("Add 21% VAT to 349.90", "price, rate = 349.90, 21"),
        ("add 4% vat to 20.", "price, rate = 20, 4"),
        ("Take 21% VAT out of 349.90", None),
        ("Add 21% tax to 349.90", None),
        ("Add 21% VAT to -349.90", None),
    ],
)
def test_a_program_is_run_only_for_a_request_that_differs_in_numbers(request_, edited):
    typed = "price, rate = 349.90, 21\nresult = price * (1 + rate / 100)\n"
    pair = for_request(kept("Add 21% VAT to 349.90", typed), request_)
    assert (pair and pair[0].splitlines()[0]) == edited


@pytest.mark.parametrize(
    ("stored", "request_", "reading", "typing"),
    [
        ("mean of 1, 2, 3", "mean of 1, 2", True, False),  # the old numbers would be a wrong answer
        ("gcd of 4 and 4", "gcd of 4 and 6", True, False),  # one number would become two
        ('sort "b, a"', 'sort "d, c"', True, False),
        ("what is 3 + 2", "what is 3 - 2", False, False),
        ("3 * (4 + 5)", "3 * 4 + 5", False, False),
        ("is 3 < 4", "is 3 > 4", False, False),
    ],
)
def test_what_is_no_number_for_a_number_needs_a_program_that_reads(
    stored, request_, reading, typing
):
    reads, types = "n = PARAMS['request']\n", "n = 1, 2, 3, 4\n"
    assert (for_request(kept(stored, reads), request_) is not None) == reading
    assert (for_request(kept(stored, types), request_) is not None) == typing
