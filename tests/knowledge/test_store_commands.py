"""`waggle knowledge add | list | show | remove`, as an operator types it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from router.cli.main import app
from router.config.load import load

CONFIG = """
backends: {g: {kind: generator}}
plans:
  ask: {ask: g}
"""


@pytest.fixture
def waggle(tmp_path: Path):
    (tmp_path / "waggle.yaml").write_text(
        CONFIG.replace("{g: {kind: generator}}", "\n  g: {kind: generator}")
    )
    options = ("--data", str(tmp_path / "var"), "--config", str(tmp_path / "waggle.yaml"))

    def run(*args: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["knowledge", *args, *options])
        return result.exit_code, " ".join(result.output.split())

    return run


def test_a_folder_becomes_a_store_that_answers(waggle, tmp_path: Path) -> None:
    folder = tmp_path / "handbook"
    folder.mkdir()
    (folder / "pool.md").write_text("# Pool\nThe pool opens at seven in summer.\n")
    (folder / "orders.csv").write_text("id,city\n1,Madrid\n2,Lima\n")
    code, text = waggle("add", "handbook", str(folder), "--visible", "public")
    assert (code, "2 files" in text) == (0, True), text
    config = load(tmp_path / "waggle.yaml")
    assert config.knowledge["handbook"].folder == str(folder)
    assert config.backends["handbook"].asks_stores == ("handbook",)
    assert "ask-handbook" in config.plans
    code, text = waggle("list")
    assert (code, "handbook" in text) == (0, True)
    code, text = waggle("show", "handbook")
    assert (code, "pool.md version 1" in text, "orders 2 rows: id, city" in text) == (0, True, True)
    assert waggle("add", "handbook", str(folder))[0] != 0
    assert waggle("remove", "handbook")[0] != 0  # it is in use
    (tmp_path / "waggle.yaml").write_text(CONFIG)
    assert waggle("remove", "handbook")[0] == 0
    assert not (tmp_path / "var" / "knowledge" / "stores" / "handbook").exists()


def test_who_adds_a_spanish_folder_hears_which_encoder_reads_it(waggle, tmp_path) -> None:
    for name, line in (("pueblo", "La piscina abre a las siete en verano."), ("town", "It opens.")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pool.md").write_text(f"# Uno\n{line} {line}\n")
        _, text = waggle("add", name, str(tmp_path / name))
        assert ("the multilingual encoder reads it" in text) == (name == "pueblo")


def test_bad_names_and_folders_are_refused_with_the_rule(waggle, tmp_path: Path) -> None:
    code, text = waggle("add", "a b", str(tmp_path))
    assert (code != 0, "letters" in text) == (True, True)
    code, text = waggle("add", "a", str(tmp_path / "missing"))
    assert (code != 0, "there is no folder" in text) == (True, True)


def test_stores_of_two_encoders_have_no_backend_together(waggle, tmp_path: Path) -> None:
    (tmp_path / "waggle.yaml").write_text(
        "knowledge:\n  a: {}\n  b: {encoder: multilingual}\n"
        "backends:\n  desk: {kind: knowledge, stores: [a, b]}\nplans: {ask: {ask: desk}}\n"
    )
    code, text = waggle("list")
    assert (code != 0, "have one encoder" in text) == (True, True), text


def test_the_data_of_an_archived_store_can_be_deleted(waggle, tmp_path: Path) -> None:
    folder = tmp_path / "handbook"
    folder.mkdir()
    (folder / "pool.md").write_text("# Pool\nThe pool opens at seven in summer.\n")
    waggle("add", "handbook", str(folder), "--visible", "public")
    assert waggle("archive", "handbook")[0] == 0
    (tmp_path / "waggle.yaml").write_text(CONFIG)
    assert waggle("remove", "handbook")[0] == 0
    assert not (tmp_path / "var" / "knowledge" / "archived" / "handbook").exists()
