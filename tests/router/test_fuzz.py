"""Requests that almost follow the schema of a route get no 5xx, and no late answer."""

import asyncio
import random

from experiments.attack.fuzz import fuzz, shot_of

CASES = 300  # `python -m experiments.attack.fuzz --cases 20000` sends more


def test_no_generated_request_is_answered_with_a_5xx():
    findings = asyncio.run(fuzz(CASES, seed=7))
    assert [str(each) for each in findings if not 200 <= each.status < 500] == []


def test_the_same_seed_sends_the_same_requests():
    shots = [[shot_of(random.Random(seed)) for seed in range(50)] for _ in range(2)]
    assert shots[0] == shots[1]
    assert len({shot.path for shot in shots[0]}) > 5
