"""What commands import, which is most of their time on a busy machine."""

import subprocess
import sys
from importlib import import_module

import pytest

from router.cli.terminal import _STATUS


@pytest.mark.parametrize("command", ["models", "data"])
def test_a_command_that_only_lists_imports_nothing_that_learns(command):
    code = f"import sys, router.cli.main, router.cli.{command}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert loaded.isdisjoint({"numpy", "duckdb", "router.trials.book", "router.training.run"})


def test_each_refusal_that_a_command_shows_is_a_class_of_its_file():
    for name in _STATUS:
        file, _, kind = name.rpartition(".")
        assert issubclass(getattr(import_module(file), kind), Exception)
