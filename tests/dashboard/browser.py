"""A headless browser that opens a dashboard, and collects errors and requests to other hosts."""

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
    """The browser context of a new visitor, with an empty cache."""
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, accept_downloads=True, locale="en-GB"
    )
    context.set_default_timeout(120_000)  # milliseconds, for a busy machine
    return context


class Watched:
    """A page, with the errors and the requests to other hosts that it caused."""

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
            lambda request: (
                urlsplit(request.url).scheme in ("http", "https", "ws", "wss")
                and urlsplit(request.url).netloc != host
                and self.foreign.append(request.url)
            ),
        )

    def _note(self, text: str) -> None:
        self.trouble.append(text)

    def open(self, path: str) -> "Watched":
        self.page.goto(self.url + path)
        self.settle()
        return self

    def turn(self, title: str) -> None:
        """Open another page with the navigation. Its title says when the new page is there."""
        self.page.get_by_role("link", name=title, exact=True).click()
        self.until(f"document.querySelector('h1').textContent === '{title}'")
        self.settle()

    def settle(self) -> None:
        """Wait until every panel has its content and every plot is drawn."""
        self.until(
            "document.querySelectorAll('.panel').length > 0"
            " && !document.querySelector('.panel[data-form=loading]:not([hidden])')"
            " && [...document.querySelectorAll('.panel[data-form=figure]:not([hidden])')]"
            ".every((panel) => panel.querySelector('.main-svg'))"
        )

    def until(self, condition: str, seconds: float = 40) -> None:
        """Wait for a condition in JavaScript. The page forbids `eval`, so we poll from outside."""
        for _ in range(int(seconds * 20)):
            request = (
                f"() => {{ try {{ return Boolean({condition}); }} catch {{ return false; }} }}"
            )
            if self.page.evaluate(request):
                return
            self.page.wait_for_timeout(50)
        state = self.page.evaluate(
            "() => [...document.querySelectorAll('.panel')].map((p) => [p.id, p.dataset.form])"
        )
        pytest.fail(f"this never became true: {condition}; {state}; {self.trouble}")

    def violations(self) -> list[str]:
        """Accessibility problems that axe calls serious or critical."""
        self.page.evaluate(AXE + "\n0")
        result = self.page.evaluate("() => axe.run({resultTypes: ['violations']})")
        return [
            f"{violation['id']} ({violation['impact']}): {violation['nodes'][0]['html'][:160]}"
            for violation in result["violations"]
            if violation["impact"] in ("serious", "critical")
        ]

    def wider(self) -> list[str]:
        """Elements that are wider than the screen and do not scroll."""
        return self.page.evaluate(
            """() => {
              const width = document.documentElement.clientWidth;
              if (document.documentElement.scrollWidth <= width) return [];
              return [...document.querySelectorAll('body *')]
                .filter((element) => element.getBoundingClientRect().right > width + 1)
                .map((element) => element.tagName + '.' + element.className).slice(0, 5);
            }"""
        )

    def overlapping(self) -> list[str]:
        """Pairs of elements that overlap."""
        return self.page.evaluate(
            """() => {
              const boxes = [...document.querySelectorAll(
                '.panel, .tile, .panel > header > *, nav a, .spans button, .filters label, '
                + '.right > *')]
                .filter((element) => element.offsetParent !== null)
                .map((element) => [element, element.getBoundingClientRect()])
                .filter(([, box]) => box.width > 0 && box.height > 0);
              const pairs = [];
              for (let i = 0; i < boxes.length; i += 1) {
                for (let j = i + 1; j < boxes.length; j += 1) {
                  const [a, p] = boxes[i], [b, q] = boxes[j];
                  if (a.contains(b) || b.contains(a)) continue;
                  const wide = Math.min(p.right, q.right) - Math.max(p.left, q.left);
                  const high = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
                  if (wide > 2 && high > 2) pairs.push(a.textContent.slice(0, 30) + ' / ' +
                    b.textContent.slice(0, 30));
                }
              }
              return pairs.slice(0, 5);
            }"""
        )

    def clipped(self) -> list[str]:
        """Texts of tiles, buttons and headings that do not fit into their elements."""
        return self.page.evaluate(
            """() => [...document.querySelectorAll(
                '.tile-value, .tile-more, .panel h2, button, nav a, .note')]
              .filter((element) => element.offsetParent !== null
                && element.scrollWidth > element.clientWidth + 1
                && getComputedStyle(element).display !== 'inline')
              .map((element) => element.textContent.slice(0, 40)).slice(0, 5)"""
        )

    def close(self) -> None:
        if self._own:
            self.context.close()
        else:
            self.page.close()
