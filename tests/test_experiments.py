"""Every module of `experiments` can be imported, so that a rename in the product cannot break one.

Importing measures nothing: each experiment starts in the `main` of its `run.py`.
"""

import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in sorted((ROOT / "experiments").rglob("*.py"))
    if path.name != "__init__.py"
]
RUNS = [module for module in MODULES if module.endswith(".run")]
BESIDE = [
    "experiments.growth.beside",  # `make bench-growth-beside`
    "experiments.growth.serve",  # `make bench-growth-serve`
    "experiments.overhead.profiling",  # `make profile`
    *(
        f"experiments.knowledge.{part}"  # `make bench-knowledge-PART`
        for part in (
            "claims",
            "finding",
            "freshness",
            "held",
            "kills",
            "migrating",
            "million",
            "revoked",
            "rows",
        )
    ),
]


@pytest.mark.parametrize("module", MODULES)
def test_a_module_of_the_experiments_can_be_imported(module):
    importlib.import_module(module)


def test_every_experiment_of_the_makefile_has_a_main():
    started = {
        line.partition("-m ")[2].split()[0]
        for line in (ROOT / "Makefile").read_text().splitlines()
        if "-m experiments." in line
    }
    assert started == {*RUNS, *BESIDE}
    assert all(callable(importlib.import_module(module).main) for module in (*RUNS, *BESIDE))
