"""`python .ci/release.py version`, or `check TAG` and `notes TAG`: whether
a tag may be released, and what its notes are.

pyproject.toml is the one source of the version. A release `v1.2.3` needs that version there, and a
section `## [1.2.3] - YYYY-MM-DD` in CHANGELOG.md with at least one line; `[Unreleased]` stays above
it, and is empty.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
_HEADING = re.compile(r"^## \[([^\]]{1,40})\](?: - (\d{4}-\d{2}-\d{2}))?$", re.M)


def sections(changelog: str) -> dict[str, tuple[str, str]]:
    """The date and the text of each section, by its name."""
    parts = _HEADING.split(changelog)[1:]
    rows = zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    return {name: (date or "", text.strip()) for name, date, text in rows}


def notes(tag: str, pyproject: str, changelog: str) -> str:
    """The notes of a release; a `ValueError` says why this tag is none."""
    version = tomllib.loads(pyproject)["project"]["version"]
    if tag != f"v{version}":
        raise ValueError(
            f"the tag is {tag}, and pyproject.toml has version {version}: tag v{version}"
        )
    written = sections(changelog)
    date, text = written.get(version, ("", ""))
    if not (date and text):
        rule = f"a section `## [{version}] - YYYY-MM-DD` with what changed"
        raise ValueError(f"CHANGELOG.md needs {rule}: rename [Unreleased], and start it anew")
    if left := written.get("Unreleased", ("", ""))[1]:
        line = left.splitlines()[0]
        raise ValueError(
            f"CHANGELOG.md still has {line!r} under [Unreleased]: move it to {version}"
        )
    return text


def main(arguments: list[str]) -> int:
    if arguments == ["version"]:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        sys.stdout.write(f"{project['version']}\n")
        return 0
    if len(arguments) != 2 or arguments[0] not in ("check", "notes"):
        sys.stderr.write("say what: python .ci/release.py version, or check|notes TAG\n")
        return 2
    do, tag = arguments
    texts = ((ROOT / name).read_text() for name in ("pyproject.toml", "CHANGELOG.md"))
    try:
        text = notes(tag, *texts)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{text}\n" if do == "notes" else f"{tag} may be released\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
