-- Which arm is best at each skill, and can we tell?
CREATE VIEW skill_leaderboard AS
SELECT
    s.skill, s.rank, s.arm, s.model, s.prompt_version,
    coalesce(s.arm IN (SELECT r.arm FROM current_routing AS r WHERE r.skill = s.skill AND r.segment = 'production'), false)
        AS in_production,
    s.score, s.lower, s.upper, s.standing, s.reason, s.runs, s.admitted, s.effective_n,
    s.cost_usd, s.error_rate, s.p50_seconds, s.p95_seconds, s.last_day
FROM skill_scores AS s
ORDER BY s.skill, s.rank NULLS LAST, s.score DESC NULLS LAST, s.arm;

COMMENT ON VIEW skill_leaderboard IS 'Arms of each skill by rank, with the interval that the rank rests on. Ranks compare arms as they were used, not at random: only promotion_decisions says that one is better.';
COMMENT ON COLUMN skill_leaderboard.skill IS 'Skill';
COMMENT ON COLUMN skill_leaderboard.rank IS 'Rank within the skill; NULL: the intervals allow none';
COMMENT ON COLUMN skill_leaderboard.arm IS '''model|prompt version|tool schema''';
COMMENT ON COLUMN skill_leaderboard.model IS 'Model';
COMMENT ON COLUMN skill_leaderboard.prompt_version IS 'Prompt version';
COMMENT ON COLUMN skill_leaderboard.in_production IS 'Whether production traffic gets it now';
COMMENT ON COLUMN skill_leaderboard.score IS 'Mean outcome, shrunk towards the skill''s [outcome]';
COMMENT ON COLUMN skill_leaderboard.lower IS 'Lower end of its 95 % interval [outcome]';
COMMENT ON COLUMN skill_leaderboard.upper IS 'Upper end of its 95 % interval [outcome]';
COMMENT ON COLUMN skill_leaderboard.standing IS 'best | tied | worse | unranked';
COMMENT ON COLUMN skill_leaderboard.reason IS 'Why it is unranked or tied';
COMMENT ON COLUMN skill_leaderboard.runs IS 'Runs seen [runs]';
COMMENT ON COLUMN skill_leaderboard.admitted IS 'Runs with an admitted outcome [runs]';
COMMENT ON COLUMN skill_leaderboard.effective_n IS 'Effective sample size [runs]';
COMMENT ON COLUMN skill_leaderboard.cost_usd IS 'Mean cost per run; NULL: not reported [USD]';
COMMENT ON COLUMN skill_leaderboard.error_rate IS 'Share of runs that ended in an error [share]';
COMMENT ON COLUMN skill_leaderboard.p50_seconds IS 'Median duration [s]';
COMMENT ON COLUMN skill_leaderboard.p95_seconds IS '95th percentile of duration [s]';
COMMENT ON COLUMN skill_leaderboard.last_day IS 'Last day with runs';
