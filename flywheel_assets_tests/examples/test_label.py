"""A day's runs come out labeled, or with the reason why not."""

import hashlib
import random
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from flywheel_assets.examples.collect import collect_feedback
from flywheel_assets.examples.label import label
from flywheel_assets.lake.session import connection
from flywheel_assets.runs.fold import fold_runs
from flywheel_assets.tables.anchored_opinions import ANCHORED_OPINIONS
from flywheel_assets.tables.statements import LABEL_SETTINGS
from flywheel_assets_tests.examples.conftest import NOON

AGENT = {"operation": "agent", "dialect": "gen_ai", "service_name": "web"}
LLM = {"operation": "llm", "dialect": "gen_ai"}
FAILED = {"status": "error", "error_type": "boom"}
REWARD = {"gen_ai.evaluation.name": "reward", "flywheel.label.source_tier": "check", "flywheel.evaluator.id": "db"}
LATER = ("z", None, {"trace_id": "t9", "at": 7200})


def reward(value):
    return {**REWARD, "gen_ai.evaluation.score.value": value}


# Spans, and {example: (state, outcome, confidence, tier, votes, dissent)}.
CASES = {
    "a reward is the outcome": (
        [("a", None, {**AGENT, "events": [reward(0.0)]})],
        {"t1:a": ("labeled", 0.0, 0.98, "check", 1, 0)},
    ),
    "nobody has said anything yet": ([("a", None, AGENT)], {"t1:a": ("immature", None, None, None, 0, 0)}),
    "nobody said anything in time": ([("a", None, AGENT), LATER], {"t1:a": ("missing", None, None, None, 0, 0)}),
    "a run without an end is open, whatever was said": (
        [("a", None, {**AGENT, "duration_ns": None, "events": [reward(1.0)]}), LATER],
        {"t1:a": ("open", None, None, None, 1, 0)},
    ),
    "a service that only ever says error labels nothing by it": (
        [("a", None, {**AGENT, **FAILED}), ("b", None, {**AGENT, "trace_id": "t2"}), LATER],
        {"t1:a": ("missing", None, None, None, 1, 0), "t2:b": ("missing", None, None, None, 0, 0)},
    ),
    "a service that says both labels weakly by both": (
        [("a", None, {**AGENT, **FAILED}), ("b", None, {**AGENT, "trace_id": "t2", "status": "ok"})],
        {"t1:a": ("labeled", 0.0, 0.6, "heuristic", 1, 0), "t2:b": ("labeled", 1.0, 0.6, "heuristic", 1, 0)},
    ),
    "a heuristic that disagrees with a check is dissent": (
        [("m", None, {**LLM, "finish_reason": "length", "events": [reward(1.0)]})],
        {"t1:m": ("labeled", 1.0, 0.98, "check", 2, 1)},
    ),
    "a span that was judged is an example of its own": (
        [("a", None, AGENT), ("m", "a", {**LLM, "events": [reward(1.0)]}), LATER],
        {"t1:a": ("missing", None, None, None, 0, 0), "t1:m": ("labeled", 1.0, 0.98, "check", 1, 0)},
    ),
    "spans without a run have no examples": ([("x", None, {"events": [reward(1.0)]})], {}),
}


@pytest.mark.parametrize("case", CASES)
def test_runs_are_labeled_or_say_why_not(case, span, labels):
    given, expected = CASES[case]
    spans = [span(name, parent, **{"at": n, **columns}) for n, (name, parent, columns) in enumerate(given)]
    found = {
        key: tuple(row[name] for name in ("outcome_state", "outcome", "confidence", "tier", "votes", "dissent"))
        for key, row in labels(spans).examples.items()
    }
    assert found == expected


def test_a_judged_span_carries_its_runs_facts(span, labels):
    spans = [span("a", **AGENT, agent_name="bot"), span("m", "a", at=1, **LLM, events=[reward(1.0)])]
    row = labels(spans).examples["t1:m"]
    assert (row["grain"], row["span_id"], row["run_id"], row["skill"]) == ("span", "m", "t1:a", "bot")
    assert row["labelers"] == ["explicit_feedback"]


def said(at: float, value: float, author: str = "desk") -> dict[str, object]:
    return {
        "target_kind": "run",
        "target_id": "t1:a",
        "name": "resolved",
        "value": value,
        "tier": "human",
        "author_id": author,
        "observed_at": (NOON + timedelta(seconds=at)).isoformat(),
    }


@pytest.mark.parametrize(
    ("posted", "known"),
    [
        ([], None),
        ([said(0.5, 1.0)], 1),
        ([said(600, 1.0)], 600),
        ([said(600, 1.0), said(900, 0.0, "unregistered")], 600),
        ([said(600, 1.0), said(900, 0.0)], 900),
    ],
)
def test_an_outcome_is_known_when_all_that_decides_it_was_said(posted, known, span, labels):
    row = labels([span("a", **AGENT)], posted).examples["t1:a"]
    assert row["known_at"] == (None if known is None else NOON + timedelta(seconds=known))


@pytest.mark.parametrize(("hours", "state"), [(1, "missing"), (3, "immature")])
def test_silence_counts_only_after_the_horizon(hours, state, span, labels):
    spans = [span("a", **AGENT), span("z", trace_id="t9", at=7200)]
    assert labels(spans, horizon=timedelta(hours=hours)).examples["t1:a"]["outcome_state"] == state


def test_labels_depend_on_the_rows_and_not_on_their_order(span, labels):
    spans = [
        span(
            f"a{n}",
            trace_id=f"t{n}",
            at=n,
            session_id="s",
            events=[reward(n % 2)],
            **AGENT,
            **(FAILED if n % 3 else {}),
        )
        for n in range(12)
    ]
    first = labels(spans)
    random.Random(4).shuffle(spans)
    again = labels(spans)
    assert (again.votes, again.examples) == (first.votes, first.examples)


def test_each_skill_has_a_horizon_of_its_own(labels, span):
    spans = [span(name, trace_id=name, skill_name=name, **AGENT) for name in ("slow", "quick", "other")]
    later = span("z", trace_id="t9", at=3 * 3600)
    horizons = {"slow": timedelta(days=3), "quick": timedelta(minutes=1)}
    found = labels([*spans, later], horizon=timedelta(hours=2), horizons=horizons).examples
    states = {name: found[f"{name}:{name}"]["outcome_state"] for name in ("slow", "quick", "other")}
    assert states == {"slow": "immature", "quick": "missing", "other": "missing"}


def test_tau_bench_rewards_come_through_exactly(shared_data):
    pandas = pytest.importorskip("pandas")
    decode = pytest.importorskip("flywheel_assets.spans.decode")
    runs = pandas.read_csv(shared_data / "taubench" / "runs.csv").to_dict("records")
    day = datetime(2026, 11, 20, tzinfo=UTC)
    con = connection()
    batch = SimpleNamespace(batch_id="b", format="json", payload=request(runs, day))
    con.register("raw_spans", decode.decode_day([batch], day.date()).rows.read_all())
    agent_runs, run_spans = fold_runs(con, day.date())
    feedback, _ = collect_feedback(con, day.date(), [])
    for name, rows in (("agent_runs", agent_runs), ("run_spans", run_spans), ("feedback", feedback)):
        con.register(name, rows)
    con.register("label_settings", LABEL_SETTINGS.empty())
    con.register("anchored_opinions", ANCHORED_OPINIONS.empty())
    *_, examples = label(con, day.date())
    found = {row["trace_id"]: (row["outcome"], row["outcome_state"], row["weight"]) for row in examples.to_pylist()}
    assert found == {
        f"{n + 1:032x}": (float(run["reward"]), "labeled", pytest.approx(0.96)) for n, run in enumerate(runs)
    }


def request(runs, day):
    """An export request with an agent span and its reward per run."""
    import json

    def attributes(values):
        return [
            {"key": key, "value": {"stringValue" if isinstance(value, str) else "doubleValue": value}}
            for key, value in values.items()
        ]

    spans = []
    for number, run in enumerate(runs):
        start = int(day.timestamp() + number * 60) * 10**9
        event = {
            "name": "gen_ai.evaluation.result",
            "timeUnixNano": str(start),
            "attributes": attributes(reward(float(run["reward"]))),
        }
        spans.append(
            {
                "traceId": f"{number + 1:032x}",
                "spanId": f"{number + 1:016x}",
                "name": "invoke_agent",
                "startTimeUnixNano": str(start),
                "endTimeUnixNano": str(start + 10**9),
                "attributes": attributes(
                    {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": str(run["domain"])}
                ),
                "events": [event],
            }
        )
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()


def test_answers_about_sampled_runs_are_anchors_of_what_judges_say_and_other_answers_are_not(span, labels):
    runs = [f"t{number}" for number in range(400)]
    ids = [f"{run}:{run}" for run in runs]
    sampled = {one for one in ids if int(hashlib.md5(f"anchor {one}".encode()).hexdigest()[:12], 16) < 0.05 * 2**48}
    told = {"target_kind": "run", "observed_at": NOON.isoformat(), "value": 1.0}
    judged = [{**told, "target_id": one, "name": "judge", "author_id": "j", "tier": "judge"} for one in ids]
    people = [{**told, "target_id": one, "name": "anchor", "author_id": "ann", "tier": "human"} for one in ids]
    found = labels([span(run, trace_id=run, **AGENT) for run in runs], judged + people)
    rows = {(row["tier"], row["author_id"]): (row["votes"], row["anchors"]) for row in found.authors}
    assert 10 < len(sampled) < 30
    assert rows == {
        ("anchor", "ann"): (len(sampled), 0),
        ("human", "ann"): (400 - len(sampled), 0),
        ("judge", "j"): (len(sampled), len(sampled)),
    }
    assert {found.examples[one]["tier"] for one in ids} == {"human"}
