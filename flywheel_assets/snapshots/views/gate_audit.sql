-- How often people agreed with each gate, of what they reviewed; Wilson's 95 % interval.
CREATE VIEW gate_audit AS
WITH said AS (
    SELECT target_id AS example_id, arg_max(value_text, observed_at) AS review
    FROM feedback
    WHERE name = 'flywheel.review' AND tier = 'human' AND author_id <> 'unregistered'
    GROUP BY target_id
),
objected AS (
    SELECT v.gate, v.gate_version, v.example_id, said.review
    FROM gate_verdicts AS v
    LEFT JOIN said ON said.example_id = v.example_id
    WHERE v.verdict <> 'allow' AND v.gate <> 'review'
),
counted AS (
    SELECT
        gate, gate_version,
        count(*) AS objections,
        count(review) AS reviewed,
        count(*) FILTER (review = 'refuse') AS confirmed,
        count(*) FILTER (review = 'release') AS released
    FROM objected GROUP BY gate, gate_version
)
SELECT
    *,
    confirmed / nullif(reviewed, 0) AS precision,
    (confirmed + 1.9208 - 1.96 * sqrt(confirmed * released / nullif(reviewed, 0) + 0.9604)) / (nullif(reviewed, 0) + 3.8416)
        AS lower,
    (confirmed + 1.9208 + 1.96 * sqrt(confirmed * released / nullif(reviewed, 0) + 0.9604)) / (nullif(reviewed, 0) + 3.8416)
        AS upper
FROM counted
ORDER BY gate, gate_version;

COMMENT ON VIEW gate_audit IS 'Each gate''s objections, how many of them people reviewed, and how often they agreed.';
COMMENT ON COLUMN gate_audit.gate IS 'Gate';
COMMENT ON COLUMN gate_audit.gate_version IS 'Its version: another version is another instrument';
COMMENT ON COLUMN gate_audit.objections IS 'Examples that it held or discarded [examples]';
COMMENT ON COLUMN gate_audit.reviewed IS 'Of these, reviewed by a person [examples]';
COMMENT ON COLUMN gate_audit.confirmed IS 'Of these, refused by the person too [examples]';
COMMENT ON COLUMN gate_audit.released IS 'Of these, released [examples]';
COMMENT ON COLUMN gate_audit.precision IS 'confirmed / reviewed; NULL: nothing was reviewed [share]';
COMMENT ON COLUMN gate_audit.lower IS 'Lower end of the 95 % interval (Wilson 1927) of precision [share]';
COMMENT ON COLUMN gate_audit.upper IS 'Upper end of it [share]';
