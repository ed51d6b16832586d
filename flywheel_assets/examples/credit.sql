-- The work of the day's failed runs: model and tool calls, and whatever else erred by itself or was judged.
--
-- An error that a span below it has too is that span's: passed on, it is the same error. One of a step that
-- calls a model, and of nothing below it, is the last call's: the step did what that said. One that the same
-- tool got over later in the run was recovered from. What was said of a span has been fused already.
WITH failed AS (
    SELECT run_id, skill, least(1 - outcome, confidence) AS failed
    FROM examples WHERE grain = 'run' AND outcome_state = 'labeled' AND outcome < 0.5
),
told AS (
    SELECT run_id, span_id, split_part(example_id, ':', 1) AS trace_id, outcome, confidence
    FROM examples WHERE grain = 'span' AND outcome_state = 'labeled'
),
spans AS (
    SELECT w.*, f.skill, f.failed, w.status = 'error' OR w.error_type IS NOT NULL AS erred, t.outcome, t.confidence
    FROM work w JOIN failed f USING (run_id)
    LEFT JOIN told t ON t.run_id = w.run_id AND t.trace_id = w.trace_id AND t.span_id = w.span_id
    WHERE w.role != 'annotation'
),
passed_on AS (
    SELECT DISTINCT run_id, trace_id, parent_span_id AS span_id FROM spans WHERE erred AND parent_span_id IS NOT NULL
),
calls AS (
    SELECT run_id, trace_id, parent_span_id, arg_max(span_id, {'start': start_unix_nano, 'span': span_id}) AS span_id
    FROM spans WHERE role = 'llm' AND parent_span_id IS NOT NULL GROUP BY ALL
),
handed_down AS (
    SELECT c.* FROM calls c
    JOIN spans s ON s.run_id = c.run_id AND s.trace_id = c.trace_id AND s.span_id = c.parent_span_id
    ANTI JOIN passed_on p ON p.run_id = s.run_id AND p.trace_id = s.trace_id AND p.span_id = s.span_id
    WHERE s.erred AND s.role NOT IN ('llm', 'tool')
),
got_over AS (
    SELECT run_id, tool_name, max(start_unix_nano) AS at FROM spans
    WHERE role = 'tool' AND NOT erred AND tool_name IS NOT NULL GROUP BY ALL
),
judged AS (
    SELECT s.*, d.span_id IS NOT NULL OR (s.erred AND p.span_id IS NULL AND u.span_id IS NULL) AS began_here,
        -- Not part of the join: with a condition on one side alone it takes ten times as long.
        s.role = 'tool' AND s.erred AND g.at > s.start_unix_nano AS recovered
    FROM spans s
    LEFT JOIN passed_on p USING (run_id, trace_id, span_id)
    LEFT JOIN handed_down d ON d.run_id = s.run_id AND d.trace_id = s.trace_id AND d.span_id = s.span_id
    LEFT JOIN handed_down u ON u.run_id = s.run_id AND u.trace_id = s.trace_id AND u.parent_span_id = s.span_id
    LEFT JOIN got_over g ON g.run_id = s.run_id AND g.tool_name = s.tool_name
)
SELECT run_id, skill, failed, trace_id, span_id, role, name, coalesce(began_here, false) AS began_here,
    coalesce(recovered, false) AS recovered, outcome, confidence,
    row_number() OVER (PARTITION BY run_id ORDER BY start_unix_nano, trace_id, span_id) AS place
FROM judged
WHERE role IN ('llm', 'tool') OR began_here OR outcome IS NOT NULL
ORDER BY run_id, place
