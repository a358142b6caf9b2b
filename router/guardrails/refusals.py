"""What the caller gets when a guard refuses a request or an answer, or could not check it."""

from router.domain import Guarded, GuardNote
from router.wire.asgi import HeaderList
from router.wire.errors import Refused

BLOCKED = "guardrail_blocked"
FAILED = "guardrail_failed"


class GuardFailed(Exception):
    """A guard could not check a text; the message says why, and quotes nothing of the text."""


class GuardRefused(Refused):
    """A guard refuses. The message names the guard and its rule, and quotes no words."""

    def __init__(self, guard: str, rule: str, *, after: bool, failed: bool = False) -> None:
        what = "the answer" if after else "the request"
        if failed:
            message = (
                f"The guard `{guard}` could not check {what}: {rule}. Nothing passes unchecked "
                "(on_error: block); try again."
            )
            super().__init__(503, FAILED, message)
        else:
            mend = "Ask for something else." if after else "Leave out what the rule forbids."
            message = f"The guard `{guard}` blocks {what}, by its rule `{rule}`. {mend}"
            super().__init__(422 if after else 400, BLOCKED, message)
        self.guard, self.rule = guard, rule
        self.guarded = Guarded()  # what the guards did so far

    @property
    def headers(self) -> HeaderList:
        return guard_headers(self.guarded.notes)


def guard_headers(notes: tuple[GuardNote, ...]) -> HeaderList:
    """`x-waggle-guard-ms` with the time of each guard, and `x-waggle-guard` with what they did."""
    if not notes:
        return []
    ended = (note for note in notes if note.outcome not in ("held", "skipped"))
    times = ", ".join(f"{note.guard}={1000 * note.seconds:.2f}" for note in ended)
    acts = ", ".join(f"{note.guard}={note.outcome}" for note in notes if note.outcome != "passed")
    headers = [(b"x-waggle-guard-ms", times.encode("ascii", "replace"))]
    return [*headers, (b"x-waggle-guard", acts.encode("ascii", "replace"))] if acts else headers
