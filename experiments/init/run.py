"""Measures `waggle init` and `waggle serve` up to the first answer, beside scripted providers.

    make bench-init

Three providers of the cloud and a local server are scripted on this machine, and answer at once.
The two commands run as a user runs them; OpenAI's own client asks as soon as the port listens.
"""

import json
import os
import platform
import signal
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openai

from experiments.init.report import readme_table
from experiments.readme import put
from experiments.served import WAGGLE
from router.config.load import load
from tests.discovery import dialects
from tests.serve.running import UpstreamThread

HERE = Path(__file__).parent
ROUNDS = 3
DEADLINE = 120.0


def main() -> None:
    background, before = UpstreamThread(), os.getloadavg()[0]
    try:
        variables = scripted(background)
        rounds = [one_round(variables) for _ in range(ROUNDS)]
    finally:
        background.close()
    result = {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "load": [round(each) for each in (before, os.getloadavg()[0])],
        "rounds": ROUNDS,
        "seconds": {
            name: spread([each["seconds"][name] for each in rounds])
            for name in rounds[0]["seconds"]
        },
        **{name: rounds[-1][name] for name in ("backends", "plans", "edits", "answer", "plan")},
    }
    (HERE / "result.json").write_text(json.dumps(result, indent=2) + "\n")
    put("init", readme_table(result))
    print(json.dumps(result, indent=2))


def spread(values: list[float]) -> dict[str, float]:
    return {"median": round(statistics.median(values), 1), "most": round(max(values), 1)}


def scripted(background: UpstreamThread) -> dict[str, str]:
    """The environment of a person with three keys and Ollama."""

    def base(script: Any) -> str:
        return str(background.upstream(script).url.removesuffix("/v1"))

    return {
        "OPENAI_API_KEY": dialects.KEY,
        "OPENAI_BASE_URL": base(dialects.openai()) + "/v1",
        "ANTHROPIC_API_KEY": dialects.KEY,
        "ANTHROPIC_BASE_URL": base(dialects.anthropic()),
        "GEMINI_API_KEY": dialects.KEY,
        "GOOGLE_GEMINI_BASE_URL": base(dialects.gemini()),
        "OLLAMA_HOST": base(dialects.ollama()),
    }


def one_round(variables: Mapping[str, str]) -> dict[str, Any]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**os.environ, **variables}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "waggle.yaml"
        begun = time.monotonic()
        subprocess.run([WAGGLE, "init", "--yes"], cwd=folder, env=environment, check=True)
        written = time.monotonic()
        text = file.read_bytes()
        command = [str(WAGGLE), "serve", "--port", str(port)]
        running = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
        try:
            answer, headers = first_answer(f"http://127.0.0.1:{port}/v1", running)
            answered = time.monotonic()
        finally:
            running.send_signal(signal.SIGINT)
            running.wait(60)
        config = load(file, environment)
        return {
            "seconds": {
                "`waggle init`": written - begun,
                "`waggle serve` to the first answer": answered - written,
                "together": answered - begun,
            },
            "backends": len(config.backends),
            "plans": len(config.plans),
            "edits": int(file.read_bytes() != text),
            "answer": answer,
            "plan": headers,
        }


def first_answer(url: str, running: "subprocess.Popen[bytes]") -> tuple[str, str]:
    """The first answer to `auto`, and the plan that gave it."""
    deadline = time.monotonic() + DEADLINE
    with openai.OpenAI(base_url=url, api_key="none", max_retries=0) as client:
        while time.monotonic() < deadline and running.poll() is None:
            try:
                raw = client.chat.completions.with_raw_response.create(
                    model="auto",
                    messages=[{"role": "user", "content": "What is the capital of France?"}],
                )
            except (openai.APIConnectionError, openai.APIStatusError):
                time.sleep(0.1)
                continue
            return str(raw.parse().choices[0].message.content), raw.headers["x-waggle-plan"]
    raise SystemExit(f"no answer within {DEADLINE:g} s")


if __name__ == "__main__":
    main()
