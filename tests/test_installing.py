"""`make env` says how far it is, and shows pip's own output only when pip fails."""

import subprocess
import sys
import zipfile
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / ".ci" / "pip_progress.py"
WHEEL = {
    "dancer.py": "",
    "dancer-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: dancer\nVersion: 1\n",
    "dancer-1.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "dancer-1.dist-info/RECORD": "",
}


def installed(folder, *arguments):
    command = [sys.executable, SCRIPT, folder / "pip.log", "--no-index", "--no-deps", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_what_pip_prints_goes_to_the_log_and_not_to_the_screen(tmp_path):
    with zipfile.ZipFile(tmp_path / "dancer-1-py3-none-any.whl", "w") as wheel:
        for name, content in WHEEL.items():
            wheel.writestr(name, content)
    (tmp_path / "lock").write_text("# one package\n./dancer-1-py3-none-any.whl\n")
    run = installed(tmp_path, "--target", "there", "-r", "lock")
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert (tmp_path / "there" / "dancer.py").exists()
    assert "Successfully installed dancer-1" in (tmp_path / "pip.log").read_text()


def test_when_pip_fails_its_whole_output_is_shown(tmp_path):
    run = installed(tmp_path, "no-such-package")
    assert run.returncode == 1
    assert "No matching distribution found for no-such-package" in run.stderr
    assert "pip failed: its output is above" in run.stderr
