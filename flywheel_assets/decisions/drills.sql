-- Each skill's newest units with an outcome on its busiest arm, one run per unit, in the order of their start.
WITH firsts AS (
    SELECT
        skill,
        arm,
        outcome,
        principal_id,
        CAST(day AS VARCHAR) AS day,
        start_time,
        run_id
    FROM gated_observations
    WHERE grain = 'run' AND outcome IS NOT NULL AND skill IS NOT NULL AND arm IS NOT NULL
    QUALIFY row_number() OVER (
        PARTITION BY skill, coalesce(unit_id, session_id, run_id) ORDER BY start_time, run_id
    ) = 1
),

busiest AS (
    SELECT skill, arm
    FROM firsts
    GROUP BY skill, arm
    QUALIFY row_number() OVER (PARTITION BY skill ORDER BY count(*) DESC, arm) = 1
)

SELECT firsts.*
FROM firsts
SEMI JOIN busiest USING (skill, arm)
QUALIFY row_number() OVER (PARTITION BY skill ORDER BY start_time DESC, run_id DESC) <= $most
ORDER BY skill, start_time, run_id
