"""All row types of the wheel, in the order in which it turns."""

from flywheel_assets.tables.agent_runs import AGENT_RUNS
from flywheel_assets.tables.anchored_opinions import ANCHORED_OPINIONS
from flywheel_assets.tables.corrections import CORRECTIONS
from flywheel_assets.tables.decision_arguments import DECISION_ARGUMENTS
from flywheel_assets.tables.dialect_losses import DIALECT_LOSSES
from flywheel_assets.tables.drift import DRIFT
from flywheel_assets.tables.drills import DRILLS
from flywheel_assets.tables.example_signatures import EXAMPLE_SIGNATURES
from flywheel_assets.tables.feedback import FEEDBACK
from flywheel_assets.tables.gate_verdicts import GATE_VERDICTS
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS, REJECTIONS
from flywheel_assets.tables.judge_corrections import JUDGE_CORRECTIONS
from flywheel_assets.tables.judge_day_stats import JUDGE_DAY_STATS
from flywheel_assets.tables.label_votes import LABEL_VOTES
from flywheel_assets.tables.labeled_examples import LABELED_EXAMPLES
from flywheel_assets.tables.labeler_reliability import LABELER_RELIABILITY
from flywheel_assets.tables.landed_batches import LANDED_BATCHES
from flywheel_assets.tables.momentum import MOMENTUM
from flywheel_assets.tables.promoted_artifacts import PROMOTED_PROMPTS, PROMOTED_ROUTING
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS
from flywheel_assets.tables.prompt_candidates import PROMPT_CANDIDATES
from flywheel_assets.tables.raw_spans import RAW_SPANS
from flywheel_assets.tables.routing_candidates import ROUTING_CANDIDATES
from flywheel_assets.tables.run_spans import RUN_SPANS
from flywheel_assets.tables.skill_day_stats import SKILL_DAY_STATS
from flywheel_assets.tables.skill_outlook import SKILL_OUTLOOK
from flywheel_assets.tables.skill_scores import SKILL_SCORES
from flywheel_assets.tables.source_findings import SOURCE_FINDINGS
from flywheel_assets.tables.source_tallies import SOURCE_TALLIES
from flywheel_assets.tables.span_credit import SPAN_CREDIT
from flywheel_assets.tables.span_findings import SPAN_FINDINGS
from flywheel_assets.tables.span_rejections import SPAN_REJECTIONS
from flywheel_assets.tables.statements import GATE_SETTINGS, LABEL_SETTINGS, PRICES, SKILL_NAMES
from flywheel_assets.tables.storms import STORMS
from flywheel_assets.tables.table import Table

STAGES = (
    "sources",
    "spans",
    "runs",
    "examples",
    "observations",
    "scores",
    "candidates",
    "decisions",
    "artifacts",
    "snapshots",
)

TABLES: tuple[Table, ...] = (
    LANDED_BATCHES,
    SPAN_REJECTIONS,
    PRICES,
    SKILL_NAMES,
    GATE_SETTINGS,
    LABEL_SETTINGS,
    RAW_SPANS,
    DIALECT_LOSSES,
    STORMS,
    AGENT_RUNS,
    RUN_SPANS,
    FEEDBACK,
    CORRECTIONS,
    ANCHORED_OPINIONS,
    LABEL_VOTES,
    LABELER_RELIABILITY,
    SPAN_CREDIT,
    SPAN_FINDINGS,
    LABELED_EXAMPLES,
    JUDGE_DAY_STATS,
    JUDGE_CORRECTIONS,
    EXAMPLE_SIGNATURES,
    SOURCE_TALLIES,
    SOURCE_FINDINGS,
    GATE_VERDICTS,
    GATED_OBSERVATIONS,
    REJECTIONS,
    SKILL_DAY_STATS,
    SKILL_SCORES,
    DRIFT,
    SKILL_OUTLOOK,
    ROUTING_CANDIDATES,
    PROMPT_CANDIDATES,
    DRILLS,
    PROMOTION_DECISIONS,
    DECISION_ARGUMENTS,
    PROMOTED_ROUTING,
    PROMOTED_PROMPTS,
    MOMENTUM,
)

BY_NAME: dict[str, Table] = {table.name: table for table in TABLES}
