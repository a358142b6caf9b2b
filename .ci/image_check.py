"""`python .ci/image_check.py FILE`: serves the embedded default, asks, and writes what it answered.

Runs with the Python of the environment that is looked at, and needs nothing beside Waggle. Fails if
the service does not start or does not answer. Python keeps what it compiled on the way, so that a
service that may not write into its environment starts as fast as others. FILE may be left out.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

START_SECONDS, QUIET_SECONDS = 180.0, 15.0
CHAT, VECTORS = "/v1/chat/completions", "/v1/embeddings"
SENTENCES = ["How do bees dance?", "In what way do bees dance?", "日本語 🎉"]
SHAPE = '{"name": "string", "age": "int 18..90"}'


def chat(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "auto", "messages": [{"role": "user", "content": text}], **more}


# What is asked, in this order. The last question is answered by what answered the one before it.
QUESTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "vectors": (VECTORS, {"model": "auto", "input": SENTENCES, "encoding_format": "float"}),
    "computed": (CHAT, chat("What is the mean of [1, 2, 6]?")),
    "documents": (CHAT, chat("What is a false nine?")),
    "records": (CHAT, chat(f"Three customers: {SHAPE}", seed=7)),
    "conversation": (
        CHAT,
        chat("What is the capital of France?", seed=7, temperature=0, max_tokens=24),
    ),
    "reused": (CHAT, chat("Could you give me the mean of [1, 2, 6]?")),
}


def main(arguments: list[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="waggle-") as folder, served(Path(folder)) as service:
        seen = {"ready_seconds": service.ready_seconds, "idle": service.memory()}
        begun = time.monotonic()
        seen["answers"] = {name: service.ask(*asked) for name, asked in QUESTIONS.items()}
        seen["answer_seconds"] = time.monotonic() - begun
        seen["after_answers"] = service.memory()
        seen["loaded"] = service.loaded(("libtorch", "onnxruntime", "xllamacpp"))
    for name, answer in seen["answers"].items():
        sys.stdout.write(f"   {name}: {answer['status']} {answer['plan']} {answer['shown']:.60}\n")
    if arguments:
        Path(arguments[0]).write_text(json.dumps(seen, indent=1) + "\n")
    bad = [name for name, answer in seen["answers"].items() if answer["status"] >= 500]
    sys.exit(f"not answered: {', '.join(bad)}" if bad else 0)


class Service:
    def __init__(self, process: "subprocess.Popen[bytes]", url: str) -> None:
        self.process, self.url, self.ready_seconds = process, url, 0.0

    def ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        head = {"content-type": "application/json"}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), head)
        try:
            with urllib.request.urlopen(request, timeout=120) as response:
                status, headers, answer = response.status, response.headers, json.load(response)
        except urllib.error.HTTPError as error:
            status, headers, answer = error.code, error.headers, json.load(error)
        if "data" in answer:
            content: Any = [row["embedding"] for row in answer["data"]]
        elif "choices" in answer:
            content = answer["choices"][0]["message"]["content"]
        else:
            content = answer["error"]["code"]
        plan = headers.get("x-waggle-plan", "")
        return {"status": status, "plan": plan, "content": content, "shown": str(content)}

    def family(self) -> list[int]:
        """The service's process and its descendants."""
        children: dict[int, list[int]] = {}
        for entry in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError, IndexError):
                parent = int(entry.read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.parent.name))
        family = [self.process.pid]
        for pid in family:
            family += children.get(pid, ())
        return family

    def memory(self) -> dict[str, float]:
        """The memory of all processes, once it has not moved for a while: PSS, in MB."""
        before, since = 0.0, time.monotonic()
        while time.monotonic() - since < QUIET_SECONDS:
            time.sleep(1)
            now, processes = self._pss()
            if abs(now - before) > 0.01 * now:
                before, since = now, time.monotonic()
        return {"pss_mb": round(now, 1), "processes": processes}

    def _pss(self) -> tuple[float, int]:
        total, processes = 0, 0
        for pid in self.family():
            with contextlib.suppress(OSError):
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
                total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
                processes += 1
        return total / 1024, processes

    def loaded(self, libraries: tuple[str, ...]) -> dict[str, int]:
        """In how many of its processes each library is loaded."""
        counts = dict.fromkeys(libraries, 0)
        for pid in self.family():
            with contextlib.suppress(OSError):
                maps = Path(f"/proc/{pid}/maps").read_text()
                for library in libraries:
                    counts[library] += library in maps
        return counts


@contextlib.contextmanager
def served(folder: Path) -> Iterator[Service]:
    """A service of the embedded default, whose data and temporary files lie in `folder`."""
    port, pages = free_ports(2)
    command = [str(Path(sys.executable).with_name("waggle")), "serve", "--port", str(port)]
    default = subprocess.run(
        [sys.executable, "-c", "from router.config.load import EMBEDDED; print(EMBEDDED)"],
        cwd=folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    text = Path(default.stdout.strip()).read_text()
    (folder / "waggle.yaml").write_text(f"dashboard: {{port: {pages}}}\n{text}")
    log = folder / "serve.log"
    with log.open("wb") as file:
        process = subprocess.Popen(command, cwd=folder, stdout=file, stderr=file, env=_clean())
    begun = time.monotonic()
    service = Service(process, f"http://127.0.0.1:{port}")
    try:
        while not _ready(service.url):
            if process.poll() is not None or time.monotonic() - begun > START_SECONDS:
                sys.exit(f"the service did not start:\n{log.read_text()}")
            time.sleep(0.2)
        service.ready_seconds = round(time.monotonic() - begun, 1)
        yield service
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def _clean() -> dict[str, str]:
    """The environment without the paths of another checkout."""
    settings = os.environ  # noqa: TID251 - a script of the build, not of the service
    return {name: value for name, value in settings.items() if name != "PYTHONPATH"}


def _ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(url + "/health/ready", timeout=5) as response:
            return bool(json.load(response)["status"] == "ready")
    except (OSError, ValueError):
        return False


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


if __name__ == "__main__":
    main(sys.argv[1:])
