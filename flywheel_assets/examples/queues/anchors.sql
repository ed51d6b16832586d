-- Runs of the standing random sample that nobody has answered yet, in the sample's own order.
SELECT 'run' AS target_kind, run_id AS target_id, day, skill, input_text AS request, output_text AS answer,
    'random sample' AS why
FROM agent_runs
WHERE day BETWEEN $since AND $until AND skill IS NOT NULL AND arm IS NOT NULL AND status IN ('ok', 'error')
    AND input_text IS NOT NULL AND output_text IS NOT NULL AND {draw} < $share
    AND run_id NOT IN (SELECT target_id FROM feedback WHERE tier = 'human' AND name = $anchor)
ORDER BY {draw}
LIMIT $most
