"""Every queue that is named can be asked for; a label that does not fit is asked about until a person speaks."""

import pytest

from flywheel_assets.examples.questions import READS, Asked, questions
from flywheel_assets.lake.session import connection
from flywheel_assets.tables.documents.queue import QUEUES
from flywheel_assets.tables.feedback import FEEDBACK
from flywheel_assets.tables.labeled_examples import LABELED_EXAMPLES
from flywheel_assets_tests.examples.conftest import NOON, TODAY


def example(run: str, weight: float) -> dict[str, object]:
    facts = {
        "day": TODAY,
        "run_id": run,
        "example_id": run,
        "grain": "run",
        "input_text": "when?",
        "output_text": "at 4",
    }
    return {**facts, "outcome": 1.0, "outcome_state": "labeled", "confidence": 0.9, "weight": weight}


@pytest.mark.parametrize("queue", QUEUES)
def test_an_empty_wheel_has_no_questions_in_any_queue(queue: str):
    con = connection()
    for table in READS[queue]:
        con.register(table.name, table.empty())
    assert questions(con, Asked(queue, TODAY), ()) == []


def test_suspects_are_labels_that_lost_weight_and_that_no_person_looked_at_since():
    con = connection()
    rows = [example("fits", 0.8), example("odd", 0.3), example("odder", 0.0), example("seen", 0.1)]
    con.register("labeled_examples", LABELED_EXAMPLES.rows(rows))
    said = {"day": TODAY, "feedback_id": "f", "target_kind": "run", "target_id": "seen", "name": "label", "value": 1.0}
    by = {"tier": "human", "author_id": "ann", "observed_at": NOON, "source": "posted"}
    con.register("feedback", FEEDBACK.rows([{**said, **by}]))
    found = questions(con, Asked("suspects", TODAY), ())
    assert [row["target_id"] for row in found] == ["odder", "odd"]
