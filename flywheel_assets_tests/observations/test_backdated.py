"""An old run among new ones is held; history is not, however old."""

from collections.abc import Callable
from datetime import timedelta

import pytest

Row = dict[str, object]


def sent(example: Callable[..., Row], admitted: Callable, old: int, new: int, **given: object) -> set[object]:
    """Verdicts on the `old` runs, which arrived 30 days after they ran; the `new` ones arrived at once."""
    rows = [example(f"run-{number:03d}", number, input_text=f"case {number}") for number in range(old + new)]
    noon = rows[0]["start_time"]
    spans = [
        {"trace_id": row["trace_id"], "span_id": "root", "day": row["day"], "start_time": row["start_time"],
         "batch_id": "late" if number < old else "prompt", "service_name": given.get("service", "west")}
        for number, row in enumerate(rows)
    ]  # fmt: skip
    today = rows[0]["day"]
    after = given.get("after", timedelta(days=30))
    batches = [
        {"batch_id": "prompt", "landed_at": noon + timedelta(hours=3), "status": "accepted", "source": "otlp",
         "days": [today]},
        {"batch_id": "late", "landed_at": noon + after, "status": "accepted", "source": given.get("door", "otlp"),
         "days": [today, *(today + day for day in given.get("beside", ()))]},
    ]  # fmt: skip
    verdicts = admitted(rows, spans=spans, batches=batches)[0].to_pylist()
    found = {row["example_id"]: (row["verdict"], row["reason"]) for row in verdicts if row["gate"] == "backdated"}
    assert all(verdict == ("allow", None) for run, verdict in found.items() if run >= f"run-{old:03d}")
    return {found[f"run-{number:03d}"] for number in range(old)}


@pytest.mark.parametrize(
    ("runs", "given", "expected"),
    [
        ((2, 40), {}, "hold"),
        ((2, 40), {"door": "files"}, "allow"),
        ((2, 40), {"door": "langfuse"}, "allow"),
        ((2, 40), {"after": timedelta(days=5)}, "allow"),
        ((40, 0), {}, "allow"),
        ((40, 2), {}, "allow"),
        ((2, 0), {"beside": [timedelta(days=30)]}, "hold"),
        ((2, 0), {"beside": [timedelta(days=day) for day in (1, 2, 3)]}, "allow"),
        ((2, 40), {"service": None}, "allow"),
    ],
    ids=[
        "among prompt ones", "a file in the inbox", "another's export", "not so late", "all history",
        "history that meets the present", "in one batch with new ones", "in one batch with old ones", "nobody's",
    ],
)  # fmt: skip
def test_an_old_run_is_held_where_its_service_or_its_batch_is_prompt(
    example: Callable[..., Row], admitted: Callable, runs, given, expected
):
    assert {verdict for verdict, _ in sent(example, admitted, *runs, **given)} == {expected}


def test_it_says_why(example: Callable[..., Row], admitted: Callable):
    assert sent(example, admitted, 1, 30) == {("hold", "backdated")}
