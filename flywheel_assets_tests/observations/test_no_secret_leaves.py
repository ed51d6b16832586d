"""Credentials planted wherever agents and people write stay where what was received is kept, and in no other place."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from flywheel_assets.commands.snapshot import export
from flywheel_assets.defs.turn import turn_the_wheel
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.lake.session import connection
from flywheel_assets.observations.secret_patterns import find_secrets
from flywheel_assets.snapshots.build import build_snapshot
from flywheel_assets.snapshots.report import write_report
from flywheel_assets.tables.agent_runs import AGENT_RUNS
from flywheel_assets.tables.catalogue import TABLES
from flywheel_assets.tables.documents.routing import prompt_version
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS
from flywheel_assets.tables.prompt_candidates import PROMPT_CANDIDATES
from flywheel_assets_tests.conftest import MODELS, attribute
from flywheel_assets_tests.observations.credentials import Planted, credentials

DAY = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) - timedelta(days=2)
PROMPT = "Answer the customer."
# What was received, what it says of runs, and what people said: before the gates, as it was.
AS_RECEIVED = {table.name for table in TABLES if table.stage in {"spans", "runs", "examples"}}
KEPT_AS_RECEIVED = {"inbox", "landing", "lake", "snapshots"}
PLAIN = Planted("none", "where is my parcel", "")


def said(role: str, text: str) -> str:
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])


def span(number: int, of: int, name: str, attributes: Mapping[str, object], **given: object) -> dict[str, object]:
    start = int((DAY + timedelta(seconds=number)).timestamp()) * 10**9
    return {
        "traceId": f"{number + 1:032x}",
        "spanId": f"{number * 100 + of + 1:016x}",
        "name": name,
        "startTimeUnixNano": str(start + of),
        "endTimeUnixNano": str(start + 10**9 - of),
        "attributes": [attribute(*item) for item in attributes.items()],
        **({"parentSpanId": f"{number * 100 + 1:016x}"} if of else {}),
        **given,
    }


def spans_of(number: int, planted: Planted) -> list[Mapping[str, object]]:
    """A run that has the credential in every text that instrumentation writes."""
    text, good = planted.text, number % 3 != 0
    verdict = {
        "gen_ai.evaluation.name": "solved",
        "gen_ai.evaluation.score.value": 1.0 if good else 0.0,
        "gen_ai.evaluation.explanation": text,
        "flywheel.label.source_tier": "check",
        "flywheel.evaluator.id": "ticket-closed",
    }
    event = {"name": "gen_ai.evaluation.result", "attributes": [attribute(*item) for item in verdict.items()]}
    raised = {"exception.type": "ValueError", "exception.message": text, "exception.stacktrace": f"line 1\n{text}"}
    exception = {"name": "exception", "attributes": [attribute(*item) for item in raised.items()]}
    at = {"timeUnixNano": str(int(DAY.timestamp() + number) * 10**9 + 5)}
    agent = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "support",
        "gen_ai.agent.description": text,
        "gen_ai.request.model": MODELS[number % 2],
        "gen_ai.prompt.version": prompt_version(PROMPT),
        "gen_ai.conversation.id": f"session {number}",
        "gen_ai.input.messages": said("user", f"case {number}: {text}"),
        "gen_ai.output.messages": said("assistant", f"about {number}: {text}"),
        "gen_ai.system_instructions": text,
        "flywheel.skill.name": "triage",
        "flywheel.context.deploy": text,
        "custom.note": text,
    }
    tool = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "search",
        "gen_ai.tool.call.arguments": json.dumps({"query": text}),
        "gen_ai.tool.call.result": json.dumps({"rows": [text]}),
    }
    failed = {"code": 2, "message": text} if planted.secret and not good else {"code": 1}
    if failed["code"] == 2:
        agent["error.type"] = text
    return [
        span(number, 0, f"invoke_agent {text}", agent, status=failed, events=[event | at, exception | at]),
        span(number, 1, f"execute_tool {text}", tool, status=failed, events=[exception | at]),
    ]


def words_of(number: int, planted: Planted) -> list[Mapping[str, object]]:
    """What people say of the run, with the credential in it."""
    stated = {
        "target_kind": "run",
        "target_id": f"{number + 1:032x}:{number * 100 + 1:016x}",
        "tier": "human",
        "author_id": "ann",
        "observed_at": (DAY + timedelta(hours=1)).isoformat(),
    }
    shown = {"correction": {"before": planted.text, "after": f"rather {planted.text}"}}
    return [
        stated | {"name": "helpful", "value": number % 3 != 0, "comment": planted.text, "value_text": planted.text},
        stated | {"name": "answer", **shown},
        # Not allowed, so set aside with what is wrong with it.
        stated | {"name": "helpful", "value": planted.text},
        stated | {"name": "helpful", "value": True, "observed_at": planted.text},
    ]


def needle(secret: str) -> str:
    """The longest piece of it that looks the same however it is quoted."""
    return max(re.findall(r"[\w.:+$=/-]+", secret), key=len)


@pytest.fixture(scope="module")
def planted() -> list[Planted]:
    return credentials(5)


@pytest.fixture(scope="module")
def places(planted: list[Planted], tmp_path_factory: pytest.TempPathFactory) -> Places:
    """A wheel turned over runs half of which leak, with its snapshot, a masked copy of it and its report."""
    places = Places(tmp_path_factory.mktemp("leaks") / "data")
    runs = list(enumerate([*planted, *[PLAIN] * 60]))
    places.inbox.mkdir(parents=True)
    request = {"resourceSpans": [{"scopeSpans": [{"spans": [one for run in runs for one in spans_of(*run)]}]}]}
    broken = [json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": one.text}]}]}) for one in planted]
    (places.inbox / "runs.jsonl").write_text("\n".join([json.dumps(request), *broken, *(one.text for one in planted)]))
    lines = [json.dumps(line) for run in runs[: len(planted)] for line in words_of(*run)]
    (places.inbox / "words.feedback.jsonl").write_text("\n".join(lines) + "\n")
    skill = {"baseline_model": MODELS[0], "baseline_prompt": PROMPT, "models": [MODELS[1]]}
    places.skills_file.write_text(yaml.safe_dump({"skills": {"triage": skill}}))
    done = turn_the_wheel(places)
    assert done.failed == []
    snapshot = build_snapshot(Lake(places.lake), places.snapshots, datetime.now(UTC) + timedelta(minutes=1))
    export(places, places.data / "masked", "csv", str(snapshot.path), masked=True)
    write_report(snapshot.path, places.report, datetime.now(UTC))
    return places


def downstream(places: Places) -> Iterator[tuple[str, str]]:
    """Every table and file where no credential may be, with all that it says."""
    lake = Lake(places.lake)
    for table in TABLES:
        if table.name not in AS_RECEIVED:
            with connection() as con:
                lake.register(con, table, temporary=True)
                rows = con.sql(f"SELECT to_json(t) FROM {table.name} AS t").fetchall()
            yield table.name, "\n".join(row for (row,) in rows)
    for path in sorted(places.data.rglob("*")):
        inside = path.relative_to(places.data)
        if path.is_file() and inside.parts[0] not in KEPT_AS_RECEIVED:
            yield str(inside), path.read_bytes().decode("utf-8", "replace")


def test_every_kind_that_is_planted_is_one_that_is_found(planted: list[Planted]):
    missed = [
        one.kind
        for one in planted
        if not any(one.secret in one.text[hit.start : hit.end] for hit in find_secrets(one.text))
    ]
    assert missed == []
    assert len({one.kind for one in planted}) > 20


def test_what_was_received_is_whole_so_the_search_can_fail(places: Places, planted: list[Planted]):
    runs = str(Lake(places.lake).read(AGENT_RUNS)["input_text"].to_pylist())
    assert [one.kind for one in planted if needle(one.secret) not in runs] == []


def test_no_credential_is_in_any_table_file_or_log_after_the_gates(places: Places, planted: list[Planted]):
    found = [(where, one.kind) for where, text in downstream(places) for one in planted if needle(one.secret) in text]
    assert found == []


def test_what_leaked_is_still_evidence_and_no_material_for_prompts(places: Places, planted: list[Planted]):
    observed = Lake(places.lake).read(GATED_OBSERVATIONS).to_pylist()
    assert sum(row["redacted"] for row in observed if row["grain"] == "run") >= 0.9 * len(planted)
    (proposed,) = Lake(places.lake).read(PROMPT_CANDIDATES).to_pylist()
    assert proposed["state"] == "proposed"
