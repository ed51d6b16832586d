"""One typed row per span, whatever convention it was written in."""

import pyarrow as pa

from flywheel_assets.tables.table import DAY, FLAG, INT, REAL, TEXT, TIME, Column, Table

EVENT = pa.struct([("time_unix_nano", pa.int64()), ("name", pa.string()), ("attributes_json", pa.string())])
LINK = pa.struct([("trace_id", pa.string()), ("span_id", pa.string()), ("attributes_json", pa.string())])

RAW_SPANS = Table(
    name="raw_spans",
    stage="spans",
    row="One span, once: batches that repeat it do not repeat the row.",
    key=("trace_id", "span_id"),
    by_day=True,
    columns=(
        Column("day", DAY, "UTC day of start_time", required=True),
        Column("trace_id", TEXT, "Trace id, 32 hex digits", required=True),
        Column("span_id", TEXT, "Span id, 16 hex digits", required=True),
        Column("parent_span_id", TEXT, "Parent's span id; NULL for a root"),
        Column("batch_id", TEXT, "The landed batch it was taken from (the least, if several held it)", required=True),
        Column("name", TEXT, "Span name", required=True, private="name"),
        Column("kind", TEXT, "unspecified | internal | server | client | producer | consumer", required=True),
        Column("start_time", TIME, "Start, to the microsecond", required=True),
        Column("start_unix_nano", INT, "Start, exact", "ns since 1970", required=True),
        Column("duration_ns", INT, "End minus start; NULL when the span has no end yet", "ns"),
        Column("status", TEXT, "unset | ok | error", required=True),
        Column("status_message", TEXT, "Status message as sent", private="words"),
        # Who emitted it
        Column("service_name", TEXT, "Resource attribute service.name"),
        Column("resource_json", TEXT, "Resource attributes, a JSON object", private="words"),
        Column("scope_name", TEXT, "Instrumentation scope"),
        Column("scope_version", TEXT, "Version of the instrumentation scope"),
        Column(
            "scope_json", TEXT, "Attributes of the instrumentation scope, a JSON object; NULL: none", private="words"
        ),
        Column("trace_state", TEXT, "W3C trace state"),
        Column("flags", INT, "OTLP flags: W3C trace flags in the low 8 bits", required=True),
        Column("dropped_attributes", INT, "Attributes that the SDK left out", "attributes", required=True),
        Column("dropped_events", INT, "Events that the SDK left out", "events", required=True),
        Column("dropped_links", INT, "Links that the SDK left out", "links", required=True),
        # What the conventions say of it
        Column("dialect", TEXT, "Convention that named the operation: gen_ai | openinference | restate | inngest | …"),
        Column(
            "operation",
            TEXT,
            "agent | llm | tool | retrieval | embedding | chain | workflow | step | attempt | "
            "invocation | evaluation | guardrail | storm | other; NULL when no convention says",
        ),
        Column("provider", TEXT, "Model provider"),
        Column("request_model", TEXT, "Model asked for"),
        Column("response_model", TEXT, "Model that served"),
        Column("response_id", TEXT, "Provider's id of the response"),
        Column("input_tokens", INT, "Input tokens as reported", "tokens"),
        Column("output_tokens", INT, "Output tokens as reported", "tokens"),
        Column("cache_read_tokens", INT, "Input tokens read from cache, as reported", "tokens"),
        Column("cache_write_tokens", INT, "Input tokens written to cache, as reported", "tokens"),
        Column("reasoning_tokens", INT, "Reasoning tokens, as reported", "tokens"),
        Column("total_tokens", INT, "All tokens, as reported", "tokens"),
        Column(
            "fresh_input_tokens",
            INT,
            "Input tokens that are neither read from nor written to a cache: a part beside "
            "cache_read_tokens and cache_write_tokens, whichever way the provider counts",
            "tokens",
        ),
        Column("plain_output_tokens", INT, "Output tokens without reasoning: a part beside reasoning_tokens", "tokens"),
        Column("cost_usd", REAL, "Cost as reported", "USD"),
        Column("first_chunk_s", REAL, "Time to the first chunk of the answer", "s"),
        Column("temperature", REAL, "Sampling temperature asked for"),
        Column("max_output_tokens", INT, "Limit on output tokens asked for", "tokens"),
        Column("finish_reason", TEXT, "Last finish reason"),
        Column("agent_name", TEXT, "Agent"),
        Column("agent_id", TEXT, "Agent's id, where the convention has one"),
        Column("agent_version", TEXT, "Agent's version"),
        Column("workflow_name", TEXT, "Workflow or function"),
        Column("tool_name", TEXT, "Tool"),
        Column("tool_call_id", TEXT, "Tool call"),
        Column("session_id", TEXT, "Conversation or session; 'unknown' is NULL", private="name"),
        Column("user_id", TEXT, "End user", private="name"),
        Column("prompt_name", TEXT, "Prompt"),
        Column("prompt_version", TEXT, "Prompt version"),
        Column("skill_name", TEXT, "Skill, where the span names one"),
        Column("skill_version", TEXT, "Skill version"),
        Column("error_type", TEXT, "error.type, exception type, or a runtime's error code", private="name"),
        Column("input_key", TEXT, "Attribute that holds the input content; NULL: none captured (not: empty)"),
        Column("output_key", TEXT, "Attribute that holds the output content; NULL: none captured"),
        # Durable runtimes
        Column("invocation_id", TEXT, "Restate invocation id or Inngest run id: what retries share"),
        Column("invocation_target", TEXT, "Restate Service/handler or Inngest function id"),
        Column("attempt", INT, "Attempt number, as the runtime counts"),
        Column("step_id", TEXT, "Step within the invocation"),
        Column("runtime_status", TEXT, "Outcome the runtime states (success, failure, Completed, …)"),
        # What the flywheel client wrote when it decided
        Column("decision_id", TEXT, "flywheel.decision.id"),
        Column("policy_id", TEXT, "flywheel.policy.id: the routing document that decided"),
        Column("experiment_id", TEXT, "flywheel.experiment.id: the registration the run is evidence for"),
        Column("arm", TEXT, "flywheel.arm: the arm that was decided on"),
        Column("segment", TEXT, "flywheel.segment: production | canary | explore | holdout | frozen | default"),
        Column("propensity", REAL, "flywheel.propensity: probability with which this arm was drawn", "probability"),
        Column("keep_prob", REAL, "flywheel.keep_prob: probability that the trace was kept", "probability"),
        Column("unit_id", TEXT, "flywheel.unit.id: what the draw is sticky by", private="name"),
        Column("candidate_set", TEXT, "flywheel.candidate_set, JSON"),
        # Untouched
        Column(
            "attr_text",
            pa.map_(pa.string(), pa.string()),
            "Span attributes with text values, as received",
            private="words",
        ),
        Column("attr_int", pa.map_(pa.string(), pa.int64()), "Span attributes with integer values", private="words"),
        Column(
            "attr_double",
            pa.map_(pa.string(), pa.float64()),
            "Span attributes with floating-point values",
            private="words",
        ),
        Column("attr_bool", pa.map_(pa.string(), pa.bool_()), "Span attributes with boolean values", private="words"),
        Column(
            "attr_json",
            pa.map_(pa.string(), pa.string()),
            "Span attributes that are arrays, maps or bytes, as JSON",
            private="words",
        ),
        Column("events", pa.list_(EVENT), "Span events in order", private="words"),
        Column("links", pa.list_(LINK), "Span links in order", private="words"),
        Column(
            "annotated",
            FLAG,
            "Whether the attributes hold annotations or evaluations of the span, its trace or session; "
            "NULL: not looked for",
        ),
    ),
)
