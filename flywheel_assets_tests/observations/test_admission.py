"""Every example ends on exactly one side, whatever the order, and no secret ends on either."""

import importlib
import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flywheel_assets.observations import gates
from flywheel_assets.observations.admit import apply_gates, sign
from flywheel_assets.observations.gates.completeness import GATE as COMPLETENESS
from flywheel_assets.observations.gates.label_confidence import GATE as LABEL_CONFIDENCE
from flywheel_assets.observations.gates.secrets import GATE as SECRETS
from flywheel_assets.observations.registry import Evidence, find_gates
from flywheel_assets.observations.verdict import ALLOW, Offset, Verdict, remark
from flywheel_assets.tables.labeled_examples import LABELED_EXAMPLES

GATES = tuple(sorted(file.stem for file in Path(gates.__file__).parent.glob("[a-z]*.py")))
TEXTS = (None, "", "hello there", "Hello, there!", "password=tr0ub4dor", " ".join("abcdefghijklmnopqrstuvwxyz"))

varied = st.fixed_dictionaries(
    {
        "skill": st.sampled_from([None, "triage"]),
        "arm": st.sampled_from([None, "a|-|-", "broken"]),
        "session_id": st.sampled_from([None, "s1", "s2"]),
        "input_text": st.sampled_from(TEXTS),
        "output_text": st.sampled_from(TEXTS),
        "confidence": st.sampled_from([0.5, 0.9, 7.0]),
    }
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_rows=st.lists(varied, max_size=12), data=st.data())
def test_each_example_is_admitted_or_rejected_once_in_any_order(
    given_rows: list[dict], data: st.DataObject, example: Callable, admitted: Callable
) -> None:
    rows = [example(f"run-{number}", number % 3, **row) for number, row in enumerate(given_rows)]
    if not rows:
        return
    verdicts, gated, rejected = tables = admitted(rows)
    ids = sorted(gated["example_id"].to_pylist() + rejected["example_id"].to_pylist())
    assert ids == sorted(str(row["example_id"]) for row in rows)
    assert verdicts.num_rows == len(rows) * len(GATES)
    shuffled = data.draw(st.permutations(rows))
    assert all(one.equals(other) for one, other in zip(tables, admitted([*shuffled, shuffled[0]]), strict=True))


def test_a_day_without_examples_gives_empty_tables(inputs: Callable, example: Callable) -> None:
    assert sign(inputs([]), example()["day"])[0].num_rows == 0


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(outcomes=st.lists(st.floats(0, 1), min_size=1, max_size=8), confidence=st.floats(0.5, 1))
def test_label_confidence_does_not_look_at_the_outcome(
    outcomes: list[float], confidence: float, example: Callable
) -> None:
    rows = [example(f"run-{n}", outcome=y, confidence=confidence) for n, y in enumerate(outcomes)]
    flipped = [row | {"outcome": 1 - float(str(row["outcome"]))} for row in rows]
    judged = [LABEL_CONFIDENCE.judge(Evidence(LABELED_EXAMPLES.rows(each), pa.table({}))) for each in (rows, flipped)]
    assert judged[0] == judged[1]


@pytest.mark.parametrize("field", ["input_text", "output_text", "error_type"])
@pytest.mark.parametrize("given", [{}, {"skill": None}, {"outcome": None, "outcome_state": "missing"}])
def test_a_planted_secret_is_in_no_row_that_is_written(
    example: Callable, admitted: Callable, field: str, given: dict
) -> None:
    secret = "tr0ub4dor-" + "7c1e"
    text = f"set password={secret} and then say {secret} again"
    tables = admitted([example(**given | {field: text}, session_id="s")])
    assert secret not in "".join(str(table.to_pylist()) for table in tables)
    verdicts, gated, rejected = tables
    (row,) = (gated if gated.num_rows else rejected).to_pylist()
    assert row[field] == "set password=[redacted] and then say [redacted] again"
    assert row["redacted"]
    (offsets,) = [each["offsets"] for each in verdicts.to_pylist() if each["gate"] == "secrets"]
    assert [text[each["start"] : each["end"]] for each in offsets] == [secret, secret]


def test_text_without_a_secret_is_left_as_it_is(example: Callable, admitted: Callable) -> None:
    (row,) = admitted([example(input_text="hello", dissent=1)])[1].to_pylist()
    assert (row["input_text"], row["redacted"], row["remarks"]) == ("hello", False, ["disputed"])


def test_a_span_shares_the_fate_of_its_repeated_run(example: Callable, admitted: Callable) -> None:
    same = {"session_id": "s", "input_text": "a", "output_text": "b"}
    runs = [example("first", 0, **same), example("again", 1, **same)]
    spans = [row | {"example_id": f"t:{row['run_id']}", "grain": "span", "span_id": "x"} for row in runs]
    _, gated, rejected = admitted([*runs, *spans])
    assert sorted(gated["example_id"].to_pylist()) == ["first", "t:first"]
    assert sorted(rejected["example_id"].to_pylist()) == ["again", "t:again"]


def test_a_rejection_is_put_down_to_a_discard_before_a_hold(example: Callable, admitted: Callable) -> None:
    same = {"session_id": "s", "input_text": "a", "output_text": "b"}
    late = {"outcome": None, "outcome_state": "immature", "confidence": None, "weight": None}
    rejected = admitted([example("first", 0, **same), example("again", 1, **same, **late)])[2]
    (row,) = rejected.to_pylist()
    assert (row["state"], row["gate"], row["reason"]) == ("discarded", "exact_duplicate", "exact_duplicate")


@dataclass(frozen=True)
class Faulty:
    """A gate that fails on examples whose input says so."""

    by_row: bool
    name: str = "faulty"
    version: str = "1"
    order: int = 1

    def judge(self, evidence: Evidence) -> list[Verdict]:
        texts = evidence.rows["input_text"].to_pylist()
        if any(text and "boom" in text for text in texts):
            raise RuntimeError(f"could not read {texts}")
        return [ALLOW] * len(texts)


@pytest.mark.parametrize(("by_row", "held"), [(True, ["run-2"]), (False, ["run-0", "run-1", "run-2", "run-3"])])
def test_a_gate_that_raises_holds_its_examples_and_withholds_their_text(
    example: Callable, by_row: bool, held: list[str]
) -> None:
    texts = ["fine", "fine too", "boom", "fine"]
    rows = LABELED_EXAMPLES.rows([example(f"run-{n}", input_text=text) for n, text in enumerate(texts)])
    verdicts, gated, rejected = apply_gates([Faulty(by_row), COMPLETENESS], Evidence(rows, pa.table({})))
    assert rejected["example_id"].to_pylist() == held
    assert set(rejected["reason"].to_pylist()) == {"gate_error"}
    assert gated.num_rows == len(texts) - len(held)
    assert "boom" not in str(rejected.to_pylist()) + str(verdicts.to_pylist())
    details = {row["detail"] for row in verdicts.to_pylist() if row["reason"] == "gate_error"}
    assert details == {"the gate raised RuntimeError"}


@pytest.mark.parametrize(
    "verdicts",
    [
        [],
        [ALLOW, ALLOW],
        [remark("odd", "", (Offset("arm", 0, 3),))],
        [remark("odd", "", (Offset("input_text", 3, 3),))],
        [remark("odd", "", (Offset("input_text", -1, 3),))],
    ],
)
def test_a_gate_that_answers_amiss_holds_its_examples(example: Callable, verdicts: list[Verdict]) -> None:
    @dataclass(frozen=True)
    class Amiss:
        name: str = "amiss"
        version: str = "1"
        order: int = 1
        by_row: bool = True

        def judge(self, evidence: Evidence) -> list[Verdict]:
            del evidence
            return verdicts

    evidence = Evidence(LABELED_EXAMPLES.rows([example(input_text="hello")]), pa.table({}))
    rejected = apply_gates([Amiss()], evidence)[2]
    assert rejected["reason"].to_pylist() == ["gate_error"]


def test_offsets_that_overlap_are_cut_once(example: Callable) -> None:
    @dataclass(frozen=True)
    class Second:
        name: str = "second"
        version: str = "1"
        order: int = 40
        by_row: bool = True

        def judge(self, evidence: Evidence) -> list[Verdict]:
            marked = (Offset("input_text", 0, 12), Offset("input_text", 2, 5))
            return [remark("marked", "", marked)] * evidence.rows.num_rows

    rows = LABELED_EXAMPLES.rows([example(input_text="password=tr0ub4dor stays")])
    (row,) = apply_gates([SECRETS, Second()], Evidence(rows, pa.table({})))[1].to_pylist()
    assert row["input_text"] == "[redacted] stays"


def test_the_registry_finds_each_file_in_order() -> None:
    found = find_gates()
    assert tuple(sorted(gate.name for gate in found)) == GATES
    assert [gate.order for gate in found] == sorted(gate.order for gate in found)


def test_an_installed_package_adds_a_gate_but_not_under_a_name_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "their_gates-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: their-gates\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text("[flywheel_assets.gates]\ntheirs = their_gates:GATE\n")
    module = "class Gate:\n    name, version, order, by_row = {!r}, '1', 99, True\nGATE = Gate()\n"
    monkeypatch.syspath_prepend(tmp_path)
    # Both modules have one size and, within a second, one age: byte code of the first would pass for the second's.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for name, expected in (("theirs", True), ("schema", False)):
        (tmp_path / "their_gates.py").write_text(module.format(name))
        monkeypatch.delitem(sys.modules, "their_gates", raising=False)
        importlib.invalidate_caches()
        with nullcontext() if expected else pytest.raises(ValueError, match="schema"):
            assert "theirs" in [gate.name for gate in find_gates()]


def test_a_duplicate_of_a_later_day_does_not_reach_back(
    example: Callable, inputs: Callable, admitted: Callable
) -> None:
    same = {"session_id": "s", "input_text": "a", "output_text": "b"}
    today = example("today", **same)
    tomorrow = example("tomorrow", **same)
    tomorrow |= {key: tomorrow[key] + timedelta(days=1) for key in ("day", "start_time")}
    con = inputs([today, tomorrow])
    signed = pa.concat_tables([sign(con, row["day"])[0] for row in (today, tomorrow)])
    assert signed["content_hash"][0] == signed["content_hash"][1]
    assert admitted([today])[1]["run_id"].to_pylist() == ["today"]
    assert admitted([today, tomorrow])[2]["run_id"].to_pylist() == ["tomorrow"]
