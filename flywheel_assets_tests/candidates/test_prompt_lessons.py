"""Lessons from what was put right, and what becomes of lessons: kept while they do no harm, retired when they do."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from flywheel_assets.candidates.prompts.compile import compile_prompt, lessons_in
from flywheel_assets.candidates.prompts.incumbent import IncumbentPrompt
from flywheel_assets.candidates.prompts.lessons import ASKED
from flywheel_assets.candidates.prompts.material import Run
from flywheel_assets.candidates.prompts.pairs import Pair, Replacement, corrected, pairs, replacements
from flywheel_assets.candidates.prompts.propose import propose_prompts
from flywheel_assets.candidates.prompts.taught import records
from flywheel_assets.tables.corrections import CORRECTIONS
from flywheel_assets.tables.documents.routing import prompt_version
from flywheel_assets.tables.documents.skills_file import Skill, SkillsFile
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS

AT = datetime(2026, 3, 1, tzinfo=UTC)


def run(number: int, question: str = "?", answer: str = "!", *, good: bool, **fields: object) -> Run:
    given = {"start": (AT + timedelta(minutes=number)).isoformat(), "session": f"s{number}", "prompt_version": "p"}
    return Run(
        run_id=f"r{number}", question=question, answer=answer, error=None, good=good, weight=1.0, **given | fields
    )


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("You get a refund soon.", "You get store credit soon.", [("a refund", "store credit")]),
        ("Same.", "same", []),
        ("a b c d e f g h", "z y x w v u t s", []),
        ("Call us", "Call **us** today", []),
    ],
    ids=["words", "case", "another text", "added"],
)
def test_what_was_replaced_in_three_runs_is_a_lesson(before: str, after: str, said: list[tuple[str, str]]):
    found = replacements([Pair(f"r{number}", before, after) for number in range(3)], 5)
    assert [(one.before, one.after) for one in found] == said


@pytest.mark.parametrize(("forth", "back", "made"), [(2, 0, 0), (3, 0, 1), (4, 1, 1), (4, 2, 0)])
def test_what_people_do_not_agree_on_is_none(forth: int, back: int, made: int):
    found = [Pair(f"f{n}", "a refund", "a credit") for n in range(forth)]
    found += [Pair(f"b{n}", "a credit", "a refund") for n in range(back)]
    # One run that is corrected twice counts once.
    assert len(replacements([*found, *found], 5)) == made


def test_a_failure_is_paired_with_its_correction_or_with_what_its_session_accepted():
    runs = [
        run(1, "where is my parcel", "in Rome", good=False),
        run(2, "where is my parcel now", "in Oslo", good=False, session="s"),
        run(3, "where is my parcel, please", "in Bonn", good=True, session="s"),
        run(4, "what is the weather", "wet", good=False, session="s"),
        run(5, "fine", "fine", good=True),
    ]
    assert pairs(runs, {"r1": "in Paris", "r5": "never"}) == [
        Pair("r1", "in Rome", "in Paris"),
        Pair("r2", "in Oslo", "in Bonn"),
    ]


def correction(number: int, **fields: object) -> dict[str, object]:
    given = {"day": AT.date(), "feedback_id": f"f{number}", "kind": "correction", "target_kind": "run"}
    given |= {"target_id": "r1", "after": f"answer {number}", "tier": "human", "author_id": "ann", "observed_at": AT}
    return given | fields


def test_only_fit_words_of_registered_authors_about_runs_count_and_the_newest_holds():
    rows = [
        correction(1),
        correction(2, observed_at=AT + timedelta(hours=1)),
        correction(3, target_id="r3", author_id="unregistered"),
        correction(4, target_id="r4", kind="demonstration", request="x"),
        correction(5, target_id="r5", target_kind="session"),
        correction(6, target_id="r6", after="mail ann@example.com"),
    ]
    found = corrected(CORRECTIONS.rows(rows), lambda text: "personal data" if "@" in text else None)
    assert found == {"r1": "answer 2"}


LESSON = f"{ASKED.format('refund')} (9 of 12 such runs failed, 3 of 90 others)."
TAUGHT = compile_prompt("Sort.", [LESSON], [])


@pytest.mark.parametrize(
    ("with_lesson", "without", "apart", "retired"),
    [
        (0.3, 0.9, False, True),
        (0.9, 0.3, False, False),
        (0.6, 0.6, False, False),
        # Worse, but on other days: the day may be to blame.
        (0.3, 0.9, True, False),
    ],
    ids=["harmful", "helpful", "neither", "never side by side"],
)
def test_a_lesson_is_retired_when_runs_go_worse_with_it_side_by_side(
    with_lesson: float, without: float, apart: bool, retired: bool
):
    rng = np.random.default_rng(3)
    runs: list[Run] = []
    for number in range(160):
        taught = number % 2 == 0
        start = AT + timedelta(days=number // 2 % 4 + (10 if apart and taught else 0))
        good = bool(rng.random() < (with_lesson if taught else without))
        version = "taught" if taught else "plain"
        runs.append(run(number, "a refund please", good=good, start=start.isoformat(), prompt_version=version))
        # What the lesson is not about does not count.
        runs.append(run(1000 + number, "hello", good=not good, start=start.isoformat(), prompt_version=version))
    ((lesson, record),) = records(runs, {"taught": TAUGHT, "plain": "Sort."}).items()
    assert lesson == ASKED.format("refund")
    assert record.helpful + record.harmful == 80
    assert record.retired is retired
    assert f"{record.harmful} badly" in record.said(LESSON)


def observation(number: int, version: str, *, good: bool, refund: bool) -> dict[str, object]:
    text = f"Ticket {number}: {'refund for ' if refund else ''}parcel {number % 7}"
    said = {"run_id": f"run-{number:05d}", "example_id": f"run-{number:05d}", "prompt_version": version}
    told = {"input_text": text, "output_text": f"category {number % 4}", "outcome": float(good)}
    alike = {"trace_id": "t", "root_span_id": "s", "runtime": "gen_ai", "skill": "triage", "status": "ok"}
    alike |= {"grain": "run", "outcome_state": "labeled", "confidence": 0.95, "weight": 0.9, "labelers": []}
    alike |= {"votes": 1, "dissent": 0, "redacted": False, "remarks": [], "day": AT.date()}
    return {**alike, **said, **told, "start_time": AT + timedelta(seconds=number)}


def proposed(harm: bool) -> dict[str, object]:
    """What comes next after a prompt with a lesson about refunds, beside the one without it."""
    rng = np.random.default_rng(1)
    plain = prompt_version("Sort.")
    rows: list[dict[str, object]] = []
    for number in range(400):
        taught, refund = number % 2 == 0, number % 3 == 0
        chance = 0.2 if refund and taught and harm else 0.8
        version = prompt_version(TAUGHT) if taught else plain
        rows.append(observation(number, version, good=bool(rng.random() < chance), refund=refund))
    incumbent = IncumbentPrompt(prompt_version(TAUGHT), TAUGHT, known={plain: "Sort."})
    skills = SkillsFile(skills={"triage": Skill(baseline_model="m", baseline_prompt="Sort.")})
    (row,) = propose_prompts(GATED_OBSERVATIONS.rows(rows), skills, {"triage": incumbent}).to_pylist()
    return row


def test_a_harmful_lesson_disappears_and_is_not_learned_again():
    row = proposed(harm=True)
    assert row["state"] == "proposed"
    # Runs with it fail when refunds are spoken of: a new lesson about refunds is what would be learned from that.
    assert not any("refund" in lesson for lesson in [*lessons_in(str(row["text"])), *row["lessons"]])
    assert "retired: Take particular care when the request speaks of “refund”" in row["reason"]


def test_a_lesson_that_does_no_harm_stays_with_its_counts_beside_it():
    row = proposed(harm=False)
    assert LESSON in lessons_in(str(row["text"]))
    assert "retired" not in row["reason"]
    assert any("runs well and" in lesson for lesson in row["lessons"])


def test_a_correction_that_recurs_is_in_the_prompt():
    rows = []
    for number in range(60):
        one = observation(number, prompt_version("Sort."), good=number % 4 > 0, refund=False)
        rows.append(one | {"output_text": f"we send a refund for {number}"})
    shown = {f"run-{number:05d}": f"we send store credit for {number}" for number in range(0, 60, 4)}
    skills = SkillsFile(skills={"triage": Skill(baseline_model="m", baseline_prompt="Sort.")})
    incumbents = {"triage": IncumbentPrompt(prompt_version("Sort."), "Sort.")}
    (row,) = propose_prompts(GATED_OBSERVATIONS.rows(rows), skills, incumbents, corrections=shown).to_pylist()
    assert Replacement("a refund", "store credit", ("x",) * 13).lesson.partition(" (")[0] in row["text"]
