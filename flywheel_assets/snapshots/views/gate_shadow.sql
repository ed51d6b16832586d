-- What a gate on trial would have changed: its verdicts beside what became of the examples.
CREATE VIEW gate_shadow AS
WITH fates AS (
    SELECT example_id, skill, 'admitted' AS fate FROM gated_observations
    UNION ALL
    SELECT example_id, skill, state FROM rejections
),
said AS (
    SELECT v.gate, v.gate_version, f.skill, v.verdict <> 'allow' AS objects, f.fate = 'admitted' AS admitted
    FROM gate_verdicts AS v
    JOIN fates AS f USING (example_id)
    WHERE v.gate_version LIKE '% in shadow'
)
SELECT
    gate, gate_version, skill,
    count(*) AS examples,
    count(*) FILTER (objects AND admitted) AS would_refuse,
    count(*) FILTER (objects AND NOT admitted) AS refused_as_well,
    count(*) FILTER (NOT objects AND NOT admitted) AS refused_by_others_only,
    count(*) FILTER (NOT objects AND admitted) AS allowed_by_all
FROM said
GROUP BY gate, gate_version, skill
ORDER BY would_refuse DESC, gate, skill;

COMMENT ON VIEW gate_shadow IS 'What each gate on trial would have refused that others allow, and the reverse.';
COMMENT ON COLUMN gate_shadow.gate IS 'Gate on trial';
COMMENT ON COLUMN gate_shadow.gate_version IS 'Its version';
COMMENT ON COLUMN gate_shadow.skill IS 'Skill; NULL: unknown';
COMMENT ON COLUMN gate_shadow.examples IS 'Examples that it judged [examples]';
COMMENT ON COLUMN gate_shadow.would_refuse IS 'Admitted now; it would have refused them [examples]';
COMMENT ON COLUMN gate_shadow.refused_as_well IS 'Refused now; it would have refused them too [examples]';
COMMENT ON COLUMN gate_shadow.refused_by_others_only IS 'Refused now; it would have allowed them [examples]';
COMMENT ON COLUMN gate_shadow.allowed_by_all IS 'Admitted now; it allows them too [examples]';
