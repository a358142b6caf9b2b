"""What `experiments/growth` counts: what the models were sent, not what growth says of itself."""

from experiments.growth.figures import grown
from experiments.growth.harness import Made, Played, made_in, place_of
from experiments.growth.serving_kills import without_folders


def test_a_world_sees_the_instruction_and_the_examples_of_a_call_and_nothing_else():
    messages = [
        {"role": "system", "content": "Answer in JSON."},
        {"role": "user", "content": "invoice 1"},
        {"role": "assistant", "content": '{"total": 1}'},
        {"role": "user", "content": "invoice 2"},
    ]
    at = place_of(messages, "invoice 2")
    assert at == 3
    made = made_in("small", messages, at)
    assert made == Made("small", "Answer in JSON.", (("invoice 1", '{"total": 1}'),))
    assert place_of(messages, "another request") is None


def test_what_serves_at_the_end_counts_as_grown_and_what_is_only_tried_does_not():
    def served(plan, *, on_trial=False, instruct=""):
        calls = (Made("small", instruct),)
        return Played(0, "sql", plan, "bandit", True, 1.0, 0.0, calls, on_trial)

    tried = [served("p1-made", on_trial=True)] * 50
    plain = [served("small")] * 100
    assert grown([*tried, *plain], ["small"]) == {}
    left = [served("p1-made")] * 30
    assert grown([*left, *plain], ["small"]) == {"p1-made": 30}
    assert grown([*plain, *left], ["small"]) == {"p1-made": -1}
    assert grown([*plain, served("small", instruct="Be brief.")], ["small"]) == {"small, marked": 1}


def test_a_note_of_a_kill_names_no_folder_of_the_machine():
    note = "R /opt/env/bin/python -m router.reuse.pair_model /opt/env/lib/model_v2"
    assert without_folders(note) == "R python -m router.reuse.pair_model model_v2"
