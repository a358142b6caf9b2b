"""RSS and Atom files as sections: one for each entry, with its date, its link and its words. Pure.

Not covered: other XML, which has no sections.
"""

import re
from collections.abc import Iterator
from xml.etree import ElementTree

from router.documents.formats import Section, UnreadableDocument

_ENTRIES = frozenset({"item", "entry"})
_WORDS = ("encoded", "content", "description", "summary")  # the first that there is
_DATES = ("pubDate", "published", "updated", "date")


def feed_sections(content: bytes) -> list[Section]:
    """The entries of a feed. Raises `UnreadableDocument`."""
    root_begins = re.search(rb"<[A-Za-z]", content)
    if b"<!DOCTYPE" in content[: root_begins.start() if root_begins else None]:
        raise UnreadableDocument("an XML file with a DOCTYPE is not read")
    try:
        root = ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise UnreadableDocument(f"it is no XML that can be read ({error})") from None
    if _name(root) not in ("rss", "feed", "RDF"):
        raise UnreadableDocument("it is neither RSS nor Atom")
    sections = [
        Section(_text(entry, ("title",)), "\n\n".join(_paragraphs(entry)))
        for entry in root.iter()
        if _name(entry) in _ENTRIES
    ]
    if not sections:
        raise UnreadableDocument("the feed has no entry")
    return sections


def _paragraphs(entry: ElementTree.Element) -> Iterator[str]:
    """The words of an entry; its title comes first, since an entry may have nothing else."""
    from bs4 import BeautifulSoup

    title = _text(entry, ("title",))
    words = BeautifulSoup(_text(entry, _WORDS), "html.parser").get_text("\n")
    lines = [" ".join(line.split()) for line in words.split("\n")]
    yield ". ".join(text for text in (title, " ".join(line for line in lines if line)) if text)
    beside = [("Published", _text(entry, _DATES)), ("Link", _link(entry))]
    lines_beside = [f"{label}: {text}" for label, text in beside if text]
    if lines_beside:
        yield " ".join(lines_beside)


def _link(entry: ElementTree.Element) -> str:
    for child in entry:
        if _name(child) == "link":
            return (child.text or child.get("href") or "").strip()
    return ""


def _text(entry: ElementTree.Element, names: tuple[str, ...]) -> str:
    children = {_name(child): child for child in reversed(entry)}
    for name in names:
        if name in children:
            text = " ".join("".join(children[name].itertext()).split())
            if text:
                return text
    return ""


def _name(element: ElementTree.Element) -> str:
    return str(element.tag).rpartition("}")[2]
