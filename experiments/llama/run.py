"""Measures what a real model takes and brings on a bare machine. `make bench-llama`

    python -m experiments.llama.run [--out FILE] [--publish]

Memory is proportional (PSS): what processes share is counted once. pandas, which the environment of
the service does not have, is hidden from it, because Ray would load it in every process.
"""

import argparse
import json
import os
import platform
import tempfile
import time
import tomllib
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from experiments.llama.report import readme_table
from experiments.readme import put
from experiments.served import service
from router.deployment.local_service import find_running
from router.deployment.processes import descendants

HERE = Path(__file__).parent
_SETTLED_SECONDS = 30.0  # by then, the encoder has loaded its model
_ANSWERS = 3
_STORY = "Tell me a story about a bee that found a field of clover."
_FIRST = "What is the capital of France?"
_REPLICA = "ray::ServeReplica"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=HERE / "result.json")
    parser.add_argument("--publish", action="store_true", help="write the table of the README")
    options = parser.parse_args()
    result = measured()
    options.out.write_text(json.dumps(result, indent=2) + "\n")
    print(readme_table(result))
    if options.publish:
        put("llama", readme_table(result))


def measured() -> dict[str, Any]:
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        _hide_pandas(Path(folder))
        begun = time.perf_counter()
        with service() as (url, data):
            ready = time.perf_counter()
            model = _model(url)
            loaded = _settled_memory(data)
        with service() as (_, data):
            idle = _settled_memory(data)
    return {
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "load": round(load, 2),
        "start_seconds": round(ready - begun, 2),
        "model": model,
        "memory_mb": {
            "idle": sum(idle.values()),
            "loaded": sum(loaded.values()),
            "replica": {"before": _of(idle, "smollm2"), "after": _of(loaded, "smollm2")},
            "replicas": _of(idle, _REPLICA),
            "processes": idle,
        },
    }


def _model(url: str) -> dict[str, Any]:
    begun = time.perf_counter()
    first = _ask(url, _FIRST, 32)
    first_seconds = time.perf_counter() - begun
    speeds = []
    for number in range(_ANSWERS):
        begun = time.perf_counter()
        answer = _ask(url, f"{_STORY} It is story {number}.", 200)
        seconds = time.perf_counter() - begun
        speeds.append(answer["usage"]["completion_tokens"] / seconds)
    questions = tomllib.loads((HERE / "questions.toml").read_text())["questions"]
    answers = {question: _text(_ask(url, question, 48, model="small")) for question in questions}
    right = [q for q, words in questions.items() if any(word in answers[q] for word in words)]
    explained = first["usage"]
    return {
        "name": first["model"],
        "first_answer": _text(first),
        "first_seconds": round(first_seconds, 3),
        "load_seconds": _load_seconds(),
        "prompt_tokens": explained["prompt_tokens"],
        "writing": {"least": round(min(speeds), 1), "most": round(max(speeds), 1)},
        "questions": len(questions),
        "right": len(right),
        "answers": answers,
    }


def _load_seconds() -> float:
    """Seconds to load the model once more, in this process."""
    from router.backends.llama_server import LlamaServer
    from router.config.load import EMBEDDED, load

    settings: Any = load(EMBEDDED, {}).backends["smollm2"]
    begun = time.perf_counter()
    server = LlamaServer.start(settings)
    seconds = time.perf_counter() - begun
    server.close()
    return round(seconds, 3)


def _ask(url: str, text: str, most: int, *, model: str = "auto") -> dict[str, Any]:
    body = {"model": model, "messages": [{"role": "user", "content": text}], "max_tokens": most}
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(
        f"{url}/v1/chat/completions", json.dumps(body).encode(), headers
    )
    with urllib.request.urlopen(request, timeout=120) as reply:
        if reply.headers["x-waggle-plan"] != "small":
            raise SystemExit(f"{text!r} was answered by {reply.headers['x-waggle-plan']}")
        answer: dict[str, Any] = json.load(reply)
    return answer


def _text(answer: Mapping[str, Any]) -> str:
    return str(answer["choices"][0]["message"]["content"])


def _hide_pandas(folder: Path) -> None:
    (folder / "pandas.py").write_text("raise ImportError('the service has no pandas')\n")
    before = os.environ.get("PYTHONPATH", "")
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in (str(folder), before) if path)


def _settled_memory(data: Path) -> dict[str, int]:
    time.sleep(_SETTLED_SECONDS)
    running = find_running(data)  # the command writes its record after the service is ready
    assert running is not None
    return _memory(running.pid)


def _memory(pid: int) -> dict[str, int]:
    """The proportional memory of a service's processes in MB, by what they are."""
    return {name: round(kilobytes / 1024) for name, kilobytes in sorted(_processes(pid))}


def _processes(pid: int) -> Iterator[tuple[str, int]]:
    for each in (pid, *descendants(pid)):
        try:
            command = Path(f"/proc/{each}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            lines = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        pss = next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        words = command.split()
        name = command.strip() if command.startswith("ray::") else Path(words[0]).name
        yield f"{name} {each}", pss


def _of(memory: Mapping[str, int], part: str) -> int:
    return sum(megabytes for name, megabytes in memory.items() if part in name)


if __name__ == "__main__":
    main()
