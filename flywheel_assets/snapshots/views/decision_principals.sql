-- Who moved each promotion: every principal's part of its e-value, the strongest first, and what is left without them.
-- Parts are those of the bets as they were made; they add up to the logarithm of the e-value.
CREATE VIEW decision_principals AS
WITH parts AS (
    SELECT a.entry_id, coalesce(r.principal_id, 'unknown') AS principal, count(*) AS runs, sum(a.weight) AS weight
    FROM decision_arguments AS a
    LEFT JOIN agent_runs AS r USING (run_id)
    GROUP BY ALL
)
SELECT
    d.seq, d.entry_id, d.skill, d.candidate_arm, p.principal, p.runs, p.weight,
    row_number() OVER strongest AS place,
    sum(p.weight) OVER (PARTITION BY d.entry_id) - sum(p.weight) OVER strongest AS left_after,
    -ln(nullif(d.alpha, 0)) AS needed,
    left_after >= needed AS stands
FROM promotion_decisions AS d
JOIN parts AS p USING (entry_id)
WHERE d.kind = 'promoted'
WINDOW strongest AS (PARTITION BY d.entry_id ORDER BY p.weight DESC, p.principal ROWS UNBOUNDED PRECEDING)
ORDER BY d.seq, place;

COMMENT ON VIEW decision_principals IS 'Who moved each promotion: principals by their part of its e-value, and whether it stands without them and all that are stronger.';
COMMENT ON COLUMN decision_principals.seq IS 'Position of the promotion in the ledger';
COMMENT ON COLUMN decision_principals.entry_id IS 'Ledger entry';
COMMENT ON COLUMN decision_principals.skill IS 'Skill';
COMMENT ON COLUMN decision_principals.candidate_arm IS 'Arm that was promoted';
COMMENT ON COLUMN decision_principals.principal IS 'User on whose behalf runs were made, else the service';
COMMENT ON COLUMN decision_principals.runs IS 'Their runs in the evidence [runs]';
COMMENT ON COLUMN decision_principals.weight IS 'Log-growth that these caused: positive argues for, negative against [nats]';
COMMENT ON COLUMN decision_principals.place IS 'Place among the promotion''s principals by weight, from 1';
COMMENT ON COLUMN decision_principals.left_after IS 'Log of the e-value without this one and all that are stronger [nats]';
COMMENT ON COLUMN decision_principals.needed IS 'What the log of the e-value has to come to [nats]';
COMMENT ON COLUMN decision_principals.stands IS 'Whether that is enough without them';
