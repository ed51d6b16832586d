-- From spans to evidence: what was counted, what was set aside, and why.
CREATE VIEW funnel AS
SELECT 1 AS step, 'runs' AS what, 'seen' AS state, NULL AS outcome_state, NULL AS reason, count(*) AS runs
FROM labeled_examples WHERE grain = 'run'
UNION ALL
SELECT 2, 'outcome', outcome_state, outcome_state, NULL, count(*)
FROM labeled_examples WHERE grain = 'run' GROUP BY outcome_state
UNION ALL
SELECT 3, 'evidence', 'admitted', outcome_state, NULL, count(*)
FROM gated_observations WHERE grain = 'run' GROUP BY outcome_state
UNION ALL
SELECT 3, 'evidence', state, outcome_state, gate || ': ' || reason, count(*)
FROM rejections WHERE grain = 'run' GROUP BY state, outcome_state, gate, reason
ORDER BY step, runs DESC, state, reason;

COMMENT ON VIEW funnel IS 'Every run, counted three times: seen, by the state of its outcome, and as evidence or as set aside with the reason. The figures of one step add up to those of the step before.';
COMMENT ON COLUMN funnel.step IS 'Step of the funnel, from 1';
COMMENT ON COLUMN funnel.what IS 'What the step counts';
COMMENT ON COLUMN funnel.state IS 'State within the step';
COMMENT ON COLUMN funnel.outcome_state IS 'labeled | missing | immature | open: what was known of these runs';
COMMENT ON COLUMN funnel.reason IS '''gate: reason'' of what was set aside; NULL: nothing to explain';
COMMENT ON COLUMN funnel.runs IS 'Runs [runs]';
