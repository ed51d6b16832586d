-- The day's runs that have a skill and an arm, with the outcome that was admitted, in order of their ids.
WITH evidence AS (
    SELECT example_id, outcome, weight
    FROM gated_observations
    WHERE day = $day AND grain = 'run' AND outcome_state = 'labeled'
),
counted AS (
    -- What a gate refused says nothing of costs and durations either; what waits for its outcome does.
    SELECT r.* REPLACE (e.weight AS weight, e.outcome AS outcome),
        e.example_id IS NOT NULL AS admitted, admitted OR r.outcome_state <> 'labeled' AS speaks
    FROM labeled_examples r
    LEFT JOIN evidence e USING (example_id)
    WHERE r.day = $day AND r.grain = 'run' AND r.skill IS NOT NULL AND r.arm IS NOT NULL
)
SELECT
    example_id, skill, arm, coalesce(segment, 'none') AS segment,
    split_part(arm, '|', 1) AS model,
    nullif(split_part(arm, '|', 2), '-') AS prompt_version,
    -- A run without a session is its own cluster.
    coalesce('s' || session_id, 'r' || example_id) AS cluster,
    admitted,
    NOT admitted AND outcome_state = 'missing' AS missing,
    NOT admitted AND outcome_state IN ('immature', 'open') AS immature,
    NOT admitted AND outcome_state = 'labeled' AS refused,
    status = 'error' AS errors,
    weight,
    outcome,
    CASE WHEN speaks THEN cost_usd END AS cost,
    CASE WHEN speaks THEN duration_ns / 1e9 END AS seconds,
    -- Below a millisecond counts into the first bucket, above twelve days into the last.
    CASE WHEN speaks AND duration_ns IS NOT NULL
        THEN least(119, greatest(0, floor(4 * log2(greatest(duration_ns, 1) / 1e6))))::INTEGER END AS bucket
FROM counted
ORDER BY example_id
