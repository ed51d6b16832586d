-- Admitted runs since a promotion: on the promoted arm in production, and on the arm before it elsewhere.
WITH drawn AS (
    SELECT
        *,
        row_number() OVER (PARTITION BY unit_id ORDER BY coalesce(known_at, start_time), start_time, run_id) AS nth
    FROM gated_observations
    WHERE
        skill = $skill
        AND grain = 'run'
        AND start_time > $since
        AND unit_id IS NOT NULL
        AND outcome IS NOT NULL
        AND (
            (segment = 'production' AND (
                arm = $promoted_arm
                -- A contextual policy stands for the arm that its rule chose, with its prompt and tools.
                OR (starts_with($promoted_arm, 'scored/')
                    AND string_split(arm, '|')[2:] = string_split($promoted_arm, '|')[2:])
            ))
            OR (segment IN ('holdout', 'frozen', 'explore') AND arm = $previous_arm)
        )
)

SELECT
    run_id,
    trace_id,
    root_span_id,
    unit_id,
    epoch_us(start_time) AS start_us,
    CAST(day AS VARCHAR) AS day,
    segment = 'production' AS candidate,
    1::BIGINT AS at_once,
    outcome,
    CAST(status = 'error' AS DOUBLE) AS error_rate,
    cost_usd,
    principal_id AS principal,
    array_to_string(labelers, '+') AS source,
    outcome_state AS state,
    duration_ns / 1e9 AS seconds,
    CASE WHEN nth > 1 THEN 'unit_seen_before' END AS refusal
FROM drawn
ORDER BY coalesce(known_at, start_time), start_time, run_id
