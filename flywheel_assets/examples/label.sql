-- Every run of the day, and every span of them that was voted on, with its label or why it has none.
CREATE OR REPLACE TEMP TABLE examples AS
WITH seen AS (
    SELECT max(seen_at) AS latest FROM (
        SELECT max(start_time + to_microseconds(coalesce(duration_ns, 0) // 1000)) AS seen_at FROM raw_spans
        UNION ALL SELECT max(observed_at) FROM feedback
    )
),
heard AS (SELECT example_id, max(observed_at) AS last FROM ballots WHERE decides GROUP BY example_id),
chosen AS (
    SELECT run_id AS example_id, 'run' AS grain, NULL AS span_id, run_id FROM runs
    UNION ALL BY NAME
    SELECT DISTINCT example_id, 'span' AS grain, split_part(example_id, ':', 2) AS span_id, run_id
    FROM ballots WHERE grain = 'span'
)
SELECT
    e.run_id,
    r.skill,
    e.example_id,
    e.grain,
    e.span_id,
    CASE WHEN r.status != 'open' THEN f.outcome END AS outcome,
    CASE
        WHEN r.status = 'open' THEN 'open'
        WHEN f.outcome IS NOT NULL THEN 'labeled'
        WHEN r.start_time + to_microseconds(coalesce(r.duration_ns, 0) // 1000)
            + coalesce(to_seconds(coalesce(h.value, w.value) * 3600), $horizon) > s.latest THEN 'immature'
        ELSE 'missing'
    END AS outcome_state,
    CASE WHEN r.status != 'open' AND f.outcome IS NOT NULL
        THEN greatest(r.start_time + to_microseconds(coalesce(r.duration_ns, 0) // 1000), v.last) END AS known_at,
    CASE WHEN r.status != 'open' THEN f.confidence END AS confidence,
    CASE WHEN r.status != 'open' THEN f.weight END AS weight,
    CASE WHEN r.status != 'open' THEN f.tier END AS tier,
    coalesce(f.labelers, []) AS labelers,
    coalesce(f.votes, 0) AS votes,
    CASE WHEN r.status != 'open' THEN coalesce(f.dissent, 0) ELSE 0 END AS dissent
FROM chosen e
JOIN runs r USING (run_id)
LEFT JOIN fused f USING (example_id)
LEFT JOIN heard v USING (example_id)
LEFT JOIN label_settings h ON h.name = 'outcome_horizon_hours' AND h.skill = r.skill
LEFT JOIN label_settings w ON w.name = 'outcome_horizon_hours' AND w.skill = '*'
CROSS JOIN seen s;
