"""The router reads a chat request once and resolves no plan for it: the test counts the calls."""

from experiments.structure.path import chat_request


async def test_a_chat_request_is_read_once_and_no_plan_is_resolved_for_it():
    calls = (await chat_request()).functions
    assert calls["router/request/reading.py", "reading_of"] == 1
    assert calls["router/request/wants.py", "shape_in"] == 1
    assert calls["router/request/text.py", "prompt_text"] == 1
    assert calls["router/request/text.py", "last_user_text"] == 1
    assert calls["router/config/plan_steps.py", "resolved"] == 0
    assert calls["router/plans/compiled.py", "_tree"] == 0
