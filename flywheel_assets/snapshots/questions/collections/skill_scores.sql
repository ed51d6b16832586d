SELECT
    skill || '|' || arm AS id, skill, arm, model, prompt_version, runs, admitted, effective_n,
    mean, score, lower, upper, cost_usd, error_rate, p95_seconds, rank, standing, reason,
    in_production, epoch(last_day::TIMESTAMP)::BIGINT AS last_day
FROM (
    SELECT s.*, coalesce(b.in_production, false) AS in_production
    FROM skill_scores AS s LEFT JOIN skill_leaderboard AS b ON b.skill = s.skill AND b.arm = s.arm
)
ORDER BY id
