"""Exports of other systems: spans as they were, scores as feedback, and a reason for what cannot be read."""

import base64
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flywheel_assets.sources.batches import read_batches
from flywheel_assets.sources.ingest import ingest

TRACE, ROOT, CHILD = "5b8aa5a2d2c872e8321cf37308d69df2", "051581bf3cb55c13", "5fb397be34d26b51"
BEGAN, ENDED = "2026-10-05T09:00:00.000Z", "2026-10-05T09:00:02.500Z"
NANOS = 1_791_190_800 * 10**9


def langfuse(**more) -> dict:
    observation = {
        "id": ROOT,
        "traceId": TRACE,
        "parentObservationId": None,
        "type": "GENERATION",
        "name": "chat",
        "startTime": BEGAN,
        "endTime": ENDED,
        "model": "m",
        "level": "ERROR",
        "statusMessage": "no",
        "usageDetails": {"input": 12, "output": 3, "total": 15},
        "metadata": {
            "attributes": {"gen_ai.system": "openai"},
            "resourceAttributes": {"service.name": "svc"},
            "mine": 1,
        },
    }
    trace = {"id": TRACE, "name": "t", "sessionId": "s", "scores": [score("helpful", 0.5)]}
    return {"trace": trace, "observations": [observation]} | more


def score(name: str, value: object, **more) -> dict:
    told = {
        "traceId": TRACE,
        "name": name,
        "value": value,
        "source": "ANNOTATION",
        "timestamp": ENDED,
        "dataType": "NUMERIC",
    }
    return {"authorUserId": "ann"} | told | more


def phoenix(**more) -> dict:
    return {
        "name": "chat",
        "context": {"trace_id": TRACE, "span_id": ROOT},
        "span_kind": "LLM",
        "parent_id": None,
        "start_time": BEGAN,
        "end_time": ENDED,
        "status_code": "ERROR",
        "status_message": "no",
        "attributes": {
            "llm": {
                "model_name": "m",
                "provider": "openai",
                "token_count": {"prompt": 12, "completion": 3, "total": 15},
            },
            "session": {"id": "s"},
            "input": {"value": "q"},
            "llm.input_messages.0.message.content": "q",
        },
        "events": [],
    } | more


ANNOTATION = {
    "name": "helpful",
    "annotator_kind": "HUMAN",
    "identifier": "ann",
    "result": {"score": 0.5, "label": None, "explanation": None},
    "created_at": ENDED,
}
FLAT = {
    "name": "chat",
    "span_kind": "LLM",
    "parent_id": None,
    "start_time": BEGAN,
    "end_time": ENDED,
    "status_code": "ERROR",
    "status_message": "no",
    "context.trace_id": TRACE,
    "context.span_id": ROOT,
    "attributes.llm.model_name": "m",
    "attributes.llm.provider": "openai",
    "attributes.llm.token_count.prompt": 12,
    "attributes.llm.token_count.completion": 3,
    "attributes.llm.token_count.total": 15,
    "attributes.session.id": "s",
    "attributes.input.value": "q",
}


def mlflow(*, third: bool) -> dict:
    ids = (
        {
            "trace_id": base64.b64encode(bytes.fromhex(TRACE)).decode(),
            "span_id": base64.b64encode(bytes.fromhex(ROOT)).decode(),
        }
        if third
        else {"context": {"trace_id": f"0x{TRACE}", "span_id": f"0x{ROOT}"}}
    )
    times = ("start_time_unix_nano", "end_time_unix_nano") if third else ("start_time", "end_time")
    span = {
        **ids,
        "name": "chat",
        "parent_span_id": None,
        times[0]: NANOS,
        times[1]: NANOS + 2_500_000_000,
        **(
            {"status": {"code": "STATUS_CODE_ERROR", "message": "no"}}
            if third
            else {"status_code": "ERROR", "status_message": "no"}
        ),
        "attributes": {
            "mlflow.spanType": '"CHAT_MODEL"',
            "mlflow.llm.model": '"m"',
            "mlflow.llm.provider": '"openai"',
            "mlflow.chat.tokenUsage": '{"input_tokens": 12, "output_tokens": 3, "total_tokens": 15}',
            "mlflow.spanInputs": '{"q": 1}',
        },
        "events": [],
    }
    assessment = {
        "assessment_name": "helpful",
        "source": {"source_type": "HUMAN", "source_id": "ann"},
        "feedback": {"value": 0.5},
        "create_time": ENDED,
    }
    info = {
        "trace_metadata" if third else "request_metadata": {"mlflow.trace.session": "s"},
        "assessments": [assessment],
    }
    return {"info": info, "data": {"spans": [span]}}


PYTHON_SDK = {
    "name": "chat",
    "context": {"trace_id": f"0x{TRACE}", "span_id": f"0x{ROOT}", "trace_state": "[]"},
    "kind": "SpanKind.CLIENT",
    "parent_id": None,
    "start_time": BEGAN,
    "end_time": ENDED,
    "status": {"status_code": "ERROR", "description": "no"},
    "attributes": {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "m",
        "gen_ai.provider.name": "openai",
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 3,
        "gen_ai.usage.total_tokens": 15,
        "gen_ai.conversation.id": "s",
    },
    "resource": {"attributes": {"service.name": "svc"}},
}


def document(value: object) -> bytes:
    return json.dumps(value, indent=1).encode()


def lines(*values: object) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def parquet(*rows: dict) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(list(rows)), sink)
    return sink.getvalue().to_pybytes()


def columns(row: dict) -> dict:
    return {name: {ROOT: value} for name, value in row.items() if name != "context.span_id"}


# file content, whether it has a score, what kind of target the score is about
EXPORTS = {
    "langfuse: a trace with its observations": (document(langfuse()), "run"),
    "langfuse: a page of the API, the trace itself holding them": (
        document({"data": [{**langfuse()["trace"], "observations": langfuse()["observations"]}], "meta": {"page": 1}}),
        "run",
    ),
    "langfuse: traces a line": (lines(langfuse()), "run"),
    "phoenix: nested spans in an array": (document([phoenix(annotations=[ANNOTATION])]), "span"),
    "phoenix: a page of the API": (
        document({"data": [phoenix(annotations=[ANNOTATION])], "next_cursor": None}),
        "span",
    ),
    "phoenix: spans a line": (lines(phoenix()), None),
    "phoenix: a dataframe in Parquet": (parquet(FLAT), None),
    "phoenix: a dataframe's records": (document([FLAT]), None),
    "phoenix: a dataframe's columns": (document(columns(FLAT)), None),
    "mlflow: a trace of version 3": (document(mlflow(third=True)), "run"),
    "mlflow: traces of version 2, a line": (lines(mlflow(third=False)), "run"),
    "otel_sdk: what Python's console exporter prints": (lines(PYTHON_SDK), None),
}


@pytest.mark.parametrize("case", EXPORTS)
def test_an_export_gives_the_span_that_was_sent(place, otlp_rows, tmp_path: Path, case: str) -> None:
    content, about = EXPORTS[case]
    file = tmp_path / "export"
    file.write_bytes(content)
    for _ in range(2):
        done = ingest(file, place.inbox)
        landed = place.land()
        assert [one.form for one in done.translated.values()] == [case.split(":", maxsplit=1)[0]]
    # The same file twice is the same bytes.
    assert (landed.accepted, landed.rejected) == (0, 0)
    days = {row[0][0] for row in place.rows("days") if row[0]}
    (row,) = otlp_rows(place, days)
    assert (row["trace_id"], row["span_id"], row["parent_span_id"], row["name"]) == (TRACE, ROOT, None, "chat")
    assert (row["start_unix_nano"], row["duration_ns"]) == (NANOS, 2_500_000_000)
    assert (row["status"], row["status_message"], row["operation"]) == ("error", "no", "llm")
    assert (row["request_model"], row["provider"], row["session_id"]) == ("m", "openai", "s")
    assert (row["input_tokens"], row["output_tokens"], row["total_tokens"]) == (12, 3, 15)
    said = [
        json.loads(batch.payload) for day in days for batch in read_batches(place.lake, place.landing, day, "feedback")
    ]
    assert [(one["target_kind"], one["target_id"], one["value"], one["tier"], one["author_id"]) for one in said] == (
        [] if about is None else [(about, f"{TRACE}:{ROOT}", 0.5, "human", "ann")]
    )


REFUSED = {
    "langfuse: an observation without a time": (
        langfuse(
            observations=[
                *langfuse()["observations"],
                {**langfuse()["observations"][0], "id": CHILD, "startTime": None},
            ]
        ),
        "without a start time",
    ),
    "langfuse: a score of another trace": (
        {"data": [langfuse(), score("x", 1, traceId="7" * 32)], "meta": {}},
        "observations are not beside it",
    ),
    "langfuse: a score that says nothing": (langfuse(scores=[score("x", None)]), "at least one of value"),
    "phoenix: a span without a kind": ([phoenix(), {"context": {}, "name": "x"}], "no span"),
    "phoenix: an annotation without a name": ([phoenix(annotations=[{**ANNOTATION, "name": ""}])], "name:"),
    "mlflow: a span without ids": (
        {**mlflow(third=True), "data": {"spans": [*mlflow(third=True)["data"]["spans"], {"name": "x"}]}},
        "without ids or a start time",
    ),
    "mlflow: something else among traces": ([mlflow(third=True), {"x": 1}], "no MLflow trace"),
    "otel_sdk: something else among spans": ([PYTHON_SDK, 5], "no span of an OpenTelemetry SDK"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_set_aside_with_a_reason_and_kept(place, otlp_rows, tmp_path: Path, case: str) -> None:
    given, word = REFUSED[case]
    file = tmp_path / "export.json"
    file.write_bytes(document(given))
    done = ingest(file, place.inbox)
    landed = place.land()
    (told,) = done.translated.values()
    assert (told.set_aside, landed.rejected) == (1, 1)
    ((reason,),) = [row[1:] for row in place.rows("status", "reason") if row[0] == "rejected"]
    assert word in reason
    assert len(otlp_rows(place, landed.days)) == 1


def test_scores_on_other_scales_keep_their_number_as_text(place, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(
        document(langfuse(scores=[score("stars", 4), score("tone", 0, stringValue="warm")]))
    )
    ingest(tmp_path / "x.json", place.inbox)
    landed = place.land()
    said = [
        json.loads(batch.payload)
        for day in landed.days
        for batch in read_batches(place.lake, place.landing, day, "feedback")
    ]
    assert sorted((one["name"], one["value"], one["value_text"]) for one in said) == [
        ("helpful", 0.5, None),
        ("stars", None, "4"),
        ("tone", 0.0, "warm"),
    ]


@pytest.mark.parametrize("content", [b'{"a": 1}', b"[1, 2]", b"{", b"PAR1 and no more", b'[{"name": 5}]', b"[]"])
def test_what_nobody_knows_is_skipped_with_a_reason(place, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    done = ingest(tmp_path / "x", place.inbox)
    assert (done.files, list(done.translated)) == (0, [])
    assert all(done.skipped.values())
    assert not list(place.inbox.iterdir())
