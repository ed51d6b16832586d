-- Every ledger entry in which the span's run argued.
SELECT d.seq, d.entry_id, d.skill, d.experiment_id, d.kind, d.decided_at, a.side, a.outcome, a.weight
FROM run_spans AS s
JOIN decision_arguments AS a ON a.run_id = s.run_id
JOIN promotion_decisions AS d ON d.entry_id = a.entry_id
WHERE s.trace_id = $trace AND s.span_id = $span
ORDER BY d.seq
