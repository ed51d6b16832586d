-- What quality costs: outcome against money, and which arms nothing beats on both.
CREATE VIEW cost_of_quality AS
SELECT
    s.skill, s.arm, s.model, s.prompt_version, s.score, s.lower, s.upper, s.cost_usd,
    s.cost_usd / nullif(s.score, 0) AS cost_per_success,
    s.cost_usd - min(s.cost_usd) OVER (PARTITION BY s.skill) AS cost_over_cheapest,
    NOT EXISTS (
        FROM skill_scores AS o
        WHERE o.skill = s.skill AND o.score >= s.score AND o.cost_usd <= s.cost_usd
          AND (o.score > s.score OR o.cost_usd < s.cost_usd)
    ) AS on_frontier,
    s.runs
FROM skill_scores AS s
WHERE s.score IS NOT NULL AND s.cost_usd IS NOT NULL
ORDER BY s.skill, s.cost_usd, s.arm;

COMMENT ON VIEW cost_of_quality IS 'Outcome against cost per arm, for arms with both; on_frontier marks those that no other arm beats on both point estimates.';
COMMENT ON COLUMN cost_of_quality.skill IS 'Skill';
COMMENT ON COLUMN cost_of_quality.arm IS '''model|prompt version|tool schema''';
COMMENT ON COLUMN cost_of_quality.model IS 'Model';
COMMENT ON COLUMN cost_of_quality.prompt_version IS 'Prompt version';
COMMENT ON COLUMN cost_of_quality.score IS 'Mean outcome, shrunk towards the skill''s [outcome]';
COMMENT ON COLUMN cost_of_quality.lower IS 'Lower end of its 95 % interval [outcome]';
COMMENT ON COLUMN cost_of_quality.upper IS 'Upper end of its 95 % interval [outcome]';
COMMENT ON COLUMN cost_of_quality.cost_usd IS 'Mean cost per run [USD]';
COMMENT ON COLUMN cost_of_quality.cost_per_success IS 'Cost per run divided by mean outcome [USD]';
COMMENT ON COLUMN cost_of_quality.cost_over_cheapest IS 'Cost per run above the skill''s cheapest arm [USD]';
COMMENT ON COLUMN cost_of_quality.on_frontier IS 'Whether no other arm is at least as good and as cheap, and better in one';
COMMENT ON COLUMN cost_of_quality.runs IS 'Runs seen [runs]';
