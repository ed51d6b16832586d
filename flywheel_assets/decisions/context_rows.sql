-- What was known before each unit of a trial acted.
SELECT run_id, any_value(context_json) AS context_json
FROM agent_runs
WHERE run_id IN (SELECT run_id FROM evidence_runs)
GROUP BY run_id
