"""What a run cost and whose skill it was, where the spans themselves do not say."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from flywheel_assets.lake.session import connection
from flywheel_assets.runs.fold import fold_runs
from flywheel_assets.sources.statements import names_of, prices_of
from flywheel_assets.tables.raw_spans import RAW_SPANS

DAY = date(2026, 11, 20)
UUID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
PRICES = {
    "prices": [
        {"model": "m", "from": "2026-01-01", "input": 1, "output": 10},
        {"model": "m", "from": "2026-11-01", "input": 2, "output": 20, "cache_read": 0.5},
        {"model": "m", "from": "2026-12-01", "input": 99, "output": 99},
        {"model": "m-*", "from": "2026-01-01", "input": 5, "output": 5},
        {"model": "m-large-*", "from": "2026-01-01", "input": 7, "output": 7},
        {"model": "other/m-large-1", "from": "2026-01-01", "input": 11, "output": 11},
        {"model": "free", "from": "2026-01-01", "input": 0, "output": 0},
    ]
}


def span(name: str, parent: str | None = None, **said: Any) -> dict[str, Any]:
    start = datetime(2026, 11, 20, 12, tzinfo=UTC)
    plain = dict.fromkeys(("flags", "dropped_attributes", "dropped_events", "dropped_links"), 0)
    return plain | {
        "day": DAY, "trace_id": "t", "span_id": name, "parent_span_id": parent, "batch_id": "b", "name": name,
        "kind": "internal", "start_time": start, "start_unix_nano": int(start.timestamp()) * 10**9,
        "duration_ns": 1, "status": "unset", "attr_text": [], "attr_json": [], "operation": "llm",
    } | said  # fmt: skip


def folded(spans: list[dict[str, Any]], prices: object = None, names: object = None) -> dict[str, Any]:
    con = connection()
    con.register("raw_spans", RAW_SPANS.rows(spans))
    con.register("prices", prices_of(prices))
    con.register("skill_names", names_of(names))
    (run,) = fold_runs(con, DAY)[0].to_pylist()
    return run


def call(name: str, model: str | None = "m", **said: Any) -> dict[str, Any]:
    return span(name, "a", response_model=model, **said)


AGENT = span("a", operation="agent", agent_name="support-agent-7")
MILLION = {"input_tokens": 1_000_000, "output_tokens": 1_000_000}


@pytest.mark.parametrize(
    ("calls", "cost", "source"),
    [
        ([call("c", cost_usd=3.0, **MILLION)], 3.0, "stated"),
        ([call("c", **MILLION)], 22.0, "computed"),
        ([call("c", **MILLION), call("d", cost_usd=3.0)], 25.0, "mixed"),
        ([call("c", **MILLION), call("d", "nobody's", **MILLION)], None, None),
        ([call("c", "nobody's", **MILLION)], None, None),
        ([call("c")], None, None),
        ([call("c", None, **MILLION)], None, None),
        ([call("c", "free", **MILLION)], 0.0, "computed"),
        ([call("c", **MILLION), call("d", status="error")], 22.0, "computed"),
        ([call("c", "m-small", **MILLION)], 10.0, "computed"),
        ([call("c", "m-large-1", **MILLION)], 14.0, "computed"),
        ([call("c", "m-large-1", provider="other", **MILLION)], 22.0, "computed"),
        (
            [call("c", input_tokens=1_000_000, fresh_input_tokens=600_000, cache_read_tokens=400_000, output_tokens=0)],
            1.4, "computed",
        ),
        (
            [call("c", input_tokens=0, output_tokens=1_000_000, plain_output_tokens=900_000, reasoning_tokens=100_000)],
            20.0, "computed",
        ),
    ],
    ids=["stated", "by the price of that day", "some state theirs", "one has no price", "no price", "no tokens",
         "no model", "free is known", "a failed call used none", "pattern", "longest pattern", "provider and name",
         "cached input is its own part", "reasoning is output"],
)  # fmt: skip
def test_cost_is_stated_else_computed_else_unknown(calls: list[dict[str, Any]], cost: float | None, source: str | None):
    run = folded([AGENT, *calls], PRICES)
    assert (run["cost_usd"] if cost is None else pytest.approx(run["cost_usd"]), run["cost_source"]) == (cost, source)


def test_a_cost_stated_of_the_whole_run_is_not_added_to():
    run = folded([AGENT | {"cost_usd": 1.5}, call("c", **MILLION)], PRICES)
    assert (run["cost_usd"], run["cost_source"]) == (1.5, "stated")


def test_without_a_price_table_nothing_is_computed():
    run = folded([AGENT, call("c", **MILLION)])
    assert (run["cost_usd"], run["cost_source"]) == (None, None)


NAMES = {"names": {"support-agent-*": "support", "support-agent-7": "triage", UUID: "digest", "svc-*": "billing"}}
INNGEST = {"runtime_status": None, "invocation_id": "a-run", "dialect": "inngest"}


@pytest.mark.parametrize(
    ("root", "skill", "source"),
    [
        ({"operation": "agent", "agent_name": "support-agent-7"}, "triage", "mapping"),
        ({"operation": "agent", "agent_name": "support-agent-8"}, "support", "mapping"),
        ({"operation": "agent", "agent_name": "other"}, "other", "agent"),
        ({"operation": "agent", "agent_name": "support-agent-7", "skill_name": "own"}, "own", "convention"),
        ({"operation": "agent", "service_name": "svc-eu"}, "billing", "mapping"),
        ({"operation": "agent"}, None, "none"),
        (INNGEST | {"invocation_target": UUID}, "digest", "mapping"),
        (INNGEST | {"invocation_target": UUID.replace("0", "9")}, None, "none"),
        (INNGEST | {"invocation_target": "app-digest"}, "app-digest", "function"),
    ],
    ids=["exact", "pattern", "unmapped agent", "explicit", "service", "unknown", "function id", "unknown function id",
         "function name"],
)  # fmt: skip
def test_a_skill_is_explicit_else_mapped_else_a_name_else_unknown(root: dict[str, Any], skill: str | None, source: str):
    run = folded([span("a") | root], names=NAMES)
    assert (run["skill"], run["skill_source"]) == (skill, source)


@pytest.mark.parametrize(("name", "read"), [("prices.yaml", prices_of), ("skills.yaml", names_of)])
def test_the_examples_fit(name: str, read: Any):
    stated = yaml.safe_load((Path(__file__).parents[2] / "docs" / "examples" / name).read_text())
    assert read(stated).num_rows == 3


@pytest.mark.parametrize(
    "stated",
    [
        {"prices": [{"model": "m", "from": "2026-01-01", "input": -1, "output": 1}]},
        {"prices": [{"model": "m", "from": "2026-01-01", "input": float("nan"), "output": 1}]},
        {"prices": [{"model": "m", "input": 1, "output": 1}]},
        {"prices": [{"model": "m", "from": "2026-01-01", "input": 1, "output": 1}] * 2},
        {"price": []},
    ],
    ids=["negative", "nan", "no day", "twice", "unknown key"],
)
def test_prices_that_do_not_fit_are_refused(stated: object):
    with pytest.raises(ValueError, match="PricesFile"):
        prices_of(stated)
