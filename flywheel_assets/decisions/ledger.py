"""The ledger's chain: every entry hashes all of its own columns and the hash of the entry before.

An edit, a reorder, a gap or a cut in the middle breaks a hash. A cut at the end cannot be seen from
the chain alone; published artifacts name the entry that caused them.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa

from flywheel_assets.decisions.canonical import canonical
from flywheel_assets.decisions.evidence import of_trial, since_promotion
from flywheel_assets.decisions.judge import Verdict, judge
from flywheel_assets.decisions.looks import LookManifest
from flywheel_assets.decisions.watch import verdict, watch
from flywheel_assets.tables.documents.registration import Registration
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS

GENESIS = "0" * 64
Entry = Mapping[str, Any]


def chain(ledger: pa.Table, drafts: Sequence[Entry]) -> pa.Table:
    """The drafts as the ledger's next entries: numbered, linked, hashed."""
    seq, previous = _last(ledger)
    rows: list[dict[str, Any]] = []
    for draft in drafts:
        seq += 1
        row = {**draft, "seq": seq, "previous_hash": previous}
        previous = entry_hash(row)
        rows.append({**row, "hash": previous, "entry_id": previous[:16]})
    return PROMOTION_DECISIONS.conform(PROMOTION_DECISIONS.rows(rows))


def entry_hash(entry: Entry) -> str:
    """SHA-256 over the canonical JSON of all columns but `hash` and `entry_id`, which come from it."""
    content = {name: _plain(entry.get(name)) for name in PROMOTION_DECISIONS.names if name not in ("hash", "entry_id")}
    return hashlib.sha256(canonical(content).encode()).hexdigest()


def verify(ledger: pa.Table) -> list[str]:
    """What is wrong with the chain, a sentence each; nothing when it is whole."""
    faults: list[str] = []
    previous = GENESIS
    for position, entry in enumerate(sorted(ledger.to_pylist(), key=lambda entry: entry["seq"]), start=1):
        if entry["seq"] != position:
            faults.append(f"entry {position} is missing or doubled: found number {entry['seq']} in its place")
        if entry["previous_hash"] != previous:
            faults.append(f"entry {entry['seq']} does not follow the entry before it")
        if entry["hash"] != entry_hash(entry) or entry["entry_id"] != entry["hash"][:16]:
            faults.append(f"entry {entry['seq']} was changed after it was written")
        previous = entry["hash"]
    return faults


def replay(entry: Entry, con: duckdb.DuckDBPyConnection) -> list[str]:
    """Derive the entry's verdict again from `gated_observations` on `con`, read at the manifest's version.

    Returns the columns that differ, with both values; nothing when the bytes are equal. A registration,
    and a person's leave to begin, have no evidence to derive them from.
    """
    if entry["kind"] in ("registered", "canary"):
        return []
    registration = Registration.model_validate_json(entry["registration_json"])
    look = LookManifest.model_validate_json(entry["manifest_json"])
    if look.conditions is not None:
        again: Verdict = judge(registration, of_trial(con, registration), look.conditions)
    elif look.since is not None:
        evidence = since_promotion(con, registration, look.since)
        again = verdict(evidence, watch(registration, evidence), look.asked_by)
    else:
        return ["manifest_json: neither a trial's conditions nor a promotion's time"]
    return [
        f"{name}: recorded {entry[name]!r}, derived {value!r}"
        for name, value in asdict(again).items()
        if canonical(entry[name]) != canonical(value)
    ]


def _last(ledger: pa.Table) -> tuple[int, str]:
    if not ledger.num_rows:
        return 0, GENESIS
    entry = max(ledger.select(["seq", "hash"]).to_pylist(), key=lambda entry: entry["seq"])
    return entry["seq"], entry["hash"]


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return value
