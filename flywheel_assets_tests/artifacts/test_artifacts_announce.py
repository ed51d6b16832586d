"""Promotions and rollbacks reach Inngest's event address, each once, in order, whatever breaks."""

import json
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from flywheel_assets.artifacts.announce import announce
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def entry(seq: int, kind: str) -> dict[str, object]:
    given = {"seq": seq, "entry_id": f"{seq:016x}", "kind": kind, "skill": "triage", "decided_at": AT}
    zeros = {"candidate_units": 40, "incumbent_units": 60, "alpha": 0.05, "alpha_left": 0.01, "evidence_days": []}
    text = {column.name: "" for column in PROMOTION_DECISIONS.columns if column.name not in {*given, *zeros}}
    empty = dict.fromkeys(("estimate", "lower", "upper", "e_value"), 0.25)
    return {**text, **zeros, **empty, **given}


LEDGER = PROMOTION_DECISIONS.rows(
    [entry(1, "registered"), entry(2, "promoted"), entry(3, "held"), entry(4, "rolled_back")]
)


class Events:
    """What an event address takes: JSON lists at /e/<key>, 200 with the ids; it answers `status` otherwise."""

    def __init__(self) -> None:
        self.status, self.got, self.keys = 200, [], set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                taken = json.loads(self.rfile.read(int(self.headers["content-length"])))
                outer.keys.add(self.path.removeprefix("/e/"))
                if outer.status == 200:
                    outer.got += taken
                ids = [one["id"] for one in taken]
                raw = json.dumps(
                    {"ids": ids, "status": outer.status} | ({} if outer.status == 200 else {"error": "no"})
                )
                self.send_response(outer.status)
                self.send_header("content-length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw.encode())

            def log_message(self, *_args) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.environment = {
            "INNGEST_EVENT_KEY": "made-up",
            "INNGEST_BASE_URL": f"http://127.0.0.1:{self.server.server_port}",
        }


@pytest.fixture
def events():
    one = Events()
    thread = threading.Thread(target=one.server.serve_forever)
    thread.start()
    yield one
    one.server.shutdown()
    thread.join()
    one.server.server_close()


def test_promotions_and_rollbacks_are_sent_once_with_the_ledgers_id(events, tmp_path):
    first = announce(LEDGER, tmp_path, "policy-1", events.environment)
    second = announce(LEDGER, tmp_path, "policy-1", events.environment)
    assert (first.sent, first.fault) == ((f"{2:016x}", f"{4:016x}"), None)
    assert (second.sent, second.fault) == ((), None)
    assert [(one["name"], one["id"], one["ts"]) for one in events.got] == [
        ("flywheel/artifact.promoted", f"flywheel-{2:016x}", int(AT.timestamp() * 1000)),
        ("flywheel/artifact.rolled_back", f"flywheel-{4:016x}", int(AT.timestamp() * 1000)),
    ]
    assert {one["data"]["policy_id"] for one in events.got} == {"policy-1"}
    assert {one["data"]["skill"] for one in events.got} == {"triage"}
    assert events.keys == {"made-up"}


def test_what_was_refused_is_reported_and_sent_the_next_time(events, tmp_path):
    events.status = 401
    refused = announce(LEDGER, tmp_path, "policy-1", events.environment)
    assert refused.sent == ()
    assert "INNGEST_EVENT_KEY" in (refused.fault or "")
    events.status = 200
    assert len(announce(LEDGER, tmp_path, "policy-1", events.environment).sent) == 2


def test_an_address_that_does_not_answer_raises_nothing(tmp_path):
    silent = announce(LEDGER, tmp_path, "p", {"INNGEST_BASE_URL": "http://127.0.0.1:1"})
    assert (silent.sent, silent.fault is None) == ((), False)


def test_nothing_is_sent_where_nothing_is_set(tmp_path):
    found = announce(LEDGER, tmp_path, "p", {})
    assert (found.sent, found.fault) == ((), None)
    assert not list(tmp_path.iterdir())
