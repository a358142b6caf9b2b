"""Files as passages: the text of each format is read, and no passage is kept twice."""

import pytest

from router.documents.chunking import Passage, distinct, passages_of
from router.documents.formats import Section, UnreadableDocument, files_of, sections_of


def read(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return sections_of(path)


def pdf(*lines: str) -> bytes:
    """The smallest PDF with these lines on one page."""
    shown = " ".join(f"({line}) Tj 0 -14 Td" for line in lines)
    stream = f"BT /F1 12 Tf 72 720 Td {shown} ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    at = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return out + b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % at


def test_markdown_is_read_by_its_headings_without_its_marks(tmp_path):
    text = (
        "---\ntitle: x\n---\n# Tea\n\nIntro with **bold** and a [link](http://x).\n\n"
        "## Green\n\n- steamed\n- rolled\n\n```\n# no heading\n```\n"
    )
    assert read(tmp_path, "a.md", text) == [
        Section("Tea", "Intro with bold and a link."),
        Section("Tea › Green", "steamed rolled\n\n# no heading"),
    ]


def test_html_is_read_without_navigation_and_scripts(tmp_path):
    text = (
        "<html><head><title>Tea</title><style>p{}</style></head><body><nav>Home</nav>"
        "<h1>Green</h1><p>It is <b>steamed</b>.</p><ul><li>one</li></ul>"
        "<script>alert(1)</script><footer>(c)</footer></body></html>"
    )
    assert read(tmp_path, "a.html", text) == [Section("Tea › Green", "It is steamed.\n\none")]


def test_pdf_and_plain_text_are_read(tmp_path):
    assert read(tmp_path, "a.pdf", pdf("Green tea is steamed.")) == [
        Section("page 1", "Green tea is steamed.")
    ]
    assert read(tmp_path, "a.txt", "one\ntwo\n\nthree") == [Section("", "one two\n\nthree")]
    latin = read(tmp_path, "b.txt", "th\xe9 vert".encode("cp1252"))
    assert latin == [Section("", "thé vert")]


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.pdf", b"%PDF-1.4 torn", "no PDF that can be read"),
        ("a.md", b"\n\n", "no text in it"),
        ("a.html", b"<html></html>", "no text in it"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path, name, content, why):
    with pytest.raises(UnreadableDocument, match=why):
        read(tmp_path, name, content)


def test_hidden_files_and_links_out_of_the_folder_are_not_read(tmp_path):
    outside = tmp_path / "outside.md"
    outside.write_text("secret")
    folder = tmp_path / "docs"
    (folder / ".git").mkdir(parents=True)
    (folder / ".git" / "x.md").write_text("x")
    (folder / "a.md").write_text("x")
    (folder / "b.bin").write_text("x")
    (folder / "link.md").symlink_to(outside)
    assert [path.name for path in files_of(folder)] == ["a.md"]


def test_long_sections_are_cut_between_sentences_and_overlap():
    sentences = [f"Sentence number {n} says something about tea leaves." for n in range(60)]
    cut = list(passages_of("a.md", [Section("Tea", " ".join(sentences))]))
    assert len(cut) > 3
    assert all(len(p.text.split()) <= 160 for p in cut)
    assert all(any(s in p.text for p in cut) for s in sentences)
    assert cut[0].sentences[-1] == cut[1].sentences[0]


def test_a_repeated_passage_is_kept_once():
    text = "Green tea is steamed soon after picking, so that its leaves stay green and fresh."
    same, near = Passage("a", "", text), Passage("b", "", text.replace("fresh", "nice"))
    other = Passage("c", "", "Black tea is fully oxidised before it is dried and tastes stronger.")
    assert distinct([same, Passage("b", "", text), near, other]) == [same, other]
