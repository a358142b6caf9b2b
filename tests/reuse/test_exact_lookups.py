"""Exact answers stay in memory between two changes of the file, and no longer than they hold."""

from dataclasses import replace

import pytest

from router.reuse.solution_store import SolutionStore
from tests.reuse.soak import solution

NOW = 1_000_000.0


@pytest.fixture
def stores(tmp_path):
    """Two routers with one file."""
    ours, theirs = SolutionStore(tmp_path), SolutionStore(tmp_path)
    yield ours, theirs
    ours.close()
    theirs.close()


def test_an_exact_answer_is_gone_at_once_when_another_router_forgets_it(stores):
    ours, theirs = stores
    entry = replace(solution("again and again"), expires=NOW + 60)
    ours.add([entry])
    for _ in range(2):
        assert ours.exact(entry.exact, NOW).answer == entry.answer
    theirs.forget(scope=entry.scope)
    assert ours.exact(entry.exact, NOW) is None


def test_an_exact_answer_is_gone_at_once_when_this_router_forgets_it(stores):
    ours, _ = stores
    entry = solution("once")
    ours.add([entry])
    assert ours.exact(entry.exact, NOW) is not None
    ours.forget(scope=entry.scope)
    assert ours.exact(entry.exact, NOW) is None


def test_an_exact_answer_in_memory_expires(stores):
    ours, _ = stores
    entry = replace(solution("for a minute"), expires=NOW + 60)
    ours.add([entry])
    assert ours.exact(entry.exact, NOW) is not None
    assert ours.exact(entry.exact, NOW + 61) is None


def test_an_answer_that_another_router_keeps_is_there_at_once(stores):
    ours, theirs = stores
    entry = solution("by the other")
    assert ours.exact(entry.exact, NOW) is None
    theirs.add([entry])
    assert ours.exact(entry.exact, NOW).answer == entry.answer
