-- Ledger entries about $what: promotions first, newest first.
SELECT d.seq, d.entry_id, d.decided_at, d.skill, d.experiment_id, d.kind, d.candidate_arm, d.incumbent_arm, d.reason,
       d.estimate, d.lower, d.upper, d.e_value, d.alpha, d.candidate_units, d.incumbent_units, d.criteria_json,
       d.evidence_days
FROM promotion_decisions AS d
WHERE $what IN (d.entry_id, d.experiment_id, d.skill, d.candidate_arm, split_part(d.candidate_arm, '|', 2))
   OR d.entry_id IN (SELECT entry_id FROM promoted_routing WHERE artifact_id = $what)
   OR d.entry_id IN (SELECT entry_id FROM promoted_prompts WHERE artifact_id = $what OR prompt_version = $what)
ORDER BY d.kind = 'promoted' DESC, d.seq DESC
