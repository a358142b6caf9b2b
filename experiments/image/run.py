"""`make image-steps`: run the image's steps in a clean folder, and compare what comes of them.

The steps of the image (`.ci/image.sh`) build an environment without torch. A service of it and a
service of this environment, which has torch, get the same questions; their answers must be the
same. Writes `result.json`.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from experiments.image.report import readme_table
from experiments.readme import ROOT, put

_CHECK = ROOT / ".ci" / "image_check.py"
_FORBIDDEN = ("torch", "transformers", "sentence_transformers", "onnx", "triton")
_MOST_MB, _MOST_IDLE_MB, _LARGEST = 1200, 1500, 12
_ALIKE = 1e-5  # between two vectors of one text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--publish", action="store_true", help="write result.json and the page")
    parser.add_argument("--prefix", type=Path, help="look at an environment that was built before")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="waggle-image-") as scratch:
        prefix = options.prefix or Path(scratch) / "image"
        begun = time.monotonic()
        if options.prefix is None:
            subprocess.run([ROOT / ".ci" / "image.sh", prefix], check=True)
        result = measure(prefix, Path(scratch))
        if options.prefix is None:
            result["build_seconds"] = round(time.monotonic() - begun)
    print(readme_table(result))
    if options.publish:
        (ROOT / "experiments/image/result.json").write_text(json.dumps(result, indent=1) + "\n")
        put("image", readme_table(result))
    sys.exit(1 if bad(result) else 0)


def measure(prefix: Path, scratch: Path) -> dict[str, Any]:
    image = seen(prefix / "venv/bin/python", scratch / "image.json", prefix / "encoders")
    whole = seen(Path(sys.executable), scratch / "whole.json", None)
    return {
        "environment": size(prefix),
        "without_torch": missing(prefix / "venv/bin/python"),
        "answers": compared(image["answers"], whole["answers"]),
        "image": {name: value for name, value in image.items() if name != "answers"},
        "whole": {name: value for name, value in whole.items() if name != "answers"},
        "targets": {"environment_mb": _MOST_MB, "idle_mb": _MOST_IDLE_MB},
    }


def bad(result: dict[str, Any]) -> list[str]:
    """What is not as it must be. Idle memory is a target, and no reason to fail a build."""
    wrong = [f"{name}: other answers" for name, row in result["answers"].items() if not row["same"]]
    if result["environment"]["mb"] > _MOST_MB:
        wrong.append(
            f"the environment has {result['environment']['mb']} MB, {_MOST_MB} is the most"
        )
    wrong += [f"{name} is installed" for name, gone in result["without_torch"].items() if not gone]
    for line in wrong:
        print(line, file=sys.stderr)
    return wrong


def seen(python: Path, file: Path, exports: Path | None) -> dict[str, Any]:
    """What a service of an environment answers, how soon, and with how much memory."""
    environment = {**os.environ, **({"WAGGLE_ENCODERS": str(exports)} if exports else {})}
    subprocess.run([python, _CHECK, file], env=environment, cwd=file.parent, check=True)
    answer: dict[str, Any] = json.loads(file.read_text())
    return answer


def compared(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """For each question, whether two services gave the same answer, of the same plan."""
    return {
        name: {
            "plan": first[name]["plan"] or str(first[name]["content"]),
            "same": _same(first[name], second[name]),
        }
        for name in second
    }


def _same(first: dict[str, Any], second: dict[str, Any]) -> bool:
    if (first["status"], first["plan"]) != (second["status"], second["plan"]):
        return False
    if not isinstance(first["content"], list):
        return bool(first["content"] == second["content"])
    pairs = zip(first["content"], second["content"], strict=True)
    return all(abs(a - b) < _ALIKE for v, w in pairs for a, b in zip(v, w, strict=True))


def missing(python: Path) -> dict[str, bool]:
    """Whether each library that only the build may use is missing from an environment."""
    program = (
        "import importlib.util, json, sys\n"
        "print(json.dumps({n: importlib.util.find_spec(n) is None for n in sys.argv[1:]}))"
    )
    settings = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [str(python), "-I", "-c", program, *_FORBIDDEN]
    done = subprocess.run(command, env=settings, capture_output=True, text=True, check=True)
    gone: dict[str, bool] = json.loads(done.stdout)
    return gone


def size(prefix: Path) -> dict[str, Any]:
    """The size of a built environment on disk, with its largest parts."""
    (packages,) = (prefix / "venv/lib").glob("python*/site-packages")
    parts = {path.name: _mb(path) for path in packages.iterdir()}
    parts["encoders, exported"] = _mb(prefix / "encoders")
    ranked = sorted(parts.items(), key=lambda part: -part[1])[:_LARGEST]
    return {"mb": _mb(prefix), "largest": dict(ranked)}


def _mb(path: Path) -> int:
    """Megabytes (of 10^6 bytes) on disk, as `du` counts them."""
    files = [path] if path.is_file() else path.rglob("*")
    blocks = sum(file.lstat().st_blocks for file in files if not file.is_symlink())
    return round(blocks * 512 / 1e6)


if __name__ == "__main__":
    if shutil.which("bash") is None:
        sys.exit("the image's steps are a script for bash")
    main()
