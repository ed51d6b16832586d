"""A few answers a day about the standing sample put the confidence of later days right, and touch no other."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from flywheel_assets.examples.label import label
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.rebuild import rebuild_days
from flywheel_assets.lake.stale import stale, stale_days
from flywheel_assets.runs.fold import fold_runs
from flywheel_assets.tables.agent_runs import AGENT_RUNS
from flywheel_assets.tables.documents.anchors import ANCHOR, DRAW
from flywheel_assets.tables.feedback import FEEDBACK
from flywheel_assets.tables.labeled_examples import LABELED_EXAMPLES
from flywheel_assets.tables.labeler_reliability import LABELER_RELIABILITY
from flywheel_assets.tables.raw_spans import RAW_SPANS
from flywheel_assets.tables.steps import FOLD_RUNS, LABEL

DAYS, RUNS, ANSWERS = 8, 160, 5
FIRST = date(2026, 11, 20)
# A judge's word is taken to be right in 70 of 100 cases; this one is right in 95.
RIGHT = 0.95
COUNTED = dict.fromkeys(("flags", "dropped_attributes", "dropped_events", "dropped_links"), 0)
Row = dict[str, object]


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def build(lake: Lake) -> list[list[date]]:
    """As a turn does it: what is stale, and what that left stale."""
    rounds: list[list[date]] = []
    while found := list(stale(lake, LABEL)):
        list(rebuild_days(lake, LABEL, found, label))
        rounds.append(found)
    return rounds


def word(run: str, value: bool, at: datetime, **by: object) -> Row:
    words = {"target_kind": "run", "target_id": run, "value": float(value), "observed_at": at, "source": "posted"}
    return {"day": at.date(), "feedback_id": f"{run} {by} {at}", **words, **by}


class Fleet:
    """So many runs a day, of each of which a judge says how it went; and people's answers about a few of the sample."""

    def __init__(self, root: Path, span: Callable[..., Row], version: Callable[[int], str | None]) -> None:
        self.lake, self.truth, self.version = Lake(str(root)), {}, version
        self.said: dict[date, list[Row]] = {}
        rng = np.random.default_rng(7)
        for number in range(DAYS):
            runs = [f"t{number}-{one}" for one in range(RUNS)]
            rows = [
                span("a", at=number * 86_400 + one, trace_id=run, operation="agent", dialect="gen_ai", **COUNTED)
                for one, run in enumerate(runs)
            ]
            self.lake.overwrite(RAW_SPANS, RAW_SPANS.rows(rows), day(number))
            good = dict(zip(runs, rng.random(RUNS) < 0.6, strict=True))
            self.truth |= good
            at = rows[0]["start_time"] + timedelta(minutes=5)
            judge = {"tier": "judge", "name": "solved", "author_id": "model", "author_version": version(number)}
            self.said[day(number)] = [word(run, good[run] == (rng.random() < RIGHT), at, **judge) for run in runs]
        list(rebuild_days(self.lake, FOLD_RUNS, stale_days(self.lake, FOLD_RUNS), fold_runs))
        self.keep(self.said)

    def keep(self, days: Iterable[date]) -> None:
        for one in days:
            self.lake.overwrite(FEEDBACK, FEEDBACK.rows(self.said[one]), one)

    def answer(self, number: int, count: int = ANSWERS) -> None:
        """People answer about runs of the day on the day after."""
        drawn = self.lake.connect([AGENT_RUNS], {AGENT_RUNS.name: [day(number)]}).execute(
            f"SELECT trace_id FROM agent_runs WHERE {DRAW} < 0.05 ORDER BY {DRAW}"
        )
        at = datetime.combine(day(number + 1), datetime.min.time()).astimezone()
        by = {"tier": "human", "name": ANCHOR, "author_id": "ann"}
        answers = [word(run, self.truth[run], at, **by) for (run,) in drawn.fetchall()[:count]]
        self.said[at.date()] = [*self.said.get(at.date(), []), *answers]
        self.keep([at.date()])

    def off_by(self, number: int) -> float:
        """Mean gap between confidence and accuracy of the day's judged runs."""
        rows = [row for row in self.lake.read(LABELED_EXAMPLES, [day(number)]).to_pylist() if row["tier"] == "judge"]
        hits = [(row["outcome"] > 0.5) == self.truth[row["trace_id"]] for row in rows]
        return abs(float(np.mean([row["confidence"] for row in rows]) - np.mean(hits)))

    def learn(self, *, days: Iterable[int] = range(DAYS - 1)) -> None:
        for number in days:
            self.answer(number)
        build(self.lake)

    def told(self) -> dict[date, tuple[int, int, bool]]:
        """By day the judge's anchors of the day, of days before, and whether they corrected it."""
        rows = self.lake.read(LABELER_RELIABILITY).to_pylist()
        judge = {row["day"]: row for row in rows if row["tier"] == "judge"}
        return {one: (row["anchors"], row["earlier_anchors"], row["slope"] is not None) for one, row in judge.items()}


def test_few_answers_a_day_put_confidence_right_over_days(tmp_path: Path, span: Callable[..., Row]) -> None:
    fleet = Fleet(tmp_path / "lake", span, lambda _: "1")
    assert build(fleet.lake) == [[day(number) for number in range(DAYS)]]
    assert min(fleet.off_by(number) for number in range(DAYS)) > 0.2
    fleet.learn(days=range(4))
    fleet.learn(days=range(4, DAYS - 1))
    assert (fleet.told()[day(0)], fleet.told()[day(DAYS - 1)]) == ((5, 0, False), (0, 28, True))
    assert fleet.off_by(0) > 0.2
    assert max(fleet.off_by(number) for number in (DAYS - 2, DAYS - 1)) < 0.08
    # However it came: all at once, everything is the same.
    once = Fleet(tmp_path / "once", span, lambda _: "1")
    once.learn()
    for table in LABEL.writes:
        assert once.lake.read(table).equals(fleet.lake.read(table))


def test_an_answer_more_touches_its_own_days_until_there_are_clearly_more(
    tmp_path: Path, span: Callable[..., Row]
) -> None:
    fleet = Fleet(tmp_path / "lake", span, lambda _: "1")
    for number in range(DAYS - 1):
        fleet.answer(number, 4)
    build(fleet.lake)
    # 24 to 27 answers: 24 of them count for the last day.
    assert fleet.told()[day(DAYS - 1)] == (0, 24, True)
    fleet.answer(5)
    assert build(fleet.lake) == [[day(5), day(6)]]


@pytest.mark.parametrize("version", [lambda number: str(number // 6), lambda _: None], ids=["another", "none"])
def test_another_version_and_a_judge_of_none_are_not_put_right_by_what_earlier_ones_were(
    version: Callable[[int], str | None], tmp_path: Path, span: Callable[..., Row]
) -> None:
    fleet = Fleet(tmp_path / "lake", span, version)
    fleet.learn()
    assert fleet.told()[day(DAYS - 1)] == (0, 0, False)
    assert fleet.off_by(DAYS - 1) > 0.2
