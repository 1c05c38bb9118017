"""Make the README's pictures of a demo's pages: `python docs/pictures.py build/demo`."""

import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

FOLDER = Path(__file__).with_name("pictures")
MODULE = "08_optimizers"
CELL, CLASS = "graded_cell.png", "overview.png"
_MARGIN = 14


def take(browser: Browser, page: Path, width: int, first: str, last: str, picture: str) -> None:
    """Take a picture of a page of so many points, from one part to the end of another."""
    tab = browser.new_page(viewport={"width": width, "height": 1200}, device_scale_factor=2)
    tab.goto(page.resolve().as_uri())
    top = tab.locator(first).bounding_box()["y"] - _MARGIN
    end = tab.locator(last).bounding_box()
    height = end["y"] + end["height"] + _MARGIN - top
    clip = {"x": 0, "y": top, "width": width, "height": height}
    path = FOLDER / picture
    tab.screenshot(path=path, clip=clip, full_page=True)
    tab.close()
    # With few colours it takes a fifth of the space.
    image = Image.open(path).convert("RGB")
    image.quantize(64, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(path)


def main(demo: Path) -> None:
    """Take the pictures."""
    FOLDER.mkdir(exist_ok=True)
    page = demo / "modules" / "feedback" / "momentum-averaged" / MODULE / "optimizers_dev.html"
    overview = demo / "modules" / "records" / MODULE / "overview.html"
    cell = "section:has(code:text-is('test-sgd'))"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        # Three parts that fail, and one that holds between them. Both pictures are as high.
        take(browser, page, 620, f"{cell} .head", f"{cell} .parts > :nth-child(4)", CELL)
        take(browser, overview, 760, "h1", "table >> nth=0", CLASS)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
