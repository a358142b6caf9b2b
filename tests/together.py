"""Runs the tests side by side, and the few that failed once more, alone.

`python -m tests.together --slow` runs what the usual run leaves out: the tests marked `slow`, and
properties of many drawn examples.

A test that fails both times fails the suite. A test that passes alone was failed by its neighbours
or by chance: that is a defect of the test, which is named and does not hide what the others say.
"""

import json
import subprocess
import sys
from pathlib import Path

_MOST = 5  # tests to run again; where more fail, the code is to blame
_FAILED = Path(".pytest_cache/v/cache/lastfailed")
_USUAL = ("-m", "not alone and not slow")
_SLOW = ("-m", "not alone and (slow or hypothesis)", "--hypothesis-profile", "many")


def main() -> int:
    _FAILED.unlink(missing_ok=True)
    more = sys.argv[1:]
    pytest = [sys.executable, "-m", "pytest", *(_SLOW if "--slow" in more else _USUAL)]
    more = [argument for argument in more if argument != "--slow"]
    first = subprocess.call([*pytest, "-n", "3", "--dist", "load", *more])
    failed = failed_tests()
    if first != 1 or not 0 < len(failed) <= _MOST:
        return first
    print("\nThese tests failed beside others, and run once more alone:", *failed, sep="\n  ")
    second = subprocess.call([*pytest, *failed])
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
