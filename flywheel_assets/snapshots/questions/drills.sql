-- Each drill over all skills, and the skills in which the whole interval lies above what was promised.
SELECT drill, count(*) AS skills, sum(trials)::BIGINT AS trials, sum(promoted)::BIGINT AS promoted,
       sum(promoted) / sum(trials) AS share, any_value(nominal) AS nominal,
       list(skill ORDER BY skill) FILTER (exceeds) AS exceeding, any_value(reason) AS reason
FROM drill_results
WHERE trials > 0
GROUP BY drill
ORDER BY any_value(nominal) IS NULL, drill
