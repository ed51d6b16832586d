-- Every run with a skill and an arm is counted once, and in exactly one of four ways.
SELECT coalesce(e.day, s.day) AS day, coalesce(e.n, 0) AS rows_in, coalesce(s.n, 0) AS rows_out, 0 AS set_aside
FROM (SELECT day, count(*) AS n FROM labeled_examples
      WHERE grain = 'run' AND skill IS NOT NULL AND arm IS NOT NULL GROUP BY day) AS e
FULL JOIN (SELECT day, sum(admitted + missing + immature + refused)::BIGINT AS n
           FROM skill_day_stats GROUP BY day) AS s USING (day)
ORDER BY day
