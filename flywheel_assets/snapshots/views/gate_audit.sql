-- How often people agreed with each gate, and how much the gates miss at most, of what was drawn at random for review;
-- Wilson's 95 % intervals. What people picked for review themselves counts in `picked` alone.
CREATE VIEW gate_audit AS
WITH objected AS (
    SELECT gate, gate_version, example_id FROM gate_verdicts WHERE verdict <> 'allow' AND gate <> 'review'
),
words AS (
    SELECT target_id AS example_id FROM feedback
    WHERE name = 'flywheel.review' AND tier = 'human' AND author_id <> 'unregistered'
    GROUP BY target_id
),
counted AS (
    SELECT
        o.gate, o.gate_version,
        count(*) AS objections,
        count(s.example_id) AS sampled,
        count(s.review) AS reviewed,
        count(*) FILTER (s.review = 'refuse') AS confirmed,
        count(*) FILTER (s.review = 'release') AS released,
        count(w.example_id) FILTER (s.example_id IS NULL) AS picked
    FROM objected AS o
    LEFT JOIN audit_sample AS s USING (example_id)
    LEFT JOIN words AS w USING (example_id)
    GROUP BY o.gate, o.gate_version
),
allowed AS (
    -- Every gate that is not on trial judges every example: those of a day are as many as one gate's rows.
    SELECT
        coalesce(sum(examples), 0)::BIGINT - (
            SELECT count(DISTINCT example_id) FROM objected WHERE gate_version NOT LIKE '% in shadow'
        ) AS examples
    FROM (
        SELECT day, max(judged) AS examples
        FROM (SELECT day, gate, count(*) AS judged FROM gate_verdicts WHERE gate <> 'review' GROUP BY day, gate)
        GROUP BY day
    )
),
looked AS (
    SELECT count(review)::DOUBLE AS reviewed, count(*) FILTER (review = 'refuse')::DOUBLE AS missed
    FROM audit_sample WHERE len(objecting) = 0
),
bounded AS (
    SELECT
        counted.*,
        looked.reviewed::BIGINT AS allowed_reviewed,
        looked.missed::BIGINT AS allowed_refused,
        confirmed / nullif(counted.reviewed, 0) AS precision,
        (confirmed + 1.9208 - 1.96 * sqrt(confirmed * released / nullif(counted.reviewed, 0) + 0.9604))
            / (nullif(counted.reviewed, 0) + 3.8416) AS lower,
        (confirmed + 1.9208 + 1.96 * sqrt(confirmed * released / nullif(counted.reviewed, 0) + 0.9604))
            / (nullif(counted.reviewed, 0) + 3.8416) AS upper,
        allowed.examples * (missed + 1.9208
            + 1.96 * sqrt(missed * (looked.reviewed - missed) / nullif(looked.reviewed, 0) + 0.9604))
            / (nullif(looked.reviewed, 0) + 3.8416) AS missed_at_most
    FROM counted, allowed, looked
)
SELECT *, lower * objections / nullif(lower * objections + missed_at_most, 0) AS recall_at_least
FROM bounded
ORDER BY gate, gate_version;

COMMENT ON VIEW gate_audit IS 'Each gate''s objections, how often people agreed with them, and how much was missed at most.';
COMMENT ON COLUMN gate_audit.gate IS 'Gate';
COMMENT ON COLUMN gate_audit.gate_version IS 'Its version: another version is another instrument';
COMMENT ON COLUMN gate_audit.objections IS 'Examples that it held or discarded [examples]';
COMMENT ON COLUMN gate_audit.sampled IS 'Of these, drawn at random for review [examples]';
COMMENT ON COLUMN gate_audit.reviewed IS 'Of the drawn ones, reviewed by a person [examples]';
COMMENT ON COLUMN gate_audit.confirmed IS 'Of these, refused by the person too [examples]';
COMMENT ON COLUMN gate_audit.released IS 'Of these, released [examples]';
COMMENT ON COLUMN gate_audit.picked IS 'Reviewed though not drawn: no measure of the gate, because nobody knows why these [examples]';
COMMENT ON COLUMN gate_audit.allowed_reviewed IS 'Drawn from what all gates allowed, and reviewed [examples]';
COMMENT ON COLUMN gate_audit.allowed_refused IS 'Of these, refused by the person: missed by all gates [examples]';
COMMENT ON COLUMN gate_audit.precision IS 'confirmed / reviewed; NULL: nothing was reviewed [share]';
COMMENT ON COLUMN gate_audit.lower IS 'Lower end of the 95 % interval (Wilson 1927) of precision [share]';
COMMENT ON COLUMN gate_audit.upper IS 'Upper end of it [share]';
COMMENT ON COLUMN gate_audit.missed_at_most IS 'Upper end of what is wrong among all allowed examples, whichever gate should have seen it [examples]';
COMMENT ON COLUMN gate_audit.recall_at_least IS 'Lower bound of its recall, as if everything that was missed were its to find; NULL: nothing was reviewed [share]';
