"""What isolation costs, and what it holds. `make bench-sandbox`"""

import argparse
import asyncio
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.progress import Progress

from experiments.readme import put
from experiments.sandbox.report import readme_table
from sandbox.function import Function
from sandbox.levels import best_level, open_pool
from sandbox.pool import Pool
from sandbox.runner import Limits, Program, Run, Tier
from sandbox.supervisor.frames import json_value
from tests.sandbox.benign import PROGRAMS
from tests.sandbox.test_hostile import NOBODY, python_for

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
TRIVIAL = Program("result = 6 * 7")
NUMPY = Program(
    "import numpy as np\nrng = np.random.default_rng()\n"
    "result = {name: rng.normal(35, 12, 1000) for name in 'abc'}"
)
ROUTE = """
def route(context, arms):
    hard = 0.5 * context["complexity"] / 10 + 0.5 * context["length"]
    weights = {arm: 1.0 / (1 + abs(i / len(arms) - hard)) for i, arm in enumerate(arms)}
    total = sum(weights.values())
    return {arm: weight / total for arm, weight in weights.items()}
"""


async def latencies(pool: Pool, program: Program, count: int) -> dict[str, float]:
    """A run at a time, with a pause in which the next worker gets ready."""
    taken = []
    for _ in range(count):
        begun = time.perf_counter()
        run = await pool.run(program)
        taken.append(1000 * (time.perf_counter() - begun))
        assert run.ok, run
        await asyncio.sleep(0.01)
    taken.sort()
    return {"p50_ms": statistics.median(taken), "p99_ms": taken[int(0.99 * len(taken))]}


async def throughput(pool: Pool, program: Program, count: int) -> float:
    begun = time.perf_counter()
    await asyncio.gather(*(pool.run(program) for _ in range(count)))
    return count / (time.perf_counter() - begun)


async def first_results(level: int) -> dict[str, Any]:
    """From nothing: the zygote started, and its first program run; and from the zygote being
    ready."""
    told = {}
    tiers: tuple[tuple[Tier, str], ...] = (
        ("stdlib", "result = 1"),
        ("numpy", "import numpy as np\nresult = np.ones(3)"),
        ("scipy", "from scipy import stats\nresult = stats.norm.cdf(1)"),
    )
    for tier, source in tiers:
        from_nothing, from_ready = [], []
        for _ in range(5):
            pool = Pool(level)
            begun = time.perf_counter()
            await pool.start((tier,))
            ready = time.perf_counter()
            assert (await pool.run(Program(source))).ok
            from_nothing.append(1000 * (time.perf_counter() - begun))
            from_ready.append(1000 * (time.perf_counter() - ready))
            await pool.close()
        told[tier] = {
            "from_nothing_ms": statistics.median(from_nothing),
            "from_ready_ms": statistics.median(from_ready),
        }
    return told


async def calls(pool: Pool, count: int) -> dict[str, float]:
    function = Function(pool, ROUTE)
    await function.open()
    taken = []
    context = {"complexity": 4.2, "length": 0.3, "code": 0.0}
    for _ in range(count):
        begun = time.perf_counter()
        function.call(context, ["cheap", "middle", "dear"], seconds=0.05)
        taken.append(1e6 * (time.perf_counter() - begun))
    function.close()
    taken.sort()
    return {"p50_us": statistics.median(taken), "p99_us": taken[int(0.99 * count)]}


def siege(level: int, user: int) -> dict[str, Any]:
    """Our own hostile programs, as `tests/sandbox/siege.py` runs them."""
    who: dict[str, Any] = {}
    if user != os.geteuid():
        who = {"user": user, "group": user, "extra_groups": []}
    command = [*python_for(who), "-m", "tests.sandbox.siege", str(level)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, **who)
    told = json.loads(done.stdout)
    held = sum(end["as_expected"] and not end["leaked"] for end in told["endings"])
    clean = told["outside_unchanged"] and told["victim_alive"] and told["nobody_connected"]
    return {"tried": len(told["endings"]), "contained": held, "machine_as_before": clean}


async def handed_over(level: int, folder: Path) -> dict[str, Any]:
    """The programs of a folder with a manifest that says what must hold after each."""
    cases = json.loads((folder / "manifest.json").read_text())["cases"]
    failed = []
    with tempfile.TemporaryDirectory(dir="/var/tmp") as base:
        secret = Path(base, "secret")
        secret.write_text("canary-1f2e")
        Path(base).chmod(0o777)
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setblocking(False)
        closed = socket.create_server(("127.0.0.1", 0))
        bind_port = closed.getsockname()[1]
        closed.close()
        victim = subprocess.Popen(["sleep", "600"])
        params = {
            "secret_file": str(secret),
            "supervisor_pid": os.getpid(),
            "victim_pid": victim.pid,
            "outside_dir": base,
            "tcp_port": listener.getsockname()[1],
            "udp_port": listener.getsockname()[1],
            "unix_path": str(Path(base, "socket")),
            "abstract": "nobody-listens",
            "bind_port": bind_port,
        }
        pool = Pool(level, at_once=1)
        try:
            for case in cases:
                source = (folder / case["code"]).read_text()
                limits = Limits(wall_seconds=case["wall"])
                begun = time.perf_counter()
                run = await pool.run(Program(source, params), limits)
                late = time.perf_counter() - begun > case["wall"] + 0.5
                after = await pool.run(TRIVIAL)
                fine = _held(case, run, after, late=late)
                fine = fine and secret.read_text() == "canary-1f2e"
                fine = (
                    fine
                    and victim.poll() is None
                    and [e.name for e in Path(base).iterdir()] == ["secret"]
                )
                if not fine:
                    failed.append([case["name"], run.status])
        finally:
            await pool.close()
            listener.close()
            victim.kill()
            victim.wait()
    return {"tried": len(cases), "contained": len(cases) - len(failed), "failed": failed}


def _held(case: dict[str, Any], run: Run, after: Run, *, late: bool) -> bool:
    told = json_value(run.result)
    breached = isinstance(told, dict) and told.get("breached") is True
    words = json.dumps([told, run.stdout, run.error, run.trace])
    fine = not breached and not late and after.result == 42 and "canary-1f2e" not in words
    if "status_not_ok" in case["checks"]:
        fine = fine and not run.ok
    if "stdout_bounded" in case["checks"]:
        fine = fine and len(run.stdout) <= Limits().stdout_bytes
    if "mem_bounded" in case["checks"]:
        fine = fine and run.peak_bytes < 3 << 29
    return fine


async def measured(hostile: Path, quick: bool) -> dict[str, Any]:
    level, _ = await best_level()
    rounds = 50 if quick else 400
    result: dict[str, Any] = {"machine": f"{os.cpu_count()} cores, {platform.machine()}"}
    with Progress() as progress:
        task = progress.add_task("speed", total=5)
        pool = await open_pool(min_level=1, queue=1000)
        await pool.start()
        result["level"] = level
        result["trivial"] = await latencies(pool, TRIVIAL, rounds)
        progress.advance(task)
        result["numpy"] = await latencies(pool, NUMPY, rounds)
        progress.advance(task)
        result["numpy_per_second"] = max([await throughput(pool, NUMPY, 200) for _ in range(3)])
        progress.advance(task)
        result["function"] = await calls(pool, 20 * rounds)
        progress.advance(task)
        ran = [await pool.run(Program(source)) for source in PROGRAMS]
        result["benign"] = {"tried": len(ran), "ran": sum(r.result is not None for r in ran)}
        await pool.close()
        result["first_result"] = await first_results(level)
        progress.advance(task)
        users = [0, NOBODY] if os.geteuid() == 0 else [os.geteuid()]
        sieges = progress.add_task("hostile programs", total=3 * len(users) + 3)
        result["own"], result["handed_over"] = {}, {}
        for tried in (3, 2, 1):
            for user in users:
                name = f"level {tried}, {'root' if user == 0 else 'an ordinary user'}"
                result["own"][name] = await asyncio.to_thread(siege, tried, user)
                progress.advance(sieges)
            if (hostile / "manifest.json").is_file():
                result["handed_over"][f"level {tried}"] = await handed_over(tried, hostile)
            progress.advance(sieges)
    return result


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    default = os.environ.get("WAGGLE_HOSTILE", "../shared/hostile")
    arguments.add_argument("--hostile", type=Path, default=Path(default))
    arguments.add_argument("--quick", action="store_true", help="fewer rounds; nothing is written")
    given = arguments.parse_args()
    if not (given.hostile / "manifest.json").is_file():
        told = f"{given.hostile} has no manifest.json: only our own programs are run"
        print(told, file=sys.stderr)
    result = asyncio.run(measured(given.hostile, given.quick))
    print(json.dumps(result, indent=2))
    if not given.quick:
        (HERE / "result.json").write_text(json.dumps(result, indent=2) + "\n")
        put("sandbox", readme_table(result))


if __name__ == "__main__":
    main()
