"""Sources as assets: what each brought and lost, whether those that are asked answer, and asking them."""

import os
from datetime import datetime, timedelta

import dagster as dg

from flywheel_assets.defs.metadata import OWNER
from flywheel_assets.defs.report import Report
from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.defs.verdicts import Verdict
from flywheel_assets.sources.cursor import collect
from flywheel_assets.sources.event_spool import EventSpool
from flywheel_assets.sources.per_source import SOURCES, per_source
from flywheel_assets.sources.polling import POLLED, Asked, asking, configured, last_asked

POLL_SECONDS = int(os.environ.get("FLYWHEEL_POLL_SECONDS", "60"))
FRESH_WITHIN = timedelta(hours=36)
RED = {
    "asked": "its last poll's fault names the address and the variable to look at; what it read before then stays, "
    "and the next poll goes on from there.",
    "sent": "read `reason` of its rejected rows in landed_batches; the bytes are kept under `data/landing`.",
}


def asset_of(source: str) -> str:
    """The asset's key."""
    return f"source_{source}"


def source_specs() -> list[dg.AssetSpec]:
    """One asset for each source; it is materialised when something came from it, or it was asked and answered."""
    return [
        dg.AssetSpec(
            asset_of(source),
            description=_describe(source),
            group_name="sources",
            code_version="1",
            owners=[OWNER],
            kinds={"polled" if source in POLLED else "pushed"},
            freshness_policy=dg.FreshnessPolicy.time_window(fail_window=FRESH_WITHIN) if source in POLLED else None,
            skippable=True,
        )
        for source in SOURCES
    ]


def _describe(source: str) -> str:
    needs = " and ".join(f"`{name}`" for name in POLLED[source].needs) if source in POLLED else ""
    how = f"Asked every minute where {needs} is set." if needs else "Sends to the receiver, or lies in the inbox."
    red = RED["asked" if needs else "sent"]
    what = f"**What comes from `{source}`,** what of it was lost and when something last came. {how}"
    return f"{what}\n\n**When a check is red:** {red}"


def poll_configured(wheel: WheelResource) -> list[Asked]:
    """Take in the events that workers posted, and ask what is configured; a replay at another time asks nobody."""
    places = wheel.places()
    if places.events.is_dir():
        collect(EventSpool(places.events, places.landing / "events"), places.inbox, places.cursors)
    names = [] if wheel.clock else configured(os.environ)
    return asking(names, os.environ, (places.inbox, places.cursors), wheel.now())


def source_reports(wheel: WheelResource, asked: list[Asked], landed_at: datetime) -> list[Report]:
    """Reports of the sources that brought something in this landing, or were asked and answered."""
    answered = {one.source: one for one in asked if one.fault is None}
    found = per_source(wheel.lake(), landed_at)
    brought = {source for source, numbers in found.items() if numbers["landed_now"]}
    return [
        Report(
            asset_of(source),
            f"{found.get(source, {}).get('batches', 0)}",
            metadata={
                **{name: str(value) for name, value in found.get(source, {}).items()},
                **({"last poll": str(answered[source].polled)} if source in answered else {}),
            },
        )
        for source in SOURCES
        if source in answered or source in brought
    ]


def sources_answer(wheel: WheelResource, _instance: dg.DagsterInstance) -> Verdict:
    """Fails when the last poll of a configured source ended with a fault.

    A check of the landing and not of the source's own asset: that one is not materialised when nothing came.
    """
    last = {name: last_asked(wheel.places().cursors, name) for name in configured(os.environ)}
    faults = {name: f"{one.at}: {one.fault}" for name, one in last.items() if one is not None and one.fault}
    return Verdict(passed=not faults, found={"faults": faults, "asked": ", ".join(last) or "no source is configured"})


@dg.sensor(
    minimum_interval_seconds=POLL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks the sources that do not push, where the environment configures one (FLYWHEEL_POLL_SECONDS); "
    "what they answer goes into the inbox.",
)
def ask_sources(wheel: WheelResource) -> dg.SkipReason:
    """Never requests a run: the inbox sensor sees what came."""
    asked = poll_configured(wheel)
    if not asked:
        told = "; ".join(f"{name}: {', '.join(source.needs)}" for name, source in POLLED.items())
        return dg.SkipReason(f"no source to be asked is configured ({told})")
    return dg.SkipReason(
        "; ".join(
            f"{one.source}: {one.fault or f'{one.polled.rows} rows, {one.polled.batches} batches'}" for one in asked
        )
    )
