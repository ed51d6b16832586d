-- What all looks of one turn read, in one pass: runs of open trials, and runs since the oldest promotion in force.
SELECT *
FROM gated_observations
WHERE
    grain = 'run'
    AND (
        list_has_any(string_split(experiment_id, '+'), $open::VARCHAR[])
        OR (skill IN (SELECT unnest($promoted::VARCHAR[])) AND start_time > $since)
    )
ORDER BY skill, start_time
