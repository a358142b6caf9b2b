"""A release has one version, notes of its own, and a workflow that holds no secret."""

import importlib.util
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / ".github" / "workflows" / "release.yaml"


def _script(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / ".ci" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


release = _script("release")
PROJECT = '[project]\nversion = "1.2.3"\n'
CHANGES = "# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2026-12-01\n\n### Added\n\n- bees\n"


def test_the_notes_of_a_release_are_its_section():
    assert release.notes("v1.2.3", PROJECT, CHANGES) == "### Added\n\n- bees"


@pytest.mark.parametrize(
    ("tag", "changes", "reason"),
    [
        ("v1.2.4", CHANGES, "the tag is v1.2.4, and pyproject.toml has version 1.2.3: tag v1.2.3"),
        ("1.2.3", CHANGES, "tag v1.2.3"),
        ("v1.2.3", CHANGES.replace(" - 2026-12-01", ""), "needs a section `## [1.2.3] - YYYY-MM"),
        ("v1.2.3", CHANGES.replace("### Added\n\n- bees\n", ""), "with what changed"),
        ("v1.2.3", CHANGES.replace("[Unreleased]", "[Unreleased]\n\n- new"), "move it to 1.2.3"),
    ],
)
def test_a_tag_that_may_not_be_released_says_why(tag, changes, reason):
    with pytest.raises(ValueError, match=re.escape(reason)):
        release.notes(tag, PROJECT, changes)


def test_our_own_changelog_is_read():
    assert release.sections((ROOT / "CHANGELOG.md").read_text())["Unreleased"][1]


def test_the_workflow_tests_first_and_publishes_last():
    jobs = yaml.safe_load(WORKFLOW.read_text())["jobs"]
    needs = {name: job.get("needs", []) for name, job in jobs.items()}
    assert needs == {
        "test": [],
        "packages": "test",
        "image": "test",
        "publish": ["packages", "image"],
    }
    steps = [step.get("run", "") for step in jobs["test"]["steps"]]
    assert 'python .ci/release.py check "$GITHUB_REF_NAME"' in steps
    assert ".ci/run" in steps


def test_the_workflow_starts_by_a_tag_and_holds_no_secret():
    workflow = yaml.safe_load(WORKFLOW.read_text())
    assert workflow[True] == {"push": {"tags": ["v*.*.*"]}}  # YAML reads `on` as true
    assert workflow["permissions"] == {"contents": "read"}
    assert "secrets." not in WORKFLOW.read_text()
    values = re.findall(r"^ +(?:password|GH_TOKEN): (.*)$", WORKFLOW.read_text(), re.M)
    assert set(values) == {"${{ github.token }}"}


def test_every_script_of_the_workflow_exists():
    for path in re.findall(r"(\.ci/[\w.]+)", WORKFLOW.read_text()):
        assert (ROOT / path).is_file(), path
