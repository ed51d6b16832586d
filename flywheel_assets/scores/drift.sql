-- Daily series of outcomes (by skill, arm and runtime) and of votes (by labeler and its version).
WITH outcomes AS (
    SELECT day, skill, arm, runtime, outcome
    FROM gated_observations
    WHERE grain = 'run' AND outcome IS NOT NULL AND skill IS NOT NULL AND day <= $as_of
),

series AS (
    SELECT 'skill' AS kind, skill, '-' AS name, day, outcome AS value
    FROM outcomes
    UNION ALL
    SELECT 'arm', skill, arm, day, outcome
    FROM outcomes
    WHERE arm IS NOT NULL
    UNION ALL
    SELECT 'source', skill, runtime, day, outcome
    FROM outcomes
    UNION ALL
    SELECT 'labeler', '*', labeler || ' ' || labeler_version || ' by ' || author_id, day, value
    FROM label_votes
    WHERE day <= $as_of
)

SELECT kind, skill, name, day, count(*) AS n, round(avg(value), 12) AS mean,
    -- Rounded: in another order of the rows sums end in other bits.
    round(coalesce(var_pop(value), 0), 12) AS variance
FROM series
GROUP BY ALL
ORDER BY kind, skill, name, day
