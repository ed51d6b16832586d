"""The wheel as data: which step reads which tables (and which days of them) and writes which.

The asset graph's dependencies and partition mappings, and the decision which days are stale, both
come from here. A day step is a pure function of the days it reads; a whole step reads everything.
"""

from dataclasses import dataclass

from flywheel_assets.tables.agent_runs import AGENT_RUNS
from flywheel_assets.tables.anchored_opinions import ANCHOR_DAYS, ANCHORED_OPINIONS, EARLIER_ANCHORS
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


@dataclass(frozen=True, slots=True)
class Read:
    """A table that a step reads: for a day step, from `before` days earlier to `after` days later (-1: no later ones).

    What a step writes itself it may read of earlier days, if what it writes does not depend on what it reads so.

    `concern`: SQL for (of, said) over the tables that the step reads and writes, with the days in question as
    table `asked`: those rows (`said`) of other days that say anything of the day `of`. Where other days changed
    in no such row, the day is not computed again.
    """

    table: Table
    before: int = 0
    after: int = 0
    concern: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One computation: what it reads and writes. Raise `version` when its meaning changes.

    `rules`: the group of entry points by which other packages add rules to it (docs/extending.md).
    `apart`: its work keeps the interpreter's lock, and can be done by other processes: it is a function of a stage.
    """

    name: str
    reads: tuple[Read, ...]
    writes: tuple[Table, ...]
    version: str = "1"
    rules: str = ""
    apart: bool = False

    @property
    def stage(self) -> str:
        """The stage that the step belongs to: folder, asset group, wiring module."""
        return self.writes[0].stage

    @property
    def by_day(self) -> bool:
        """Whether the step is computed a day at a time."""
        return self.writes[0].by_day


# Entry points by which other packages add rules.
LABELERS, GATES = "flywheel_assets.labelers", "flywheel_assets.gates"
# A run that passes midnight is whole; one that lasts past the next day's end is cut there.
RUN_REACH_DAYS = 1
# Feedback that comes later than this many days after its run's day is kept, but labels nothing.
FEEDBACK_REACH_DAYS = 7
# How far back a duplicate is recognised.
DUPLICATE_REACH_DAYS = 7
# Days by which a source is judged, and for which it is held when it is found out.
EVIDENCE_DAYS = 28

# How long feedback on a run is waited for before its silence means something, where `label_settings` states nothing.
OUTCOME_HORIZON_HOURS = 24

# Told of a run of the day, of its root, its session, a span or a response of it; and how many runs of the day would
# wait for their outcomes if time were what feedback shows of it: what else shows time are the day's own inputs.
SAID_LATER_OF_RUNS = f"""
WITH told AS (
    SELECT day, hash(feedback) AS said, target_id, split_part(target_id, ':', 1) AS trace_id, observed_at FROM feedback
),
members AS (SELECT DISTINCT day AS of, trace_id FROM run_spans SEMI JOIN asked USING (day) WHERE run_id IS NOT NULL),
places AS (
    SELECT day AS of, unnest([run_id, trace_id, session_id]) AS target_id FROM agent_runs SEMI JOIN asked USING (day)
    UNION ALL
    SELECT of, response_id FROM members JOIN raw_spans USING (trace_id)
    WHERE response_id IN (SELECT target_id FROM told) AND raw_spans.day BETWEEN of AND of + {RUN_REACH_DAYS}
),
later AS (
    SELECT asked.day AS of, max(observed_at) AS seen
    FROM asked JOIN told ON told.day > asked.day AND told.day <= asked.day + {FEEDBACK_REACH_DAYS}
    GROUP BY ALL
),
horizons AS (SELECT skill, to_seconds(value * 3600) AS wait FROM label_settings WHERE name = 'outcome_horizon_hours'),
ends AS (
    SELECT day AS of, start_time + to_microseconds(coalesce(duration_ns, 0) // 1000) + coalesce(
        wait, (SELECT wait FROM horizons WHERE skill = '*'), to_hours({OUTCOME_HORIZON_HOURS})) AS given_up
    FROM agent_runs SEMI JOIN asked USING (day) LEFT JOIN horizons USING (skill)
)
SELECT of, said FROM told JOIN (
    SELECT of, target_id FROM places SEMI JOIN told USING (target_id)
    UNION SELECT of, target_id FROM members JOIN told USING (trace_id)
) USING (target_id)
WHERE told.day > of AND told.day <= of + {FEEDBACK_REACH_DAYS}
UNION ALL SELECT of, hash(count(*) FILTER (given_up > seen))
FROM later LEFT JOIN ends USING (of) GROUP BY ALL
"""
SAID_LATER_OF_ROOTS = f"""
WITH places AS (
    SELECT day, unnest([run_id, trace_id || ':' || root_span_id]) AS place FROM agent_runs SEMI JOIN asked USING (day)
)
SELECT asked.day AS of, feedback AS said
FROM feedback JOIN asked ON feedback.day > asked.day AND feedback.day <= asked.day + {FEEDBACK_REACH_DAYS}
WHERE (asked.day, target_id) IN (SELECT (day, place) FROM places)
"""

# Of sources that were found out later, from evidence that reaches back to the day.
FOUND_OUT_LATER = f"""
SELECT asked.day AS of, source_findings AS said
FROM source_findings JOIN asked ON source_findings.day > asked.day AND source_findings.day < asked.day + {EVIDENCE_DAYS}
WHERE since <= asked.day
"""

STATED = (PRICES, SKILL_NAMES, GATE_SETTINGS, LABEL_SETTINGS)
LAND = Step("land", (), (LANDED_BATCHES, SPAN_REJECTIONS, *STATED))
DECODE = Step("decode", (Read(LANDED_BATCHES),), (RAW_SPANS, DIALECT_LOSSES), version="3", apart=True)
COUNT_STORMS = Step("count_storms", (Read(RAW_SPANS),), (STORMS,))
FOLD_RUNS = Step(
    "fold_runs",
    (Read(RAW_SPANS, before=RUN_REACH_DAYS, after=RUN_REACH_DAYS), Read(PRICES), Read(SKILL_NAMES)),
    (AGENT_RUNS, RUN_SPANS),
    version="2",
)
COLLECT_FEEDBACK = Step(
    "collect_feedback", (Read(LANDED_BATCHES), Read(RAW_SPANS)), (FEEDBACK, CORRECTIONS), version="3"
)
LABEL = Step(
    "label",
    (
        # The day before shows which sessions a run continues; the day after holds what came next in them.
        Read(AGENT_RUNS, before=1, after=1),
        Read(RUN_SPANS),
        Read(RAW_SPANS, after=RUN_REACH_DAYS),
        Read(FEEDBACK, after=FEEDBACK_REACH_DAYS, concern=SAID_LATER_OF_RUNS),
        Read(LABEL_SETTINGS),
        # Of its own: what is learned from people's answers reaches the days after them.
        Read(ANCHORED_OPINIONS, before=ANCHOR_DAYS, after=-1, concern=EARLIER_ANCHORS),
    ),
    (ANCHORED_OPINIONS, LABEL_VOTES, LABELER_RELIABILITY, SPAN_CREDIT, SPAN_FINDINGS, LABELED_EXAMPLES),
    version="10",
    rules=LABELERS,
)
COMPARE_JUDGES = Step(
    "compare_judges",
    (Read(AGENT_RUNS), Read(FEEDBACK, after=FEEDBACK_REACH_DAYS, concern=SAID_LATER_OF_ROOTS), Read(LABEL_SETTINGS)),
    (JUDGE_DAY_STATS,),
)
# The root span's service tells a user from a service that stands in for one.
SIGN = Step("sign", (Read(LABELED_EXAMPLES), Read(RAW_SPANS)), (EXAMPLE_SIGNATURES,))
TALLY_SOURCES = Step("tally_sources", (Read(LABELED_EXAMPLES), Read(RAW_SPANS)), (SOURCE_TALLIES,))
WATCH_SOURCES = Step("watch_sources", (Read(SOURCE_TALLIES, before=EVIDENCE_DAYS - 1),), (SOURCE_FINDINGS,))
ADMIT = Step(
    "admit",
    (
        Read(LABELED_EXAMPLES),
        Read(EXAMPLE_SIGNATURES, before=DUPLICATE_REACH_DAYS),
        # When a run arrived, its root span's batch says; what its tools gave back, its spans.
        Read(RAW_SPANS),
        Read(RUN_SPANS),
        Read(LANDED_BATCHES),
        # What a person said of the gates' verdicts is kept with the example's day, however late it is said.
        Read(FEEDBACK),
        Read(GATE_SETTINGS),
        Read(SOURCE_FINDINGS, after=EVIDENCE_DAYS - 1, concern=FOUND_OUT_LATER),
    ),
    (GATE_VERDICTS, GATED_OBSERVATIONS, REJECTIONS),
    version="10",
    rules=GATES,
)
DAY_STATS = Step("day_stats", (Read(LABELED_EXAMPLES), Read(GATED_OBSERVATIONS)), (SKILL_DAY_STATS,), version="2")

CORRECT_JUDGES = Step("correct_judges", (Read(JUDGE_DAY_STATS),), (JUDGE_CORRECTIONS,))
SCORE = Step("score", (Read(SKILL_DAY_STATS),), (SKILL_SCORES,), version="2")
WATCH_DRIFT = Step("watch_drift", (Read(GATED_OBSERVATIONS), Read(LABEL_VOTES)), (DRIFT,))
LOOK_AHEAD = Step("look_ahead", (Read(LABELED_EXAMPLES),), (SKILL_OUTLOOK,))
PROPOSE_ROUTES = Step(
    "propose_routes",
    # What the log says of each candidate comes from observations and from what their decisions could have chosen.
    (Read(SKILL_SCORES), Read(GATED_OBSERVATIONS), Read(AGENT_RUNS), Read(FEEDBACK), Read(PROMOTION_DECISIONS)),
    (ROUTING_CANDIDATES,),
    version="4",
)
PROPOSE_PROMPTS = Step(
    "propose_prompts",
    (Read(GATED_OBSERVATIONS), Read(CORRECTIONS), Read(SKILL_SCORES), Read(PROMOTION_DECISIONS)),
    (PROMPT_CANDIDATES,),
    version="2",
)
DRILL = Step("drill", (Read(GATED_OBSERVATIONS),), (DRILLS,), version="2")
DECIDE = Step(
    "decide",
    # A run's context says which slice it is of.
    (
        Read(ROUTING_CANDIDATES),
        Read(PROMPT_CANDIDATES),
        Read(GATED_OBSERVATIONS),
        Read(AGENT_RUNS),
        # A judge's version says whether what it once said still counts.
        Read(FEEDBACK),
        Read(SKILL_SCORES),
        Read(DRILLS),
    ),
    (PROMOTION_DECISIONS, DECISION_ARGUMENTS),
    version="5",
)
PUBLISH = Step(
    "publish",
    # Which arms are still explored depends on what is believed of them.
    (Read(PROMOTION_DECISIONS), Read(PROMPT_CANDIDATES), Read(ROUTING_CANDIDATES)),
    (PROMOTED_ROUTING, PROMOTED_PROMPTS),
    version="2",
)
MEASURE_MOMENTUM = Step(
    "measure_momentum",
    # Published routes come first: what is in production is what agents can load.
    (Read(GATED_OBSERVATIONS), Read(PROMOTION_DECISIONS), Read(PROMOTED_ROUTING)),
    (MOMENTUM,),
    version="2",
)

DAY_STEPS = (
    DECODE,
    COUNT_STORMS,
    FOLD_RUNS,
    COLLECT_FEEDBACK,
    LABEL,
    COMPARE_JUDGES,
    SIGN,
    TALLY_SOURCES,
    WATCH_SOURCES,
    ADMIT,
    DAY_STATS,
)
WHOLE_STEPS = (
    CORRECT_JUDGES,
    SCORE,
    WATCH_DRIFT,
    LOOK_AHEAD,
    PROPOSE_ROUTES,
    PROPOSE_PROMPTS,
    DRILL,
    DECIDE,
    PUBLISH,
    MEASURE_MOMENTUM,
)
