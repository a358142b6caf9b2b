"""A store follows a folder: documents, code and feeds come, change and go with their files."""

import os
from pathlib import Path
from typing import Any

import pytest

from router.knowledge.feeding import files
from router.knowledge.feeding.folder import FolderFeed
from router.knowledge.store import KnowledgeStore

RSS = """<?xml version="1.0"?><rss version="2.0"><channel><title>News</title><item>
<title>New bridge opens</title><link>https://town.example/bridge</link>
<pubDate>Mon, 02 Mar 2026 08:00:00 GMT</pubDate>
<description><![CDATA[<p>The bridge over the <b>river</b> is open to bicycles.</p>]]></description>
</item></channel></rss>"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    return tmp_path / "files"


@pytest.fixture
def feed(tmp_path: Path, folder: Path) -> FolderFeed:
    return FolderFeed(KnowledgeStore(tmp_path / "store"), folder, keep=3, wall=lambda: 9e9)


def texts(feed: FolderFeed) -> dict[str, str]:
    return {p.document: f"{p.title}: {p.text}" for p in feed._store.all_passages()}


def test_files_come_change_and_go(feed: FolderFeed, folder: Path) -> None:
    (folder / "fees.md").write_text("---\nteam: city\n---\n# Fees\nA permit is forty euros now.\n")
    (folder / "pool.txt").write_text("The pool opens at seven in summer.")
    assert feed.look().added == 2
    document = feed._store.document("fees.md")
    assert document is not None
    assert (document.title, document.metadata) == ("Fees", {"team": "city"})
    assert feed.look().changed == feed.look().added == 0
    (folder / "fees.md").write_text("# Fees\nA permit is fifty euros now.\n")
    (folder / "pool.txt").unlink()
    report = feed.take(["fees.md", "pool.txt"])
    assert (report.changed, report.removed) == (1, 1)
    assert texts(feed) == {"fees.md": "Fees: A permit is fifty euros now."}


def test_a_folder_that_is_moved_away_takes_its_documents_along(
    feed: FolderFeed, folder: Path
) -> None:
    (folder / "hr").mkdir()
    (folder / "hr" / "leave.txt").write_text("Everybody has thirty days of leave.")
    (folder / "hrx.txt").write_text("This file has a similar name.")
    feed.look()
    (folder / "hr").rename(folder.parent / "elsewhere")
    feed.take(["hr"])
    assert [*texts(feed)] == ["hrx.txt"]


def test_a_missing_folder_empties_no_store(feed: FolderFeed, folder: Path) -> None:
    (folder / "pool.txt").write_text("The pool opens at seven in summer.")
    feed.look()
    folder.rename(folder.with_name("unmounted"))
    with pytest.raises(NotADirectoryError):
        feed.look()
    feed.take(["pool.txt"])
    assert [*texts(feed)] == ["pool.txt"]


def test_what_the_service_was_given_stays_when_the_folder_is_looked_at(
    feed: FolderFeed, folder: Path
) -> None:
    from tests.knowledge.test_store import document

    feed._store.put(document("note", "A note that came by the service."), by="key a")
    feed.look()
    assert [*texts(feed)] == ["note"]


def test_code_is_found_by_its_definitions_and_a_feed_by_its_entries(
    feed: FolderFeed, folder: Path
) -> None:
    (folder / "price.py").write_text(
        "import math\n\ndef discount(total, share):\n    return total * (1 - share)\n"
    )
    (folder / "news.xml").write_text(RSS)
    feed.look()
    passages = [f"{p.title}: {p.text}" for p in feed._store.all_passages()]
    assert any("def discount(total, share)" in text and "1 - share" in text for text in passages)
    (entry,) = [text for text in passages if "bicycles" in text]
    assert "New bridge opens" in entry
    assert "https://town.example/bridge" in entry
    assert "<" not in entry


def test_links_out_of_the_folder_and_hidden_files_are_left_out(
    feed: FolderFeed, folder: Path
) -> None:
    (folder.parent / "secret.txt").write_text("The password of the safe is swordfish.")
    (folder / "innocent.txt").symlink_to(folder.parent / "secret.txt")
    (folder / ".hidden.txt").write_text("Hidden files are not for everybody.")
    feed.look()
    feed.take(["innocent.txt", ".hidden.txt", "../secret.txt"])
    assert texts(feed) == {}


def test_a_file_that_has_no_text_any_more_is_removed_and_named(
    feed: FolderFeed, folder: Path
) -> None:
    (folder / "pool.txt").write_text("The pool opens at seven in summer.")
    feed.look()
    (folder / "pool.txt").write_text("")
    feed.take(["pool.txt"])
    assert texts(feed) == {}
    assert feed.errors() == {"pool.txt": "there is no text in it"}


def test_a_file_in_a_linked_folder_outside_is_left_out_when_it_changes(
    feed: FolderFeed, folder: Path
) -> None:
    outside = folder.parent / "outside"
    outside.mkdir()
    (outside / "safe.txt").write_text("The password of the safe is swordfish.")
    (folder / "link").symlink_to(outside)
    feed.look()
    feed.take(["link/safe.txt"])  # the watcher follows links
    feed.read(["link/safe.txt"])  # it became a link after the look at everything
    assert texts(feed) == {}


def test_a_name_that_is_no_utf_8_is_left_out_and_stops_no_other(
    feed: FolderFeed, folder: Path
) -> None:
    name = os.fsdecode(b"\xff.md")
    (folder / name).write_text("Its name has bytes that are no letters.")
    (folder / "pool.txt").write_text("The pool opens at seven in summer.")
    feed.look()
    feed.take([name])
    assert [*texts(feed)] == ["pool.txt"]


def test_a_file_that_breaks_its_reader_is_named_by_the_kind_of_error(
    feed: FolderFeed, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RecursionError("swordfish")

    monkeypatch.setattr(files, "feed_sections", fail)
    (folder / "news.xml").write_text(RSS)
    (folder / "pool.txt").write_text("The pool opens at seven in summer.")
    feed.look()
    assert [*texts(feed)] == ["pool.txt"]
    assert feed.errors() == {"news.xml": "it cannot be read (RecursionError)"}


def test_a_folder_that_may_not_be_listed_empties_no_store(
    feed: FolderFeed, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "pool.txt").write_text("The pool opens at seven in summer.")
    feed.look()

    def refuse(_: Any) -> None:
        raise PermissionError("this folder may not be listed")

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(PermissionError):
        feed.look()
    assert [*texts(feed)] == ["pool.txt"]


def test_a_file_that_may_not_be_looked_at_stops_no_other(
    feed: FolderFeed, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "closed").mkdir()
    for name in ("closed/safe.txt", "pool.txt"):
        (folder / name).write_text("The pool opens at seven in summer.")
    is_file = Path.is_file

    def refuse(path: Path) -> bool:
        if "closed" in path.parts:
            raise PermissionError("this folder may not be entered")
        return is_file(path)

    monkeypatch.setattr(Path, "is_file", refuse)
    feed.look()
    assert [*texts(feed)] == ["pool.txt"]
