"""Measures the hop from a router to a replica and back, of two versions of Waggle in turns.

    python -m experiments.hop.run BEFORE [--seconds 2] [--rounds 5]

BEFORE is a folder with the other version, such as `git worktree add BEFORE 2977543` makes.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from router.deployment.ray_environment import free_ports

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
KINDS = {"json, 1": (1, False), "json, 64": (64, False), "stream, 16": (16, True)}


def started(stack: ExitStack, command: list[str], tree: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": str(tree)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    stack.callback(process.wait)
    stack.callback(process.kill)
    return process


def ask(router: subprocess.Popen[str], load: str) -> dict[str, float]:
    assert router.stdin is not None
    assert router.stdout is not None
    router.stdin.write(load)
    router.stdin.flush()
    measured: dict[str, float] = json.loads(router.stdout.readline())
    return measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before", type=Path, help="a folder with the version to compare with")
    parser.add_argument("--seconds", type=float, default=2.0, help="seconds of each load")
    parser.add_argument("--rounds", type=int, default=5, help="rounds after a warm-up round")
    arguments = parser.parse_args()
    trees = {"before": arguments.before.resolve(), "after": ROOT}
    seen: dict[tuple[str, str], list[dict[str, float]]] = {}
    with ExitStack() as stack:
        (port,) = free_ports(1)
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        upstream = f"{folder}/upstream"
        source = str(HERE.parent / "overhead" / "upstream.c")
        subprocess.run(["cc", "-O2", "-o", upstream, source], check=True)
        started(stack, [upstream, f"{port}:0"], ROOT)
        ends = str(HERE / "ends.py")
        routers = {}
        for name, tree in trees.items():
            replica = started(stack, [sys.executable, ends, "replica", str(port)], tree)
            assert replica.stdout is not None
            address = replica.stdout.readline().strip()
            command = [sys.executable, ends, "router", address, str(replica.pid)]
            routers[name] = started(stack, command, tree)
        for number in range(arguments.rounds + 1):
            for kind, (at_once, streams) in KINDS.items():
                for name, router in routers.items():
                    measured = ask(router, f"{at_once} {arguments.seconds} {int(streams)}\n")
                    if number:
                        seen.setdefault((kind, name), []).append(measured)
    result = {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "python": platform.python_version(),
        "rounds": arguments.rounds,
        "kinds": {
            kind: {
                name: {
                    key: round(statistics.median(run[key] for run in seen[kind, name]), 1)
                    for key in seen[kind, name][0]
                }
                for name in trees
            }
            for kind in KINDS
        },
    }
    (HERE / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    for kind, versions in result["kinds"].items():
        for name, figures in versions.items():
            print(f"{kind:12} {name:7}", *(f"{k} {v:.0f}" for k, v in figures.items()))


if __name__ == "__main__":
    main()
