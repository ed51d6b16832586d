-- Each skill's newest units with an outcome on its busiest arm, one run per unit, in the order of their start.
-- Above $fewest they are counted in full hundreds ($every): a drill waits for the next hundred as a trial does.
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
),

counted AS (
    SELECT
        firsts.*,
        row_number() OVER (PARTITION BY skill ORDER BY start_time, run_id) AS place,
        count(*) OVER (PARTITION BY skill) AS units
    FROM firsts
    SEMI JOIN busiest USING (skill, arm)
)

SELECT * EXCLUDE (place, units)
FROM counted
WHERE units < $fewest OR (place <= units - units % $every AND place > units - units % $every - $most)
ORDER BY skill, start_time, run_id
