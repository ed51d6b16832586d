-- What is known of the day's labelled runs apart from their labels. Labels of one skill and tier are one set.
WITH lower_tiers AS (
    SELECT b.example_id, sum((b.value - 0.5) * (2 * b.confidence - 1)) AS leaning
    FROM ballots b JOIN examples e USING (example_id)
    WHERE b.tier != e.tier GROUP BY ALL
)
SELECT e.example_id, concat_ws(' ', e.tier, r.skill) AS set, e.outcome > 0.5 AS good,
    coalesce(l.leaning, 0) AS sign_leaning,
    CASE WHEN r.status = 'error' THEN 1.0 ELSE 0.0 END AS sign_error,
    ln(1 + r.duration_ns / 1e9) AS sign_duration,
    ln(1e-6 + r.cost_usd) AS sign_cost,
    ln(1 + length(r.input_text)) AS sign_asked,
    ln(1 + length(r.output_text)) AS sign_answered,
    CAST(r.attempts AS DOUBLE) AS sign_attempts
FROM examples e
JOIN runs r USING (run_id)
LEFT JOIN lower_tiers l USING (example_id)
WHERE e.grain = 'run' AND e.outcome_state = 'labeled' AND e.tier IN ('human', 'judge') AND e.outcome != 0.5
ORDER BY e.example_id
