-- Who gets what now: the published routing document, one row per skill and segment.
CREATE VIEW current_routing AS
WITH routes AS (
    SELECT artifact_id AS policy_id, skills.key AS skill, skills.value AS route
    FROM promoted_routing, json_each(document_json, '$.skills') AS skills
    WHERE current
),
fixed AS (
    SELECT policy_id, skill, route, unnest(from_json(route->'$.fixed', '[{"name":"VARCHAR","arm":"VARCHAR","share":"DOUBLE"}]')) AS segment
    FROM routes
),
trial AS (
    SELECT policy_id, skill, route, unnest(from_json(route->'$.trial', '[{"name":"VARCHAR","arm":"VARCHAR","share":"DOUBLE"}]')) AS segment
    FROM routes
)
SELECT skill, segment.name AS segment, segment.arm AS arm, segment.share AS share,
       route->>'$.experiment_id' AS experiment_id, policy_id
FROM fixed
UNION ALL
SELECT skill, segment.name, segment.arm,
       segment.share * (1 - coalesce((SELECT sum(f.segment.share) FROM fixed AS f WHERE f.skill = trial.skill), 0)),
       route->>'$.experiment_id', policy_id
FROM trial
ORDER BY skill, share DESC, segment, arm;

COMMENT ON VIEW current_routing IS 'Who gets what now: the routing document in production, one row per skill, segment and arm.';
COMMENT ON COLUMN current_routing.skill IS 'Skill';
COMMENT ON COLUMN current_routing.segment IS 'production | canary | explore | holdout | frozen';
COMMENT ON COLUMN current_routing.arm IS 'Arm that the segment gets';
COMMENT ON COLUMN current_routing.share IS 'Share of all the skill''s units [share]';
COMMENT ON COLUMN current_routing.experiment_id IS 'Registrations in progress, joined by +; NULL: no trial is open';
COMMENT ON COLUMN current_routing.policy_id IS 'The routing document';
