"""Measures what is read of agents' requests and of what users do next, on cases nobody tuned to.

    make bench-reading

The cases were written by somebody who saw only the words of the task. They are the half that nobody
looked at while the rules were made; the other half is gone.
"""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.readme import put, table
from router.request.harness import without_reminders
from router.request.reading import reading_of
from router.signals.next_step import hashed, next_step
from router.signals.outcomes import ending_of, session_outcome

HERE = Path(__file__).parent
NAMES: Mapping[str, str] = {
    "agent_kind": "what an agent asks for: edit, search, plan, summarise, title, other",
    "reminders": "what the user wrote, without what the harness added",
    "errors_in_a_row": "tool errors in a row",
    "same_call_repeated": "how often the same call was made in a row",
    "edits": "calls that changed files",
    "tests": "whether the last tests passed",
    "outcome": "how a session ended",
    "next_step": "what a user did next",
}
_TOOLS = [{"type": "function", "function": {"name": "Edit"}}]


def cases(name: str) -> list[dict[str, Any]]:
    lines = (HERE / "cases" / f"{name}.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def main() -> None:
    result = measured()
    (HERE / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    put("reading", readme_table(result))
    print(readme_table(result))


def measured() -> dict[str, Any]:
    right: Counter[str] = Counter()
    of: Counter[str] = Counter()

    def count(name: str, read: object, due: object) -> None:
        of[name] += 1
        right[name] += read == due

    for case in cases("agent_kind"):
        tools = [{"type": "function", "function": {"name": name}} for name in case["tools"]]
        fields = {"messages": case["messages"], **({"tools": tools} if tools else {})}
        trajectory = reading_of(fields).trajectory
        count("agent_kind", trajectory.agent if trajectory else "other", case["kind"])
    for case in cases("reminders"):
        count("reminders", without_reminders(case["text"]).strip(), case["user"].strip())
    for case in cases("trajectory"):
        read = _happened(case["messages"])
        for name in ("errors_in_a_row", "same_call_repeated", "edits", "tests"):
            count(name, read.get(name), case[name])
    for case in cases("outcome"):
        trajectory = reading_of({"messages": case["messages"], "tools": _TOOLS}).trajectory
        end = ending_of(case["messages"])
        assert trajectory is not None  # a request with tools is an agent's
        count("outcome", session_outcome(trajectory, end.closing, end.reply), case["outcome"])
    named = named_rightly = 0
    for case in cases("next_step"):
        step = next_step(hashed(case["before"]["user"]), case["after"]) or "none"
        count("next_step", step, case["behaviour"])
        named += step != "none"
        named_rightly += step != "none" and step == case["behaviour"]
    return {
        "right": dict(right),
        "of": dict(of),
        "behaviours": {"named": named, "named_rightly": named_rightly},
    }


def _happened(messages: list[dict[str, Any]]) -> dict[str, Any]:
    trajectory = reading_of({"messages": messages}).trajectory
    if trajectory is None:
        return {}
    return {
        "errors_in_a_row": trajectory.errors_in_row,
        "same_call_repeated": trajectory.repeats + 1 if trajectory.calls else 0,
        "edits": trajectory.edits,
        "tests": trajectory.tests or "none",
    }


def readme_table(result: Mapping[str, Any]) -> str:
    rows = [
        [words, f"{result['right'][name]} of {result['of'][name]}"] for name, words in NAMES.items()
    ]
    behaviours = result["behaviours"]
    share = f"{behaviours['named_rightly']} of {behaviours['named']}"
    rows.append(["the same, where a behaviour was named at all", share])
    return table(["what is read", "rightly"], rows)


if __name__ == "__main__":
    main()
