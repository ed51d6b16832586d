"""Promotions and rollbacks as events to Inngest, so that functions there can react to them.

An event's id is made from its ledger entry: Inngest takes equal ids once (for a day). What was taken is noted
beside the channel, so that each entry is sent until it was, in order; nothing here stops a publication.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import pyarrow as pa

from flywheel_assets.artifacts.files import write_whole

if TYPE_CHECKING:
    import inngest

EVENTS = {"promoted": "flywheel/artifact.promoted", "rolled_back": "flywheel/artifact.rolled_back"}
TOLD = ("entry_id", "seq", "skill", "experiment_id", "candidate_arm", "incumbent_arm", "reason", "estimate")
NUMBERS = ("lower", "upper", "candidate_units", "incumbent_units")
SWITCHES = ("INNGEST_EVENT_KEY", "INNGEST_BASE_URL")
AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Announced:
    """Entries that were taken now; `fault` says why the rest were not, which are sent again next time."""

    sent: tuple[str, ...] = ()
    fault: str | None = None


def announce(ledger: pa.Table, folder: Path, policy_id: str, environment: Mapping[str, str]) -> Announced:
    """Send what the ledger has that was not taken yet; does nothing unless a key or an address is set.

    `ledger` is PROMOTION_DECISIONS; `policy_id` the routing document that agents load now.
    """
    if not any(environment.get(name) for name in SWITCHES):
        return Announced()
    noted = folder / "channels" / "announced.json"
    last = int(orjson.loads(noted.read_bytes())["seq"]) if noted.exists() else 0
    entries = [row for row in ledger.sort_by("seq").to_pylist() if row["kind"] in EVENTS and row["seq"] > last]
    sent: list[str] = []
    for start in range(0, len(entries), AT_ONCE):
        some = entries[start : start + AT_ONCE]
        fault = _send(some, policy_id, environment)
        if fault:
            return Announced(tuple(sent), fault)
        sent += [row["entry_id"] for row in some]
        write_whole(noted, orjson.dumps({"seq": some[-1]["seq"]}))
    return Announced(tuple(sent))


def _send(rows: list[dict[str, object]], policy_id: str, environment: Mapping[str, str]) -> str | None:
    """Why the events were not taken; None when they were."""
    try:
        import httpx
        import inngest

        # The client raises errors that it does not export; their common base is there alone.
        from inngest._internal.errors import Error
    except ImportError:
        return "install flywheel-assets[inngest] to send events"
    key = environment.get("INNGEST_EVENT_KEY")
    try:
        client = inngest.Inngest(
            app_id="flywheel",
            event_key=key,
            event_api_base_url=environment.get("INNGEST_BASE_URL"),
            is_production=bool(key),
        )
        client.send_sync([_event(row, policy_id) for row in rows])
    except (Error, httpx.HTTPError, ValueError, OSError) as error:
        return f"{error}: check INNGEST_EVENT_KEY and INNGEST_BASE_URL"
    return None


def _event(row: dict[str, object], policy_id: str) -> "inngest.Event":
    import inngest

    data = {name: row[name] for name in (*TOLD, *NUMBERS)}
    at = row["decided_at"]
    return inngest.Event(
        id=f"flywheel-{row['entry_id']}",
        name=EVENTS[str(row["kind"])],
        data={**data, "decided_at": at.isoformat(), "policy_id": policy_id},  # pyright: ignore[reportAttributeAccessIssue, reportArgumentType]
        ts=int(at.timestamp() * 1000),  # pyright: ignore[reportAttributeAccessIssue]
    )
