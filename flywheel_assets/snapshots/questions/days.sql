SELECT
    e.day,
    count(*) AS runs,
    count(o.example_id) AS admitted,
    count(*) FILTER (WHERE o.example_id IS NULL AND e.outcome_state = 'labeled') AS refused,
    count(*) FILTER (WHERE o.example_id IS NULL AND e.outcome_state = 'missing') AS missing,
    count(*) FILTER (WHERE o.example_id IS NULL AND e.outcome_state IN ('immature', 'open')) AS immature
FROM labeled_examples AS e
LEFT JOIN gated_observations AS o ON o.day = e.day AND o.example_id = e.example_id
WHERE e.grain = 'run'
GROUP BY e.day
ORDER BY e.day DESC
LIMIT 60
