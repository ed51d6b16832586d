SELECT
    entry_id AS id, seq, epoch(decided_at)::BIGINT AS decided_at, skill, experiment_id, kind,
    candidate_arm, incumbent_arm, reason, estimate, lower, upper, e_value,
    candidate_units, incumbent_units, alpha, alpha_left, criteria_json, hash
FROM promotion_decisions
ORDER BY seq
