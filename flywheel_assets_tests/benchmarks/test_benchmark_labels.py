"""What the page on labels measures is what it says, and the figures that the wheel aims at hold."""

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flywheel_assets_tests.benchmarks import (
    label_crowd,
    label_days,
    label_judges,
    label_noise,
    label_steps,
    label_traces,
    labels,
)
from flywheel_assets_tests.benchmarks.label_crowd import METHODS, Crowd, calibration_error, majority, read_crowd, right
from flywheel_assets_tests.benchmarks.label_traces import Score


def crowd(answers: int, workers: int = 6, tasks: int = 200) -> Crowd:
    rng = np.random.default_rng(answers)
    truth = rng.integers(0, answers, tasks)
    task, worker = np.repeat(np.arange(tasks), workers), np.tile(np.arange(workers), tasks)
    wrong = (truth[task] + rng.integers(1, answers, len(task))) % answers
    said = np.where(rng.random(len(task)) < np.linspace(0.6, 0.95, workers)[worker], truth[task], wrong)
    return Crowd(task, worker, said, truth, answers)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("answers", [2, 3])
def test_every_method_gives_probabilities_and_is_right_where_workers_are_good(method: str, answers: int) -> None:
    told = crowd(answers)
    chances = METHODS[method](told)
    assert chances.sum(axis=1) == pytest.approx(np.ones(len(told.truth)))
    assert right(chances, told.truth) > 0.85


def test_so_many_answers_a_task_are_drawn() -> None:
    some = crowd(2).some(3, seed=0)
    assert set(np.bincount(some.task)) == {3}


def test_accuracy_shares_ties_and_calibration_sees_who_is_too_sure() -> None:
    chances, truth = np.array([[0.5, 0.5], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]), np.array([0, 1, 0, 0])
    assert right(chances, truth) == pytest.approx((0.5 + 2) / 4)
    assert calibration_error(chances, truth) == pytest.approx(0.75 * (1 - 2 / 3))


ANSWERS = {
    "plain": ('{"errors": [{"location": "a", "category": "x"}]}', {("a", "x")}),
    "in a fence": ('so:\n```json\n{"errors": [{"location": "a", "category": "x"}]}\n```', {("a", "x")}),
    "between words": ('I found {"errors": [{"location": "a", "category": "x"}]} there', {("a", "x")}),
    "no error": ('{"errors": []}', set()),
    "cut off": ('{"errors": [{"location": "a", "cat', None),
    "nothing": ("", None),
    "without a kind": ('{"errors": [{"location": "a"}]}', None),
    "a list in place of a span": ('{"errors": [{"location": ["a"], "category": "x"}]}', None),
    "something else": ('{"error": "too long"}', None),
}


@pytest.mark.parametrize(("text", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_a_judges_output_is_understood_or_malformed(text: str, expected: set[tuple[str, str]] | None) -> None:
    assert label_judges.errors_of(text) == expected


def test_score_is_over_all_traces_together() -> None:
    score = Score.of({1, 2, 3, 4}, {3, 4, 5})
    assert (score.precision, score.recall, score.f1) == (0.5, pytest.approx(2 / 3), pytest.approx(4 / 7))
    assert Score.of([], []).f1 == 0


def row(trace: int, place: int, blame: float = 0.5, role: str = "llm") -> dict:
    ids = {"trace_id": f"t{trace}", "run_id": f"t{trace}", "span_id": f"t{trace}-{place}"}
    return {**ids, "skill": "s", "role": role, "reason": f"number {place}", "place": place, "blame": blame}


def test_kinds_are_learned_on_other_traces_only() -> None:
    rows = [row(trace, place) for trace in range(30) for place in (1, 2, 3)]
    marked = {(f"t{trace}", f"t{trace}-2", "slip") for trace in range(30)} | {("t0", "t0-3", "seen once")}
    found = label_traces.told_by_others(rows, marked)
    assert found == {(f"t{trace}", f"t{trace}-2", "slip") for trace in range(30)}
    assert label_traces.second_call(rows) == {(*one[:2], label_traces.SECOND_CALL) for one in found}


def test_blame_for_an_execution_that_failed_is_the_message_before_it() -> None:
    said = ["please", "I plan", "code", "exitcode: 1 (execution failed)", "sorry"]
    names = ["human", "planner", "coder", "terminal", "planner"]
    steps = pd.DataFrame({"id": "r", "step": range(5), "role": names, "agent": names, "content": said})
    share = label_steps.blame(steps)
    assert share.argmax() == 2
    assert share[0] == 0
    assert label_steps.guesses(steps)["blame by `span_credit`: the step with most"].loc["r"].to_dict() == {
        "agent": "coder",
        "step": 2,
    }


def test_root_causes_are_read_beside_their_messages_and_told_with_an_interval(tmp_path: Path) -> None:
    rows = ["id,is_root_cause,step_number,failed_agent", "r,0,4,Assistant", "r,1,3,Assistant", "gone,1,1,User"]
    (tmp_path / "failures.csv").write_text("\n".join(rows))
    said = [{"role": role, "content": "x"} for role in ("system", "user", "assistant", "tool")]
    with gzip.open(tmp_path / "trajectories.jsonl.gz", "wt") as lines:
        lines.write(json.dumps({"id": "r", "traj": said}) + "\n")
    causes, steps = label_steps.read_failures(tmp_path)
    assert causes[["id", "mistake_step", "mistake_agent"]].to_numpy().tolist() == [["r", 3, "Assistant"]]
    assert steps["role"].tolist() == ["human", "user", "assistant", "tool"]
    assert label_steps.blame(steps).argmax() == 2
    *_, most = label_steps.step_lines(causes, steps)
    assert most.startswith("| the agent that speaks most, its first step | 1 | ")
    assert "20.7 % to 100.0 %" in label_steps.step_lines(causes, steps)[2]


def test_label_noise_is_told_beside_the_authors_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_noise, "DRAWS", 1)
    *_, told = label_noise.noise_lines()
    assert told.startswith("| 20 % |")
    assert told.endswith("| 100.0 % |")


def test_on_recorded_answers_the_fused_label_is_as_good_as_the_better_of_both(shared_data: Path) -> None:
    for name in ("snow_rte", "snow_wsd"):
        told = read_crowd(shared_data / "crowd", name).some(5, seed=3)
        found = {method: right(ask(told), told.truth) for method, ask in METHODS.items()}
        assert found["fused"] >= max(found.values()) - 0.005
        assert calibration_error(label_crowd.fused(told).chances, told.truth) <= 0.05
        assert majority(told).shape[1] == told.answers


def test_on_recorded_traces_blame_says_more_than_the_reference(shared_data: Path) -> None:
    marked = label_traces.read_marked(shared_data / "trail")
    rows, findings = label_traces.blamed(label_traces.read_traces(shared_data / "trail"))
    parts = label_traces.sources(shared_data / "trail")
    for part in set(parts.values()):
        seen, true = ({one for one in some if parts[one[0]] == part} for some in (labels.pairs(findings), marked))
        assert Score.of(seen, true).f1 > 0.15
        assert Score.of(seen, true).precision > 0.15
    by_others = Score.of(label_traces.told_by_others(rows, marked), marked)
    assert by_others.f1 > max(0.095, Score.of(label_traces.second_call(rows), marked).f1)
    judged = label_judges.read_judges(shared_data / "trail")
    read = pd.read_parquet(shared_data / "trail" / "llm_judge_predictions.parquet", columns=["variant"])
    understood = sum(map(len, judged.answered.values()))
    assert understood + sum(judged.malformed.values()) + judged.notes == len(read)
    told = label_judges.judge_lines(judged, marked, labels.pairs(findings))[2:]
    *singles, _, fused, learned = (float(line.split("|")[4]) for line in told)
    assert min(fused, learned) >= max(singles)


def test_a_lone_answer_is_believed_as_a_persons_word_is_whatever_else_could_have_been_answered() -> None:
    """Where nothing can be learned; and a few answers a day put it right on the days after them."""
    alone = crowd(3, tasks=400).some(1, seed=0)
    assert label_crowd.fused(alone).chances.max(axis=1) == pytest.approx(np.full(400, label_crowd.PERSON))
    days = label_days.days_of(alone, seed=0)
    sure = [float(chance.max(axis=1).mean()) for chance, _ in days]
    assert sure[0] == pytest.approx(label_crowd.PERSON)
    right_in = label_crowd.right(label_crowd.fused(alone).chances, alone.truth)
    assert abs(np.mean(sure[8:]) - right_in) < abs(sure[0] - right_in) / 2
