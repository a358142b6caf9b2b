"""Programs of forms run in a locked worker; what the machine does late is not held against them."""

import pytest

from router.engine.form_programs import FormPrograms
from sandbox.function import CallHeldUp, CallTimedOut, Function

SPACE, SOURCES = b"space", {1: "def solve(text):\n    return text.upper()\n"}


@pytest.mark.parametrize(
    ("failures", "answers"),
    [
        ([CallHeldUp] * 5, True),  # the machine was busy
        ([CallTimedOut, None, CallTimedOut, None], True),  # it was slow now and then
        ([CallTimedOut, CallTimedOut], False),  # it is slow
    ],
)
async def test_a_program_is_given_up_only_if_it_is_slow_again_and_again(
    failures, answers, monkeypatch
):
    programs, call = FormPrograms(), Function.call
    left = list(failures)

    def called(self, *arguments, **limits):
        failure = left.pop(0) if left else None
        if failure is not None:
            raise failure("late")
        return call(self, *arguments, **limits)

    monkeypatch.setattr(Function, "call", called)
    await programs.keep(SPACE, SOURCES)
    try:
        for _ in failures:
            programs.answer(SPACE, 1, "word")
        assert programs.answer(SPACE, 1, "word") == ("WORD" if answers else None)
    finally:
        await programs.close()
