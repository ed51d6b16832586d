-- What each skill's newest days of runs carry; '*' for all runs, those without a skill among them.
WITH recent AS (
    SELECT *
    FROM labeled_examples
    WHERE
        grain = 'run'
        AND day <= $as_of
        AND day > (SELECT max(day) FROM labeled_examples WHERE day <= $as_of) - $days::INTEGER
),

named AS (
    SELECT coalesce(skill, '-') AS name, * FROM recent WHERE skill IS NOT NULL
    UNION ALL
    SELECT '*', * FROM recent
)

SELECT
    name AS skill,
    count(*) AS runs,
    count(DISTINCT day) AS days,
    avg((skill IS NULL)::INTEGER) AS without_skill,
    avg((outcome_state = 'missing')::INTEGER) AS without_outcome,
    avg((propensity IS NULL)::INTEGER) AS without_propensity,
    count(DISTINCT coalesce(unit_id, session_id, run_id)) AS units,
    count(DISTINCT coalesce(unit_id, session_id, run_id)) FILTER (WHERE outcome IS NOT NULL) AS told,
    count(outcome) AS outcomes,
    -- Rounded: in another order of the rows sums end in other bits.
    round(stddev_pop(outcome), 12) AS spread,
    list(DISTINCT {'model': model, 'prompt': coalesce(prompt_version, '-')}) FILTER (WHERE model IS NOT NULL) AS arms
FROM named
GROUP BY name
ORDER BY name
