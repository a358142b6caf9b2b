"""A browser without a screen over a dashboard, that keeps account of what it should not see."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text()
SIZES = {"laptop": (1366, 768), "phone": (390, 844)}
_QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no Chromium here: apt-get install chromium"
)


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=list(_QUIET))
        yield browser
        browser.close()


def visitor(browser: Browser, size: str = "laptop") -> BrowserContext:
    """Somebody who was never here."""
    width, height = SIZES[size]
    return browser.new_context(
        viewport={"width": width, "height": height}, accept_downloads=True, locale="en-GB"
    )


class Watched:
    """A page, and what went wrong on it."""

    def __init__(
        self,
        browser: Browser,
        url: str,
        size: str = "laptop",
        *,
        context: BrowserContext | None = None,
    ) -> None:
        self.url = url
        self._own = context is None
        self.context = context or visitor(browser, size)
        self.page: Page = self.context.new_page()
        self.trouble: list[str] = []
        self.foreign: list[str] = []
        host = urlsplit(url).netloc
        self.page.on("console", lambda m: m.type in ("error", "warning") and self._note(m.text))
        self.page.on("pageerror", lambda error: self._note(str(error)))
        self.page.on("dialog", lambda dialog: self._note(f"dialog {dialog.message}"))
        self.page.on(
            "request",
            lambda asked: (
                urlsplit(asked.url).scheme in ("http", "https", "ws", "wss")
                and urlsplit(asked.url).netloc != host
                and self.foreign.append(asked.url)
            ),
        )

    def _note(self, text: str) -> None:
        self.trouble.append(text)

    def open(self, path: str) -> "Watched":
        self.page.goto(self.url + path)
        self.settle()
        return self

    def turn(self, title: str) -> None:
        """To another page; the old one is settled until the new one is there."""
        self.page.get_by_role("link", name=title, exact=True).click()
        self.until(f"document.querySelector('h1').textContent === '{title}'")
        self.settle()

    def settle(self) -> None:
        """Until every panel has its content, and the plots are drawn."""
        self.until(
            "document.querySelectorAll('.panel').length > 0"
            " && !document.querySelector('.panel[data-form=loading]:not([hidden])')"
            " && [...document.querySelectorAll('.panel[data-form=figure]:not([hidden])')]"
            ".every((one) => one.querySelector('.main-svg'))"
        )

    def until(self, condition: str, seconds: float = 40) -> None:
        """The page may evaluate no text, so it is asked from outside."""
        for _ in range(int(seconds * 20)):
            asked = f"() => {{ try {{ return Boolean({condition}); }} catch {{ return false; }} }}"
            if self.page.evaluate(asked):
                return
            self.page.wait_for_timeout(50)
        state = self.page.evaluate(
            "() => [...document.querySelectorAll('.panel')].map((p) => [p.id, p.dataset.form])"
        )
        pytest.fail(f"it never came: {condition}; {state}; {self.trouble}")

    def violations(self) -> list[str]:
        """What axe finds that is serious or worse."""
        self.page.evaluate(AXE + "\n0")
        found = self.page.evaluate("() => axe.run({resultTypes: ['violations']})")
        return [
            f"{one['id']} ({one['impact']}): {one['nodes'][0]['html'][:160]}"
            for one in found["violations"]
            if one["impact"] in ("serious", "critical")
        ]

    def wider(self) -> list[str]:
        """What is wider than the screen and does not scroll in itself."""
        return self.page.evaluate(
            """() => {
              const width = document.documentElement.clientWidth;
              if (document.documentElement.scrollWidth <= width) return [];
              return [...document.querySelectorAll('body *')]
                .filter((one) => one.getBoundingClientRect().right > width + 1)
                .map((one) => one.tagName + '.' + one.className).slice(0, 5);
            }"""
        )

    def overlapping(self) -> list[str]:
        """Pieces of the page that lie over each other."""
        return self.page.evaluate(
            """() => {
              const boxes = [...document.querySelectorAll(
                '.panel, .tile, .panel > header > *, nav a, .spans button, .filters label, '
                + '.right > *')]
                .filter((one) => one.offsetParent !== null)
                .map((one) => [one, one.getBoundingClientRect()])
                .filter(([, box]) => box.width > 0 && box.height > 0);
              const found = [];
              for (let i = 0; i < boxes.length; i += 1) {
                for (let j = i + 1; j < boxes.length; j += 1) {
                  const [a, p] = boxes[i], [b, q] = boxes[j];
                  if (a.contains(b) || b.contains(a)) continue;
                  const wide = Math.min(p.right, q.right) - Math.max(p.left, q.left);
                  const high = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
                  if (wide > 2 && high > 2) found.push(a.textContent.slice(0, 30) + ' / ' +
                    b.textContent.slice(0, 30));
                }
              }
              return found.slice(0, 5);
            }"""
        )

    def clipped(self) -> list[str]:
        """Texts of tiles, buttons and headings that do not fit where they are."""
        return self.page.evaluate(
            """() => [...document.querySelectorAll(
                '.tile-value, .tile-more, .panel h2, button, nav a, .note')]
              .filter((one) => one.offsetParent !== null && one.scrollWidth > one.clientWidth + 1
                && getComputedStyle(one).display !== 'inline')
              .map((one) => one.textContent.slice(0, 40)).slice(0, 5)"""
        )

    def close(self) -> None:
        if self._own:
            self.context.close()
        else:
            self.page.close()
