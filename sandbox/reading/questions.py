"""Takes the words that ask for a probability, and whether the answer is a percentage."""

from dataclasses import dataclass

from sandbox.reading.reader import Reader

QUESTION = frozenset({"question_probability", "probability", "what_share", "what_percent"})


@dataclass(frozen=True, slots=True)
class Question:
    """Whether a probability is asked for, and in percent."""

    wanted: bool
    percent: bool

    @property
    def parameters(self) -> dict[str, object]:
        return {"percent": True} if self.percent else {}


def take_question(reader: Reader) -> Question:
    percent = bool(reader.take_all("what_percent", "as_percent"))
    words = reader.take_all("question_probability", "probability", "what_share")
    reader.take_all("at_random")
    return Question(bool(words) or percent, percent)


def whole(value: float | None) -> bool:
    return value is not None and value == int(value) and value >= 0
