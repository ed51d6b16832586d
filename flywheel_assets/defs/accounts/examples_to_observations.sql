-- Every example is admitted or set aside by a gate with a reason.
SELECT coalesce(e.day, g.day, r.day) AS day,
       coalesce(e.n, 0) AS rows_in, coalesce(g.n, 0) AS rows_out, coalesce(r.n, 0) AS set_aside
FROM (SELECT day, count(*) AS n FROM labeled_examples GROUP BY day) AS e
FULL JOIN (SELECT day, count(*) AS n FROM gated_observations GROUP BY day) AS g USING (day)
FULL JOIN (SELECT day, count(*) AS n FROM rejections GROUP BY day) AS r USING (day)
ORDER BY day
