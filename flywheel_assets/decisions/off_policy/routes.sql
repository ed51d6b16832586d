-- The newest decided runs of each skill with an outcome, and what their decision could have chosen.
SELECT
    o.skill,
    o.arm,
    o.outcome,
    o.propensity,
    coalesce(o.keep_prob, 1.0) AS keep_prob,
    coalesce(o.session_id, o.run_id) AS cluster,
    {text} AS text,
    r.candidate_set,
    r.context_json
FROM gated_observations AS o
LEFT JOIN (
    SELECT run_id, any_value(candidate_set) AS candidate_set, any_value(context_json) AS context_json
    FROM agent_runs
    GROUP BY run_id
) AS r USING (run_id)
WHERE o.skill IN (SELECT unnest($skills)) AND o.grain = 'run' AND o.outcome IS NOT NULL AND o.arm IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY o.skill ORDER BY o.start_time DESC, o.run_id DESC) <= $most
ORDER BY o.skill, o.start_time, o.run_id
