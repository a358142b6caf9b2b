"""A service without torch uses exports that were made elsewhere, and says how to make them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from router.config.load import at_home, load
from router.encoding.encoder import (
    FINGERPRINT_FILE,
    CannotEncode,
    Encoder,
    fingerprint,
    packaged_model,
    prepared,
)

TEXTS = ["How do bees dance?", "Why is the sky blue?"]
ONE_BACKEND = "backends: {g: {kind: generator}}\nplans: {p: {ask: g}}\n"
# Finds nothing of what an image lacks, as if it were not installed.
WITHOUT = """
from importlib.machinery import PathFinder
find = PathFinder.find_spec
LACKS = {"torch", "transformers", "sentence_transformers", "onnx"}
PathFinder.find_spec = lambda name, *rest: None if name in LACKS else find(name, *rest)
"""


def run_without_torch(program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT + program, *map(str, arguments)]
    root = Path(__file__).parents[2]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


@pytest.fixture
def without_weights(tmp_path):
    """The packaged model as an image keeps it: with its fingerprint, and without its weights."""
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("config.json", "tokenizer.json"):
        (folder / name).write_bytes((packaged_model() / name).read_bytes())
    (folder / FINGERPRINT_FILE).write_text(fingerprint(packaged_model()))
    return folder


def test_an_export_is_found_by_the_fingerprint_that_stands_for_the_weights(
    without_weights, encoders, encoder
):
    there = Encoder(prepared(without_weights, encoders))
    assert np.array_equal(there.encode(TEXTS), encoder.encode(TEXTS))


def test_exports_are_read_where_nothing_can_be_written(without_weights, encoders):
    """A lock would need a file: what is exported is used without one."""
    program = (
        "import pathlib, sys; from router.encoding import encoder\n"
        "def alone(path): raise PermissionError(13, 'Permission denied')\n"
        "encoder.alone = alone\n"
        "print(encoder.prepared(*map(pathlib.Path, sys.argv[1:])).name)"
    )
    run = run_without_torch(program, without_weights, encoders)
    assert run.stdout.strip() == fingerprint(packaged_model()), run.stderr


def test_without_torch_and_without_an_export_the_error_names_the_mend(tmp_path):
    program = (
        "import pathlib, sys; from router.encoding import encoder\n"
        "home = pathlib.Path(sys.argv[1])\n"
        "encoder.installed_with_waggle = lambda: home  # `make env` prepared nothing\n"
        "try: encoder.prepared(encoder.packaged_model(), home)\n"
        "except encoder.CannotEncode as error: print(error)"
    )
    text = run_without_torch(program, tmp_path).stdout
    assert f"has no export in {tmp_path}" in text
    assert "torch, transformers, sentence_transformers, onnx" in text
    assert "python -m router.reuse.exports" in text
    assert "WAGGLE_ENCODERS" in text


def test_a_folder_of_exports_that_cannot_be_written_is_named(tmp_path):
    closed = tmp_path / "file"
    closed.write_text("")
    with pytest.raises((CannotEncode, NotADirectoryError)):
        prepared(packaged_model(), closed / "exports")


def test_exports_are_made_by_one_command_and_kept(encoders):
    command = [sys.executable, "-m", "router.reuse.exports", encoders]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    first, second = (Path(line).name for line in done.stdout.splitlines())
    assert first == fingerprint(packaged_model())
    assert second.startswith("pairs-")


def test_the_environment_says_where_the_exports_are_unless_the_file_does(tmp_path):
    path = tmp_path / "waggle.yaml"
    path.write_text(ONE_BACKEND)
    assert load(path, {"WAGGLE_ENCODERS": "/e"}).encoders_folder == Path("/e")
    assert load(path, {}).encoders_folder == load(path, {}).data / "encoders"
    path.write_text(ONE_BACKEND + "server: {encoders: exports}\n")
    config = at_home(load(path, {"WAGGLE_ENCODERS": "/e"}))
    assert config.server.encoders == str(Path("exports").resolve())


def test_a_model_of_ones_own_without_torch_gets_an_error_that_names_the_mend(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    program = (
        "import asyncio, sys\n"
        "from router.backends.local_models import load_model\n"
        "from router.config.backends import LocalSettings\n"
        "from router.domain import Fault\n"
        "settings = LocalSettings(kind='local', models={'m': sys.argv[1]})\n"
        "try: asyncio.run(load_model('m', settings))\n"
        "except Fault as fault: print(fault.kind, fault)"
    )
    run = run_without_torch(program, tmp_path)
    assert "unavailable" in run.stdout, run.stderr
    assert "torch is not installed" in run.stdout
    assert "pip install torch==2.13.0 transformers" in run.stdout
    assert "kind: llama" in run.stdout


@pytest.mark.parametrize(("exports", "verdict"), [("made", "ok"), ("none", "bad")])
def test_the_doctor_misses_torch_only_where_something_needs_it(
    tmp_path, encoders, exports, verdict
):
    (tmp_path / "waggle.yaml").write_text(ONE_BACKEND)
    program = (
        "import sys; from pathlib import Path\n"
        "import importlib.metadata as metadata\n"
        "known = metadata.version\n"
        "def version(name):\n"
        "    if name == 'torch': raise metadata.PackageNotFoundError(name)\n"
        "    return known(name)\n"
        "metadata.version = version\n"
        "from router.config.load import load\n"
        "from router.deployment import doctor\n"
        "config = load(Path(sys.argv[1]), {'WAGGLE_ENCODERS': sys.argv[2]})\n"
        "for row in doctor._versions(config):\n"
        "    if row.what == 'torch': print(row.verdict, row.state, row.mend)"
    )
    place = encoders if exports == "made" else tmp_path / "none"
    run = run_without_torch(program, tmp_path / "waggle.yaml", place)
    assert run.stdout.startswith(f"{verdict} missing"), run.stderr
