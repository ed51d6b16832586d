"""The ledger: any change to what was written is found, and verdicts derive again byte for byte."""

from collections.abc import Callable
from datetime import timedelta

import pyarrow as pa
import pytest

from flywheel_assets.decisions.ledger import replay, verify
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS
from flywheel_assets_tests.decisions.conftest import World

Rows = list[dict[str, object]]


def edited(position: int, column: str, value: object) -> Callable[[Rows], Rows]:
    def change(rows: Rows) -> Rows:
        rows[position] = rows[position] | {column: value}
        return rows

    return change


def renumbered(rows: Rows) -> Rows:
    rows[1], rows[2] = rows[2] | {"seq": 2}, rows[1] | {"seq": 3}
    return rows


@pytest.fixture
def long_ledger(promoted: Callable[..., World]) -> World:
    world = promoted()
    world.draw(900, {"old|-|-": 0.9, "new|-|-": 0.1})
    world.turn()
    assert [entry["kind"] for entry in world.entries()] == ["registered", "promoted", "rolled_back"]
    return world


@pytest.mark.parametrize(
    ("tamper", "fault"),
    [
        *((edited(1, column, 0.5), "entry 2 was changed") for column in ("estimate", "e_value", "alpha")),
        *((edited(0, column, "forged"), "entry 1 was changed") for column in ("reason", "entry_id", "skill")),
        (edited(2, "evidence_days", []), "entry 3 was changed"),
        (edited(1, "estimate", None), "entry 2 was changed"),
        (lambda rows: rows[1:], "entry 1 is missing"),
        (lambda rows: [rows[0], rows[2]], "entry 2 is missing"),
        (lambda rows: [*rows, rows[1]], "doubled"),
        (renumbered, "does not follow"),
    ],
)
def test_tampering_is_found(long_ledger: World, tamper: Callable[[Rows], Rows], fault: str):
    assert verify(long_ledger.ledger) == []
    assert any(fault in found for found in verify(PROMOTION_DECISIONS.rows(tamper(long_ledger.entries()))))


def test_every_column_is_covered_by_the_hash(long_ledger: World):
    rows = long_ledger.entries()
    for column in PROMOTION_DECISIONS.columns:
        other = {pa.string(): "x", pa.int64(): 99, pa.float64(): 0.125}.get(column.type)
        if other is None:
            other = ["x"] if column.name == "evidence_days" else rows[1]["decided_at"] + timedelta(microseconds=1)
        assert verify(PROMOTION_DECISIONS.rows(edited(1, column.name, other)(long_ledger.entries()))), column.name


def test_the_order_of_rows_in_storage_does_not_matter(long_ledger: World):
    assert verify(PROMOTION_DECISIONS.rows(long_ledger.entries()[::-1])) == []


def test_verdicts_derive_again_from_their_evidence(long_ledger: World):
    con = long_ledger.inputs().con
    assert [replay(entry, con) for entry in long_ledger.entries()] == [[], [], []]


def test_a_verdict_on_other_evidence_does_not_derive(long_ledger: World):
    promotion = long_ledger.entries()[1]
    first = next(row for row in long_ledger.runs if row["segment"] == "canary")
    first["outcome"] = 1.0 - float(str(first["outcome"]))
    differences = replay(promotion, long_ledger.inputs().con)
    assert any(difference.startswith("evidence_hash: recorded") for difference in differences)


def test_the_same_turn_gives_the_same_bytes_whatever_the_order_of_its_rows(long_ledger: World):
    other = World()
    other.turn()
    other.draw(250, {"old|-|-": 0.3, "new|-|-": 0.9})
    other.runs.reverse()
    other.turn()
    assert other.ledger.equals(long_ledger.ledger.slice(0, 2))
