"""`make pictures`: what people see, taken with headless Chromium from a demo's data folder.

    python -m flywheel_assets_tests.benchmarks.pictures --data build/pictures --out docs/images

The demo is played first where the folder is not there; it takes minutes, and a played one is used again.
"""

import argparse
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from flywheel_assets.commands.up import Addresses, Ports, running
from flywheel_assets.lake.places import Places
from flywheel_assets.replay.demo import play
from flywheel_assets.tables.catalogue import STAGES

if TYPE_CHECKING:
    from playwright.sync_api import Page

WIDE = {"width": 1600, "height": 900}
# The graph is laid out and animated after its nodes are there.
SETTLED = 4000
# Around the graph, in pixels.
MARGIN = 30


def take(places: Places, out: Path) -> None:
    """All pictures, into `out`."""
    out.mkdir(parents=True, exist_ok=True)
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with running(places, Ports(0, 0, 0)) as (at, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=quiet)
        fine = browser.new_page(viewport=WIDE, base_url=at.ui, device_scale_factor=2)
        lineage(fine, out / "lineage.png")
        page = browser.new_page(viewport=WIDE, base_url=at.ui)
        page.set_default_timeout(60_000)
        asset(page, out / "asset.png")
        decision(page, out / "decision.png")
        page.set_viewport_size({"width": 1000, "height": 1100})
        page.goto(places.report.absolute().as_uri())
        page.screenshot(path=str(out / "report.png"))
        desk(page, at, out / "desk.png")
        browser.close()


def lineage(page: "Page", file: Path) -> None:
    """The stages from left to right, as the graph opens: its groups folded."""
    page.goto("/asset-groups")
    page.wait_for_selector("text=snapshots")
    page.click("text=Hide navigation")
    page.wait_for_timeout(SETTLED)
    # Where the layout puts them changes with the edges between them.
    boxes = [box for stage in STAGES if (box := page.get_by_text(stage, exact=True).last.bounding_box())]
    left, top = min(box["x"] for box in boxes), min(box["y"] for box in boxes)
    right, bottom = max(box["x"] + box["width"] for box in boxes), max(box["y"] + box["height"] for box in boxes)
    # A node's arrow is on its right.
    width, height = right - left + 3 * MARGIN, bottom - top + 2 * MARGIN
    page.screenshot(path=str(file), clip={"x": left - MARGIN, "y": top - MARGIN, "width": width, "height": height})


def asset(page: "Page", file: Path) -> None:
    """What a row is, its columns, checks, freshness, what to do when a check is red."""
    page.goto("/assets/skill_scores")
    page.wait_for_selector("text=When a check is red:")
    page.wait_for_timeout(SETTLED)
    page.screenshot(path=str(file))


def decision(page: "Page", file: Path) -> None:
    """What was decided, with the confidence sequences."""
    page.goto("/assets/promotion_decisions?view=events")
    page.click("text=[Show Markdown]")
    page.wait_for_selector("img[src^='data:image/svg+xml']")
    page.wait_for_timeout(SETTLED)
    page.screenshot(path=str(file))


def desk(page: "Page", at: Addresses, file: Path) -> None:
    """What waits for a person."""
    page.set_viewport_size({"width": 1000, "height": 900})
    page.goto(at.desk)
    page.fill("[name=name]", "ann")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=What waits for a person")
    page.goto(f"{at.desk}/decisions")
    page.wait_for_selector("article:focus")
    page.screenshot(path=str(file))


def main() -> None:
    """Play the demo where there is none, and take the pictures."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--data", type=Path, default=Path("build/pictures"))
    asked.add_argument("--out", type=Path, default=Path("docs/images"))
    told = asked.parse_args()
    if not Places(told.data).report.exists():
        play(told.data, print)
    take(Places(told.data), told.out)


if __name__ == "__main__":
    main()
