-- Does what is in production still rest on what is measured today?
CREATE VIEW promotion_support AS
WITH in_force AS (
    SELECT entry_id, experiment_id, skill, candidate_arm, decided_at, -ln(nullif(alpha, 0)) AS needed
    FROM promotion_decisions AS p
    WHERE p.kind = 'promoted' AND NOT EXISTS (
        SELECT 1 FROM promotion_decisions AS r WHERE r.kind = 'rolled_back' AND r.experiment_id = p.experiment_id
    )
    QUALIFY row_number() OVER (PARTITION BY p.skill ORDER BY p.seq DESC) = 1
),
said AS (
    SELECT target_id, name, author_id, coalesce(author_version, '-') AS version, observed_at
    FROM feedback
    WHERE tier = 'judge' AND value IS NOT NULL AND target_kind IN ('run', 'span')
),
newest AS (
    SELECT author_id, name, arg_max(version, observed_at) AS version FROM said GROUP BY author_id, name
),
units AS (
    SELECT i.*, a.run_id, a.trace_id, a.root_span_id, a.weight, o.tier = 'judge' AS judged
    FROM in_force AS i
    JOIN decision_arguments AS a USING (entry_id)
    LEFT JOIN gated_observations AS o ON o.example_id = a.run_id AND o.grain = 'run'
),
places AS (
    SELECT run_id, run_id AS place FROM units WHERE judged
    UNION
    SELECT run_id, concat(trace_id, ':', root_span_id) FROM units WHERE judged
),
last_words AS (
    SELECT p.run_id, s.author_id, s.name, arg_max(s.version, s.observed_at) AS version
    FROM places AS p JOIN said AS s ON s.target_id = p.place
    GROUP BY ALL
),
outdated AS (
    SELECT w.run_id, any_value(w.author_id || ' ' || w.version || ', now ' || n.version) AS judge
    FROM last_words AS w JOIN newest AS n USING (author_id, name)
    WHERE w.version <> n.version
    GROUP BY w.run_id
),
summed AS (
    SELECT
        u.skill, u.candidate_arm AS arm, u.experiment_id, u.decided_at AS promoted_at, count(*) AS units,
        count(o.run_id) AS outdated_units, any_value(u.needed) AS needed, sum(u.weight) AS evidence,
        coalesce(sum(u.weight) FILTER (WHERE o.run_id IS NULL), 0) AS evidence_left,
        string_agg(DISTINCT o.judge, '; ' ORDER BY o.judge) AS judges
    FROM units AS u LEFT JOIN outdated AS o USING (run_id)
    GROUP BY ALL
)
SELECT
    skill, arm, experiment_id, promoted_at, units, outdated_units, needed, evidence, evidence_left,
    CASE WHEN outdated_units > 0 AND evidence_left < needed / 2 THEN 'unproven' ELSE 'proven' END AS standing,
    CASE
        WHEN outdated_units = 0 THEN 'rests on what is measured today'
        WHEN evidence_left < needed / 2
            THEN 'unproven: most of its evidence was judged by another version (' || judges || '); run a trial again, or let people answer'
        ELSE 'proven without the units that were judged by another version (' || judges || ')'
    END AS reason
FROM summed
ORDER BY skill;

COMMENT ON VIEW promotion_support IS 'The newest promotion in force of each skill, and whether its evidence still counts: a judge that changed may not say today what it said then.';
COMMENT ON COLUMN promotion_support.skill IS 'Skill';
COMMENT ON COLUMN promotion_support.arm IS 'Arm that was promoted';
COMMENT ON COLUMN promotion_support.experiment_id IS 'Its registration';
COMMENT ON COLUMN promotion_support.promoted_at IS 'When it was promoted';
COMMENT ON COLUMN promotion_support.units IS 'Units that argued for or against it [units]';
COMMENT ON COLUMN promotion_support.outdated_units IS 'Units whose outcome a judge gave that is another version now [units]';
COMMENT ON COLUMN promotion_support.needed IS 'Log e-value that its trial needed';
COMMENT ON COLUMN promotion_support.evidence IS 'Log e-value of all units';
COMMENT ON COLUMN promotion_support.evidence_left IS 'What the units add to it whose outcomes still count';
COMMENT ON COLUMN promotion_support.standing IS 'proven | unproven: less than half of what was needed is left';
COMMENT ON COLUMN promotion_support.reason IS 'Why, in words';
