-- How each skill went, day by day. A trend here is not evidence for or against an arm: time is a confounder.
CREATE VIEW skill_days AS
SELECT
    day, skill, arm, segment,
    sum(runs)::BIGINT AS runs, sum(admitted)::BIGINT AS admitted, sum(missing)::BIGINT AS missing,
    sum(immature)::BIGINT AS immature, sum(refused)::BIGINT AS refused,
    sum(sum_wy) / nullif(sum(sum_w), 0) AS outcome,
    sum(sum_cost) / nullif(sum(costed), 0) AS cost_usd,
    sum(errors) / nullif(sum(runs), 0) AS error_rate,
    sum(sum_seconds) / nullif(sum(timed), 0) AS seconds
FROM skill_day_stats
GROUP BY day, skill, arm, segment
ORDER BY day, skill, arm, segment;

COMMENT ON VIEW skill_days IS 'Runs, outcome, cost, errors and duration per day, skill, arm and segment. A trend in it is no evidence about an arm: time is a confounder.';
COMMENT ON COLUMN skill_days.day IS 'UTC day on which the runs started';
COMMENT ON COLUMN skill_days.skill IS 'Skill';
COMMENT ON COLUMN skill_days.arm IS 'Arm';
COMMENT ON COLUMN skill_days.segment IS 'Segment; ''none'' without a decision';
COMMENT ON COLUMN skill_days.runs IS 'Runs seen [runs]';
COMMENT ON COLUMN skill_days.admitted IS 'Runs with an admitted outcome [runs]';
COMMENT ON COLUMN skill_days.missing IS 'Runs whose outcome nobody stated [runs]';
COMMENT ON COLUMN skill_days.immature IS 'Runs whose outcome may still come [runs]';
COMMENT ON COLUMN skill_days.refused IS 'Runs with an outcome that a gate refused [runs]';
COMMENT ON COLUMN skill_days.outcome IS 'Weighted mean outcome; NULL: none admitted [outcome]';
COMMENT ON COLUMN skill_days.cost_usd IS 'Mean cost per run; NULL: not reported [USD]';
COMMENT ON COLUMN skill_days.error_rate IS 'Share of runs that ended in an error [share]';
COMMENT ON COLUMN skill_days.seconds IS 'Mean duration; NULL: unknown [s]';
