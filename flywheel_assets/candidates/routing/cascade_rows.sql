-- Admitted runs of a skill on single arms that say what a gate thought of their answer; outcome NULL: nobody audited it.
WITH said AS (
    SELECT target_kind, target_id, value, observed_at, feedback_id
    FROM feedback
    WHERE name = $word AND value IS NOT NULL AND target_kind IN ('run', 'span')
),

runs AS (
    SELECT run_id, concat(trace_id, ':', root_span_id) AS root, arm, outcome, cost_usd, start_time
    FROM gated_observations
    WHERE skill = $skill AND grain = 'run' AND propensity > 0 AND list_contains($arms, arm)
),

told AS (
    SELECT runs.*, said.value, said.observed_at, said.feedback_id
    FROM runs
    INNER JOIN said ON said.target_id = runs.run_id OR said.target_id = runs.root
)

SELECT arm, outcome, cost_usd, value AS passed
FROM told
-- The latest word holds.
QUALIFY
    row_number() OVER (PARTITION BY run_id ORDER BY observed_at DESC, feedback_id DESC) = 1
    AND row_number() OVER (ORDER BY start_time DESC, run_id DESC) <= $most
ORDER BY start_time, run_id
