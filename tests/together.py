"""Runs the tests side by side, and the few that failed once more, alone.

A test that fails both times fails the suite. A test that passes alone was failed by its neighbours
or by chance: that is a defect of the test, which is named and does not hide what the others say.
"""

import json
import subprocess
import sys
from pathlib import Path

_MOST = 5  # tests to run again; where more fail, the code is to blame
_FAILED = Path(".pytest_cache/v/cache/lastfailed")
_PYTEST = (sys.executable, "-m", "pytest", "-m", "not alone and not slow")


def main() -> int:
    _FAILED.unlink(missing_ok=True)
    first = subprocess.call([*_PYTEST, "-n", "3", "--dist", "load", *sys.argv[1:]])
    failed = failed_tests()
    if first != 1 or not 0 < len(failed) <= _MOST:
        return first
    print("\nThese tests failed beside others, and run once more alone:", *failed, sep="\n  ")
    second = subprocess.call([*_PYTEST, *failed])
    if second == 0:
        print("\nDEFECT: these tests passed only alone. Mend them:", *failed, sep="\n  ")
    return second


def failed_tests() -> list[str]:
    """The tests that failed in the latest run."""
    try:
        return sorted(json.loads(_FAILED.read_text()))
    except FileNotFoundError:
        return []


if __name__ == "__main__":
    sys.exit(main())
