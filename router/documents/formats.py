"""Reads the files of a folder as sections of plain text: Markdown, text, HTML and PDF.

Not covered: text inside pictures, and the layout of tables.
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_KINDS = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".txt": "text",
    ".text": "text",
    ".html": "html",
    ".htm": "html",
    ".pdf": "pdf",
}
DOCUMENTS = frozenset(_KINDS)  # the suffixes of files that are read
MOST_BYTES = 64 * 2**20
BETWEEN_HEADINGS = " › "


class UnreadableDocument(ValueError):
    """The file has no readable text; the message says why."""


@dataclass(frozen=True, slots=True)
class Section:
    """The text below one heading, with all headings above the text."""

    title: str
    text: str


def files_of(folder: Path) -> list[Path]:
    """The documents in a folder, without hidden files and without links that lead outside."""
    root = folder.resolve()
    files = []
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if hidden or path.suffix.lower() not in _KINDS or not path.is_file():
            continue
        if path.resolve().is_relative_to(root):
            files.append(path)
    return files


def sections_of(path: Path) -> list[Section]:
    if path.stat().st_size > MOST_BYTES:
        raise UnreadableDocument(f"it is larger than {MOST_BYTES >> 20} MB: split it")
    match _KINDS[path.suffix.lower()]:
        case "pdf":
            sections = list(_pdf(path))
        case "html":
            sections = list(_html(path.read_bytes()))
        case "markdown":
            sections = list(_markdown(decoded(path.read_bytes())))
        case _:
            sections = [Section("", _plain(decoded(path.read_bytes())))]
    sections = [section for section in sections if section.text.strip()]
    if not sections:
        raise UnreadableDocument("there is no text in it")
    return sections


def decoded(raw: bytes) -> str:
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


_HEADING = re.compile(r"(#{1,6})\s++(.*)")
_FRONT = re.compile(r"\A---\n.*?\n---\n", re.S)
# These patterns also match a link or comment without its end, so that no search for an end is
# repeated from every beginning.
_LINK = re.compile(r"!?\[([^\]]*+)(?:\]\([^)]*+(\))?)?")
_COMMENT = re.compile(r"<!--.*?(?:(-->)|\Z)", re.S)


def _markdown(text: str) -> Iterator[Section]:
    titles: list[str] = []
    lines: list[str] = []
    fenced = False
    for line in _FRONT.sub("", text.replace("\r\n", "\n")).split("\n"):
        fenced ^= line.lstrip().startswith(("```", "~~~"))
        heading = None if fenced else _HEADING.match(line)
        if heading is None:
            lines.append(line)
            continue
        yield Section(_title(titles), _unmarked("\n".join(lines)))
        lines = []
        level = len(heading[1])
        titles = [
            *titles[: level - 1],
            *[""] * (level - 1 - len(titles)),
            _unmarked(_heading(heading[2])),
        ]
    yield Section(_title(titles), _unmarked("\n".join(lines)))


def _heading(words: str) -> str:
    """The words of a heading, without the number signs that may follow them."""
    return words.rstrip().rstrip("#").rstrip()


def _title(titles: list[str]) -> str:
    return BETWEEN_HEADINGS.join(title for title in titles if title)


def _unmarked(text: str) -> str:
    """The text without Markdown's marks."""
    text = _COMMENT.sub(lambda comment: "" if comment[1] else comment[0], text)
    text = _LINK.sub(lambda link: link[1] if link[2] else link[0], text)
    text = re.sub(r"^(?:```|~~~).*$", "", text, flags=re.M)
    text = re.sub(r"^\s{0,64}+(?:[-*+]|\d+\.)\s+", "", text, flags=re.M)
    return _plain(re.sub(r"(\*\*|__|`)(.+?)\1", r"\2", text))


def _plain(text: str) -> str:
    """The text with one line for each paragraph and an empty line between paragraphs."""
    text = re.sub(r"[\x00-\x08\x0b-\x1f]", " ", text.replace("\r\n", "\n"))
    paragraphs = re.split(r"\n\s*\n", text)
    joined = (" ".join(paragraph.split()) for paragraph in paragraphs)
    return "\n\n".join(paragraph for paragraph in joined if paragraph)


def _html(raw: bytes) -> Iterator[Section]:
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(raw, "html.parser")
    for tag in soup(["script", "style", "nav", "header", "footer", "aside", "noscript", "form"]):
        tag.decompose()
    for line_break in soup.find_all("br"):
        line_break.replace_with(" ")
    title = " ".join(soup.title.get_text(" ").split()) if soup.title else ""
    titles = [title] if title else []
    words: list[str] = []
    root = soup.body or soup
    blocks = ["h1", "h2", "h3", "h4", "h5", "h6", "p", "li", "td", "th", "pre", "dd", "dt"]
    tags = root.find_all(blocks)
    if not tags:
        yield Section(_title(titles), _plain(root.get_text("\n")))
        return
    for tag in tags:
        text = " ".join(tag.get_text().split())
        if re.fullmatch(r"h[1-6]", tag.name):
            yield Section(_title(titles), "\n\n".join(words))
            words = []
            level = int(tag.name[1])
            titles = [*titles[:level], *[""] * (level - len(titles)), text]
        elif text and tag.find(blocks) is None:
            words.append(text)
    yield Section(_title(titles), "\n\n".join(words))


def _pdf(path: Path) -> Iterator[Section]:
    from pypdf import PdfReader
    from pypdf.errors import PdfReadError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise UnreadableDocument("it needs a password")
        for number, page in enumerate(reader.pages, 1):
            text = re.sub(r"(\w)-\n(\w)", r"\1\2", page.extract_text() or "")
            yield Section(f"page {number}", _plain(text))
    except (PdfReadError, KeyError, ValueError, TypeError, RecursionError) as error:
        if isinstance(error, UnreadableDocument):
            raise
        raise UnreadableDocument(
            f"it is no PDF that can be read ({type(error).__name__})"
        ) from None
