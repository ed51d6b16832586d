"""Evaluation results that travel as logs reach the span that they judge."""

import json
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from flywheel_assets.examples.collect import collect_feedback
from flywheel_assets.lake.session import connection
from flywheel_assets.sources.ingest import ingest
from flywheel_assets.sources.log_events import InvalidLogsError, evaluations
from flywheel_assets.tables.raw_spans import RAW_SPANS

AT = 1_795_000_000_000_000_000
DAY = date(2026, 11, 18)
TRACE, SPAN = "ab" * 16, "cd" * 8


def attributes(plain: dict) -> list[dict]:
    kinds = {str: "stringValue", float: "doubleValue", int: "intValue", bool: "boolValue"}
    return [{"key": key, "value": {kinds[type(value)]: value}} for key, value in plain.items()]


def record(plain: dict, **fields) -> dict:
    told = {"eventName": "gen_ai.evaluation.result", "timeUnixNano": str(AT), "traceId": TRACE, "spanId": SPAN}
    return told | {"attributes": attributes(plain)} | fields


def logs(*records: dict) -> dict:
    owner = {"attributes": attributes({"service.name": "judge"})}
    return {"resourceLogs": [{"resource": owner, "scopeLogs": [{"scope": {"name": "s"}, "logRecords": list(records)}]}]}


JUDGED = {"gen_ai.evaluation.name": "helpful", "gen_ai.evaluation.score.value": 0.5, "flywheel.evaluator.kind": "human"}
CASES = {
    "on a span": (record(JUDGED), ("span", f"{TRACE}:{SPAN}", "helpful", 0.5, "human")),
    "of a response, without a trace": (
        record(JUDGED | {"gen_ai.response.id": "r"}, traceId="", spanId=""),
        ("response", "r", "helpful", 0.5, "human"),
    ),
    "named by an attribute, observed rather than timed": (
        record(
            JUDGED | {"event.name": "gen_ai.evaluation.result"},
            eventName="",
            timeUnixNano="0",
            observedTimeUnixNano=str(AT),
        ),
        ("span", f"{TRACE}:{SPAN}", "helpful", 0.5, "human"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_logged_verdict_becomes_feedback(place, otlp_rows, tmp_path: Path, case: str) -> None:
    given, expected = CASES[case]
    file = tmp_path / "logs.jsonl"
    file.write_text("".join(json.dumps(logs(one)) + "\n" for one in (given, {"body": {"stringValue": "private"}})))
    done = ingest(file, place.inbox)
    (told,) = done.translated.values()
    assert (told.form, told.requests, told.set_aside) == ("otlp_logs", 1, 1)
    landed = place.land()
    assert (landed.accepted, landed.spans, landed.rejected) == (1, 1, 1)
    rows = otlp_rows(place, landed.days)
    assert [row["operation"] for row in rows] == ["evaluation"]
    con = connection()
    con.register("raw_spans", pa.Table.from_pylist(rows, schema=RAW_SPANS.schema))
    (said,) = collect_feedback(con, DAY, [])[0].to_pylist()
    assert tuple(said[name] for name in ("target_kind", "target_id", "name", "value", "tier")) == expected


def test_the_same_verdict_twice_is_the_same_span() -> None:
    first, second = (evaluations(json.dumps(logs(record(JUDGED))).encode(), "json").request for _ in range(2))
    other = evaluations(
        json.dumps(logs(record(JUDGED | {"gen_ai.evaluation.score.value": 0.75}))).encode(), "json"
    ).request
    assert first == second != other


@pytest.mark.parametrize(("payload", "form"), [(b"{", "json"), (b'{"a": 1}', "json"), (b"\xff", "protobuf")])
def test_what_is_no_logs_request_is_refused(payload: bytes, form: str) -> None:
    with pytest.raises(InvalidLogsError):
        evaluations(payload, form)
