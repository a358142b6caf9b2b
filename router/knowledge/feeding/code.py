"""A file of source code as sections: one for each function, class or other definition. Pure."""

import re
from collections.abc import Iterator

from router.documents.formats import BETWEEN_HEADINGS, Section

_SUFFIXES = (
    ".py .js .mjs .jsx .ts .tsx .java .kt .scala .go .rs .c .h .cc .cpp .hpp .cs .rb .php .swift "
    ".sh .sql .r .jl .lua .pl .ex .exs .hs .clj .dart"
)
CODE = frozenset(_SUFFIXES.split())
_DEFINES = re.compile(
    r"\A(?:@\w[\w.]*+\s*+(?:\([^()]*+\))?\s*+)?"
    r"(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|pub|open|"
    r"override|sealed|data|inline|extern|unsafe|const)(?:\([\w ]*\))?\s+)*"
    r"(?:def|class|function|func|fn|fun|interface|trait|struct|enum|impl|module|type|object|record|"
    r"namespace|create\s+(?:or\s+replace\s+)?(?:table|view|function|procedure|index))\b\s*\*?\s*"
    r"(?P<name>[\w.$<>:~\"`\[\]]*)",
    re.I,
)
_LONGEST_HEAD = 400  # characters of a line that may say what it defines
_MOST_LINES = 40  # of one section; a longer definition is cut


def code_sections(name: str, text: str) -> Iterator[Section]:
    """The sections of a file; each is named by the file and the line that begins it."""
    title, lines = name, list[str]()
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        indent = len(line) - len(line.lstrip())
        definition = _DEFINES.match(line.strip()[:_LONGEST_HEAD]) if indent <= 4 else None
        if definition is not None or len(lines) >= _MOST_LINES:
            yield Section(title, _joined(lines))
            lines = []
        if definition is not None:
            title = f"{name}{BETWEEN_HEADINGS}{line.strip()[:160].rstrip('{: ')}"
        lines.append(line)
    yield Section(title, _joined(lines))


def _joined(lines: list[str]) -> str:
    """The lines with no line empty: an empty line would end a paragraph."""
    return "\n".join(line.rstrip() for line in lines if line.strip())
