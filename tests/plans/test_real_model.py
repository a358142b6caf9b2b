"""The patterns run with a real model: SmolLM2-135M-Instruct, the one that is packaged.

A scripted model shows that a pattern does what its script wants. These tests show that the prompts,
the logprobs and the replies of a model that nobody scripted fit the patterns. How well so small a
model judges is not claimed.
"""

import pytest

from tests.rig import rig
from tests.router.scripted import steps_of, text_of

FRANCE = "What is the capital of France?"
BACKENDS = """
backends:
  m: {kind: llama, model: packaged:smollm2, system: "", context_window: 1024, max_new_tokens: 24}
"""


def plan(text):
    return f"{BACKENDS}plans:\n  p: {text}\n"


@pytest.mark.parametrize(("sure", "steps"), [(0.05, 1), (0.999, 2)])
async def test_a_cascade_goes_on_where_the_models_own_probabilities_are_too_low(sure, steps):
    second = '{ask: m, system: "Answer in one word."}'
    text = f"{{cascade: [m, {second}], accept: {{probability: {sure}}}}}"
    async with rig(plan(text)) as waggle:
        answer = await waggle.chat(FRANCE, model="p")
        assert answer.status == 200
        assert "Paris" in text_of(answer)
        assert len(steps_of(waggle)) == steps
        assert answer.json["choices"][0].get("logprobs") is None


async def test_a_models_entropy_is_read_from_its_own_alternatives():
    async with rig(plan("{cascade: [m, m], accept: {entropy: 9.9}}")) as waggle:
        answer = await waggle.chat(FRANCE, model="p")
        assert "Paris" in text_of(answer)
        assert [step[0] for step in steps_of(waggle)] == ["cascade.0"]


async def test_a_judge_that_nobody_scripted_gives_a_grade_that_is_read():
    """Without a readable grade the next rung would be asked; with a grade of 0, too."""
    judge = BACKENDS + '  j: {kind: llama, model: "packaged:smollm2", context_window: 1024}\n'
    text = f"{judge}plans:\n  p: {{cascade: [m, m], accept: {{judge: j, least: 0}}}}\n"
    async with rig(text) as waggle:
        answer = await waggle.chat(FRANCE, model="p")
        assert "Paris" in text_of(answer)
        assert [step[:2] for step in steps_of(waggle)] == [
            ("cascade.0", "m"),
            ("accept.judge", "j"),
        ]


@pytest.mark.slow
async def test_a_vote_of_two_systems_and_a_bare_model_elects_what_most_say():
    systems = ("Answer the question in one short sentence.", "Answer truthfully and briefly.")
    voters = ", ".join(f'{{ask: m, system: "{system}"}}' for system in systems)
    async with rig(plan(f"{{fan_out: [m, {voters}], merge: vote}}")) as waggle:
        answer = await waggle.chat(FRANCE, model="p")
        assert text_of(answer) == "The capital of France is Paris."
        assert len(steps_of(waggle)) == 3


@pytest.mark.slow
async def test_a_reviewer_that_nobody_scripted_reads_the_conversation():
    async with rig(plan("{review: {draft: m, reviewer: m, max: 0}}")) as waggle:
        answer = await waggle.chat(FRANCE, model="p")
        assert "Paris" in text_of(answer)
        assert [step[0] for step in steps_of(waggle)] == ["review.draft", "review.reviewer"]
        assert answer.headers.get("x-waggle-partial") != "unreviewed"  # its grade was read
