-- Merging days loses no run.
SELECT CAST(NULL AS DATE) AS day,
       (SELECT coalesce(sum(runs), 0)::BIGINT FROM skill_day_stats) AS rows_in,
       (SELECT coalesce(sum(runs), 0)::BIGINT FROM skill_scores) AS rows_out,
       0 AS set_aside
