-- One row per run that starts on the day, without its content. `turn` puts the root first.
CREATE OR REPLACE TEMP VIEW counted AS
SELECT s.*, m.* REPLACE (m.call AND i.row IS NULL AS call), CASE WHEN m.is_root THEN -1 ELSE m.place END AS turn,
    i.row IS NOT NULL AS never_ran, s.operation = 'llm' AND NOT m.annotation AND i.row IS NULL AS is_llm,
    s.operation = 'tool' AND NOT m.annotation AS is_tool
FROM near s JOIN members m ON m.row = s.rowid LEFT JOIN idle i ON i.row = m.row
WHERE m.run IS NOT NULL AND NOT (s.mirrors AND m.run IN (SELECT run FROM originals));

-- What a call cost by the price table: the exact name, else the longest pattern, of that the latest.
CREATE OR REPLACE TEMP TABLE call_prices AS
WITH calls AS (
    SELECT DISTINCT provider, coalesce(response_model, request_model) AS model, day
    FROM near
    WHERE operation = 'llm' AND cost_usd IS NULL AND coalesce(response_model, request_model) IS NOT NULL
)
SELECT c.provider, c.model, c.day, arg_max(p, {
        'exact': p.model_pattern IN (c.model, c.provider || '/' || c.model),
        'length': length(p.model_pattern), 'from': p.from_day, 'pattern': p.model_pattern
    }) AS price
FROM calls c
JOIN prices p ON p.from_day <= c.day
    AND (c.model GLOB p.model_pattern OR c.provider || '/' || c.model GLOB p.model_pattern)
GROUP BY ALL;

CREATE OR REPLACE TEMP VIEW costed AS
SELECT c.*,
    coalesce(input_tokens, output_tokens) IS NOT NULL AS counts_tokens,
    CASE WHEN counts_tokens THEN (
        coalesce(fresh_input_tokens, input_tokens, 0) * price.input_usd
        + coalesce(cache_read_tokens, 0) * price.cache_read_usd
        + coalesce(cache_write_tokens, 0) * price.cache_write_usd
        + coalesce(plain_output_tokens + coalesce(reasoning_tokens, 0), output_tokens, 0) * price.output_usd
    ) / 1e6 END AS priced_usd
FROM counted c
LEFT JOIN call_prices p
    ON p.model = coalesce(c.response_model, c.request_model) AND p.day = c.day
    AND p.provider IS NOT DISTINCT FROM c.provider;

CREATE OR REPLACE TEMP TABLE folded AS
WITH models AS (
    SELECT run, coalesce(response_model, request_model) AS model,
        coalesce(sum(coalesce(input_tokens, 0) + coalesce(output_tokens, 0)), 0) AS tokens, count(*) AS calls,
        bool_or(status != 'error') AS served, min(place) AS first
    FROM counted
    WHERE call AND coalesce(response_model, request_model) IS NOT NULL
    GROUP BY ALL
),
worked AS (
    -- The model that did most of the work, one that answered before one that only failed over to it.
    SELECT run, arg_max(model, {'served': served, 'tokens': tokens, 'calls': calls, 'model': model}) AS model
    FROM models GROUP BY run
),
-- Apart: a list in order costs as much for the many runs that it stays empty for.
failed_over AS (SELECT run, list(model ORDER BY first) AS failed_models FROM models WHERE NOT served GROUP BY run),
steps AS (
    SELECT run, step_id, arg_max(status = 'error', {'attempt': attempt, 'place': place}) AS failed
    FROM counted
    WHERE runtime = 'inngest' AND own AND step_id IS NOT NULL
    GROUP BY ALL
),
failures AS (SELECT run, count(*) FILTER (failed) AS failed_steps FROM steps GROUP BY run),
sums AS (
    SELECT
        run,
        arg_min(session_id, turn) FILTER (session_id IS NOT NULL) AS session_id,
        arg_min(user_id, turn) FILTER (user_id IS NOT NULL) AS user_id,
        arg_min(service_name, turn) FILTER (service_name IS NOT NULL) AS service_name,
        arg_min(agent_name, turn) FILTER (agent_name IS NOT NULL AND NOT annotation) AS agent_name,
        arg_min(workflow_name, turn) FILTER (workflow_name IS NOT NULL AND NOT annotation) AS workflow_name,
        arg_min(invocation_target, turn) FILTER (invocation_target IS NOT NULL AND own) AS target,
        arg_min(prompt_version, turn) FILTER (prompt_version IS NOT NULL AND NOT annotation) AS prompt_version,
        arg_min(coalesce(response_model, request_model), turn)
            FILTER (coalesce(response_model, request_model) IS NOT NULL AND NOT annotation AND NOT never_ran)
            AS any_model,
        arg_min(keep_prob, turn) FILTER (keep_prob IS NOT NULL) AS keep_prob,
        coalesce(
            sum(cost_usd) FILTER (call), max(cost_usd) FILTER (is_root), sum(cost_usd) FILTER (is_llm), max(cost_usd)
        ) AS stated_usd,
        count(cost_usd) FILTER (call) AS stated_calls,
        count(*) FILTER (call AND counts_tokens AND cost_usd IS NULL AND priced_usd IS NULL) AS unpriced_calls,
        count(priced_usd) FILTER (call AND cost_usd IS NULL) AS priced_calls,
        sum(coalesce(cost_usd, priced_usd)) FILTER (call) AS computed_usd,
        coalesce(sum(input_tokens) FILTER (call), max(input_tokens) FILTER (is_root),
            sum(input_tokens) FILTER (is_llm), max(input_tokens)) AS input_tokens,
        coalesce(sum(output_tokens) FILTER (call), max(output_tokens) FILTER (is_root),
            sum(output_tokens) FILTER (is_llm), max(output_tokens)) AS output_tokens,
        arg_max(finish_reason, place) FILTER (call AND finish_reason IS NOT NULL) AS finish_reason,
        arg_max({'states': states, 'said': runtime_status},
            {'ended': states != 'open', 'answered': answered, 'place': place})
            FILTER (states IS NOT NULL AND own) AS declared,
        struct_extract(declared, 'states') AS stated,
        struct_extract(declared, 'said') AS runtime_status,
        max(start_unix_nano + coalesce(duration_ns, 0)) AS last_sign_ns,
        max(start_unix_nano + duration_ns) FILTER (own) - min(start_unix_nano) FILTER (own) AS whole_duration_ns,
        arg_max(error_type, place) FILTER (states = 'error' OR (is_root AND error_type IS NOT NULL)) AS stated_error,
        arg_max(error_type, place) FILTER (error_type IS NOT NULL AND NOT annotation) AS last_error,
        greatest(1, coalesce(max(attempt) FILTER (own AND NOT never_ran), 1)) AS attempts,
        count(*) FILTER (never_ran) AS attempts_never_ran,
        count(DISTINCT trace_id) AS traces,
        count(*) FILTER (call) AS llm_calls,
        count(*) FILTER (is_tool) AS tool_calls,
        count(*) FILTER (is_tool AND (status = 'error' OR error_type IS NOT NULL)) AS tool_errors,
        arg_min(row, turn)
            FILTER (input_key IS NOT NULL AND (is_root OR is_llm)) AS input_at,
        arg_max(row, CASE WHEN is_root THEN 9223372036854775807 ELSE place END)
            FILTER (output_key IS NOT NULL AND (is_root OR is_llm)) AS output_at,
        arg_min(row, turn)
            FILTER (NOT annotation AND coalesce(decision_id, arm, experiment_id, policy_id) IS NOT NULL) AS chosen_at,
        arg_min({
                'decision_id': decision_id, 'policy_id': policy_id, 'experiment_id': experiment_id, 'chosen_arm': arm,
                'segment': segment, 'propensity': propensity, 'unit_id': unit_id, 'candidate_set': candidate_set
            }, turn) FILTER (NOT annotation AND coalesce(decision_id, arm, experiment_id, policy_id) IS NOT NULL) AS chosen,
        arg_min(row, turn)
            FILTER (skill_name IS NOT NULL AND NOT annotation) AS skill_at,
        arg_min(skill_name, turn) FILTER (skill_name IS NOT NULL AND NOT annotation) AS skill_name,
        arg_min(row, place) FILTER (call) AS call_at
    FROM costed
    GROUP BY run
),
whole AS (SELECT run, count(*) AS spans FROM members WHERE run IS NOT NULL GROUP BY run)
SELECT s.* EXCLUDE (chosen), unnest(chosen), h.* EXCLUDE (run), w.spans, m.model AS work_model, o.failed_models,
    coalesce(f.failed_steps, 0) AS failed_steps
FROM sums s
JOIN heads h USING (run)
JOIN whole w USING (run)
LEFT JOIN worked m USING (run)
LEFT JOIN failed_over o USING (run)
LEFT JOIN failures f USING (run);
