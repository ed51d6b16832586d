"""One row per run: attempts, replays and fallbacks folded into one unit with one outcome."""

from flywheel_assets.tables.table import DAY, INT, REAL, TEXT, TEXTS, TIME, Column, Table

# What every later row about a run carries along.
RUN_FACTS = (
    Column("day", DAY, "UTC day on which the run started", required=True),
    Column("run_id", TEXT, "Run: the runtime's invocation id, else TRACE:SPAN of its root", required=True),
    Column("trace_id", TEXT, "Trace of the run's root span", required=True),
    Column("root_span_id", TEXT, "The run's root span", required=True),
    Column(
        "runtime",
        TEXT,
        "What defined the unit: gen_ai | openinference | restate | system_bus | inngest",
        required=True,
    ),
    Column("start_time", TIME, "Start of the first attempt", required=True),
    Column("session_id", TEXT, "Session the run belongs to: a cluster", private="name"),
    Column("principal_id", TEXT, "User on whose behalf it ran, else the service", private="name"),
    Column("skill", TEXT, "Skill; NULL is unknown, and counted as such"),
    Column("arm", TEXT, "'model|prompt version|tool schema', '-' for an unknown part; NULL when the model is unknown"),
    Column("model", TEXT, "Model that did the work (served, else asked for)"),
    Column("prompt_version", TEXT, "Prompt version"),
    Column("decision_id", TEXT, "Decision that chose the arm"),
    Column("policy_id", TEXT, "Routing document that decided"),
    Column("experiment_id", TEXT, "Registrations the run is evidence for, joined by '+'"),
    Column("segment", TEXT, "production | canary | explore | holdout | frozen | default"),
    Column("unit_id", TEXT, "What the draw was sticky by", private="name"),
    Column("propensity", REAL, "Probability with which the arm was drawn; NULL: unknown", "probability"),
    Column("keep_prob", REAL, "Probability that the trace was kept; NULL: not sampled", "probability"),
    Column("cost_usd", REAL, "Cost of the whole run, all attempts; NULL: not known. See cost_source", "USD"),
    Column("duration_ns", INT, "First start to last end; NULL while open, or abandoned", "ns"),
    Column("status", TEXT, "ok | error | cancelled | open | abandoned (open, and silent for too long)", required=True),
    Column("error_type", TEXT, "Error of the last attempt", private="name"),
    Column("input_text", TEXT, "What the run was asked; NULL: not captured", private="words"),
    Column("output_text", TEXT, "What it answered; NULL: not captured", private="words"),
)

AGENT_RUNS = Table(
    name="agent_runs",
    stage="runs",
    row="One agent run, whatever happened to it on the way.",
    key=("run_id",),
    by_day=True,
    columns=(
        *RUN_FACTS,
        Column(
            "skill_source",
            TEXT,
            "Where the skill comes from: flywheel | convention | mapping | agent | function | none",
            required=True,
        ),
        Column(
            "cost_source",
            TEXT,
            "stated (by the spans) | computed (from prices) | mixed (some calls state theirs); NULL: cost unknown",
        ),
        Column(
            "runtime_status",
            TEXT,
            "What the runtime said of it last, in its own word: success, killed, paused, Completed, …; NULL: nothing",
        ),
        Column("service_name", TEXT, "Emitting service"),
        Column("context_json", TEXT, "What was known before acting, a JSON object", private="words"),
        Column("tool_schema_hash", TEXT, "Hash of the tool definitions offered"),
        Column("candidate_set", TEXT, "Arms the decision could have taken, JSON"),
        Column("attempts", INT, "Attempts folded into the run, at least 1", "attempts", required=True),
        Column(
            "attempts_never_ran",
            INT,
            "Attempts reported that cannot have run (a shared deadline was spent); counted nowhere else",
            "attempts",
            required=True,
        ),
        Column(
            "fallback_from",
            TEXTS,
            "Models that were tried and only failed, in order, before `model` served; NULL: no fallback",
        ),
        Column("traces", INT, "Traces folded into the run", "traces", required=True),
        Column("spans", INT, "Spans folded into the run", "spans", required=True),
        Column("llm_calls", INT, "Model calls", "spans", required=True),
        Column("tool_calls", INT, "Tool calls", "spans", required=True),
        Column("tool_errors", INT, "Tool calls with an error", "spans", required=True),
        Column("input_tokens", INT, "Sum over model calls; NULL: none reported", "tokens"),
        Column("output_tokens", INT, "Sum over model calls; NULL: none reported", "tokens"),
        Column("finish_reason", TEXT, "Finish reason of the last model call"),
    ),
)
