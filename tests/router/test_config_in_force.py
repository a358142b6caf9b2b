"""Which configuration a command brings to a service that runs."""

import os

from router.cli.context import CommandContext
from router.config.load import EMBEDDED
from router.deployment.local_service import RunningService, remember
from router.deployment.processes import born

A_STORE = "backends: {a: {kind: generator}}\nplans: {mine: {ask: a}}\n"


def service(config) -> RunningService:
    return RunningService(os.getpid(), born(os.getpid()), "", "", str(config), ours=True)


def test_a_service_that_began_without_a_file_takes_the_file_that_was_written_since(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "var").mkdir()
    remember(tmp_path / "var", service(EMBEDDED))
    assert "small" in CommandContext().config_in_force.plans
    (tmp_path / "waggle.yaml").write_text(A_STORE)
    assert list(CommandContext().config_in_force.plans) == ["mine"]


def test_a_service_with_a_file_keeps_to_that_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "var").mkdir()
    (tmp_path / "theirs.yaml").write_text(A_STORE.replace("mine", "theirs"))
    remember(tmp_path / "var", service(tmp_path / "theirs.yaml"))
    (tmp_path / "waggle.yaml").write_text(A_STORE)
    assert list(CommandContext().config_in_force.plans) == ["theirs"]
