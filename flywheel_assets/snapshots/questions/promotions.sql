SELECT
    d.decided_at, d.skill, d.kind, d.candidate_arm, d.incumbent_arm, d.reason, d.estimate, d.lower, d.upper,
    d.candidate_units, d.incumbent_units, d.entry_id, s.standing, s.reason AS support,
    count(a.run_id) AS arguments,
    count(*) FILTER (WHERE a.weight > 0) AS arguments_for
FROM promotion_decisions AS d
LEFT JOIN decision_arguments AS a USING (entry_id)
LEFT JOIN promotion_support AS s ON d.kind = 'promoted' AND s.experiment_id = d.experiment_id
WHERE d.kind IN ('promoted', 'rolled_back')
GROUP BY ALL
ORDER BY max(d.seq) DESC
LIMIT 50
