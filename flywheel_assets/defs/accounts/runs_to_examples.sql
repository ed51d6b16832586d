-- Every run is one example at run grain, labeled or with why it is not.
SELECT coalesce(a.day, e.day) AS day, coalesce(a.n, 0) AS rows_in, coalesce(e.n, 0) AS rows_out, 0 AS set_aside
FROM (SELECT day, count(*) AS n FROM agent_runs GROUP BY day) AS a
FULL JOIN (SELECT day, count(*) AS n FROM labeled_examples WHERE grain = 'run' GROUP BY day) AS e USING (day)
ORDER BY day
