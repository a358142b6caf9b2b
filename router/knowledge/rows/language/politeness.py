"""Takes away what a question says only to be polite: `mind telling me`. Pure."""

import re

_OPENING = re.compile(
    r"^(?:(?:could|can|would|will|might) (?:you|i|we) )?(?:please |possibly |kindly )?"
    r"(?:mind|be able to|be so kind as to) "
    r"(?:tell|telling|let|letting|find out|finding out|work out|working out)"
    r"(?: me| us)?(?: know)?[,:]? ",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"[ ,]+(?:if you (?:do not|don't|wouldn't|would not) mind|if it's no trouble"
    r"|if that's (?:ok|okay|possible|alright)|when you get a (?:chance|minute|moment)"
    r"|si no (?:te|le) importa|si no es molestia)(?=[?.! ]*$)",
    re.IGNORECASE,
)


def without_politeness(question: str) -> str:
    """The question without a polite opening and closing, unless nothing else is left."""
    rest = _OPENING.sub("", _CLOSING.sub("", question))
    return rest if rest.strip(" ?.!") else question
