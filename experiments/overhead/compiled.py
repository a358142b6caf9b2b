"""Measures what mypyc would bring: reading and deciding, compiled and as Python, in turns.

    python -m experiments.overhead.compiled

Compiles `MODULES` in a temporary copy of the last commit, checks that both
copies decide the same about the same requests, and measures both as `deciding.py` does. Writes
`compiled.json`; the share of a router's CPU is that of the last `make bench`.
"""

import argparse
import hashlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from experiments.overhead import deciding
from experiments.readme import ROOT
from router.config.config import Config
from router.plans.compiled import Plans
from router.routing.decide import route

HERE = Path(__file__).parent
NEEDED = 0.25  # of the router's CPU; below it, compiling is not worth its trouble
# Typed and pure, and on the path of a request. Left out is what mypyc cannot compile: `reading`,
# `lens` and `neighbourhoods`, whose classes inherit from Python's or have `__getattr__`.
_ON_THE_PATH = {
    "learner": "decision_tree explore forest policy preference",
    "router/request": (
        "agent_kinds complexity context harness json_body kind_of_value kinds language "
        "nesting outline plain statistical stemming terms "
        "text tool_calls tool_names trajectory wants"
    ),
    "router/routing": "bandit case eligible",
    "router/wire": "header_text native splice sse",
}
MODULES = [
    f"{folder}/{name}.py" for folder, names in _ON_THE_PATH.items() for name in names.split()
]
KINDS = ("short", "long", "agent")
_BUILD = """
import sys
from mypyc.build import mypycify
from setuptools import setup
files = sys.argv.pop().split()
setup(name="compiled", packages=[], py_modules=[],
      ext_modules=mypycify(["--config-file", "pyproject.toml", *files], opt_level="2"))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.answers is not None:
        print(json.dumps(answers(options.answers)))
        return
    with tempfile.TemporaryDirectory(prefix="wm-") as name:
        folder = Path(name)
        plain, compiled = (_copy(folder / each) for each in ("plain", "compiled"))
        built = build(compiled)
        bandit, lens = deciding.learned(
            Plans(Config.model_validate(deciding.settings(embedded=False)))
        )
        (folder / "bandit").write_bytes(bandit)
        (folder / "lens").write_bytes(lens)
        seen = [_answers_of(copy, folder) for copy in (plain, compiled)]
        assert seen[0]["digest"] == seen[1]["digest"], "the compiled copy decides otherwise"
        assert not seen[0]["compiled"], seen[0]
        assert seen[1]["compiled"], seen[1]
        figures = deciding.beside([plain, compiled], folder)
    result = {**built, "same answers": seen[0]["count"], **compare(*figures)}
    (HERE / "compiled.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


def build(checkout: Path) -> dict[str, float]:
    """Compile in place; return what that took."""
    begun, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-c", _BUILD, "build_ext", "--inplace", " ".join(MODULES)]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"mypyc does not compile these modules:\n{done.stdout[-3000:]}{done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "modules": len(MODULES),
        "build seconds": round(time.monotonic() - begun, 1),
        "build CPU seconds": round(cpu, 1),
    }


def answers(inputs: Path) -> dict[str, Any]:
    """What this process decides about many requests, and whether its modules are compiled."""
    texts: list[str] = []
    for embedded in (False, True):
        config = deciding.settings(embedded=embedded) | {"server": {"data": str(inputs / "data")}}
        plans = Plans(Config.model_validate(config))
        parts = ((inputs / each).read_bytes() for each in ("bandit", "lens"))
        decider = deciding.Decider(plans, *parts)
        for kind in KINDS:
            for number, body in enumerate(deciding.bodies(kind, 60, seed=4)):
                request = deciding.request_of(body)
                around = decider.claiming(request)
                decision = route(plans, decider.by, request, around, uniform=number / 60)
                texts.append(repr((request.reading.kinds, decision)))
    module = sys.modules["router.request.context"].__file__ or ""
    digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()
    return {"count": len(texts), "digest": digest, "compiled": module.endswith(".so")}


def compare(plain: dict[str, Any], compiled: dict[str, Any]) -> dict[str, Any]:
    bench = json.loads((HERE / "result.json").read_text())
    router_us = 1e3 * bench["cpu"]["now"]["router"]
    microseconds = {
        kind: [round(sum(each[kind].values()), 1) for each in (plain, compiled)] for kind in KINDS
    }
    saved = {kind: 1 - compiled_ / plain_ for kind, (plain_, compiled_) in microseconds.items()}
    plain_us, compiled_us = microseconds["short"]
    of_router = (plain_us - compiled_us) / router_us
    return {
        "µs of a decision, plain and compiled": microseconds,
        "saved of a decision": {kind: round(share, 3) for kind, share in saved.items()},
        "mean": round(statistics.mean(saved.values()), 3),
        "µs of a router, by the bench": round(router_us),
        "saved of the router": round(of_router, 3),
        "kept": of_router >= NEEDED,
    }


def _copy(folder: Path) -> Path:
    folder.mkdir()
    archive = subprocess.Popen(["git", "archive", "HEAD"], cwd=ROOT, stdout=subprocess.PIPE)
    subprocess.run(["tar", "-x", "-C", str(folder)], stdin=archive.stdout, check=True)
    return folder


def _answers_of(checkout: Path, inputs: Path) -> dict[str, Any]:
    command = [sys.executable, str(HERE / "compiled.py"), "--answers", str(inputs)]
    environment = os.environ | {"PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=checkout, env=environment, stdout=subprocess.PIPE, check=True
    )
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


if __name__ == "__main__":
    main()
