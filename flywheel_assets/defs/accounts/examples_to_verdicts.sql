-- Every gate says something of every example.
SELECT coalesce(e.day, v.day) AS day,
       coalesce(e.n, 0) * coalesce(v.gates, 0) AS rows_in, coalesce(v.n, 0) AS rows_out, 0 AS set_aside
FROM (SELECT day, count(*) AS n FROM labeled_examples GROUP BY day) AS e
FULL JOIN (SELECT day, count(*) AS n, count(DISTINCT gate) AS gates FROM gate_verdicts GROUP BY day) AS v USING (day)
ORDER BY day
