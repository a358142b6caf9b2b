"""Another user of this machine, played by a child process. Only root can play other users."""

import json
import os
from collections.abc import Callable
from typing import Any

import pytest

NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can play another user")


def as_another_user(action: Callable[[], Any]) -> Any:
    """Run an action as an unprivileged user in a child process, and return its JSON result."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            result = json.dumps(action())
        except BaseException as error:
            result = json.dumps({"failed": repr(error)})
        os.write(write_end, result.encode())
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as answer:
        result = json.loads(answer.read())
    os.waitpid(child, 0)
    assert not (isinstance(result, dict) and "failed" in result), result
    return result


def outcome(attempt: Callable[[], Any]) -> str:
    """The name of the error with which an attempt ends, or `succeeded`."""
    try:
        attempt()
    except OSError as error:
        return type(error).__name__
    return "succeeded"
