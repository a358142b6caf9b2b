"""The process that forks Ray's workers, as the process that starts Ray sees it."""

import socket
import subprocess
import sys
from pathlib import Path

from router.deployment.processes import end_with_parent

_ZYGOTE = "router.deployment.workers.zygote"
_WAITING = 128
# Ray writes titles over the arguments of a process: they need the room.
_ROOM_FOR_TITLES = " " * 300


class WorkerForks:
    def __init__(self, folder: Path) -> None:
        """`folder` must be closed to other users: who reaches the socket can start processes."""
        self._path = folder / "forks.sock"
        self._path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self._path))
            listener.listen(_WAITING)
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-P", "-m", _ZYGOTE),
                    *(str(listener.fileno()), _ROOM_FOR_TITLES),
                ],
                stdin=subprocess.DEVNULL,
                pass_fds=[listener.fileno()],
                preexec_fn=end_with_parent,
            )

    @property
    def launcher(self) -> list[str]:
        """What stands before the command by which Ray itself starts a worker."""
        program = Path(__file__).with_name("launcher.py")
        return [sys.executable, "-I", "-S", str(program), str(self._path)]
