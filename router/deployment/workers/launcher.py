"""What Ray starts in place of a Python worker: it asks for a fork, and becomes a worker otherwise.

Ray runs this file by its path, with nothing but the standard library: it must end within
milliseconds. The arguments are the path of the socket and the command that starts a worker.
"""

import array
import os
import socket
import sys

_PLAIN = ("--serialized-runtime-env-context={}", "--language=PYTHON")


def main() -> None:
    path, command = sys.argv[1], sys.argv[2:]
    if not (_is_plain(command) and _forked(path, command)):
        os.execv(command[0], command)


def _is_plain(command: list[str]) -> bool:
    """Whether the worker needs no environment of its own, which only Ray's own start sets up."""
    settings = [word for word in command if word.startswith(("--serialized-", "--language="))]
    return all(word in _PLAIN for word in settings)


def _forked(path: str, command: list[str]) -> bool:
    """Whether the process at this socket forked the worker."""
    variables = b"\0".join(name + b"=" + value for name, value in os.environb.items())
    body = b"\0".join(map(os.fsencode, command)) + b"\0\0" + variables
    standard = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", (0, 1, 2)))
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(path)
            connection.sendmsg([len(body).to_bytes(4, "big")], [standard])
            connection.sendall(body)
            return connection.recv(1) == b"f"
    except OSError:
        return False


if __name__ == "__main__":
    main()
