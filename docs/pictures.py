"""Make the README's pictures of a demo's pages: `python docs/pictures.py build/demo`."""

import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

FOLDER = Path(__file__).with_name("pictures")
MODULE = "08_optimizers"
_MARGIN = 16


def take(browser: Browser, page: Path, part: str, picture: str, width: int, height: int) -> None:
    """Take a picture of a part of a page, of so many points."""
    tab = browser.new_page(viewport={"width": width, "height": 1200}, device_scale_factor=2)
    tab.goto(page.resolve().as_uri())
    box = tab.locator(part).first.bounding_box()
    left = max(box["x"] - _MARGIN, 0)
    size = {"width": min(box["width"] + 2 * _MARGIN, width - left), "height": height}
    path = FOLDER / picture
    tab.screenshot(path=path, clip={"x": left, "y": box["y"], **size}, full_page=True)
    tab.close()
    Image.open(path).convert("P", palette=Image.Palette.ADAPTIVE, colors=64).save(path)


def main(demo: Path) -> None:
    """Take the pictures."""
    FOLDER.mkdir(exist_ok=True)
    page = demo / "modules" / "feedback" / "momentum-averaged" / MODULE / "optimizers_dev.html"
    overview = demo / "modules" / "records" / MODULE / "overview.html"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        take(browser, page, "section:has-text('test-sgd')", "graded_cell.png", 640, 420)
        take(browser, overview, "body", "overview.png", 860, 980)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
