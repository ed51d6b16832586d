"""What arms are compared by does not leak into prompts; what is unlike all else is told of, a whole source held."""

import random
from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest

from flywheel_assets.candidates.prompts.material import usable

ASKED = " ".join(f"word{number}" for number in range(60))


def verdicts(tables, gate: str) -> dict[str, tuple[object, object]]:
    return {row["example_id"]: (row["verdict"], row["reason"]) for row in tables[0].to_pylist() if row["gate"] == gate}


@pytest.mark.parametrize("segment", ["canary", "holdout", "frozen"])
@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({"input_text": ASKED}, "near_evaluation"),
        ({"input_text": ASKED.upper() + "!"}, "near_evaluation"),
        ({"input_text": ASKED + " thanks"}, "near_evaluation"),
        ({"input_text": ASKED, "arm": "provider/large|-|-", "session_id": "another"}, "near_evaluation"),
        ({"input_text": ASKED.replace("word7 ", "other ")}, None),
        ({"input_text": "something else"}, None),
        ({"input_text": ASKED, "skill": "refund"}, None),
        ({"input_text": None}, None),
    ],
    ids=["same", "marks and case", "a word more", "another arm", "a word changed", "another", "another skill", "none"],
)
def test_runs_that_arms_are_compared_by_and_their_likes_are_evidence_but_no_material_for_prompts(
    example: Callable, admitted: Callable, segment: str, other, expected
):
    rows = [example("examined", segment=segment, input_text=ASKED), example("other", 1, segment="production", **other)]
    tables = admitted(rows)
    said = verdicts(tables, "leakage")
    assert said == {"examined": ("allow", "evaluation"), "other": ("allow", expected)}
    assert tables[1].num_rows == 2
    of_skill = [row for row in tables[1].to_pylist() if row["skill"] == rows[1]["skill"]]
    assert {run.run_id for run in usable(of_skill)} == (
        {"other"} if expected is None and other["input_text"] else set()
    )


def test_a_request_of_an_evaluation_of_another_day_is_no_material_either(example: Callable, admitted: Callable):
    examined = admitted([example("examined", segment="holdout", input_text="when are you open")])[1]
    day = example()["day"] + timedelta(days=3)
    later = [example("same", day=day, input_text="When are you  open"), example("else", 1, day=day, input_text="why")]
    rows = [*examined.to_pylist(), *admitted(later)[1].to_pylist()]
    assert [run.run_id for run in usable(rows)] == ["else"]


def test_without_evaluation_runs_all_are_material(example: Callable, admitted: Callable):
    tables = admitted([example("one", segment="explore", input_text=ASKED), example("two", 1, input_text=ASKED)])
    assert set(verdicts(tables, "leakage").values()) == {("allow", None)}
    assert len(usable(tables[1].to_pylist())) == 2


SERVICES = ("north", "south", "east", "west", "middle")


def fleet(example: Callable, times: Mapping[str, float], runs: int = 30):
    """So many runs of five services, some of them so many times as dear as usual."""
    rng, rows, spans = random.Random(7), [], []
    for service in SERVICES:
        for number in range(runs):
            run = f"{service}-{number:02d}"
            cost = 0.01 * rng.lognormvariate(0, 0.3) * times.get(run, 1.0)
            text = "x" * rng.randint(80, 120)
            rows.append(example(run, number, cost_usd=cost, duration_ns=10**9, input_text=text, output_text=text))
            span = {"trace_id": f"trace-{run}", "span_id": "root", "day": rows[0]["day"], "service_name": service}
            spans.append(span | {"batch_id": "b", "start_time": rows[0]["start_time"]})
    batches = [{"batch_id": "b", "landed_at": rows[0]["start_time"], "status": "accepted"}]
    return rows, {"spans": spans, "batches": batches}


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ({}, {}),
        ({f"west-{number:02d}": 3.0 for number in range(30)}, {}),
        ({"west-03": 40.0}, {"west-03": "cost_outlier"}),
        (
            {f"west-{number:02d}": 1000.0 for number in range(30)},
            {f"west-{number:02d}": "service_cost_outlier" for number in range(30)},
        ),
    ],
    ids=["alike", "three times as dear", "one run", "another unit"],
)
def test_one_run_that_is_unlike_all_others_stays_and_a_service_that_is_so_is_held(
    example: Callable, admitted: Callable, times, expected
):
    rows, given = fleet(example, times)
    found = verdicts(admitted(rows, **given), "outliers")
    assert {run: reason for run, (_, reason) in found.items() if reason} == expected
    assert {state for state, reason in found.values() if reason} <= (
        {"hold"} if len(expected) > 1 else {"allow"} if expected else set()
    )


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"duration_ns": 10**12}, "duration_outlier"),
        ({"input_text": "x" * 100_000}, "length_outlier"),
        ({"duration_ns": None, "cost_usd": None, "input_text": None}, None),
        ({"cost_usd": 0.0}, None),
    ],
)
def test_duration_and_length_are_looked_at_too_and_what_is_not_known_is_no_outlier(
    example: Callable, admitted: Callable, given, reason
):
    rows, arrived = fleet(example, {})
    rows[0] |= given
    assert verdicts(admitted(rows, **arrived), "outliers")[rows[0]["example_id"]] == ("allow", reason)


def test_no_source_shifts_what_is_usual_by_being_loud(example: Callable, admitted: Callable):
    loud = [
        example(f"loud-{number:03d}", number, principal_id="loud", session_id=str(number), cost_usd=1.0)
        for number in range(200)
    ]
    quiet = [
        example(f"quiet-{number:02d}", number, principal_id=f"user-{number}", cost_usd=0.01 + number / 10**4)
        for number in range(30)
    ]
    said = verdicts(admitted([*loud, *quiet]), "outliers")
    assert {run.split("-")[0] for run, (_, reason) in said.items() if reason == "cost_outlier"} == {"loud"}
