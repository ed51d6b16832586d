-- Every span has exactly one row in run_spans, in a run or in none.
SELECT coalesce(s.day, r.day) AS day, coalesce(s.n, 0) AS rows_in, coalesce(r.n, 0) AS rows_out, 0 AS set_aside
FROM (SELECT day, count(*) AS n FROM raw_spans GROUP BY day) AS s
FULL JOIN (SELECT span_day AS day, count(*) AS n FROM run_spans GROUP BY span_day) AS r USING (day)
ORDER BY day
