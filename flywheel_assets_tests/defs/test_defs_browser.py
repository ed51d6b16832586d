"""The real Dagster UI in a real browser: lineage, an asset's page with its plot, a backfill, a sensor's tick.

The pictures are kept in build/screenshots.
"""

import json
import shutil
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flywheel_assets.commands.up import Ports, running
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.tables.agent_runs import AGENT_RUNS
from flywheel_assets.tables.catalogue import STAGES

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = shutil.which("chromium")
SCREENSHOTS = Path(__file__).resolve().parents[2] / "build" / "screenshots"
REPOSITORY = {"repositoryLocationName": "flywheel_assets.definitions", "repositoryName": "__repository__"}
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine"),
]


@pytest.fixture(scope="module")
def ui(turned: Places, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Places]]:
    """`flywheel up` on a copy of the turned wheel, runs included."""
    data = tmp_path_factory.mktemp("ui") / "data"
    shutil.copytree(turned.data, data)
    with running(Places(data), Ports(0, 0, 0)) as (addresses, _):
        yield addresses.ui, Places(data)


@pytest.fixture(scope="module")
def page(ui: tuple[str, Places]) -> Iterator["Page"]:
    from playwright.sync_api import sync_playwright

    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=quiet)
        opened = browser.new_page(viewport={"width": 1800, "height": 1000}, base_url=ui[0])
        yield opened
        browser.close()


def look(page: "Page", path: str, wait_for: str, name: str) -> None:
    page.goto(path)
    page.wait_for_selector(wait_for, timeout=60_000)
    picture(page, name)


def picture(page: "Page", name: str) -> None:
    # The graph is laid out and animated after its nodes are there.
    page.wait_for_timeout(2500)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(SCREENSHOTS / f"{name}.png"))


def ask(ui: str, query: str, **variables: object) -> dict[str, Any]:
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(f"{ui}/graphql", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        found = json.load(answer)
    assert "errors" not in found, found
    return found["data"]


def test_the_lineage_graph_shows_every_stage(page: "Page") -> None:
    look(page, "/asset-groups", "text=observations", "groups")
    shown = {stage for stage in STAGES if page.get_by_text(stage, exact=True).count()}
    assert shown == set(STAGES)
    look(
        page,
        "/assets/gated_observations?view=lineage&lineageScope=neighbors&lineageDepth=5",
        "text=agent_runs",
        "lineage",
    )


def test_an_asset_says_what_a_row_is_and_what_to_do(page: "Page") -> None:
    look(page, "/assets/skill_scores", "text=When a check is red:", "asset")
    assert page.get_by_text("Mean shrunk towards the skill").count() == 1


def test_the_plot_of_a_materialisation_is_drawn(page: "Page") -> None:
    page.goto("/assets/skill_scores?view=events")
    # The UI shows short Markdown at once and asks for a click when it is long.
    plot, ask_for = page.locator("img[src^='data:image/svg+xml']"), page.locator("text=[Show Markdown]")
    plot.or_(ask_for).first.wait_for(timeout=60_000)
    if not plot.count():
        ask_for.first.click()
    plot.first.wait_for()
    picture(page, "plot-skill_scores")
    width = plot.first.evaluate("drawn => drawn.naturalWidth")
    assert width > 300


def test_a_plot_with_nothing_to_draw_says_so(page: "Page") -> None:
    look(page, "/assets/momentum?view=events", "text=Not measured yet: too few runs beside a holdout.", "plot-momentum")


def test_a_check_shows_its_account(page: "Page") -> None:
    look(page, "/assets/run_spans?view=checks", "text=spans_to_run_spans", "check")
    page.click("text=spans_to_run_spans")
    page.wait_for_selector("text=Every span has exactly one row in run_spans", timeout=30_000)
    picture(page, "check")


def test_a_sensor_says_why_it_did_not_act(page: "Page") -> None:
    page.goto(f"/locations/{REPOSITORY['repositoryLocationName']}/sensors/inbox")
    page.locator("button", has_text="0 runs requested").first.click(timeout=90_000)
    page.wait_for_selector("text=nothing new among", timeout=30_000)
    picture(page, "tick")


def test_a_backfill_launched_from_the_ui_succeeds(ui: tuple[str, Places]) -> None:
    address, places = ui
    days = [day.isoformat() for day in Lake(places.lake).days(AGENT_RUNS)]
    launched = ask(
        address,
        """mutation ($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
            __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }""",
        params={
            "selector": {"partitionSetName": "days_again_partition_set", "repositorySelector": REPOSITORY},
            "partitionNames": days,
            "title": "from the UI",
        },
    )["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched
    status, until = "", time.monotonic() + 180
    while status not in ("COMPLETED_SUCCESS", "COMPLETED_FAILED", "FAILED") and time.monotonic() < until:
        time.sleep(1)
        status = ask(
            address,
            """query ($id: String!) {
                partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } } }""",
            id=launched["backfillId"],
        )["partitionBackfillOrError"]["status"]
    assert status == "COMPLETED_SUCCESS"
    asked = """query ($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill {
        runs { tags { key value } } } } }"""
    (run,) = ask(address, asked, id=launched["backfillId"])["partitionBackfillOrError"]["runs"]
    tags = {tag["key"]: tag["value"] for tag in run["tags"]}
    assert [tags[f"dagster/asset_partition_range_{end}"] for end in ("start", "end")] == [days[0], days[-1]]
