"""How far a lesson is, in a file of its own: what was tried last, on how much, and why it ended."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import orjson

from router.files import write_durably

STATE = "state.json"


class Note(Protocol):
    def __call__(self, kind: str, subject: str, state: str, **detail: Any) -> None: ...


@dataclass(frozen=True, slots=True)
class LessonState:
    """`rows` and `since` are those of the last try: good answers, and from when on they counted."""

    name: str
    place: str = ""  # the task or the pattern that it is about, as made plans name it
    state: str = "waiting"
    why: str = ""
    at: float = 0.0  # when the state began
    tried_at: float = 0.0  # when the last training began; 0: never
    rows: int = 0
    since: int = 0  # microseconds
    model: str = ""  # the version that was made last
    promoted: str = ""  # the version that was promoted here last, while its plan is adopted
    trigger: str = ""  # why the last training began
    changed_at: float = 0.0  # when an audit found that its model and its teacher differ, last

    def now(self, state: str, at: float, **changed: Any) -> "LessonState":
        return replace(self, state=state, at=at, **changed)


def state_in(folder: Path, name: str) -> LessonState:
    """The state of a lesson; a file that is missing or damaged means that nothing was tried."""
    try:
        fields = orjson.loads((folder / name / STATE).read_bytes())
        return LessonState(**fields)
    except (OSError, orjson.JSONDecodeError, TypeError):
        return LessonState(name)


def keep_state(folder: Path, state: LessonState) -> None:
    (folder / state.name).mkdir(parents=True, exist_ok=True, mode=0o700)
    content = orjson.dumps(asdict(state), option=orjson.OPT_INDENT_2)
    write_durably(folder / state.name / STATE, content)


@dataclass(frozen=True, slots=True)
class LessonStates:
    """The states of all lessons: each change is in its file, and in telemetry."""

    folder: Path
    wall: Callable[[], float]
    note: Note

    def of(self, name: str) -> LessonState:
        return state_in(self.folder, name)

    def become(self, before: LessonState, state: str, why: str, **changed: Any) -> None:
        after = before.now(state, self.wall(), why=why, **changed)
        keep_state(self.folder, after)
        facts = {"model": after.model, "trigger": after.trigger, "rows": after.rows}
        self.note("lesson", after.name, state, why=why, **facts)


def states_in(folder: Path) -> list[LessonState]:
    names = sorted(path.parent.name for path in folder.glob(f"*/{STATE}"))
    return [state_in(folder, name) for name in names]
