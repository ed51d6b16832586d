-- How many principals each promotion can lose: any so many, and at most so many.
CREATE VIEW decision_robustness AS
WITH weakest AS (
    SELECT *,
        sum(weight) OVER (PARTITION BY entry_id)
        - sum(weight) OVER (PARTITION BY entry_id ORDER BY weight, principal ROWS UNBOUNDED PRECEDING)
        >= needed AS stands_without_weaker
    FROM decision_principals
)
SELECT
    seq, entry_id, skill, candidate_arm,
    count(*) AS principals,
    max(weight) AS strongest,
    sum(weight) AS log_e,
    any_value(needed) AS needed,
    min(place) FILTER (NOT stands) - 1 AS any_removed,
    count(*) FILTER (stands_without_weaker) AS most_removed
FROM weakest
GROUP BY seq, entry_id, skill, candidate_arm
ORDER BY seq;

COMMENT ON VIEW decision_robustness IS 'How many principals each promotion can lose before its e-value falls below what it needs: whichever they are, and at the most.';
COMMENT ON COLUMN decision_robustness.seq IS 'Position of the promotion in the ledger';
COMMENT ON COLUMN decision_robustness.entry_id IS 'Ledger entry';
COMMENT ON COLUMN decision_robustness.skill IS 'Skill';
COMMENT ON COLUMN decision_robustness.candidate_arm IS 'Arm that was promoted';
COMMENT ON COLUMN decision_robustness.principals IS 'Principals in the evidence [principals]';
COMMENT ON COLUMN decision_robustness.strongest IS 'Largest part of one of them [nats]';
COMMENT ON COLUMN decision_robustness.log_e IS 'Log of the e-value [nats]';
COMMENT ON COLUMN decision_robustness.needed IS 'What it has to come to [nats]';
COMMENT ON COLUMN decision_robustness.any_removed IS 'It stands without any so many, the strongest included: what an attacker has to own is one more [principals]';
COMMENT ON COLUMN decision_robustness.most_removed IS 'The largest set whose removal leaves it standing: the weakest [principals]';
