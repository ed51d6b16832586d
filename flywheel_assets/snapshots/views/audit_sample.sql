-- What people are asked to look at so that gates can be judged: a tenth of what gates refused and a fiftieth of what
-- all of them allowed, by a hash of the id, so that nothing a gate looked at decides who is in it.
CREATE VIEW audit_sample AS
WITH said AS (
    SELECT target_id AS example_id, arg_max(value_text, (observed_at, feedback_id)) AS review,
        arg_max(author_id, (observed_at, feedback_id)) AS reviewer
    FROM feedback
    WHERE name = 'flywheel.review' AND tier = 'human' AND author_id <> 'unregistered'
        AND value_text IN ('release', 'refuse')
    GROUP BY target_id
),
judged AS (
    -- That nothing is there to admit, and what a person said himself, is no opinion to be checked.
    SELECT
        example_id, day,
        bool_or(verdict <> 'allow' AND gate IN ('schema', 'completeness')) AS nothing_there,
        coalesce(list(gate ORDER BY gate) FILTER (verdict <> 'allow'), []) AS objecting
    FROM gate_verdicts
    WHERE gate <> 'review' AND gate_version NOT LIKE '% in shadow'
    GROUP BY example_id, day
),
drawn AS (
    SELECT *, md5_number_lower(example_id) % 1000 AS draw FROM judged WHERE NOT nothing_there
)
SELECT d.example_id, d.day, d.objecting, said.review, said.reviewer
FROM drawn AS d
LEFT JOIN said USING (example_id)
WHERE draw < 20 OR (draw < 100 AND len(objecting) > 0)
ORDER BY d.day DESC, d.example_id;

COMMENT ON VIEW audit_sample IS 'A random share of refused and of admitted examples: what people are asked to look at, and what they said.';
COMMENT ON COLUMN audit_sample.example_id IS 'Example';
COMMENT ON COLUMN audit_sample.day IS 'UTC day on which its run started';
COMMENT ON COLUMN audit_sample.objecting IS 'Gates that objected; empty: all allowed it';
COMMENT ON COLUMN audit_sample.review IS 'release | refuse: a person''s last word; NULL: nobody has looked yet';
COMMENT ON COLUMN audit_sample.reviewer IS 'Whose word it is';
