"""Stage 1 in Dagster: decode landed bytes into typed spans, a day at a time."""

from dataclasses import asdict
from functools import partial

import dagster as dg
import pyarrow as pa

from flywheel_assets.defs.checks import stage_checks
from flywheel_assets.defs.conservation import conserves
from flywheel_assets.defs.day_steps import build, rebuild
from flywheel_assets.defs.graph import ASIDE, BACKFILL, specs
from flywheel_assets.defs.metadata import table_of
from flywheel_assets.defs.partitions import DAYS
from flywheel_assets.defs.report import Report, Results, of
from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.defs.verdicts import Check, Verdict
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.rebuild import Built
from flywheel_assets.sources.batches import batches_of, spans_in
from flywheel_assets.spans.decode import COUNTS, LOSSES, decode_into
from flywheel_assets.spans.storms import count_storms
from flywheel_assets.tables.dialect_losses import DIALECT_LOSSES
from flywheel_assets.tables.landed_batches import LANDED_BATCHES
from flywheel_assets.tables.raw_spans import RAW_SPANS
from flywheel_assets.tables.steps import COUNT_STORMS, DECODE
from flywheel_assets.tables.storms import STORMS

RED = {
    "raw_spans": "materialise the day again: landed bytes are kept, and decoding them again gives the same rows. "
    "Spans without an operation are no fault: their convention is not known here.",
    "dialect_losses": "materialise the day again. Attributes that no column takes are kept in `raw_spans`; they are "
    "mapped, and conventions added, in `flywheel_assets/spans/dialects/`.",
    "storms": "one emitter floods the stream with one failure: repair it, or its emitter. Collapsed storms cost one "
    "row a burst; spans that came over OTLP are kept, so let a Collector sample them.",
}
# So many equal ones in a day are somebody's to repair.
FLOOD = 10_000
# Rows of the report in the UI; the table has them all.
SHOWN = 200
LOST = "spans not accounted for"


@dg.multi_asset(
    name=DECODE.name, specs=specs(DECODE, RED, kinds=["otel"]), partitions_def=DAYS, backfill_policy=BACKFILL
)
def decoded(context: dg.AssetExecutionContext, wheel: WheelResource) -> Results:
    """One typed row per span, whatever convention it was written in."""
    lake = wheel.lake()
    work = partial(decode_into, partial(batches_of, wheel.places().landing))
    yield from build(context, lake, DECODE, work, partial(reports, lake))


def reports(lake: Lake, built: Built) -> list[Report]:
    """What became of every span and attribute in the day's batches."""
    (spans, losses), counts, held = built.written, built.notes[COUNTS], spans_in(lake, built.day)
    lost = held - counts.rows - counts.duplicates - counts.other_days - counts.set_aside
    said = of(spans, {"spans in the day's batches": held, **asdict(counts), LOST: lost})
    return [said, of(losses, {"attributes": shown(built.notes[LOSSES])})]


def shown(report: pa.Table) -> dg.TableMetadataValue:
    """The losses as a table in the UI: conflicts first, then what is kept unmapped, the most frequent first."""
    rows = sorted(
        report.drop_columns(["day"]).to_pylist(),
        key=lambda row: (-(row["conflicting"] or 0), row["column_name"] != "-", -row["spans"], row["attribute"]),
    )
    return table_of(rows[:SHOWN], {one.name: one.comment for one in DIALECT_LOSSES.columns if one.name != "day"})


@dg.multi_asset(
    name=COUNT_STORMS.name,
    specs=specs(COUNT_STORMS, RED),
    op_tags=ASIDE,
    partitions_def=DAYS,
    backfill_policy=BACKFILL,
)
def storms(context: dg.AssetExecutionContext, wheel: WheelResource) -> Results:
    """Which equal failures and events came in bursts, and which of them one row stands for."""
    yield from rebuild(context, wheel.lake(), COUNT_STORMS, count_storms)


def no_flood(wheel: WheelResource, _instance: dg.DagsterInstance) -> Verdict:
    """Fails for what flooded the newest day that has storms; shows what was collapsed over all days."""
    con = wheel.lake().connect([STORMS])
    total = con.sql("SELECT coalesce(sum(count), 0)::BIGINT, count(*) FROM storms WHERE collapsed").fetchall()[0]
    newest = max(wheel.lake().days(STORMS), default=None)
    floods = con.execute(
        "SELECT * FROM (SELECT service_name, component, name, signature, sum(count)::BIGINT AS flood FROM storms "
        "WHERE day = $newest GROUP BY ALL) WHERE flood >= $least ORDER BY flood DESC LIMIT 20",
        {"newest": newest, "least": FLOOD},
    ).fetchall()
    told = {" ".join(str(part)[:80] for part in what if part): count for *what, count in floods}
    return Verdict(
        passed=not floods,
        found={"events collapsed": total[0], "into rows": total[1], "floods": told},
    )


def every_span_is_accounted_for(_wheel: WheelResource, instance: dg.DagsterInstance) -> Verdict:
    """Reads what the newest thousand decodings said of themselves."""
    lost: dict[str, int] = {}
    for record in reversed(instance.fetch_materializations(dg.AssetKey(RAW_SPANS.name), limit=1000).records):
        event = record.asset_materialization
        if event is not None and LOST in event.metadata:
            lost[str(event.partition)] = int(str(event.metadata[LOST].value))
    broken = {day: count for day, count in lost.items() if count}
    return Verdict(passed=not broken, found={"days": len(lost), "not accounted for": broken})


spans_checks = stage_checks(
    "spans",
    [
        Check(
            RAW_SPANS.name,
            "every_span_is_accounted_for",
            "Spans in a day's batches = rows + duplicates + spans of other days + spans set aside.",
            every_span_is_accounted_for,
        ),
        conserves(RAW_SPANS, "batches_to_spans", [LANDED_BATCHES, RAW_SPANS]),
        Check(
            STORMS.name,
            "no_flood",
            f"On the newest day no failure or event repeats {FLOOD:,} times or more.",
            no_flood,
        ),
    ],
)
