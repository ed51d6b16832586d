"""Gates are judged by what people say of a random draw; those picked otherwise measure nothing."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from flywheel_assets.commands.review_sample import sampled
from flywheel_assets.defs.gate_audit import AUDITED, WAITING, audited, judge_audit, judge_weeks
from flywheel_assets.defs.renewed import Last
from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.defs.turn import turn_the_wheel
from flywheel_assets.defs.verdicts import Verdict
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.snapshots.live import rows_of
from flywheel_assets.tables.feedback import FEEDBACK
from flywheel_assets.tables.gate_verdicts import GATE_VERDICTS

DAY = date(2026, 3, 2)
REFUSED, ADMITTED = 600, 4000


def verdict(example: str, gate: str, said: str, day: date = DAY) -> dict[str, object]:
    reason = None if said == "allow" else "odd"
    row = {"day": day, "example_id": example, "gate": gate, "gate_version": "1", "verdict": said, "reason": reason}
    return row | {"confidence": 1.0}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A gate that holds 600 of 4,600 examples, and one that allows all."""
    lake = Lake(str(tmp_path_factory.mktemp("audit")))
    held = [verdict(f"held-{number}", "doubt", "hold") for number in range(REFUSED)]
    allowed = [verdict(f"fine-{number}", "doubt", "allow") for number in range(ADMITTED)]
    other = [row | {"gate": "other", "verdict": "allow", "reason": None} for row in (*held, *allowed)]
    lake.overwrite(GATE_VERDICTS, GATE_VERDICTS.rows([*held, *allowed, *other]), DAY)
    return lake


def drawn(lake: Lake) -> dict[str, list[str]]:
    found = rows_of(lake, ["audit_sample"], AUDITED)
    return {
        side: sorted(row["example_id"] for row in found if bool(row["objecting"]) == (side == "refused"))
        for side in ("refused", "admitted")
    }


def review(lake: Lake, said: Mapping[str, str]) -> None:
    words = [
        {
            "day": DAY,
            "feedback_id": example,
            "target_kind": "run",
            "target_id": example,
            "name": "flywheel.review",
            "value_text": text,
            "tier": "human",
            "author_id": "ann",
            "observed_at": datetime(2026, 3, 3, tzinfo=UTC),
            "source": "posted",
        }
        for example, text in said.items()
    ]
    lake.overwrite(FEEDBACK, FEEDBACK.rows(words), DAY)


def audit_after(lake: Lake, said: Mapping[str, str]) -> dict[str, dict]:
    review(lake, said)
    return {row["gate"]: row for row in rows_of(lake, ["audit_sample", "gate_audit"], AUDITED)}


def test_a_random_share_of_both_sides_is_drawn_and_the_same_one_each_time(lake: Lake):
    first = drawn(lake)
    assert 0.05 * REFUSED < len(first["refused"]) < 0.15 * REFUSED
    assert 0.01 * ADMITTED < len(first["admitted"]) < 0.03 * ADMITTED
    assert first == drawn(lake)


def test_precision_and_a_bound_on_recall_come_from_the_draw_alone(lake: Lake):
    draw = drawn(lake)
    held, fine = draw["refused"], draw["admitted"]
    picked = next(f"held-{number}" for number in range(REFUSED) if f"held-{number}" not in held)
    said = dict.fromkeys(held[:40], "refuse") | dict.fromkeys(held[40:45], "release")
    said |= dict.fromkeys(fine[:50], "release") | {fine[50]: "refuse", picked: "release"}
    row = audit_after(lake, said)["doubt"]
    assert (row["reviewed"], row["confirmed"], row["released"], row["picked"]) == (45, 40, 5, 1)
    assert row["lower"] < row["precision"] == 40 / 45 < row["upper"]
    assert (row["allowed_reviewed"], row["allowed_refused"]) == (51, 1)
    assert ADMITTED / 51 < row["missed_at_most"] < 0.15 * ADMITTED
    assert 0.4 < row["recall_at_least"] < REFUSED * row["precision"] / (REFUSED * row["precision"] + ADMITTED / 51)
    found = judge_audit([row], 7)
    assert found.passed
    assert found.found["waiting for review"] == 7
    assert found.found["precision"] == {"doubt": "0.89 [0.77, 0.95] of 45"}


def test_a_gate_that_people_contradict_is_red_and_nothing_is_said_of_one_that_nobody_reviewed(lake: Lake):
    held = drawn(lake)["refused"]
    (row,) = audit_after(lake, dict.fromkeys(held[:30], "release")).values()
    assert judge_audit([row], 0).found["more often wrong than right"] == ["doubt"]
    assert not judge_audit([row], 0).passed
    (row,) = audit_after(lake, {}).values()
    assert (row["precision"], row["recall_at_least"], row["reviewed"]) == (None, None, 0)
    assert judge_audit([row], 0).passed


@pytest.mark.parametrize(
    ("newest", "drifts"),
    [(0.10, False), (0.13, False), (0.30, True), (0.0, True)],
    ids=["as before", "a little more", "three times as much", "nothing any more"],
)
def test_a_gate_whose_share_of_objections_changes_is_red(tmp_path, newest: float, *, drifts: bool):
    lake = Lake(str(tmp_path))
    for week, share in enumerate((0.1, 0.1, newest)):
        day = DAY + timedelta(weeks=week)
        rows = [verdict(f"{week}-{n}", "doubt", "hold" if n < share * 400 else "allow", day) for n in range(400)]
        lake.overwrite(GATE_VERDICTS, GATE_VERDICTS.rows(rows), day)
    weeks = rows_of(lake, ["gate_weeks"], [GATE_VERDICTS])
    found = judge_weeks(weeks)
    assert found.passed is not drifts
    assert list(found.found["drifted"]) == (["doubt"] if drifts else [])
    # The week that changed is not held against those before it.
    assert judge_weeks([row for row in weeks if row["week"] < max(one["week"] for one in weeks)]).passed


def test_days_that_are_as_they_were_wait_as_they_did_until_somebody_looks(tmp_path):
    wheel = WheelResource(data=str(tmp_path))
    lake, later = wheel.lake(), DAY + timedelta(days=1)

    def arrives(day: date) -> None:
        rows = [verdict(f"{day}-{number}", "doubt", "hold", day) for number in range(300)]
        lake.overwrite(GATE_VERDICTS, GATE_VERDICTS.rows(rows), day)

    def said(last: Last | None = None) -> dict[str, Any]:
        return audited(wheel, last).found

    arrives(DAY)
    first = said()
    last = Last(Verdict(passed=True, found=first), lake.versions(AUDITED))
    arrives(later)
    both = said()
    assert said(last) == both
    assert both["waiting for review"] > first["waiting for review"] > 0
    (before,) = first[WAITING].values()
    told = Last(Verdict(passed=True, found={WAITING: {DAY.isoformat(): before + 1000}}), last.versions)
    assert said(told)["waiting for review"] == both["waiting for review"] + 1000
    name = next(row["example_id"] for row in rows_of(lake, ["audit_sample"], AUDITED) if row["day"] == DAY)
    review(lake, {name: "release"})
    assert said(told) == said()
    assert said()[WAITING] == {}
    assert said()["waiting for review"] == both["waiting for review"] - 1


def test_a_sample_of_what_waits_is_listed_with_its_texts(tmp_path, arrive: Callable):
    places = Places(tmp_path)
    arrive(places, datetime.now(UTC).date() - timedelta(days=2), 200)
    done = turn_the_wheel(places)
    assert (done.failed, done.red) == ([], [])
    rows = sampled(places, 100).result
    assert {row["example_id"] for row in rows} == {one for side in drawn(Lake(places.lake)).values() for one in side}
    assert rows[0]["input_text"].startswith("case ")
