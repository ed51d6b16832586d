"""Stage 7 in Dagster: look at what is on trial, decide, register what comes next."""

from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version as installed

import dagster as dg
import duckdb
import pyarrow as pa

from flywheel_assets.artifacts.prompts import known_prompts
from flywheel_assets.decisions.criteria.aa_healthy import healthy
from flywheel_assets.decisions.decide import Decided, Inputs, decide
from flywheel_assets.decisions.drills import drills, identical_arms
from flywheel_assets.decisions.ledger import verify
from flywheel_assets.defs.approvals import approvals, rollbacks
from flywheel_assets.defs.checks import stage_checks
from flywheel_assets.defs.graph import specs
from flywheel_assets.defs.ledger_tables import budget_table, criteria_table
from flywheel_assets.defs.plots import trial_plot
from flywheel_assets.defs.progress import ADMITTED, admitted_runs
from flywheel_assets.defs.report import Report, Results, materialised, whole
from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.defs.verdicts import Check, Verdict
from flywheel_assets.defs.whole_steps import Computed, compute
from flywheel_assets.lake.lake import Lake
from flywheel_assets.snapshots.support import support_in
from flywheel_assets.tables.agent_runs import AGENT_RUNS
from flywheel_assets.tables.decision_arguments import DECISION_ARGUMENTS
from flywheel_assets.tables.documents.routing import content_hash
from flywheel_assets.tables.drills import DRILLS
from flywheel_assets.tables.feedback import FEEDBACK
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS
from flywheel_assets.tables.prompt_candidates import PROMPT_CANDIDATES
from flywheel_assets.tables.routing_candidates import ROUTING_CANDIDATES
from flywheel_assets.tables.steps import DECIDE, DRILL

RED = {
    "drills": "look at `drill_results`: which skill's identical arms are promoted too often. No promotion passes "
    "criterion `aa_healthy` meanwhile; nothing needs to be stopped by hand.",
    "promotion_decisions": "stop publishing and run `flywheel decisions verify`: it names the entry that was changed. "
    "Restore the lake's folder from a backup, or the table to an earlier version. Where `budget_is_left` is red, too "
    "many trials ended without a promotion: propose fewer, or state a higher `alpha` in skills.yaml and mean it. Where "
    "`promotions_are_proven` is red, a judge changed: its earlier word no longer bears the promotion out.",
    "decision_arguments": "`flywheel decisions replay ENTRY` derives the verdict again from the pinned evidence.",
}


# What is left after 57 trials without a promotion: the next e-value has to be 300 times what the first had to be.
LEAST_LEFT = 0.05
# Of the halves that drills draw. Always the same, so that a drill changes only when its traffic does.
SEED = 0


@dg.multi_asset(name=DRILL.name, specs=specs(DRILL, RED))
def drilled(context: dg.AssetExecutionContext, wheel: WheelResource) -> Results:
    """Identical, permuted and planted arms on own traffic, through the code that decides."""
    lake, now = wheel.lake(), wheel.now()

    def build() -> Computed:
        found = drills(lake.connect([GATED_OBSERVATIONS]), now, SEED, earlier(lake))
        seen = identical_arms(found)
        promoted = f"{seen.promoted} of {seen.trials}, {seen.nominal:.0%} promised"
        return found, {"identical arms promoted": promoted, "seed": SEED}

    # A drill is of its units alone; the time of its making is in no row.
    yield from compute(context, lake, DRILL, build)


def earlier(lake: Lake) -> pa.Table | None:
    """The drills of the turn before; None where they do not say what they were drawn from, as of old."""
    try:
        return lake.read(DRILLS)
    except duckdb.BinderException:
        return None


# One writer at a time: the ledger is a chain.
@dg.multi_asset(name=DECIDE.name, specs=specs(DECIDE, RED), pool="ledger")
def decided(context: dg.AssetExecutionContext, wheel: WheelResource) -> Results:
    """Look at promotions and trials on the randomised evidence, and write down what follows."""
    lake, now = wheel.lake(), wheel.now()
    inputs = gather(wheel, now)
    found = decide(inputs)
    write(lake, found, inputs.manifest, now)
    yield from materialised(context, [table.name for table in DECIDE.writes], reports(lake, found))


def gather(wheel: WheelResource, now: datetime) -> Inputs:
    """What the decision reads, at versions that are written down with it."""
    lake, skills = wheel.lake(), wheel.skills()
    versions = lake.versions(
        [GATED_OBSERVATIONS, AGENT_RUNS, FEEDBACK, DRILLS, ROUTING_CANDIDATES, PROMPT_CANDIDATES, PROMOTION_DECISIONS]
    )
    prompts = known_prompts(wheel.places().artifacts, skills, PROMPT_CANDIDATES.empty())
    return Inputs(
        ledger=lake.read(PROMOTION_DECISIONS, version=versions.get(PROMOTION_DECISIONS.name)),
        routing_candidates=lake.read(ROUTING_CANDIDATES, version=versions.get(ROUTING_CANDIDATES.name)),
        prompt_candidates=lake.read(PROMPT_CANDIDATES, version=versions.get(PROMPT_CANDIDATES.name)),
        con=lake.connect([GATED_OBSERVATIONS, AGENT_RUNS, FEEDBACK], versions=versions),
        skills=skills,
        now=now,
        manifest={
            "table_versions": versions,
            "code_version": installed("flywheel-assets"),
            "decide_version": DECIDE.version,
            "configuration_hash": content_hash(skills.model_dump(mode="json")),
        },
        prompts={version: document.text for (_, version), document in prompts.items()},
        approvals=approvals(wheel.places()),
        rollbacks=rollbacks(wheel.places()),
        identical=identical_arms(lake.read(DRILLS, version=versions.get(DRILLS.name))),
    )


def write(lake: Lake, found: Decided, manifest: Mapping[str, object], now: datetime) -> None:
    """Append the entries once; what they rest on stays readable for as long as they do."""
    if found.key is None:
        return
    versions = manifest["table_versions"]
    lake.pin(f"decision/{found.key}", versions if isinstance(versions, dict) else {}, now)
    lake.append(DECISION_ARGUMENTS, found.arguments, found.key)
    lake.append(PROMOTION_DECISIONS, found.entries, found.key)


def reports(lake: Lake, found: Decided) -> list[Report]:
    """What was decided in this turn, and how every experiment stands."""
    entries = [
        f"{row['kind']}: {row['skill']} {row['candidate_arm']} — {row['reason']}" for row in found.entries.to_pylist()
    ]
    ledger = lake.read(PROMOTION_DECISIONS)
    shown = {
        "entries of this turn": entries,
        "trials": trial_plot(ledger),
        "criteria of this turn": criteria_table(found.entries),
        "error budget": budget_table(ledger),
        ADMITTED: admitted_runs(lake),
    }
    return [whole(lake, PROMOTION_DECISIONS, shown), whole(lake, DECISION_ARGUMENTS)]


def chain_is_whole(wheel: WheelResource, _instance: dg.DagsterInstance) -> Verdict:
    """Recomputes every entry's hash."""
    ledger = wheel.lake().read(PROMOTION_DECISIONS)
    faults = verify(ledger)
    return Verdict(passed=not faults, found={"entries": ledger.num_rows, "faults": faults[:100]})


def budget_is_left(wheel: WheelResource, _instance: dg.DagsterInstance) -> Verdict:
    """Fails when all trials to come share so little that hardly any difference could be shown."""
    ledger, budget = wheel.lake().read(PROMOTION_DECISIONS), wheel.skills().alpha
    left = ledger["alpha_left"][-1].as_py() if ledger.num_rows else budget
    return Verdict(passed=left >= LEAST_LEFT * budget, found={"left": left, "of": budget})


def arms_are_healthy(wheel: WheelResource, _instance: dg.DagsterInstance) -> Verdict:
    """All trials of identical arms together, against what is promised."""
    seen = identical_arms(wheel.lake().read(DRILLS))
    return Verdict(passed=healthy(seen), found=seen.model_dump())


def promotions_are_proven(wheel: WheelResource, _instance: dg.DagsterInstance) -> Verdict:
    """Each skill's newest promotion in force, by the judges of today."""
    rows = support_in(wheel.lake())
    unproven = {row["skill"]: f"{row['arm']} is {row['reason']}" for row in rows if row["standing"] == "unproven"}
    return Verdict(passed=not unproven, found={"in force": len(rows), "unproven": unproven})


decisions_checks = stage_checks(
    "decisions",
    [
        Check(
            DRILLS.name,
            "identical_arms_are_not_promoted",
            "On own traffic, identical arms are promoted no more often than the test promises.",
            arms_are_healthy,
        ),
        Check(
            PROMOTION_DECISIONS.name,
            "budget_is_left",
            f"At least {LEAST_LEFT:.0%} of the error budget is left for trials to come.",
            budget_is_left,
        ),
        Check(
            PROMOTION_DECISIONS.name,
            "promotions_are_proven",
            "What is in production rests on evidence that counts today: no judge changed that most of it came from.",
            promotions_are_proven,
        ),
        Check(
            PROMOTION_DECISIONS.name,
            "chain_is_whole",
            "The hash chain is whole: no entry was edited, moved or removed.",
            chain_is_whole,
        ),
    ],
)
