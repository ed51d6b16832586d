"""A lake, an inbox and a landing folder, and payloads to put there."""

import json
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from flywheel_assets.lake.lake import Lake
from flywheel_assets.sources.batches import read_batches
from flywheel_assets.sources.land import Landed, land
from flywheel_assets.spans.decode import decode_day
from flywheel_assets.tables.landed_batches import LANDED_BATCHES

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
START = 1_795_000_000_000_000_000  # 2026-11-18


@dataclass(frozen=True)
class Place:
    """Where a test lands things."""

    lake: Lake
    inbox: Path
    landing: Path

    @classmethod
    def under(cls, root: Path) -> "Place":
        (root / "inbox").mkdir()
        return cls(Lake(str(root / "lake")), root / "inbox", root / "landing")

    def land(self) -> Landed:
        return land(self.lake, self.inbox, self.landing, NOW)

    def rows(self, *columns: str) -> list[tuple]:
        found = self.lake.read(LANDED_BATCHES).to_pylist()
        return [tuple(row[name] for name in columns) for row in found]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place.under(tmp_path)


def decoded_rows(place: Place, days: Iterable[date]) -> list[dict]:
    """What the days' batches decode to: trace by trace, the outermost agent first, then by start."""
    rows = [
        row
        for day in sorted(days)
        for row in decode_day(list(read_batches(place.lake, place.landing, day)), day).rows.read_all().to_pylist()
    ]
    began: dict[str, int] = {}
    for row in rows:
        began[row["trace_id"]] = min(row["start_unix_nano"], began.get(row["trace_id"], 2**63))
    return sorted(
        rows, key=lambda row: (began[row["trace_id"]], row["operation"] != "agent", row["start_unix_nano"], row["name"])
    )


@pytest.fixture(scope="session")
def otlp_rows() -> Callable[[Place, Iterable[date]], list[dict]]:
    return decoded_rows


@pytest.fixture(scope="session")
def new_place(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Place]:
    return lambda: Place.under(tmp_path_factory.mktemp("place"))


class Payloads:
    """Small export requests, told apart by a number."""

    @staticmethod
    def protobuf(number: int, spans: int = 2, start: int = START) -> bytes:
        request = ExportTraceServiceRequest()
        scope = request.resource_spans.add().scope_spans.add()
        for position in range(spans):
            scope.spans.add(
                trace_id=(number + 1).to_bytes(16, "big"),
                span_id=(position + 1).to_bytes(8, "big"),
                name="chat",
                start_time_unix_nano=start,
            )
        return request.SerializeToString()

    @staticmethod
    def json(number: int, spans: int = 2, start: int = START, indent: int | None = None) -> bytes:
        listed = [
            {
                "traceId": f"{number + 1:032x}",
                "spanId": f"{position + 1:016x}",
                "name": "chat",
                "startTimeUnixNano": str(start),
            }
            for position in range(spans)
        ]
        return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": listed}]}]}, indent=indent).encode()

    @staticmethod
    def frames(*payloads: bytes) -> bytes:
        return b"".join(len(payload).to_bytes(4, "big") + payload for payload in payloads)

    @staticmethod
    def lines(*payloads: bytes) -> bytes:
        return b"".join(payload + b"\n" for payload in payloads)


@pytest.fixture(scope="session")
def payloads() -> type[Payloads]:
    return Payloads


@pytest.fixture(scope="module")
def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
