"""Standards: learned from programs that succeed, shown to half of the authors, and measured."""

import random

import pytest

from router.reuse.programs.drafts import Draft
from router.reuse.programs.figures import LibraryReader
from router.reuse.programs.standards import DraftedProgram, Half, Standards, between, distilled
from router.reuse.solution_store import FILE, SolutionStore
from sandbox.review.traits import SENTENCES, traits
from tests.compute.computing import ScriptedAuthor
from tests.reuse.service import models, rig, settled
from tests.reuse.test_program_library import COUNTED, FIRST, READS, at_rest, rows

READS_REQUEST = "reads the request"


@pytest.fixture
def store(tmp_path):
    store = SolutionStore(tmp_path / "solutions")
    yield store
    store.close()


def drafts(count: int, *, helps: float, seed: int = 1, **more) -> list[Draft]:
    """Programs of which those that read the request succeed more often by `helps`."""
    draw = random.Random(seed)
    made = []
    for n in range(count):
        reads = draw.random() < 0.5
        succeeded = draw.random() < 0.6 + (helps if reads else 0.0)
        names = [READS_REQUEST] if reads else []
        level = "agreed" if succeeded else "none"
        made.append(Draft(f"r{seed}.{n}", "coder", 0, names, succeeded, level, **more))
    return made


def written(store: SolutionStore, made: list[Draft]) -> Standards:
    store.add_lines([draft.line(1.0) for draft in made])
    return store.renew_standards(2.0)


def test_what_separates_programs_that_succeed_becomes_a_sentence(store):
    standards = written(store, drafts(300, helps=0.35))
    assert standards.text == f"- {SENTENCES[READS_REQUEST][0]}"
    assert store.standards() == standards


def test_what_hurts_becomes_the_opposite_sentence(store):
    assert written(store, drafts(300, helps=-0.35)).text == f"- {SENTENCES[READS_REQUEST][1]}"


def test_chance_alone_hardly_ever_makes_a_sentence():
    def by_chance(seed: int) -> Standards:
        draw = random.Random(seed)
        return distilled(
            DraftedProgram(
                frozenset(t for t in SENTENCES if draw.random() < 0.5), draw.random() < 0.6
            )
            for _ in range(150)
        )

    assert sum(bool(by_chance(seed).version) for seed in range(60)) <= 6


def test_the_effect_is_measured_between_the_halves_and_shown_with_an_interval(store, tmp_path):
    version = written(store, drafts(300, helps=0.35)).version
    store.add_lines([
        Draft(f"b{n}", "coder", 0, [], n % 10 < good, "agreed" if n % 10 < good else "none",
              version, shown).line(3.0)
        for good, shown in ((9, True), (6, False)) for n in range(200 * shown, 200 * shown + 200)
    ])  # fmt: skip
    reader = LibraryReader(tmp_path / "solutions" / FILE)
    standards = reader.figures(10).standards
    drafted = reader.rows("program_drafts")
    reader.close()
    assert (standards["shown"]["requests"], standards["not_shown"]["succeeded"]) == (200, 120)
    assert standards["gain"] == pytest.approx(0.3)
    low, high = standards["interval"]
    assert 0.2 < low < 0.3 < high < 0.4
    assert {row["propensity"] for row in drafted if row["standards"]} == {0.5}


def test_a_text_whose_half_does_worse_is_withdrawn_for_good(store):
    version = written(store, drafts(300, helps=0.35)).version
    worse = [
        *(
            Draft(f"s{n}", "coder", 0, [], n % 4 == 0, "none", version, shown=True)
            for n in range(60)
        ),
        *(Draft(f"a{n}", "coder", 0, [], True, "agreed", version) for n in range(60)),
    ]
    assert written(store, worse) == Standards()
    assert store.renew_standards(9.0) == Standards()


def test_the_interval_is_honest_for_few_requests():
    effect = between(Half(2, 2), Half(2, 1))
    assert effect.low < 0 < effect.high


def test_traits_are_named_without_a_word_of_the_request():
    names = traits("import numpy as np\n# secret\nresult = {'answer': {}, 'parameters': {}}", "x")
    assert names <= SENTENCES.keys()
    assert {"uses numpy or scipy", "has comments", "is short"} <= names
    assert traits("result = (", "x") == frozenset()


async def test_half_of_the_requests_are_written_with_the_standards_and_every_draft_has_a_row(data):
    store = SolutionStore(data / "solutions")
    version = written(store, drafts(300, helps=0.35)).version
    async with ScriptedAuthor(READS, COUNTED).listening() as up:
        async with rig(models(data, up.url, authors=True)) as waggle:
            await settled(waggle)
            for uniform, shown in ((0.2, 1), (0.7, 0)):
                waggle.engine.plan_runs.uniform = lambda u=uniform: u
                text = FIRST.replace("bakery", f"bakery {shown}")
                before = len(up.requests)
                await waggle.chat(text)
                await at_rest(waggle)
                system = up.requests[before]["messages"][0]["content"]
                assert (SENTENCES[READS_REQUEST][0] in system) == bool(shown)
                last = rows(waggle, "program_drafts")[-1]
                assert (last["standards"], last["shown"]) == (version, shown)
                assert "bakery" not in str(last)
    store.close()
