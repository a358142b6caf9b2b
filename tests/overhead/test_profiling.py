"""The profile divides CPU as the samples say, and the load is what its page describes."""

import json

import pytest

from experiments.overhead.cost import part_of
from experiments.overhead.profiling import functions_of
from experiments.overhead.prompts import PLANS, SLOWLY, bodies, lessons

STACKS = """\
thread (11): MainThread;main (a.py:1);read (a.py:9) 3
thread (11): MainThread;main (a.py:1) 1
thread (12): idle;wait (threading.py:3) 50
"""


def test_a_thread_gets_the_cpu_it_took_however_often_it_was_sampled():
    alone, whole = functions_of(STACKS, {11: 8.0, 12: 0.0})
    assert dict(alone) == {"read (a.py)": 6.0, "main (a.py)": 2.0, "wait (threading.py)": 0.0}
    assert whole["main (a.py)"] == 8.0


def test_a_thread_that_runs_no_python_is_named_as_such():
    alone, _ = functions_of(STACKS, {11: 4.0, 99: 1.5})
    assert alone["threads without Python"] == 1.5


@pytest.mark.parametrize(
    ("command_line", "part"),
    [
        ("ray::SERVE_REPLICA::waggle#router#1478y7le:ServeReplica.__init__", "router"),
        ("ray::ServeReplica:waggle:learner", "learner"),
        ("ray::ServeReplica:waggle-shared-network:network", "backend"),
        ("python -m router.telemetry.keeper /data/telemetry {}", "telemetry keeper"),
        ("/site-packages/ray/core/src/ray/gcs/gcs_server --log_dir=/x", "Ray"),
    ],
)
def test_a_process_belongs_to_the_part_that_its_command_line_names(command_line, part):
    assert part_of(command_line) == part


def test_the_load_has_hundreds_of_different_prompts():
    prompts = {json.loads(body)["messages"][-1]["content"] for body in bodies()}
    assert len(prompts) == len(bodies()) == 480


def test_a_slow_load_asks_the_model_server_to_take_its_time():
    assert all(SLOWLY in body for body in bodies(words=SLOWLY))
    assert not any(SLOWLY in body for body in bodies())


def test_every_plan_is_taught_and_the_dear_one_is_better_on_the_whole():
    scores = [json.loads(line)["scores"] for line in lessons().splitlines()]
    means = [sum(each[plan] for each in scores) / len(scores) for plan in PLANS]
    assert means == sorted(means)
