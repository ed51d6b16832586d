-- One row per run that starts on the day, without its content.
CREATE OR REPLACE TEMP TABLE folded AS
WITH models AS (
    SELECT run_id, coalesce(response_model, request_model) AS model,
        coalesce(sum(coalesce(input_tokens, 0) + coalesce(output_tokens, 0)), 0) AS tokens, count(*) AS calls
    FROM counted
    WHERE call AND coalesce(response_model, request_model) IS NOT NULL
    GROUP BY ALL
),
worked AS (
    -- The model that did most of the work; one that only failed over to another used no tokens.
    SELECT run_id, arg_max(model, {'tokens': tokens, 'calls': calls, 'model': model}) AS model
    FROM models GROUP BY run_id
),
steps AS (
    SELECT run_id, step_id, arg_max(status = 'error', {'attempt': attempt, 'idx': idx}) AS failed
    FROM counted
    WHERE run_runtime = 'inngest' AND own AND step_id IS NOT NULL
    GROUP BY ALL
),
failures AS (SELECT run_id, count(*) FILTER (failed) AS failed_steps FROM steps GROUP BY run_id),
sums AS (
    SELECT
        run_id,
        any_value(run_runtime) AS runtime,
        any_value(root_trace_id) AS trace_id,
        any_value(root_span_id) AS root_span_id,
        any_value(run_start) AS start_time,
        any_value(durable) AS durable,
        arg_min(session_id, turn) FILTER (session_id IS NOT NULL) AS session_id,
        arg_min(user_id, turn) FILTER (user_id IS NOT NULL) AS user_id,
        arg_min(service_name, turn) FILTER (service_name IS NOT NULL) AS service_name,
        arg_min(skill_name, turn) FILTER (skill_name IS NOT NULL AND NOT annotation) AS skill_name,
        arg_min(agent_name, turn) FILTER (agent_name IS NOT NULL AND NOT annotation) AS agent_name,
        arg_min(workflow_name, turn) FILTER (workflow_name IS NOT NULL AND NOT annotation) AS workflow_name,
        arg_min(invocation_target, turn) FILTER (invocation_target IS NOT NULL AND own) AS target,
        arg_min(name, turn) FILTER (is_root) AS root_name,
        arg_min(prompt_version, turn) FILTER (prompt_version IS NOT NULL AND NOT annotation) AS prompt_version,
        arg_min(coalesce(response_model, request_model), turn)
            FILTER (coalesce(response_model, request_model) IS NOT NULL AND NOT annotation) AS any_model,
        arg_min({
            'decision_id': decision_id, 'policy_id': policy_id, 'experiment_id': experiment_id, 'arm': arm,
            'segment': segment, 'propensity': propensity, 'unit_id': unit_id, 'candidate_set': candidate_set
        }, turn) FILTER (NOT annotation AND coalesce(decision_id, arm, experiment_id, policy_id) IS NOT NULL) AS chosen,
        arg_min(keep_prob, turn) FILTER (keep_prob IS NOT NULL) AS keep_prob,
        coalesce(
            sum(cost_usd) FILTER (call), max(cost_usd) FILTER (is_root), sum(cost_usd) FILTER (is_llm), max(cost_usd)
        ) AS cost_usd,
        coalesce(sum(input_tokens) FILTER (call), max(input_tokens) FILTER (is_root),
            sum(input_tokens) FILTER (is_llm), max(input_tokens)) AS input_tokens,
        coalesce(sum(output_tokens) FILTER (call), max(output_tokens) FILTER (is_root),
            sum(output_tokens) FILTER (is_llm), max(output_tokens)) AS output_tokens,
        arg_max(finish_reason, idx) FILTER (call AND finish_reason IS NOT NULL) AS finish_reason,
        arg_max(states, idx) FILTER (states IS NOT NULL AND own) AS stated,
        bool_or(is_root AND (status = 'error' OR (status = 'unset' AND error_type IS NOT NULL))) AS root_failed,
        bool_or(is_root AND duration_ns IS NULL) AS root_open,
        max(duration_ns) FILTER (is_root) AS root_duration_ns,
        max(start_unix_nano + duration_ns) FILTER (own) - min(start_unix_nano) FILTER (own) AS whole_duration_ns,
        arg_max(error_type, idx) FILTER (states = 'error' OR (is_root AND error_type IS NOT NULL)) AS stated_error,
        arg_max(error_type, idx) FILTER (error_type IS NOT NULL AND NOT annotation) AS last_error,
        greatest(1, coalesce(max(attempt) FILTER (own), 1)) AS attempts,
        count(DISTINCT trace_id) AS traces,
        count(*) FILTER (call) AS llm_calls,
        count(*) FILTER (is_tool) AS tool_calls,
        count(*) FILTER (is_tool AND (status = 'error' OR error_type IS NOT NULL)) AS tool_errors,
        arg_min({'trace': trace_id, 'span': span_id}, turn)
            FILTER (input_key IS NOT NULL AND (is_root OR is_llm)) AS input_at,
        arg_max({'trace': trace_id, 'span': span_id}, CASE WHEN is_root THEN 9223372036854775807 ELSE idx END)
            FILTER (output_key IS NOT NULL AND (is_root OR is_llm)) AS output_at,
        arg_min({'trace': trace_id, 'span': span_id}, turn)
            FILTER (NOT annotation AND coalesce(decision_id, arm, experiment_id, policy_id) IS NOT NULL) AS chosen_at,
        arg_min({'trace': trace_id, 'span': span_id}, turn)
            FILTER (skill_name IS NOT NULL AND NOT annotation) AS skill_at,
        arg_min({'trace': trace_id, 'span': span_id}, idx) FILTER (call) AS call_at
    FROM counted
    GROUP BY run_id
),
whole AS (SELECT run_id, count(*) AS spans FROM members WHERE run_day IS NOT NULL GROUP BY run_id)
SELECT s.*, w.spans, m.model AS work_model, coalesce(f.failed_steps, 0) AS failed_steps,
    CASE WHEN root_failed THEN 'error' WHEN root_open THEN 'open' ELSE 'ok' END AS root_status
FROM sums s
JOIN whole w USING (run_id)
LEFT JOIN worked m USING (run_id)
LEFT JOIN failures f USING (run_id);
