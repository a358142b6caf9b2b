"""Every command that pyproject.toml registers exists in the code."""

import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
COMMANDS = PROJECT["entry-points"]["waggle.commands"]


@pytest.mark.parametrize(("name", "value"), [*PROJECT["scripts"].items(), *COMMANDS.items()])
def test_every_entry_point_names_a_function(name, value):
    assert callable(EntryPoint(name, value, "waggle.commands").load())


def test_the_demo_and_the_dashboard_register_their_own_commands():
    assert COMMANDS.keys() == {"dashboard", "demo"}
