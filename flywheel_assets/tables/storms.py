"""Bursts of equal failures and equal events: what was collapsed to one row, and what was not but could be."""

from flywheel_assets.tables.table import DAY, FLAG, INT, TEXT, TIME, Column, Table

STORMS = Table(
    name="storms",
    stage="spans",
    row="One burst of spans that are equal but for their time and belong to no run.",
    key=("day", "trace_id", "span_id"),
    by_day=True,
    columns=(
        Column("day", DAY, "UTC day of its first span", required=True),
        Column("trace_id", TEXT, "Trace of the span that stands for it (collapsed), else of its first", required=True),
        Column("span_id", TEXT, "That span", required=True),
        Column("service_name", TEXT, "Who emitted it"),
        Column("component", TEXT, "Component, where the emitter names one"),
        Column("name", TEXT, "Action, or span name", required=True, private="name"),
        Column("signature", TEXT, "What the errors share, numbers and ids taken out; else a hash of the content"),
        Column("count", INT, "How many there were", "spans", required=True),
        Column("first_time", TIME, "Time of the first", required=True),
        Column("last_time", TIME, "Time of the last", required=True),
        Column(
            "collapsed",
            FLAG,
            "true: one row of raw_spans stands for all; false: they came as spans and are all there",
            required=True,
        ),
    ),
)
