"""A seeded lake of made-up runs, complete enough to look at: two skills improve, one does not."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from flywheel_assets.lake.lake import Lake
from flywheel_assets.snapshots.momentum import momentum
from flywheel_assets.tables.decision_arguments import DECISION_ARGUMENTS
from flywheel_assets.tables.dialect_losses import DIALECT_LOSSES
from flywheel_assets.tables.documents.routing import RoutingDocument, Segment, SkillRoute
from flywheel_assets.tables.drills import DRILLS
from flywheel_assets.tables.feedback import FEEDBACK
from flywheel_assets.tables.gate_verdicts import GATE_VERDICTS
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS, REJECTIONS
from flywheel_assets.tables.labeled_examples import LABELED_EXAMPLES
from flywheel_assets.tables.landed_batches import LANDED_BATCHES
from flywheel_assets.tables.momentum import MOMENTUM
from flywheel_assets.tables.promoted_artifacts import PROMOTED_PROMPTS, PROMOTED_ROUTING
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS
from flywheel_assets.tables.raw_spans import RAW_SPANS
from flywheel_assets.tables.skill_day_stats import SKILL_DAY_STATS
from flywheel_assets.tables.skill_scores import SKILL_SCORES
from flywheel_assets.tables.span_credit import SPAN_CREDIT
from flywheel_assets.tables.storms import STORMS
from flywheel_assets.tables.table import Table

START = datetime(2026, 11, 1, tzinfo=UTC)
DAYS = 8
NEVER = 10**9
# Skill: launch arm and its success rate; candidate and its success rate; run at which it is promoted.
SKILLS = {
    "triage": (
        "anthropic/claude-haiku-4-5|3f1c2a9b0d11|-",
        0.62,
        "anthropic/claude-haiku-4-5|9be04c77a1d2|-",
        0.79,
        500,
    ),
    "summarise": ("openai/gpt-5.4|77aa01b2c3d4|-", 0.80, "openai/gpt-5.4-mini|77aa01b2c3d4|-", 0.81, NEVER),
    "extract-invoice": ("openai/gpt-5.4-mini|0011deadbeef|-", 0.71, "openai/gpt-5.4|0011deadbeef|-", 0.86, 700),
}
COST = {"anthropic/claude-haiku-4-5": 0.004, "openai/gpt-5.4": 0.019, "openai/gpt-5.4-mini": 0.0035}
GATES = (
    ("completeness", "input_missing", "held"),
    ("secrets", "api_key", "discarded"),
    ("near_duplicate", "repeat_in_session", "discarded"),
    ("label_confidence", "below_floor", "held"),
)


def facts(
    skill: str, number: int, drawn: tuple[str, str], start: datetime, rng: np.random.Generator
) -> dict[str, object]:
    """The columns that every row about a run has."""
    arm, segment = drawn
    model, prompt_version, _ = arm.split("|")
    ident = f"{skill}-{number:05d}"
    return {
        "day": start.date(),
        "run_id": ident,
        "trace_id": f"{abs(hash_of(ident)):032x}",
        "root_span_id": f"{abs(hash_of(ident)) % 2**64:016x}",
        "runtime": "gen_ai",
        "start_time": start,
        "session_id": f"s-{skill}-{number // 3}",
        "principal_id": f"user-{number % 97}",
        "skill": skill,
        "arm": arm,
        "model": model,
        "prompt_version": prompt_version,
        "policy_id": "routing-000000000000",
        "experiment_id": f"{skill}-1" if segment in {"canary", "production"} else None,
        "segment": segment,
        "unit_id": f"u{number}",
        "propensity": 0.4,
        "cost_usd": COST[model] * float(rng.lognormal(0, 0.2)),
        "duration_ns": int(float(rng.lognormal(0.6, 0.5)) * 1e9),
        "status": "ok",
        "input_text": f"request {number // 4}",
        "output_text": f"answer {number}",
    }


def hash_of(text: str) -> int:
    return int.from_bytes(text.encode().ljust(16, b"\0")[-16:], "big") or 1


def label(outcome: float | None, state: str = "labeled") -> dict[str, object]:
    known = outcome is not None
    return {
        "grain": "run",
        "outcome": outcome,
        "outcome_state": state,
        "confidence": 0.9 if known else None,
        "weight": 0.8 if known else None,
        "tier": "check" if known else None,
        "labelers": ["evaluation"] if known else [],
        "votes": int(known),
        "dissent": 0,
    }


def runs(skill: str, count: int, rng: np.random.Generator) -> list[dict[str, object]]:
    """Runs of one skill in order, with the segment each was drawn into and its label."""
    launch, base_rate, candidate, rate, promoted = SKILLS[skill]
    rows: list[dict[str, object]] = []
    for number in range(count):
        production = candidate if number >= promoted else launch
        segment = str(rng.choice(["holdout", "explore", "canary", "production"], p=[0.06, 0.08, 0.4, 0.46]))
        arm = {"holdout": launch, "explore": candidate, "canary": candidate}.get(segment, production)
        if number >= promoted and segment == "canary":
            segment = "production"
        start = START + timedelta(seconds=number * DAYS * 86400 / count + float(rng.uniform(0, 60)))
        state = str(rng.choice(["labeled", "missing", "immature"], p=[0.93, 0.05, 0.02]))
        won = float(rng.random() < (rate if arm == candidate else base_rate))
        row = facts(skill, number, (arm, segment), start, rng)
        rows.append({**row, "example_id": row["run_id"], **label(won if state == "labeled" else None, state)})
    return rows


def write_days(lake: Lake, table: Table, rows: list[dict[str, object]]) -> None:
    kept = set(table.names)
    for day in sorted({row["day"] for row in rows}):  # pyright: ignore[reportArgumentType]
        chosen = [{name: row[name] for name in row if name in kept} for row in rows if row["day"] == day]
        lake.overwrite(table, table.rows(chosen), day)  # pyright: ignore[reportArgumentType]


def synthetic_lake(root: str, count: int = 1500, seed: int = 11) -> Lake:
    """Every table that the snapshot's views and the report read, `count` runs a skill."""
    lake, rng = Lake(root), np.random.default_rng(seed)
    examples = [row for skill in SKILLS for row in runs(skill, count, rng)]
    admitted, refused = [], []
    for row in examples:
        gate, reason, state = GATES[int(rng.integers(len(GATES)))]
        if row["outcome"] is None:
            refused.append(
                {**row, "gate": "outcome", "reason": row["outcome_state"], "state": "held", "redacted": False}
            )
        elif rng.random() < 0.08:
            refused.append({**row, "gate": gate, "reason": reason, "state": state, "redacted": gate == "secrets"})
        else:
            admitted.append({**row, "redacted": False, "remarks": []})
    doubted = [row | {"weight": row["weight"] and 0.3} for row in examples[:9]]
    write_days(lake, LABELED_EXAMPLES, [*doubted, *examples[9:]])
    write_days(lake, GATED_OBSERVATIONS, admitted)
    write_days(lake, REJECTIONS, refused)
    on_trial = [objection(row) | {"gate": "on_trial", "gate_version": "1 in shadow"} for row in refused[:9]]
    write_days(lake, GATE_VERDICTS, [*(objection(row) for row in refused), *on_trial])
    write_days(lake, FEEDBACK, [review(row, number) for number, row in enumerate(refused[:20])])
    write_days(lake, SKILL_DAY_STATS, day_stats(admitted))
    write_days(lake, RAW_SPANS, [span(row) for row in examples])
    lake.append(LANDED_BATCHES, LANDED_BATCHES.rows([landed([row["start_time"] for row in examples])]), "b")
    write_days(lake, DIALECT_LOSSES, [losses(row) for row in examples[:5]])
    write_days(lake, SPAN_CREDIT, [blamed(row) for row in examples[:5]])
    write_days(lake, STORMS, [storm(row) for row in examples[:5]])
    lake.overwrite(SKILL_SCORES, scores(examples, admitted))
    decisions, arguments = ledger(admitted)
    lake.overwrite(PROMOTION_DECISIONS, decisions)
    lake.overwrite(DECISION_ARGUMENTS, arguments)
    lake.overwrite(PROMOTED_ROUTING, routing())
    lake.overwrite(PROMOTED_PROMPTS, PROMOTED_PROMPTS.empty())
    lake.overwrite(DRILLS, DRILLS.rows([drill()]))
    lake.overwrite(MOMENTUM, momentum(lake.read(GATED_OBSERVATIONS)))
    return lake


def drill() -> dict[str, object]:
    counts = {"units": 400, "trials": 40, "promoted": 1, "abandoned": 2, "undecided": 37}
    shares = {"observed": 0.025, "lower": 0.001, "upper": 0.13, "nominal": 0.05}
    return {"skill": "triage", "drill": "identical", "truth": "not_better", "reason": "as promised", **counts, **shares}


def objection(row: dict[str, object]) -> dict[str, object]:
    verdict = "hold" if row["state"] == "held" else "discard"
    told = {"gate_version": "1", "verdict": verdict, "confidence": 1.0}
    return {**{name: row[name] for name in ("day", "example_id", "gate", "reason")}, **told}


def review(row: dict[str, object], number: int) -> dict[str, object]:
    said = {"name": "flywheel.review", "value_text": "release" if number % 4 == 0 else "refuse", "tier": "human"}
    target = {"target_kind": "run", "target_id": row["example_id"], "author_id": "ann", "source": "posted"}
    return {"day": row["day"], "feedback_id": f"review-{number}", "observed_at": row["start_time"], **said, **target}


def losses(row: dict[str, object]) -> dict[str, object]:
    told = {"dialect": "gen_ai", "attribute": "gen_ai.request.seed", "column_name": "-", "spans": 3}
    return {"day": row["day"], **told}


def blamed(row: dict[str, object]) -> dict[str, object]:
    told = {"role": "tool", "name": "execute_tool search", "place": 1, "blame": 0.6, "failed": 0.9}
    return {**row, "span_id": row["root_span_id"], "reason": "an error began here", **told}


def storm(row: dict[str, object]) -> dict[str, object]:
    return {
        **{name: row[name] for name in ("day", "trace_id")},
        "span_id": row["root_span_id"],
        "name": "connect",
        "signature": "refused",
        "count": 40,
        "first_time": row["start_time"],
        "last_time": row["start_time"],
        "collapsed": True,
    }


def landed(starts: list[datetime]) -> dict[str, object]:
    """The batch that all spans came in, an hour after the last."""
    named = {"batch_id": "b" * 64, "status": "accepted", "signal": "traces", "format": "json", "source": "files"}
    placed = {"file": "b.jsonl", "ordinal": 0, "offset": 0, "length": 1, "spans": len(starts), "spans_set_aside": 0}
    days = sorted({start.date() for start in starts})
    return {**named, **placed, "landed_at": max(starts) + timedelta(hours=1), "days": days}


def span(row: dict[str, object]) -> dict[str, object]:
    start = row["start_time"]
    assert isinstance(start, datetime)
    return {
        **{name: row[name] for name in ("day", "trace_id", "arm", "segment", "session_id", "duration_ns")},
        "span_id": row["root_span_id"],
        "batch_id": "b" * 64,
        "name": f"invoke_agent {row['skill']}",
        "kind": "internal",
        "start_time": start,
        "start_unix_nano": int(start.timestamp() * 1e9),
        "status": "unset",
        **dict.fromkeys(("flags", "dropped_attributes", "dropped_events", "dropped_links"), 0),
        "attr_text": [("gen_ai.operation.name", "invoke_agent")],
    }


def day_stats(admitted: list[dict[str, object]]) -> list[dict[str, object]]:
    frame = pa.Table.from_pylist(admitted).to_pandas()
    rows = []
    for (day, skill, arm, segment), group in frame.groupby(["day", "skill", "arm", "segment"]):
        n, y = len(group), group["outcome"]
        sums = dict.fromkeys((c.name for c in SKILL_DAY_STATS.columns if c.required), 0)
        rows.append(
            sums
            | {"day": day, "skill": skill, "arm": arm, "segment": segment, "model": arm.split("|")[0]}
            | {"runs": n, "admitted": n, "clusters": n, "costed": n, "timed": n, "latency_buckets": []}
            | {"sum_w": 0.8 * n, "sum_wy": 0.8 * y.sum(), "sum_cost": group["cost_usd"].sum()}
            | {"sum_seconds": group["duration_ns"].sum() / 1e9}
        )
    return rows


def scores(examples: list[dict[str, object]], admitted: list[dict[str, object]]) -> pa.Table:
    seen, frame = pa.Table.from_pylist(examples).to_pandas(), pa.Table.from_pylist(admitted).to_pandas()
    rows = []
    for (skill, arm), group in frame.groupby(["skill", "arm"]):
        n, mean = len(group), float(group["outcome"].mean())
        width = 1.96 * (mean * (1 - mean) / n) ** 0.5
        best = arm == SKILLS[str(skill)][2] and skill != "summarise"
        of_arm = seen[(seen["skill"] == skill) & (seen["arm"] == arm)]
        rows.append(
            {"skill": skill, "arm": arm, "model": arm.split("|")[0], "prompt_version": arm.split("|")[1]}
            | {"runs": len(of_arm), "admitted": n, "missing": int((of_arm["outcome_state"] == "missing").sum())}
            | {"immature": 0, "refused": 0, "effective_n": n / 1.2, "mean": mean, "score": mean}
            | {"lower": mean - width, "upper": mean + width, "worst_case": mean - 0.05, "best_case": mean + 0.05}
            | {"cost_usd": float(group["cost_usd"].mean()), "error_rate": 0.0, "p50_seconds": 1.8, "p95_seconds": 4.2}
            | {"rank": None if skill == "summarise" else 1 if best else 2}
            | {"standing": "tied" if skill == "summarise" else "best" if best else "worse"}
            | {"reason": "intervals overlap" if skill == "summarise" else "interval is apart"}
            | {"first_day": group["day"].min(), "last_day": group["day"].max()}
        )
    return SKILL_SCORES.rows(rows)


def ledger(admitted: list[dict[str, object]]) -> tuple[pa.Table, pa.Table]:
    """A look every 100 units of each trial; hashes are made up, the chain is not this file's business."""
    entries: list[dict[str, object]] = []
    arguments: list[dict[str, object]] = []
    for skill, (incumbent, _, candidate, _, promoted) in SKILLS.items():
        trial = [row for row in admitted if row["skill"] == skill and row["experiment_id"]]
        trial = [row for row in trial if int(str(row["run_id"]).rsplit("-", 1)[1]) < promoted]
        for seen in range(0, len(trial) + 1, 100):
            part = trial[:seen]
            new = [float(str(row["outcome"])) for row in part if row["arm"] == candidate]
            old = [float(str(row["outcome"])) for row in part if row["arm"] == incumbent]
            known = bool(new and old)
            middle = float(np.mean(new) - np.mean(old)) if known else None
            width = 1.4 * (0.25 / len(new) + 0.25 / len(old)) ** 0.5 if known else None
            last = seen + 100 > len(trial)
            kind = "registered" if seen == 0 else "promoted" if last and promoted < NEVER else "held"
            seq = len(entries) + 1
            entries.append(
                {"seq": seq, "entry_id": f"{seq:016x}", "decided_at": START + timedelta(hours=6 * seq), "skill": skill}
                | {"experiment_id": f"{skill}-1", "kind": kind, "candidate_arm": candidate, "incumbent_arm": incumbent}
                | {
                    "reason": {"promoted": "the whole interval is above 0"}.get(
                        kind, "insufficient evidence: 0 is inside"
                    )
                }
                | {
                    "estimate": middle,
                    "lower": (known and middle - width) or None,
                    "upper": (known and middle + width) or None,
                }
                | {"e_value": float(np.exp(seen / 80)) if known else None, "candidate_units": len(new)}
                | {"incumbent_units": len(old), "alpha": 0.025, "alpha_left": 0.025, "criteria_json": "[]"}
                | {"registration_json": json.dumps({"margin": 0}), "manifest_json": "{}", "evidence_hash": "0" * 64}
                | {"evidence_days": [], "previous_hash": f"{seq - 1:064x}", "hash": f"{seq:064x}"}
            )
            if kind == "promoted":
                arguments += [
                    {
                        name: row[name]
                        for name in ("run_id", "trace_id", "root_span_id", "unit_id", "experiment_id", "outcome")
                    }
                    | {"entry_id": f"{seq:016x}", "side": "candidate" if row["arm"] == candidate else "incumbent"}
                    | {"weight": 0.02 if (row["outcome"] == 1) == (row["arm"] == candidate) else -0.02}
                    for row in part
                ]
    return PROMOTION_DECISIONS.rows(entries), DECISION_ARGUMENTS.rows(arguments)


def routing() -> pa.Table:
    """Two versions of the routing document; the second one is in production."""
    rows = []
    for version in (1, 2):
        skills = {
            skill: SkillRoute(
                salt="s",
                fixed=(Segment(name="holdout", arm=launch, share=0.06),),
                trial_salt="t",
                trial=(
                    Segment(
                        name="production", arm=candidate if version == 2 and promoted < NEVER else launch, share=0.9
                    ),
                    Segment(name="explore", arm=candidate, share=0.1),
                ),
            )
            for skill, (launch, _, candidate, _, promoted) in SKILLS.items()
        }
        document = RoutingDocument(version=version, skills=skills)
        rows.append(
            {"artifact_id": document.policy_id, "version": version, "content_hash": document.content_hash}
            | {
                "document_json": document.model_dump_json(by_alias=True),
                "published_at": START + timedelta(days=version),
            }
            | {"current": version == 2}
        )
    return PROMOTED_ROUTING.rows(rows)
