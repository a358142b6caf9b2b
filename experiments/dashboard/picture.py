"""Draws the pictures of the dashboard's Learning page and of its playground.

python -m experiments.dashboard.picture [--telemetry FOLDER] [--playground]

Without a folder, the program runs `waggle demo --weeks 12` first, which takes some minutes.
With `--playground` it draws only the playground: of a service over scripted models, whose answers,
delays and prices are made up.
"""

import argparse
import io
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from PIL import Image

from experiments.dashboard.run import dashboard_over
from experiments.served import WAGGLE
from tests.dashboard.browser import Watched, chromium
from tests.dashboard.playing import playing
from tests.dashboard.story import write_story
from tests.router.scripted import ScriptedModel

PICTURE = Path(__file__).parent / "learning.png"
PLAYGROUND = Path(__file__).parent / "playground.png"
_SHORT = "Bees dance to tell their sisters **where flowers are**."
_LONG = (
    "Bees dance to share what they found:\n\n1. The **angle** to the vertical is the direction, "
    "relative to the sun.\n2. The **length** of the waggle run is the distance.\n"
    "3. The **liveliness** says how rich the source is.\n\n"
    "Others follow, and dance in turn if they agree."
)
_WIDTH = 1366  # pixels: a laptop's screen, and the window of the tests
_MARGIN = 10  # pixels between the learning curve's panel and the lower edge of the picture
_COLOURS = 128  # 128 colours suffice for lines and text, and the file is four times smaller.


def draw(telemetry: Path, picture: Path) -> None:
    with dashboard_over(telemetry) as (url, _), chromium() as browser:
        page = Watched(browser, url).open("/learning?last=all&theme=light")
        curve = page.page.locator(".panel", has=page.page.locator("#g-curve")).bounding_box()
        assert curve is not None
        height = curve["y"] + curve["height"] + _MARGIN
        clip: Any = {"x": 0, "y": 0, "width": _WIDTH, "height": height}
        image = Image.open(io.BytesIO(page.page.screenshot(full_page=True, clip=clip)))
        page.close()
    image.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE).save(picture, optimize=True)


def draw_playground(picture: Path) -> None:
    models = {"free": ScriptedModel(_SHORT), "dear": ScriptedModel(_LONG, between=0.02)}
    with tempfile.TemporaryDirectory() as base, chromium() as browser:
        write_story(Path(base) / "telemetry", begin=time.time_ns() // 1000)
        with playing(Path(base) / "telemetry", models) as place:
            seen = Watched(browser, place.url)
            seen.page.goto(f"{place.url}/playground?theme=light")
            seen.until("document.querySelectorAll('.choice input').length === 2")
            seen.page.get_by_label("Prompt", exact=False).first.fill("Why do bees dance?")
            seen.page.get_by_role("button", name="ask", exact=True).click()
            seen.page.get_by_role("button", name="spend at most this").click()
            seen.until("document.querySelectorAll('[data-state=done]').length === 2")
            seen.page.get_by_role("button", name="good answer of dear").click()
            seen.until("document.querySelector('[data-part=status]').textContent.includes('Noted')")
            seen.page.evaluate("() => window.scrollTo(0, 0)")  # the header sticks to the top
            image = Image.open(io.BytesIO(seen.page.screenshot(full_page=True)))
            seen.close()
    image.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE).save(picture, optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--telemetry", type=Path, help="a folder of telemetry to show")
    parser.add_argument("--playground", action="store_true", help="draw the playground only")
    options = parser.parse_args()
    draw_playground(PLAYGROUND)
    if options.playground:
        return
    folder = options.telemetry
    if folder is not None:
        draw(folder, PICTURE)
        return
    with tempfile.TemporaryDirectory() as data:
        subprocess.run([WAGGLE, "demo", "--weeks", "12", "--data", data], check=True)
        draw(Path(data) / "weeks" / "telemetry", PICTURE)


if __name__ == "__main__":
    main()
