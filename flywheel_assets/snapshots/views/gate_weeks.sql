-- How much each gate objects to, week by week, beside the eight weeks before. A gate that suddenly objects to more, or
-- to nothing any more, has met other traffic, or is broken.
CREATE VIEW gate_weeks AS
WITH days AS (
    SELECT day, gate, gate_version, count(*) AS examples, count(*) FILTER (verdict <> 'allow') AS objections
    FROM gate_verdicts
    GROUP BY ALL
),
weeks AS (
    SELECT gate, gate_version, date_trunc('week', day)::DATE AS week,
        sum(examples) AS examples, sum(objections) AS objections
    FROM days
    GROUP BY ALL
),
beside AS (
    SELECT *, sum(examples) OVER before AS earlier_examples, sum(objections) OVER before AS earlier_objections
    FROM weeks
    WINDOW before AS (PARTITION BY gate, gate_version ORDER BY week ROWS BETWEEN 8 PRECEDING AND 1 PRECEDING)
),
shares AS (
    SELECT
        *, objections / examples AS share, earlier_objections / earlier_examples AS earlier_share,
        (objections + earlier_objections) / (examples + earlier_examples) AS pooled
    FROM beside
)
SELECT
    gate, gate_version, week, examples::BIGINT AS examples, objections::BIGINT AS objections, share, earlier_share,
    (share - earlier_share) / nullif(sqrt(pooled * (1 - pooled) * (1 / examples + 1 / earlier_examples)), 0) AS z,
    coalesce(least(examples, earlier_examples) >= 200 AND abs(share - earlier_share) >= 0.05 AND abs(z) >= 5, false)
        AS drifted
FROM shares
ORDER BY week DESC, gate, gate_version;

COMMENT ON VIEW gate_weeks IS 'How much each gate objected to in each week, and whether that differs from the weeks before.';
COMMENT ON COLUMN gate_weeks.gate IS 'Gate';
COMMENT ON COLUMN gate_weeks.gate_version IS 'Its version: another version starts anew';
COMMENT ON COLUMN gate_weeks.week IS 'Monday of the week (UTC)';
COMMENT ON COLUMN gate_weeks.examples IS 'Examples that it judged [examples]';
COMMENT ON COLUMN gate_weeks.objections IS 'Of these, held or discarded [examples]';
COMMENT ON COLUMN gate_weeks.share IS 'objections / examples [share]';
COMMENT ON COLUMN gate_weeks.earlier_share IS 'The same of the eight weeks before; NULL: there are none [share]';
COMMENT ON COLUMN gate_weeks.z IS 'Difference over its pooled standard error [standard errors]';
COMMENT ON COLUMN gate_weeks.drifted IS 'At least 5 standard errors and 5 points apart, at 200 examples on each side';
