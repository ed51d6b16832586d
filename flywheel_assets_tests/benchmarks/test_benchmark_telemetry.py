"""The benchmarks' telemetry is the same for the same seed, in both forms, and of every kind of agent."""

import struct
import subprocess
import sys
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from flywheel_assets.lake.fingerprint import fingerprint
from flywheel_assets.spans.decode import decode_day
from flywheel_assets.spans.payloads import Wire

SCRIPT = Path(__file__).with_name("generate.py")
FIRST = date(2026, 9, 1)


def generated(out: Path, form: str, seed: int) -> list[Wire]:
    command = [
        sys.executable,
        str(SCRIPT),
        "1200",
        "--days",
        "2",
        "--out",
        str(out),
        "--form",
        form,
        "--seed",
        str(seed),
    ]
    assert int(subprocess.run(command, check=True, capture_output=True).stdout) >= 1200
    batches: list[Wire] = []
    for file in sorted(out.iterdir()):
        data = file.read_bytes()
        while data and form == "protobuf":
            (length,) = struct.unpack_from(">I", data)
            batches.append(Wire(f"{file.name}:{len(batches)}", data[4 : 4 + length]))
            data = data[4 + length :]
        batches += [Wire(f"{file.name}:{n}", line, "json") for n, line in enumerate(data.splitlines())]
    return batches


def rows(batches: list[Wire]) -> pa.Table:
    days = [decode_day(batches, FIRST + timedelta(days=number)).rows.read_all() for number in range(2)]
    return pa.concat_tables(days).drop_columns(["batch_id"])


@pytest.fixture(scope="module")
def seven(tmp_path_factory):
    """Rows of the protobuf form, seed 7."""
    return rows(generated(tmp_path_factory.mktemp("seven"), "protobuf", 7))


def test_the_same_seed_gives_the_same_spans_in_both_forms(seven, tmp_path):
    assert fingerprint(rows(generated(tmp_path / "again", "json", 7))) == fingerprint(seven)
    assert fingerprint(rows(generated(tmp_path / "other", "json", 8))) != fingerprint(seven)


def test_every_kind_of_agent_is_there(seven):
    found = Counter(zip(seven["dialect"].to_pylist(), seven["operation"].to_pylist(), strict=True))
    assert {("gen_ai", "agent"), ("gen_ai", "llm"), ("gen_ai", "tool"), ("openinference", "llm")} <= set(found)
    assert {("restate", "invocation"), ("restate", "attempt"), ("inngest", "attempt")} <= set(found)
    assert seven["decision_id"].null_count < len(seven)
    events = [event["name"] for events in seven["events"].to_pylist() for event in events]
    assert {"exception", "gen_ai.evaluation.result"} <= set(events)


def test_spans_are_about_two_kilobytes_and_of_the_days_asked_for(seven):
    texts = sum(len(value) for row in seven["attr_text"].to_pylist() for _, value in row)
    assert 1000 < texts / len(seven) < 3000
    assert set(seven["day"].to_pylist()) == {FIRST, FIRST + timedelta(days=1)}
    keys = zip(seven["trace_id"].to_pylist(), seven["span_id"].to_pylist(), strict=True)
    assert len(set(keys)) == len(seven)
