-- Labels with what is known of their runs, suspect ones with less weight.
SELECT {run_facts}, e.* EXCLUDE (run_id, skill) REPLACE (e.weight * coalesce(s.kept, 1) AS weight)
FROM examples e
JOIN runs r USING (run_id)
LEFT JOIN suspects s USING (example_id)
ORDER BY e.example_id
