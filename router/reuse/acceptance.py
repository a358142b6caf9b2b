"""Says what accepts a pair of requests, and so which kind of likeness it has. Pure.

Guards only refuse. What they leave open, one of these accepts, or the answer is not reused:
`words`, the same words after a closed list of idle ones; `verifier`, the pair verifier; `asked`, a
backend that was asked whether one answer would serve both. The guards and the verifier know
English: a request in another language has the very same request, and `asked`, only.
"""

from typing import Literal

from router.request.language import language

Acceptor = Literal["words", "verifier", "asked", ""]
GUARDED = frozenset({"en"})


def guarded(stored: str, request: str) -> bool:
    """Whether the guards know the language of both requests."""
    return language(stored) in GUARDED and language(request) in GUARDED
