"""Draws the picture of the dashboard's Learning page for the main README.

python -m experiments.dashboard.picture [--telemetry FOLDER]

Without a folder, the program runs `waggle demo --weeks 12` first, which takes some minutes.
"""

import argparse
import io
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

from experiments.dashboard.run import dashboard_over
from experiments.served import WAGGLE
from tests.dashboard.browser import Watched, chromium

PICTURE = Path(__file__).parent / "learning.png"
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--telemetry", type=Path, help="a folder of telemetry to show")
    folder = parser.parse_args().telemetry
    if folder is not None:
        draw(folder, PICTURE)
        return
    with tempfile.TemporaryDirectory() as data:
        subprocess.run([WAGGLE, "demo", "--weeks", "12", "--data", data], check=True)
        draw(Path(data) / "weeks" / "telemetry", PICTURE)


if __name__ == "__main__":
    main()
