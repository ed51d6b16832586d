-- What all looks of one turn at promotions read, in one pass: runs since the oldest promotion in force.
SELECT *
FROM gated_observations
WHERE grain = 'run' AND skill IN (SELECT unnest($promoted::VARCHAR[])) AND start_time > $since
ORDER BY skill, start_time
