-- Runs that can teach a contextual policy: admitted, with an outcome and a propensity, on one of its arms.
SELECT
    coalesce(o.session_id, o.run_id) AS cluster,
    o.arm,
    o.outcome,
    o.propensity * coalesce(o.keep_prob, 1.0) AS propensity,
    o.cost_usd,
    o.duration_ns / 1e9 AS seconds,
    -- Agents decide on what was asked, where no mark of ours stands: it must not become a word to go by.
    replace(coalesce(o.input_text, ''), '[redacted]', ' ') AS text,
    r.context_json
FROM gated_observations AS o
LEFT JOIN (
    SELECT run_id, any_value(context_json) AS context_json
    FROM agent_runs
    GROUP BY run_id
) AS r USING (run_id)
WHERE
    o.skill = $skill
    AND o.grain = 'run'
    AND o.outcome IS NOT NULL
    AND o.propensity > 0
    AND list_contains($arms, o.arm)
QUALIFY row_number() OVER (ORDER BY o.start_time DESC, o.run_id DESC) <= $most
ORDER BY o.start_time, o.run_id
