"""Runs the program written for a request here, without a sandbox: we trust our own programs."""

from typing import Any

from sandbox.contradictions import contradiction
from sandbox.request import read
from sandbox.synthesis import write_program
from sandbox.verify import verify


def computed(text: str, *, seed: int = 1) -> tuple[Any, str]:
    """The result of the program written for a request, and the level of the verification."""
    interpretation = read(text)
    assert interpretation.spec is not None, interpretation.reasons
    assert not contradiction(interpretation.spec)
    program = write_program(interpretation.spec, seed=seed)
    names: dict[str, Any] = {"PARAMS": dict(program.params)}
    exec(program.source, names)  # a program of ours
    return names["result"], verify(interpretation.spec, names["result"]).level
