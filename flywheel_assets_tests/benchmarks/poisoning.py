"""What one bad reporter among five does to the scores of three arms, gate by gate.

Labelled examples of one day are signed, admitted, added up and scored as in a turn. Four services see the same
rates; one, `harder`, is honest and succeeds less at everything. `west` is the bad reporter.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache

import pyarrow as pa

from flywheel_assets.lake.session import connection
from flywheel_assets.observations.admit import admit, sign
from flywheel_assets.scores.day_stats import day_stats
from flywheel_assets.scores.score import score
from flywheel_assets.tables.example_signatures import EXAMPLE_SIGNATURES
from flywheel_assets.tables.feedback import FEEDBACK
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS
from flywheel_assets.tables.labeled_examples import LABELED_EXAMPLES
from flywheel_assets.tables.landed_batches import LANDED_BATCHES
from flywheel_assets.tables.raw_spans import RAW_SPANS
from flywheel_assets.tables.run_spans import RUN_SPANS
from flywheel_assets.tables.source_findings import SOURCE_FINDINGS
from flywheel_assets.tables.statements import GATE_SETTINGS

DAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BAD, HARDER = "west", "harder"
SERVICES = ("north", "south", "east", BAD, HARDER)
RATES = {"large": 0.8, "middle": 0.6, "small": 0.4}
COSTS = {"large": 0.02, "middle": 0.005, "small": 0.001}
# Runs of each service on each arm.
EACH = 200
Row = dict[str, object]


def traffic(seed: int, each: int = EACH) -> list[Row]:
    """A day of honest runs. Outcomes keep to their rates exactly: only what is done to them moves a score."""
    rng = random.Random(seed)
    rows: list[Row] = []
    for service in SERVICES:
        for arm, rate in RATES.items():
            good = round(each * (rate - 0.1 * (service == HARDER)))
            for number in range(each):
                rows.append(
                    _run(len(rows), service, arm, float(number < good), COSTS[arm] * rng.lognormvariate(0, 0.3))
                )
    return rows


def _run(number: int, service: str, arm: str, outcome: float, cost: float) -> Row:
    run = f"run-{number:06d}"
    return {
        "day": DAY, "run_id": run, "example_id": run, "grain": "run", "trace_id": run, "root_span_id": "root",
        "runtime": "gen_ai", "start_time": NOON + timedelta(seconds=number), "skill": "triage", "service_name": service,
        "arm": f"{arm}|-|-", "model": arm, "status": "ok", "session_id": f"session {number}",
        "input_text": f"case {number}", "output_text": f"answer {number}", "cost_usd": cost, "duration_ns": 10**9,
        "outcome": outcome, "outcome_state": "labeled", "confidence": 0.9, "weight": 0.8, "tier": "check",
        "labelers": ["unit_test"], "votes": 1, "dissent": 0,
    }  # fmt: skip


def _flipped(share: float) -> Callable[[list[Row], random.Random], list[Row]]:
    """So much of all outcomes of an arm, all of them reported by one."""

    def flip(rows: list[Row], rng: random.Random) -> list[Row]:
        of_arm = [row for row in rows if row["model"] == "large"]
        bad = rng.sample([row for row in of_arm if row["service_name"] == BAD], round(share * len(of_arm)))
        for row in bad:
            row["outcome"] = 1.0 - float(str(row["outcome"]))
        return rows

    return flip


def _replayed(rows: list[Row], rng: random.Random) -> list[Row]:
    bad = rng.sample([row for row in rows if row["service_name"] == BAD and row["outcome"]], len(rows) // 10)
    later = NOON + timedelta(hours=4)
    again = [{name: f"again-{row[name]}" for name in ("run_id", "example_id", "trace_id")} for row in bad]
    return [*rows, *(row | new | {"start_time": later} for row, new in zip(bad, again, strict=True))]


def _backdated(rows: list[Row], rng: random.Random) -> list[Row]:
    for row in rng.sample([row for row in rows if row["service_name"] == BAD], len(rows) // 20):
        row |= {"day": DAY - timedelta(days=30), "start_time": NOON - timedelta(days=30)}
    return rows


def _swapped(rows: list[Row], _rng: random.Random) -> list[Row]:
    other = {"large": COSTS["small"] / COSTS["large"], "small": COSTS["large"] / COSTS["small"], "middle": 1.0}
    for row in rows:
        if row["service_name"] == BAD:
            row["cost_usd"] = float(str(row["cost_usd"])) * other[str(row["model"])]
    return rows


def _broken(rows: list[Row], _rng: random.Random) -> list[Row]:
    for row in rows:
        if row["service_name"] == BAD and row["model"] == "large":
            row["outcome"] = 0.0
    return rows


CASES: Mapping[str, Callable[[list[Row], random.Random], list[Row]]] = {
    "nothing": lambda rows, _rng: rows,
    "5 % of the best arm's outcomes flipped": _flipped(0.05),
    "10 % flipped": _flipped(0.10),
    "20 % flipped": _flipped(0.20),
    "10 % of runs sent twice, successes only": _replayed,
    "5 % of runs backdated by 30 days": _backdated,
    "two arms' costs swapped": _swapped,
    "an arm's rows from a broken harness": _broken,
}


@dataclass(frozen=True, slots=True)
class Damage:
    """What became of a case. Points are hundredths of an outcome, of the arm that moved most.

    `reasons`: what was refused of the bad reporter, by reason. `between`: how far differences of arms moved.
    `quality`: what the true rate of the arm that scores best is short of the best. `beyond`: how far scores are from
    those of the same honest runs without what was refused.
    """

    reasons: Mapping[str, int]
    honest_refused: int
    moved: float
    between: float
    quality: float
    beyond: float
    cost_moved: float
    best: str


def damage(case: str, seed: int = 1, each: int = EACH) -> Damage:
    """One case beside the same traffic left alone."""
    honest = traffic(seed, each)
    rows = CASES[case]([dict(row) for row in honest], random.Random(seed))
    found, refused = wheel(rows)
    whose = {row["example_id"]: row["service_name"] for row in rows}
    gone = [row for row in honest if row["example_id"] not in refused]
    clean, kept = _clean(seed, each), wheel(gone)[0]
    best = max(RATES, key=lambda arm: found[arm]["score"])
    shifts = [100 * (found[arm]["score"] - clean[arm]["score"]) for arm in RATES]
    return Damage(
        reasons=Counter(reason for run, reason in refused.items() if whose[run] == BAD),
        honest_refused=sum(whose[run] != BAD for run in refused),
        moved=max(map(abs, shifts)),
        between=max(shifts) - min(shifts),
        quality=100 * (max(RATES.values()) - RATES[best]),
        beyond=_apart(found, kept, "score", 100),
        cost_moved=max(abs(found[arm]["cost_usd"] / clean[arm]["cost_usd"] - 1) for arm in RATES),
        best=best,
    )


@cache
def _clean(seed: int, each: int) -> dict[str, dict[str, float]]:
    """Scores of the same traffic left alone."""
    return wheel(traffic(seed, each))[0]


def wheel(rows: Sequence[Row]) -> tuple[dict[str, dict[str, float]], dict[str, str]]:
    """Scores by arm, and why what was refused was."""
    con = connection()
    con.register("labeled_examples", LABELED_EXAMPLES.rows([_without(row, "service_name") for row in rows]))
    spans = [{"trace_id": row["trace_id"], "span_id": "root", "day": row["day"]} | _emitted(row) for row in rows]
    con.register("raw_spans", RAW_SPANS.rows(spans))
    days = sorted({date.fromisoformat(str(row["day"])) for row in rows})
    arrived = {
        "batch_id": "b",
        "landed_at": NOON + timedelta(hours=6),
        "status": "accepted",
        "source": "otlp",
        "days": days,
    }
    con.register("landed_batches", LANDED_BATCHES.rows([arrived]))
    for table in (FEEDBACK, GATE_SETTINGS, SOURCE_FINDINGS, RUN_SPANS):
        con.register(table.name, table.empty())
    con.register(EXAMPLE_SIGNATURES.name, pa.concat_tables([sign(con, day)[0] for day in days]))
    admitted = [admit(con, day) for day in days]
    con.register(GATED_OBSERVATIONS.name, pa.concat_tables([gated for _, gated, _ in admitted]))
    stats = pa.concat_tables([day_stats(con, day)[0] for day in days])
    refused = [row for _, _, rejected in admitted for row in rejected.select(["example_id", "reason"]).to_pylist()]
    scored = {row["model"]: row for row in score(stats, DAY).to_pylist()}
    return scored, {row["example_id"]: row["reason"] for row in refused}


def _without(row: Row, name: str) -> Row:
    return {key: value for key, value in row.items() if key != name}


def _emitted(row: Row) -> Row:
    return {"service_name": row["service_name"], "batch_id": "b", "start_time": row["start_time"]}


def _apart(
    one: Mapping[str, Mapping[str, float]], other: Mapping[str, Mapping[str, float]], of: str, by: float
) -> float:
    return by * max(abs(one[arm][of] - other[arm][of]) for arm in RATES)


def section(mapped: Callable[..., Iterable[Damage]] = map) -> list[str]:
    """The table of the page; `mapped` may compute the cases side by side."""
    names = ["done by one of five reporters", "of its runs, refused", "honest runs refused", "scores moved by at most"]
    names += ["arms' differences moved", "beside the same runs without what was refused"]
    names += ["mean costs moved by at most", "quality of the arm that scores best, less"]
    lines = [f"| {' | '.join(names)} |", "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for case, one in zip(CASES, mapped(damage, CASES), strict=True):
        why = ", ".join(f"{count} {reason}" for reason, count in sorted(one.reasons.items())) or "none"
        lines.append(
            f"| {case} | {why} | {one.honest_refused} | {one.moved:.2f} points | {one.between:.2f} points "
            f"| {one.beyond:.2f} points | {one.cost_moved:.0%} | {one.quality:.1f} points |"
        )
    return lines
