"""Applies every gate to a day's examples and writes each example, redacted, to exactly one side."""

# Arrow makes its compute functions when it is imported, out of a type checker's sight.
# pyright: reportAttributeAccessIssue=false

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import chain, pairwise, starmap
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.observations.account import SHADOW
from flywheel_assets.observations.gates.review import RELEASED
from flywheel_assets.observations.judged import Judged, judged
from flywheel_assets.observations.redact import markable, redact
from flywheel_assets.observations.registry import Evidence, Gate, find_gates
from flywheel_assets.observations.signatures import SLOTS, comparable, minhash, salted, salts
from flywheel_assets.observations.texts import kept, whole
from flywheel_assets.observations.tool_results import hinted_results
from flywheel_assets.observations.verdict import Verdict, hold
from flywheel_assets.tables.example_signatures import EXAMPLE_SIGNATURES
from flywheel_assets.tables.gate_verdicts import GATE_VERDICTS, OFFSETS
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS, REJECTIONS
from flywheel_assets.tables.table import TEXT

SHADOWED = "shadow"
_NOTHING_TO_ADMIT = ("schema", "completeness")
_UNMARKABLE = hold("gate_error", "the gate marked a stretch that is not text")
# What an example has that was not signed.
_UNSIGNED = {"scope": pa.scalar("", TEXT), "minhash": pa.scalar([], EXAMPLE_SIGNATURES.schema.field("minhash").type)}
_SIGNED = "SELECT example_id, scope, minhash FROM example_signatures WHERE day = $day"
_HERE = Path(__file__).parent
# Of a query without parameters DuckDB makes Arrow as it reads, which takes half the time where rows are wide.
_EXAMPLES = "FROM labeled_examples WHERE day = DATE '{day}'"
_SIGN, _EVIDENCE, _EARLIER = ((_HERE / f"{name}.sql").read_text() for name in ("sign", "evidence", "earlier"))


def sign(con: duckdb.DuckDBPyConnection, day: date) -> tuple[pa.Table]:
    """(EXAMPLE_SIGNATURES,) of the day; the signature of an example that is compared with nothing is empty."""
    rows = _once(con.sql(_SIGN.format(day=day)).to_arrow_table())
    words, salt = comparable(rows["input_text"], rows["output_text"]), salts(rows)
    signed = pc.not_equal(rows["scope"], "")
    slots = salted(minhash(kept(words, signed)), salt.filter(whole(signed)))
    ends = np.concatenate(([0], np.cumsum(signed.to_numpy() * SLOTS)))
    signatures = rows.select(["day", "example_id", "start_time", "scope"])
    for name, values in (
        ("content_hash", pa.array(_content_hashes(salt, words), TEXT)),
        ("minhash", pa.ListArray.from_arrays(pa.array(ends, pa.int32()), pa.array(slots.ravel()))),
    ):
        signatures = signatures.append_column(name, values)
    return (EXAMPLE_SIGNATURES.conform(signatures),)


def _content_hashes(salt: pa.Array, words: pa.ChunkedArray) -> list[str]:
    begun = {mark: hashlib.sha256(f"{mark}\x1f".encode()) for mark in salt.unique().to_pylist()}
    hashes = [begun[mark].copy() for mark in salt.to_pylist()]
    for content, said in zip(hashes, chain.from_iterable(map(_bytes, words.chunks)), strict=True):
        content.update(said)
    return [content.hexdigest() for content in hashes]


def _bytes(texts: pa.Array) -> Iterator[memoryview]:
    """The bytes of each text, where they are."""
    _, offsets, content = texts.buffers()
    ends = memoryview(offsets).cast("i")[: len(texts) + 1].tolist()
    return map(memoryview(content).__getitem__, starmap(slice, pairwise(ends)))


def admit(
    con: duckdb.DuckDBPyConnection, day: date, gates: Sequence[Gate] | None = None
) -> tuple[pa.Table, pa.Table, pa.Table]:
    """(GATE_VERDICTS, GATED_OBSERVATIONS, REJECTIONS) of the day, by all gates there are unless some are given.

    Every example of the day is in exactly one of the latter two: admitted when all gates allow it,
    else put down to the first gate in order that discards it, or, if none does, that holds it. What a
    person released is admitted too. Gates in shadow say what they would have done, and do nothing.
    """
    rows = _evidence(con, day)
    earlier = con.execute(_EARLIER, {"day": day}).to_arrow_table()
    results = hinted_results(con, day)
    stated = con.execute("SELECT name, value, gate FROM gate_settings ORDER BY ALL").fetchall()
    shadow = frozenset(gate for name, _, gate in stated if name == SHADOWED)
    allowed = {name: tuple(value for of, value, _ in stated if of == name) for name, *_ in stated if name != SHADOWED}
    evidence = Evidence(rows, earlier, results, allowed)
    return apply_gates(find_gates() if gates is None else gates, evidence, shadow)


def _evidence(con: duckdb.DuckDBPyConnection, day: date) -> pa.Table:
    """The day's examples, and beside each what the gates see of it otherwise."""
    rows = _once(con.sql(_EXAMPLES.format(day=day)).to_arrow_table())
    for sql in (_SIGNED, _EVIDENCE):
        beside = con.execute(sql, {"day": day}).to_arrow_table()
        places = pc.index_in(rows["example_id"], whole(beside["example_id"]))
        for name in beside.column_names[1:]:
            said = beside[name].take(places)
            rows = rows.append_column(name, pc.coalesce(said, _UNSIGNED[name]) if name in _UNSIGNED else said)
    return rows


def apply_gates(
    gates: Sequence[Gate], evidence: Evidence, shadow: frozenset[str] = frozenset()
) -> tuple[pa.Table, pa.Table, pa.Table]:
    """What `admit` returns, for these gates in this order; those named in `shadow` do nothing."""
    rows = evidence.rows
    said = judged([_asked(gate, evidence) for gate in gates], rows.num_rows)
    known = [verdict if not verdict.offsets or markable(verdict) else _UNMARKABLE for verdict in said.distinct]
    said = replace(said, distinct=known)
    logged = _verdict_rows(gates, said, rows, shadow)
    enforced = [number for number, gate in enumerate(gates) if gate.name not in shadow]
    gates, verdicts = [gates[number] for number in enforced], said.of_gates(enforced)
    decided = np.where(_released(gates, verdicts), -1, verdicts.deciding())
    refused = np.flatnonzero(decided >= 0)
    facts, redacted = redact(rows, verdicts)
    facts = facts.append_column("redacted", redacted)
    rejected = facts.take(pa.array(refused))
    deciding = decided[refused]
    why = verdicts.of(refused, deciding)
    for name, values in (
        ("state", ["held" if verdict.verdict == "hold" else "discarded" for verdict in why]),
        ("gate", [gates[number].name for number in deciding.tolist()]),
        ("reason", [verdict.reason for verdict in why]),
    ):
        rejected = rejected.append_column(name, pa.array(values, TEXT))
    gated = facts.append_column("remarks", verdicts.remarks()).filter(pa.array(decided < 0))
    return logged, GATED_OBSERVATIONS.conform(gated), REJECTIONS.conform(rejected)


def _released(gates: Sequence[Gate], verdicts: Judged) -> npt.NDArray[np.bool_]:
    """Rows that a person released. That nothing is there to admit is no matter of opinion."""
    released = verdicts.where(lambda verdict: verdict.reason == RELEASED).any(axis=1)
    empty = [number for number, gate in enumerate(gates) if gate.name in _NOTHING_TO_ADMIT]
    objected = verdicts.where(lambda verdict: verdict.verdict != "allow")[:, empty].any(axis=1)
    return np.asarray(released & ~objected)


def _once(rows: pa.Table) -> pa.Table:
    """Rows in `example_id` order, a repeated one once. Written in that order, they mostly come in it."""
    ids = rows["example_id"].combine_chunks()
    if pc.all(pc.less(ids[:-1], ids[1:])).as_py():
        return rows
    # On wide rows Arrow does this in a third of DuckDB's time.
    ordered = rows.take(pc.sort_indices(ids))
    ids = ordered["example_id"].combine_chunks()
    again = np.concatenate(([False], pc.equal(ids[1:], ids[:-1]).to_numpy(zero_copy_only=False)))[: len(ids)]
    return ordered.filter(pa.array(~again)) if again.any() else ordered


def _asked(gate: Gate, evidence: Evidence) -> list[Verdict]:
    """The gate's verdicts; rows that it fails on are held, with the kind of failure and nothing it says."""
    size = evidence.rows.num_rows
    try:
        verdicts = gate.judge(evidence)
    except Exception as error:  # noqa: BLE001 - a gate is anyone's code: whatever it raises, its rows are held
        if gate.by_row and size > 1:
            halves = (evidence.rows.slice(0, size // 2), evidence.rows.slice(size // 2))
            return [verdict for half in halves for verdict in _asked(gate, replace(evidence, rows=half))]
        return [hold("gate_error", f"the gate raised {type(error).__name__}")] * size
    if len(verdicts) != size:
        return [hold("gate_error", "the gate did not give one verdict per example")] * size
    return verdicts


def _verdict_rows(gates: Sequence[Gate], verdicts: Judged, rows: pa.Table, shadow: frozenset[str]) -> pa.Table:
    """One row per example and gate, in key order."""
    by_name = sorted(range(len(gates)), key=lambda number: gates[number].name)
    examples = pa.array(np.repeat(np.arange(rows.num_rows), len(gates)))
    numbers = pa.array(np.tile(np.arange(len(gates)), rows.num_rows))
    named = {
        "gate": pa.array([gates[number].name for number in by_name], TEXT),
        "gate_version": pa.array([_version(gates[number], shadow) for number in by_name], TEXT),
    }
    return GATE_VERDICTS.conform(
        pa.table(
            {
                "day": rows["day"].take(examples),
                "example_id": rows["example_id"].take(examples),
                **{name: pc.take(values, numbers) for name, values in named.items()},
                **verdicts.columns(by_name, OFFSETS),
            }
        )
    )


def _version(gate: Gate, shadow: frozenset[str]) -> str:
    return gate.version + SHADOW if gate.name in shadow else gate.version
