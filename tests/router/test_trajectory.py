"""An agent's request is read by what happened in its session, and by what its users wrote."""

import json

import pytest

from router.request.complexity import PARTS, complexity
from router.request.context import NAMES, NAMES_2, agent_of, context_of, numbers
from router.request.harness import without_reminders
from router.request.reading import reading_of

WEIGHTS = dict.fromkeys(PARTS, 0.5)
CODER = {"role": "system", "content": "You are Claude Code, Anthropic's official CLI for Claude."}
TOOLS = [{"type": "function", "function": {"name": name}} for name in ("Bash", "Edit", "Grep")]


def user(text):
    return {"role": "user", "content": text}


def call(number, name, **arguments):
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": f"c{number}", "type": "function", "function": function}],
    }


def result(number, text):
    return {"role": "tool", "tool_call_id": f"c{number}", "content": text}


def session(*steps, ask="Fix the login test"):
    """The messages of a session whose steps are a tool, its arguments and its result."""
    messages = [CODER, user(ask)]
    for number, (name, arguments, text) in enumerate(steps):
        messages += [call(number, name, **arguments), result(number, text)]
    return messages


def read(messages, **fields):
    return reading_of({"messages": messages, "tools": TOOLS, **fields})


def row_of(reading, cached=0.0):
    return numbers(reading, complexity(reading, WEIGHTS), tagged=False, cached=cached)


FAILS = ("Bash", {"command": "pytest -q"}, "E   assert 1 == 2\n1 failed, 3 passed in 0.2s")
PASSES = ("Bash", {"command": "pytest -q"}, "4 passed in 0.2s")
EDIT = ("Edit", {"file_path": "/a.py", "old_string": "1", "new_string": "2"}, "/a.py was updated.")
MISSES = (
    "Edit",
    {"file_path": "/a.py", "old_string": "7"},
    "<tool_use_error>String to replace not found",
)


def test_what_happened_is_counted_from_the_messages():
    trajectory = read(session(FAILS, EDIT, FAILS, MISSES, MISSES)).trajectory
    assert (trajectory.agent, trajectory.turns, trajectory.calls) == ("edit", 5, 5)
    assert (trajectory.errors, trajectory.errors_in_row, trajectory.repeats) == (2, 2, 1)
    assert (trajectory.edits, trajectory.tests, trajectory.failing_in_row) == (1, "failing", 2)
    assert trajectory.stuck


@pytest.mark.parametrize(
    ("steps", "stuck"),
    [
        ((), False),
        ((FAILS,), False),
        ((FAILS, EDIT, PASSES), False),
        ((FAILS, EDIT, FAILS), True),
        ((MISSES, EDIT), False),
        ((MISSES, MISSES), True),
    ],
)
def test_a_session_is_stuck_if_the_same_thing_fails_again(steps, stuck):
    assert read(session(*steps)).trajectory.stuck is stuck


@pytest.mark.parametrize(
    ("name", "arguments", "text", "is_error"),
    [
        ("Bash", {"command": "make"}, "Exit code 2\nmake: *** [all] Error 1", True),
        ("Bash", {"command": "make"}, "exit code: 0\nerror handling compiled", False),
        ("Bash", {"command": "rg flush_none src"}, "(exit code 1)", False),
        ("Grep", {"pattern": "Error"}, "src/a.py:3: raise ValueError('Error')", False),
        ("Read", {"path": "log"}, "12:00 started\n12:01 Error: refused\nexit code 1", False),
        ("Read", {"path": "nowhere"}, "Error: no such file", True),
        ("lookup", {"id": 7}, '{"ok": false, "error": "no such order"}', True),
        ("shell", {"command": ["ls"]}, '{"output": "a", "metadata": {"exit_code": 2}}', True),
    ],
)
def test_an_error_is_told_from_words_about_errors(name, arguments, text, is_error):
    assert read(session((name, arguments, text))).trajectory.errors == is_error


def test_failing_tests_are_no_error_of_the_tool_and_a_missing_runner_is():
    assert read(session(FAILS)).trajectory.errors == 0
    missing = read(session(("Bash", {"command": "pytest"}, "bash: pytest: command not found")))
    assert (missing.trajectory.errors, missing.trajectory.tests) == (1, "")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<system-reminder>\nDo not mention this.\n</system-reminder>\nFix it", "Fix it"),
        ("<environment_context>\n  <cwd>/w</cwd>\n</environment_context>", ""),
        ("<user_query>\ndebounce this\n</user_query>", "debounce this"),
        ("What does `<system-reminder>x</system-reminder>` mean?",) * 2,
        ("Why is <system-reminder> never closed here?",) * 2,
        ("Your todo list is currently empty. Do not say so.\n\nAdd a test", "Add a test"),
        ("Remind me what my todo list is",) * 2,
        ("Please say what <system-reminder>x</system-reminder> means",) * 2,
        ("```\n<reminder>\nx\n</reminder>\n```\nWhy?",) * 2,
        ("Fix it <system-reminder>no todos</system-reminder>", "Fix it"),
        (
            "<system-reminder>\nThe user sent the following message:\nuse tabs\n\n"
            "Please address this message and continue.\n</system-reminder>",
            "use tabs",
        ),
    ],
)
def test_reminders_go_and_what_users_wrote_stays(text, words):
    assert without_reminders(text) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "[Request interrupted by user for tool use]\nno, use the other one",
            "no, use the other one",
        ),
        ("[Request interrupted by user]", ""),
        ("why does it say [Request interrupted by user]?", None),
        ("This session is being continued from a previous conversation. It was about\n\na.c", ""),
        ("EXECUTION RESULT of [execute_bash]:\ntotal 8\n\n[exit code 0]", ""),
        ("what is an EXECUTION RESULT of [x]?", None),
        ("<linter_errors>\nnone\n</linter_errors>\nnow the footer", "now the footer"),
    ],
)
def test_what_a_harness_puts_before_a_users_words_takes_none_of_them_along(text, words):
    assert without_reminders(text) == (text if words is None else words)


def test_a_harness_that_speaks_last_does_not_hide_the_users_words():
    noise = "<system-reminder>\nThe TodoWrite tool hasn't been used recently.\n</system-reminder>"
    plain = read([*session(FAILS), user("Use the mock clock")])
    noisy = read([*session(FAILS), user("Use the mock clock"), user(noise)])
    assert plain.last_words == noisy.last_words == "Use the mock clock"
    assert context_of(row_of(plain), "", lens=0) == context_of(row_of(noisy), "", lens=0) | {
        "path.tokens": context_of(row_of(plain), "", lens=0)["path.tokens"]
    }


@pytest.mark.parametrize(
    ("ask", "system", "tools", "kind"),
    [
        ("Rename foo to bar", CODER, TOOLS, "edit"),
        ("Where is the port configured?", CODER, TOOLS, "search"),
        ("Make a plan for the migration first", CODER, TOOLS, "plan"),
        ("Your task is to create a detailed summary of the conversation so far", CODER, TOOLS,
         "summarise"),
        ("Please write a 5-10 word title for the following conversation:\n\nUser: hi", None, [],
         "title"),
        ("Start the server", CODER, TOOLS, "other"),
    ],
)  # fmt: skip
def test_kinds_of_agent_requests_are_told_apart(ask, system, tools, kind):
    messages = [user(ask)] if system is None else [system, user(ask)]
    reading = reading_of({"messages": messages, "tools": tools})
    assert reading.trajectory.agent == kind
    assert agent_of(row_of(reading)) == kind
    assert context_of(row_of(reading), "", lens=0)[f"agent={kind}"] == 1.0


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": [user("What is the capital of France?")]},
        {"messages": [user("Recommend a title for my novel about two sisters")]},
        {"messages": [user("What's the weather?")],
         "tools": [{"type": "function", "function": {"name": "get_weather"}}]},
        {"messages": [user("hi"), {"role": "assistant", "content": "Oh"}, user("Plan my day")]},
    ],
)  # fmt: skip
def test_a_request_that_is_no_agents_has_the_context_it_had_before(fields):
    reading = reading_of(fields)
    assert reading.trajectory is None
    assert reading.words == reading.text
    row = row_of(reading)
    assert row[len(NAMES_2) :] == (None,) * (len(NAMES) - len(NAMES_2))
    assert context_of(row, "", lens=0) == context_of(row[: len(NAMES_2)], "", lens=0)


def test_numbers_of_the_session_are_part_of_the_context():
    context = context_of(row_of(read(session(FAILS, EDIT, FAILS)), cached=0.75), "", lens=0)
    assert context["path.failing"] == 1.0
    assert context["path.failing_row"] == pytest.approx(1 / 3, abs=0.001)
    assert context["path.cached"] == 0.75
    assert "path.error" not in context
