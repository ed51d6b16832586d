-- Admitted runs that carry the id of any of `registrations`, each with why it is no evidence for it (NULL: it is).
-- One registration after the other (`place`), each in the order in which outcomes became known, so that a later
-- look only adds to what an earlier one saw.
-- Where several candidates share a draw, runs carry all their registrations' ids, joined by '+'.
WITH runs AS (
    SELECT *, string_split(experiment_id, '+') AS ids
    FROM gated_observations
    WHERE grain = 'run' AND experiment_id IS NOT NULL
),

named AS (
    SELECT *, length(ids) AS at_once, unnest(list_distinct(ids)) AS registration_id
    FROM runs
),

carried AS (
    SELECT
        named.*,
        registrations.place,
        CASE segment WHEN 'canary' THEN candidate_arm ELSE incumbent_arm END AS own_arm,
        -- A contextual policy ('scored/…') stands for the arm that its rule chose, with its prompt and tools.
        arm IS NOT DISTINCT FROM own_arm OR (
            starts_with(own_arm, 'scored/')
            AND coalesce(string_split(arm, '|')[2:] = string_split(own_arm, '|')[2:], false)
        ) AS as_drawn,
        CASE
            WHEN named.skill IS DISTINCT FROM registrations.skill THEN 'other_skill'
            WHEN coalesce(segment, '') NOT IN ('canary', 'production') THEN 'outside_the_trial_draw'
            WHEN NOT as_drawn AND segment = 'canary' AND at_once > 1 THEN 'of_another_candidate'
            WHEN NOT as_drawn THEN 'contradicts_arm'
            WHEN propensity IS NULL THEN 'no_propensity'
            -- Segments outside the draw take at most half of all units, so a logged share below half contradicts.
            WHEN propensity NOT BETWEEN
                0.5 * (CASE segment WHEN 'canary' THEN canary_share / at_once ELSE incumbent_share END) - 1e-9 AND 1
                THEN 'contradicts_propensity'
            WHEN unit_id IS NULL THEN 'no_unit'
            WHEN start_time < registered_at THEN 'before_registration'
            WHEN outcome IS NULL THEN 'no_outcome'
        END AS refusal
    FROM named
    JOIN registrations USING (registration_id)
),

ranked AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY place, unit_id, refusal IS NULL ORDER BY coalesce(known_at, start_time), start_time, run_id
        ) AS nth
    FROM carried
)

SELECT
    place,
    run_id,
    trace_id,
    root_span_id,
    unit_id,
    epoch_us(start_time) AS start_us,
    CAST(day AS VARCHAR) AS day,
    segment = 'canary' AS candidate,
    at_once,
    outcome,
    CAST(status = 'error' AS DOUBLE) AS error_rate,
    cost_usd,
    principal_id AS principal,
    array_to_string(labelers, '+') AS source,
    outcome_state AS state,
    duration_ns / 1e9 AS seconds,
    tier,
    coalesce(refusal, CASE WHEN nth > 1 THEN 'unit_seen_before' END) AS refusal
FROM ranked
ORDER BY place, coalesce(known_at, start_time), start_time, run_id
