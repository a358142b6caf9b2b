"""Text of somebody else cannot command a terminal, nor pass for a line of a log."""

import io
import logging
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.markup import escape
from rich.table import Table

from router.cli.terminal import PlainConsole
from router.deployment.log_lines import LogFormatter
from router.wire.plain_text import one_line, plain

EVIL = "a\x1b[2J\x1b]0;owned\x07\x9b31m\r\b\x00\x7f\u202eb"


@given(st.text())
def test_plain_text_has_no_control_character_but_newline_and_tab(text):
    shown = plain(text)
    assert all(sign in "\n\t" or sign.isprintable() or ord(sign) >= 0xA0 for sign in shown)
    assert len(shown) == len(text)
    shown.encode()


@pytest.mark.parametrize("text", ["", "plain", "zwei\n\tZeilen", "naïve 日本語 😀", "a\u00adb"])
def test_what_is_harmless_stays_as_it_is(text):
    assert plain(text) == text


@pytest.mark.parametrize("terminal", [True, False])
def test_the_screen_shows_them_and_keeps_its_own_styles(terminal):
    file = io.StringIO()
    screen = PlainConsole(file=file, force_terminal=terminal, highlight=False, width=200)
    table = Table("name")
    table.add_row(escape(EVIL))
    screen.print(f"[red]waggle:[/] {escape(EVIL)}")
    screen.print(table)
    screen.print(EVIL, markup=False, soft_wrap=True)
    shown = file.getvalue()
    assert "␛[2J␛]0;owned" in shown
    for evil in ("\x1b[2J", "\x1b]", "\x07", "\x9b", "\r", "\b", "\x00", "\x7f", "\u202e"):
        assert evil not in shown
    assert ("\x1b[31m" in shown) == terminal


def test_a_log_keeps_its_lines():
    formatter = LogFormatter("%(levelname)s %(message)s")
    try:
        raise ValueError(EVIL)
    except ValueError:
        failure = sys.exc_info()
    words = f"{EVIL}\nERROR a line that nobody wrote"
    record = logging.LogRecord("waggle", logging.WARNING, "f", 1, "%s", (words,), failure)
    first, *rest = formatter.format(record).splitlines()
    assert first.startswith("WARNING a␛[2J")
    assert "␊ERROR a line" in first
    assert rest[0].startswith("Traceback")
    assert "\x1b" not in "".join(rest)
    assert one_line("a\nb") == "a␊b"
