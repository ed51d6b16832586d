-- Every ledger entry in which a run argued.
SELECT d.seq, d.entry_id, d.skill, d.experiment_id, d.kind, d.decided_at, a.side, a.outcome, a.weight
FROM decision_arguments AS a
JOIN promotion_decisions AS d ON d.entry_id = a.entry_id
WHERE a.run_id = $run
ORDER BY d.seq
