SELECT
    d.decided_at, d.skill, d.kind, d.candidate_arm, d.incumbent_arm, d.reason, d.estimate, d.lower, d.upper,
    d.candidate_units, d.incumbent_units, d.entry_id,
    count(a.run_id) AS arguments,
    count(*) FILTER (WHERE a.weight > 0) AS arguments_for
FROM promotion_decisions AS d
LEFT JOIN decision_arguments AS a USING (entry_id)
WHERE d.kind IN ('promoted', 'rolled_back')
GROUP BY ALL
ORDER BY max(d.seq) DESC
LIMIT 50
