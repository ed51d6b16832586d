-- A run, and the gate that set it aside, if any.
SELECT r.run_id, r.skill, r.arm, r.segment, r.experiment_id, r.status, x.gate, x.reason
FROM agent_runs AS r
LEFT JOIN rejections AS x ON x.run_id = r.run_id AND x.grain = 'run'
WHERE r.run_id = $run
