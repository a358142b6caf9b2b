"""`python .ci/pip_progress.py LOG ARGUMENT...`: `pip install` with one line of progress.

All that pip prints goes to the log; if pip fails, the log is shown whole.
"""

import subprocess
import sys
import sysconfig
import threading
import time
from pathlib import Path

_LOOK_SECONDS = 0.2
_LINE_SECONDS = 15.0  # between two lines of progress where there is no terminal


class Progress:
    """How far pip is, by the lines it prints and the packages that lie in the environment."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._before = _packages()
        self._collected, self._name = 0, ""
        self._installing = 0

    def read(self, line: str) -> None:
        if line.startswith("Collecting "):
            self._collected += 1
            self._name = line.split()[1]
        elif line.startswith("Requirement already satisfied: "):
            self._collected += 1
        elif line.startswith("Installing collected packages: "):
            self._installing = line.count(",") + 1

    def __str__(self) -> str:
        if self._installing:
            done = max(_packages() - self._before, 0)
            return f"installing: {min(done, self._installing)} of {self._installing} packages"
        return f"downloading: {self._collected} of {self._total} packages {self._name}".rstrip()


def _packages() -> int:
    return sum(1 for _ in Path(sysconfig.get_path("purelib")).glob("*.dist-info"))


def requirements_in(arguments: list[str]) -> int:
    """How many packages pip is asked for: the packages that requirements files name, or one."""
    if "-r" not in arguments:
        return 1
    lines = Path(arguments[arguments.index("-r") + 1]).read_text().splitlines()
    return sum(bool(line.strip()) and line[0] not in "# " for line in lines)  # " ": a digest


def install(log: Path, arguments: list[str]) -> int:
    """Run pip with its output in the log; return pip's exit status."""
    progress = Progress(requirements_in(arguments))
    quiet = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    command = [sys.executable, "-m", "pip", "install", *quiet, *arguments]
    with (
        log.open("a") as file,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as pip,
    ):

        def follow() -> None:
            for line in pip.stdout or ():
                file.write(line)
                progress.read(line)

        following = threading.Thread(target=follow)
        following.start()
        show_while(following, progress)
    return pip.returncode


def show_while(working: threading.Thread, progress: Progress) -> None:
    """Show progress until the thread ends: one changing line of a terminal, or a few lines."""
    terminal = sys.stdout.isatty()
    begun = shown = time.monotonic()
    while working.is_alive():
        working.join(_LOOK_SECONDS)
        now = time.monotonic()
        text = f"{now - begun:4.0f} s  {progress}"
        if terminal:
            sys.stdout.write(f"\r{text}\x1b[K")
        elif now - shown >= _LINE_SECONDS:
            shown = now
            sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    if terminal:
        sys.stdout.write("\r\x1b[K")


def main(arguments: list[str]) -> int:
    log = Path(arguments[0])
    status = install(log, arguments[1:])
    if status:
        sys.stderr.write(f"{log.read_text()}\npip failed: its output is above, and in {log}\n")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
