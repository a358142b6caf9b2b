"""Makes text of somebody else harmless in a terminal or a log: control characters become visible.

An escape sequence in an error, an answer or a document could move the cursor, hide lines, or rename
the window; a direction mark could show a text in another order.
"""

_KEPT = "\n\t"
_TABLE = {
    **{code: chr(0x2400 + code) for code in range(32) if chr(code) not in _KEPT},  # ESC becomes ␛
    0x7F: "\u2421",
    **dict.fromkeys(range(0x80, 0xA0), "\ufffd"),
    **dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)), "\ufffd"),
    **dict.fromkeys((0x2028, 0x2029), "\ufffd"),
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),  # no terminal can be sent half a character
}


def plain(text: str) -> str:
    """The text with each control character but newline and tab replaced by a visible sign."""
    if text.isascii() and text.isprintable():
        return text
    return text.translate(_TABLE)


def one_line(text: str) -> str:
    """`plain`, with line breaks made visible too: a text cannot pass for a line of its own."""
    return plain(text).replace("\n", "\u240a")
