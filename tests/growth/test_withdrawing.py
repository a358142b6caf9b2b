"""What a made plan answered leaves memory when the plan is undone."""

import pytest

from router.growth.withdrawing import Withdrawal
from router.reuse.lifecycle import Rating
from router.reuse.solution import Solution
from router.reuse.solution_store import SolutionStore
from router.trials.director import Director
from router.trials.made_trials import adopt_made, end_by_hand, go_back, make
from tests.fakes import MemoryJournal
from tests.growth.test_made_plans import STEPS, config_in


class Memory:
    """The memory of a service, as a router writes to it."""

    def __init__(self, config):
        self.store = SolutionStore(config.reuse_folder)

    def keep(self, plan, n, **more):
        usual = {"state": "proven", "expires": 1e12, "plan": plan, "request_id": f"{plan}-{n}"}
        exact = f"{n:16}".encode()
        self.store.add([Solution("key", b"s", exact, "text", "words", "answer", **usual | more)])

    def answers(self, n):
        solution = self.store.exact(f"{n:16}".encode(), 1.0)
        return solution.plan if solution is not None else ""


@pytest.fixture
def director(tmp_path):
    director = Director(config_in(tmp_path), MemoryJournal(), lambda: 1.0)
    director.change(make, STEPS, 1.0, waits=False, alpha=0.05, most=400)
    director.change(adopt_made, director.book.trial(STEPS.name), 2.0, "it is better")
    return director


@pytest.fixture
def memory(director):
    memory = Memory(director.book.config)
    memory.keep(STEPS.name, 1)
    memory.keep("x", 2)
    yield memory
    memory.store.close()


def undone_by_the_watch(director):
    director.change(go_back, STEPS.name, 3.0, "its control does better")


def undone_by_a_person(director):
    director.change(end_by_hand, STEPS.name, 3.0, "forbidden")


@pytest.mark.parametrize("undo", [undone_by_the_watch, undone_by_a_person])
def test_what_an_undone_plan_answered_serves_nobody(director, memory, undo):
    withdrawal = Withdrawal(director.book.config, lambda: 3.0)
    withdrawal.turn(director.book)
    assert memory.answers(1) == STEPS.name
    undo(director)
    withdrawal.turn(director.book)
    assert memory.answers(1) == ""
    assert memory.answers(2) == "x"


def test_an_answer_that_was_under_way_is_not_certified_later(director, memory):
    now = [3.0]
    withdrawal = Withdrawal(director.book.config, lambda: now[0])
    undone_by_the_watch(director)
    withdrawal.turn(director.book)
    memory.keep(STEPS.name, 3, state="unproven")
    now[0] += 60.0
    withdrawal.turn(director.book)
    memory.store.judge([Rating(f"{STEPS.name}-3", 1.0, 1.0, "app")], expires=1e12)
    assert not memory.store.prove(3, "words", "answer")


def test_a_kill_between_the_undoing_and_the_withdrawal_loses_nothing(director, memory):
    undone_by_the_watch(director)
    much_later = Withdrawal(director.book.config, lambda: 1e6)  # a new process
    much_later.turn(director.book)
    assert memory.answers(1) == ""
