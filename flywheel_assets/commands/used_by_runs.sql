-- The run that a span belongs to, and the gate that set it aside, if any.
SELECT r.run_id, r.skill, r.arm, r.segment, r.experiment_id, r.status, s.role, x.gate, x.reason
FROM run_spans AS s
JOIN agent_runs AS r ON r.run_id = s.run_id
LEFT JOIN rejections AS x ON x.run_id = r.run_id AND x.grain = 'run'
WHERE s.trace_id = $trace AND s.span_id = $span
